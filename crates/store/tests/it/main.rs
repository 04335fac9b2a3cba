//! The store's behaviour, one suite for both engines.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports what went wrong by panicking"
)]

mod application_lists;
mod applications;
mod attachments;
mod audit;
mod authorizations;
mod catalogue;
mod delegations;
mod deliveries;
mod delivery_log;
mod directory;
mod dispatches;
mod engines;
mod events;
mod guarantees;
mod housekeeping;
mod identities;
mod keys;
mod make;
mod parameters;
mod revisions;
mod rights_of_people;
mod secrets;
mod server_keys;
mod sqlite;
mod transactions;
mod trusted_certificates;
mod webhooks;
