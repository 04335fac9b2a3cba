//! The Applications API: one file per resource.

pub mod application;
pub mod application_out;
pub mod application_secret;
pub mod catalogue;
pub mod change;
pub mod describe;
pub mod page;
pub mod parameter;
pub mod webhook;
pub mod webhook_out;
