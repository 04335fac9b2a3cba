//! The host API: what the product that embeds Spaceport calls.

pub mod event;
