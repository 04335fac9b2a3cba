//! The sender: claims deliveries, signs them, sends them, judges the answer, retries.
//!
//! This crate knows nothing of SQL, of axum or of the shape of any JSON: a body is bytes, and what
//! is stored where is the business of whoever implements [`outbox::Outbox`]. The map:
//!
//! | module | holds |
//! | --- | --- |
//! | [`outbox`] | what a delivery is, and the four calls that lead to wherever deliveries are kept |
//! | [`engine`] | claim, send, record: the loop, its limits and its handle |
//! | [`policy`] | delivered, again at t, or given up: a pure function |
//! | [`outcome`] | what came of one attempt |
//! | [`sign`] | one function for each way of proving that a request is ours |
//! | [`standard`] | the signature of Standard Webhooks, beside them |
//! | [`request`] | the headers of a request, complete and masked for the log |
//! | [`guard`] | which addresses may be called |
//! | [`resolve`] | names to addresses |
//! | [`http`] | the sender that really calls |
//!
//! # The states of a delivery
//!
//! ```text
//!                  claim: sets a lease, counts the attempt
//!             ┌──────────────────────────────────────────────┐
//!             │                                              ▼
//!        ┌─────────┐  failed and tries are left         ┌─────────┐  2xx or accepted   ┌───────────┐
//! ──────►│ waiting │◄───────────────────────────────────│ sending │───────────────────►│ delivered │
//!        └─────────┘  or given back when we stop        └─────────┘                    └───────────┘
//!             │                                           │  │  ▲
//!             │                                           │  └──┘ the lease ran out: claimed again
//!             │ application archived,                     │
//!             │ webhook deleted or switched off           │ failed for the last time
//!             ▼                                           ▼
//!       ┌───────────┐                               ┌──────────┐
//!       │ cancelled │                               │ given up │
//!       └───────────┘                               └──────────┘
//! ```
//!
//! A delivery may arrive twice (the process died between the answer and the commit that records it)
//! but never not at all; `X-Space-Delivery-Id` stays the same over all attempts of one delivery, so
//! that an application can tell.

pub mod engine;
pub mod guard;
pub mod http;
pub mod identity;
pub mod outbox;
pub mod outcome;
pub mod policy;
pub mod request;
pub mod resolve;
pub mod sign;
mod special;
pub mod standard;

pub use engine::{Engine, Handle, Progress, Settings};
pub use outbox::{Claimed, Outbox, OutboxError, PayloadKind, Target};
pub use outcome::{Answer, ErrorKind, Outcome};
