//! The Applications API: one file per resource.

pub mod application;
pub mod application_attached;
pub mod application_create;
pub mod application_list;
pub mod application_out;
pub mod application_secret;
pub mod application_state;
pub mod attachment;
pub mod catalogue;
pub mod change;
pub mod describe;
pub mod gpg_key;
pub mod page;
pub mod parameter;
pub mod permanent_token;
pub mod permanent_token_out;
pub mod ssh_key;
pub mod webhook;
pub mod webhook_out;
