//! Events: what the host publishes.

use crate::access::own_rights;
use crate::context::Place;
use crate::grants::Grants;
use crate::id::{ApplicationId, EventId};
use crate::right::Right;
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
    /// Where it happened.
    pub place: Place,
    /// The application it is about, if it is about one.
    pub about: Option<About>,
    /// Rights an application needs at that place to hear of it.
    pub rights: Vec<Right>,
    /// When it happened; the time of publishing unless the publisher says otherwise.
    pub occurred_at: Timestamp,
    /// Canonical JSON of the payload.
    pub payload: String,
    /// JSON object with values that filters look at, if the publisher gave any.
    pub attributes: Option<String>,
}

/// The application an event is about, and the one that made it, which both hear of it without a right.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct About {
    /// The application.
    pub application: ApplicationId,
    /// The application that made it, when an application did.
    pub maker: Option<ApplicationId>,
}

/// Whether an application with these grants may hear of an event: it holds every right at the event's place, or
/// holds it on the application that the event is about without any grant.
pub fn entitled(
    application: &ApplicationId,
    rights: &[Right],
    place: &Place,
    about: Option<&About>,
    grants: &Grants,
) -> bool {
    let own = about.is_some_and(|about| about.application == *application || about.maker.as_ref() == Some(application));
    rights.iter().all(|right| grants.holds(right, place) || (own && own_rights().contains(right)))
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
