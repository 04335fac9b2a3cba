//! Tests of the sender as others see it: against an outbox in memory and against endpoints on this machine.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports what went wrong by panicking"
)]

mod endpoint;
mod engine_faults;
mod engine_flow;
mod engine_pace;
mod engine_stop;
#[path = "../../src/forbidden_hosts.rs"]
mod forbidden_hosts;
mod memory;
mod sender;
mod sender_dns;
mod sender_guard;
mod sender_identity;
mod sender_tls;
mod simulation;
mod vectors;
