//! Events: what the host publishes.

use crate::id::EventId;
use crate::time::Timestamp;

/// Most events that one publish call may hold.
pub const MAX_EVENTS: usize = 1_000;
/// Longest event id that a publisher may choose, in bytes.
pub const MAX_ID: usize = 200;
/// Largest payload of one event, in bytes of its canonical form.
pub const MAX_PAYLOAD: usize = 256 * 1024;

/// An event that is ready to be stored: checked, its payload in canonical form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEvent {
    /// The publisher's idempotency key, or a generated id.
    pub id: EventId,
    /// Subject code.
    pub subject: String,
    /// Event type code.
    pub event_type: String,
    /// Stored form of the context.
    pub context: String,
    /// When it happened; the time of publishing unless the publisher says otherwise.
    pub occurred_at: Timestamp,
    /// Canonical JSON of the payload.
    pub payload: String,
    /// JSON object with values that filters look at, if the publisher gave any.
    pub attributes: Option<String>,
}

/// What became of a published event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// The event's id.
    pub id: EventId,
    /// Whether this call stored it.
    pub status: PublishStatus,
    /// How many deliveries it caused when it was stored.
    pub deliveries: u32,
}

/// Whether a publish call stored an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PublishStatus {
    /// Stored by this call.
    Accepted,
    /// Stored by an earlier call with the same id; nothing changed.
    Duplicate,
}
