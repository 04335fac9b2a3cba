//! The Applications API: one file per resource.

pub mod application;
pub mod application_attached;
pub mod application_create;
pub mod application_list;
pub mod application_out;
pub mod application_secret;
pub mod application_state;
pub mod attachment;
pub mod authorization;
pub mod authorization_index;
pub mod catalogue;
pub mod change;
pub mod context_out;
pub mod describe;
pub mod gpg_key;
pub mod page;
pub mod parameter;
pub mod permanent_token;
pub mod permanent_token_out;
pub mod permission;
pub mod principal_out;
pub mod required_right;
pub mod right_out;
pub mod ssh_key;
pub mod webhook;
pub mod webhook_out;
