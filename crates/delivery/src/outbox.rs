//! What a delivery is, and the four calls through which the engine reaches wherever they are kept.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use spaceport_platform::id::{ApplicationId, DeliveryId, WebhookId};
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;

use crate::identity::ClientIdentity;
use crate::outcome::Outcome;
use crate::policy::Next;
use crate::sign::RsaSigner;
use crate::standard::StandardKeys;

/// A delivery leased to us.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Names the delivery; the same over all its attempts.
    pub id: DeliveryId,
    /// Whose delivery it is. Fairness is per application.
    pub application: ApplicationId,
    /// Where it goes.
    pub target: Arc<Target>,
    /// What it carries.
    pub kind: PayloadKind,
    /// This attempt's number, from 1; the claim has already counted it.
    pub attempt: u32,
    /// How many attempts were made before the delivery was last replayed: the schedule begins anew after them.
    pub tried_before: u32,
    /// The body, sent byte for byte.
    pub body: Bytes,
    /// What the log keeps of the body, when that does not follow from what is stored anyway.
    pub logged: Option<Bytes>,
    /// When the delivery was put into the outbox.
    pub created_at: Timestamp,
}

impl Claimed {
    /// What is ours of it.
    pub fn lease(&self) -> Lease {
        Lease { id: self.id.clone(), attempt: self.attempt }
    }
}

/// A delivery that is ours for one attempt.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lease {
    /// Which delivery.
    pub id: DeliveryId,
    /// Which attempt of it; whoever claims the delivery next counts one more.
    pub attempt: u32,
}

/// What a delivery carries: time limits and retry schedule depend on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PayloadKind {
    /// An event for a webhook.
    Webhook,
    /// Something in the life of an application: its secret, the server's URL, its removal, a refresh token.
    Lifecycle,
}

/// Where and how to send: loaded by the outbox, shared by the deliveries of one webhook revision.
#[derive(Clone, Debug)]
pub struct Target {
    /// The endpoint's URL, `http` or `https`.
    pub url: String,
    /// Whether the endpoint's certificate is checked.
    pub ssl_verification: SslVerification,
    /// The certificate shown to an endpoint that asks for one.
    pub identity: Option<Arc<ClientIdentity>>,
    /// How the request proves that it is ours.
    pub authentication: Authentication,
    /// What signs the headers of Standard Webhooks, whatever the authentication is.
    pub standard: StandardKeys,
    /// Headers the application asked for; they never override ours.
    pub headers: Vec<(String, String)>,
    /// Statuses that count as success beside 2xx (wire-protocol 8, row 24).
    pub accepted_codes: Vec<u16>,
    /// Whether a failure is tried again.
    pub retries: Retries,
    /// Its own pauses before resends, taken exactly; `None` follows the schedule.
    pub delays: Option<Vec<Duration>>,
    /// Order and limits; `None` when it has none.
    pub pace: Option<Pace>,
}

/// Order and limits that the deliveries of one webhook share, on each node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Which webhook.
    pub of: WebhookId,
    /// Whether each delivery waits until the one before it has ended. The outbox hands out no delivery of an ordered
    /// webhook before all that are older.
    pub ordered: bool,
    /// Most attempts under way.
    pub most_in_flight: Option<u32>,
    /// Most attempts in a minute, evenly spread.
    pub most_per_minute: Option<u32>,
}

/// Whether the endpoint's certificate is checked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SslVerification {
    /// Against the machine's and the operator's authorities, and for the right name.
    Verify,
    /// Any certificate will do: the application's own choice, for a self-signed one.
    Skip,
}

/// Whether a failure is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Retries {
    /// As the schedule says.
    Enabled,
    /// The first failure is the last.
    Disabled,
}

