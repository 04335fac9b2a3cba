//! The host API: what the product that embeds Spaceport calls.

pub mod approval;
pub mod audit_trail;
pub mod delivery_log;
pub mod directory;
pub mod event;
pub mod field_right;
pub mod filter;
pub mod installation;
pub mod payload;
pub mod public_key;
pub mod refresh_policy;
pub mod replay;
pub mod replay_missing;
pub mod right;
pub mod secret_overlap;
pub mod session;
pub mod ssl_keystore;
pub mod standard_webhooks;
pub mod webhook_sending;
