//! The sender: claims deliveries, signs them, sends them, judges the answer, retries.
