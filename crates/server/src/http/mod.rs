//! The machinery every operation runs on: routes, callers, access, inputs, replies, refusals.

pub mod access;
pub mod caller;
pub mod consent_access;
pub mod directory_access;
pub mod error;
pub mod fields;
pub mod freshness;
pub mod in_context;
pub mod input;
pub mod listen;
pub mod news;
pub mod on_authorization;
pub mod own_access;
pub mod peer;
pub mod reply;
pub mod request;
pub mod router;
pub mod routes;
pub mod trail;
pub mod unfurl_access;
