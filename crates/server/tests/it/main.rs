//! The server as its callers see it, over real HTTP, on both engines.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports what went wrong by panicking"
)]

mod administrators;
mod application_archive;
mod application_events;
mod application_isolation;
mod application_lists;
mod application_settings;
mod approvals;
mod audit;
mod authorizations;
mod browser;
mod cases;
mod catalogue;
mod consents;
mod contract;
mod contract_access;
mod contract_rights;
mod conventions;
mod decision;
mod delivery;
mod delivery_log;
mod directory;
mod directory_read;
mod export;
mod failing;
mod field_rights;
mod filters;
mod foreign;
mod forged;
mod harness;
mod hidden_fields;
mod hidden_places;
mod host_payloads;
mod hostile;
mod housekeeping;
mod http;
mod install_page;
mod installation;
mod keys;
mod keystores;
mod limits;
mod name_server;
mod oauth_end;
mod oauth_flow;
mod oauth_parameters;
mod oauth_races;
mod oauth_request;
mod oauth_tokens;
mod pages;
mod parameters;
mod payload_log;
mod people;
mod permanent_token_bounds;
mod permanent_tokens;
mod pictures;
mod provider;
mod public_keys;
mod rate_limit;
mod registry;
mod replay_missing;
mod rights_model;
mod secrets;
mod server_url;
mod signing_keys;
mod standard_webhooks;
mod start;
mod subscriptions;
mod texts;
mod tokens;
mod trusted_certificates;
mod ui_extensions;
mod unfurl_targets;
mod webhook_changes;
mod webhook_payload;
mod webhooks;
