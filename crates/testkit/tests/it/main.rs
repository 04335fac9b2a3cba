//! The test kit against itself: what other tests rely on.

mod foreign;
mod receiver;