/// How a request proves that it is ours (wire-protocol 4.2).
#[derive(Clone, Debug)]
pub enum Authentication {
    /// `X-Space-Public-Key-Signature`.
    PublicKey(Arc<RsaSigner>),
    /// `X-Space-Signature`; the key is the bytes of the text.
    SigningKey(Secret),
    /// `X-Space-Signature` with the present key, and until then `X-Space-Previous-Signature` with the one before,
    /// for receivers that have not learned of the present one yet.
    SigningKeys {
        /// The present key.
        present: Secret,
        /// The one before.
        previous: Secret,
        /// When the one before ends.
        until: Timestamp,
    },
    /// `Authorization: Bearer`.
    Bearer(Secret),
    /// `Authorization: Basic`.
    Basic {
        /// Must not hold a colon (RFC 7617, section 2).
        username: String,
        /// May hold anything but control characters.
        password: Secret,
    },
    /// As `method` says, and with `X-Space-Public-Key-Signature` besides: applications that were installed from a link
    /// may verify either.
    WithPublicKey {
        /// The application's own method.
        method: Box<Authentication>,
        /// The published key.
        signer: Arc<RsaSigner>,
    },
    /// Nothing.
    None,
}

/// How many deliveries of one application the engine can take now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Want {
    /// Whose.
    pub application: ApplicationId,
    /// At most this many, at least one.
    pub capacity: usize,
    /// None of these webhooks.
    pub except: Vec<WebhookId>,
}

/// A lease that is not used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GivenBack {
    /// Which.
    pub lease: Lease,
    /// When the delivery may be claimed again.
    pub due_at: Timestamp,
}

/// What there is to do.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Due {
    /// Applications with a claimable delivery now: due, or with a lease that has run out. In any order.
    pub applications: Vec<ApplicationId>,
    /// When the next delivery falls due after now; `None` when nothing waits for a later time.
    pub next: Option<Timestamp>,
}

/// One attempt that has ended, to be recorded.
#[derive(Clone, Debug)]
pub struct Finished {
    /// Which delivery.
    pub id: DeliveryId,
    /// Which attempt of it. When the delivery has been claimed again meanwhile its number is higher by
    /// now, and this one must no longer change its state.
    pub attempt: u32,
    /// When the attempt began; also the signed timestamp.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// What came of it.
    pub outcome: Outcome,
    /// What follows for the delivery.
    pub next: Next,
    /// What was sent, with secrets and signatures masked; empty when nothing could be put together.
    pub request_headers: Vec<(String, String)>,
    /// Where it was sent.
    pub url: String,
    /// What the log keeps of the body, see [`Claimed::logged`].
    pub logged: Option<Bytes>,
}

/// Why a call of the outbox failed.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// Cannot be reached or is busy. The engine repeats the call, for ever, with growing pauses.
    #[error("the outbox is not available: {0}")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// This very call cannot succeed, repeating it is useless. A refused batch of outcomes is taken apart
    /// and recorded one by one; what is refused alone is logged and left to the lease.
    #[error("the outbox refused the call: {0}")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Wherever deliveries are kept.
///
/// Several engines may share one outbox: a claim hands a delivery to exactly one of them. No call may
/// keep a transaction open after it has returned.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Says which applications have a claimable delivery at `now`, and when the next one falls due.
    async fn due(&self, now: Timestamp) -> Result<Due, OutboxError>;

    /// Leases up to `capacity` claimable deliveries of each wanted application until `lease_until` and
    /// counts their attempt, in one commit. Fewer than wanted means: there are no more at `now`.
    async fn claim(&self, wants: &[Want], now: Timestamp, lease_until: Timestamp) -> Result<Vec<Claimed>, OutboxError>;

    /// Records attempts that have ended, with what follows from each, in one commit: all or nothing.
    async fn record(&self, finished: Vec<Finished>) -> Result<(), OutboxError>;

    /// Gives leases back as if they had never been taken, the attempt not counted. One that has run out and was taken by
    /// somebody else stays theirs.
    async fn release(&self, leases: Vec<GivenBack>) -> Result<(), OutboxError>;
}
