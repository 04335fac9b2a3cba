//! Claim, send, record: what the engine can be told and asked. The loop is in `engine/dispatch.rs`.
//!
//! ```text
//!  wake ──► mail ──► dispatcher ──claim──► outbox          one loop, the only one that claims
//!                        │                   ▲
//!                        │ one task each     │ record, many at a time
//!                        ▼                   │
//!                     attempt ──outcome──► recorder
//! ```

mod attempt;
mod dispatch;
mod hosts;
mod lanes;
mod mail;
mod patience;
mod queues;
mod record;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use spaceport_platform::id::ApplicationId;
use spaceport_platform::random::Random;
use spaceport_platform::time::{Clock, Timestamp};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::http::{Limits, Sender};
use crate::outbox::{Outbox, PayloadKind};
use crate::policy::Schedule;
use crate::request::Signing;

/// What [`Engine::stop`](Handle::stop) adds to its deadline for recording and giving back.
const GRACE: Duration = Duration::from_secs(5);
/// A lease outlives the longest attempt by at least this, so that nobody else sends while we do.
const LEASE_MARGIN: Duration = Duration::from_secs(10);

/// How much the engine does at a time.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Attempts under way, of all applications together.
    pub in_flight: usize,
    /// Attempts under way of one application. It never holds more than it leaves free for the others, so
    /// this is reached only when `in_flight` is at least twice as much.
    pub in_flight_per_application: usize,
    /// How long a claimed delivery is ours. Raised when an attempt could take longer.
    pub lease: Duration,
    /// How often the outbox is asked what is due: the most a lost wake-up costs.
    pub poll: Duration,
    /// Most deliveries of one claim.
    pub claim_batch: usize,
    /// Most applications of one claim.
    pub claim_applications: usize,
    /// Most outcomes of one commit. No more are claimed while twice as many wait to be recorded.
    pub record_batch: usize,
    /// RSA signatures made at the same time.
    pub signatures: usize,
    /// When failures are tried again.
    pub schedule: Schedule,
    /// Time and size of a webhook's call.
    pub webhook: Limits,
    /// Time and size of a lifecycle payload's call.
    pub lifecycle: Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            in_flight: 512,
            in_flight_per_application: 64,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            claim_batch: 256,
            claim_applications: 64,
            record_batch: 256,
            signatures: std::thread::available_parallelism().map_or(1, Into::into),
            schedule: Schedule::default(),
            webhook: Limits::default(),
            lifecycle: Limits::default(),
        }
    }
}

impl Settings {
    const fn limits(&self, kind: PayloadKind) -> Limits {
        match kind {
            PayloadKind::Webhook => self.webhook,
            PayloadKind::Lifecycle => self.lifecycle,
        }
    }

    fn lease(&self) -> Duration {
        self.lease.max(self.webhook.total.max(self.lifecycle.total) + LEASE_MARGIN)
    }

    /// How long after a claim an attempt may begin so that its lease outlives it.
    fn patience(&self) -> Duration {
        self.lease().saturating_sub(self.webhook.total + LEASE_MARGIN / 2)
    }
}

/// What all parts of one engine share.
struct Shared {
    outbox: Arc<dyn Outbox>,
    sender: Arc<dyn Sender>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Settings,
    signing: Signing,
    mail: mail::Mail,
    counts: Counts,
    hosts: hosts::Hosts,
}

#[derive(Default)]
struct Counts {
    last_cycle: AtomicI64,
    in_flight: AtomicUsize,
    /// Ended attempts whose outcome is not yet committed.
    unrecorded: AtomicUsize,
    /// The outbox does not take outcomes at present.
    record_fails: AtomicBool,
    delivered: AtomicU64,
    failed_attempts: AtomicU64,
    given_up: AtomicU64,
}

/// How the engine is doing, for readiness and metrics. The counters start at zero with the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// When the loop last asked the outbox successfully. Not later than one poll ago while all is well;
    /// it also stands still while outcomes cannot be recorded, for then nothing is claimed.
    pub last_cycle: Timestamp,
    /// Attempts under way.
    pub in_flight: usize,
    /// Attempts that have ended and wait for their commit.
    pub unrecorded: usize,
    /// Deliveries that succeeded.
    pub delivered: u64,
    /// Attempts that failed, whether or not another follows.
    pub failed_attempts: u64,
    /// Deliveries that failed for good.
    pub given_up: u64,
}

/// Starts the machinery.
pub struct Engine;

impl Engine {
    /// Starts to deliver; must be called inside a tokio runtime. Everything ends when the last handle is dropped.
    #[must_use = "dropping the handle ends the engine"]
    pub fn start(
        outbox: Arc<dyn Outbox>,
        sender: Arc<dyn Sender>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: Settings,
    ) -> Handle {
        let (signing, counts) = (Signing::new(settings.signatures), Counts::default());
        // Readiness counts from the start: an outbox that never answers is noticed as well.
        counts.last_cycle.store(clock.now().millis(), Ordering::Relaxed);
        let shared = Arc::new(Shared {
            outbox,
            sender,
            clock,
            random,
            settings,
            signing,
            mail: mail::Mail::default(),
            counts,
            hosts: hosts::Hosts::default(),
        });
        let (outcomes, ended) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(dispatch::Dispatcher::new(Arc::clone(&shared), outcomes).run());
        tasks.spawn(record::Recorder::new(Arc::clone(&shared), ended).run());
        Handle { running: Arc::new(Running { shared, tasks: Mutex::new(tasks) }) }
    }
}

struct Running {
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

/// Speaks to a running engine. Clones are the same engine; dropping the last one ends it at once.
#[derive(Clone)]
pub struct Handle {
    running: Arc<Running>,
}

impl Handle {
    /// Says that these applications may have something to send now: to be called after the commit that put
    /// it into the outbox. Cheap; calling it again before the engine has looked changes nothing.
    pub fn wake(&self, applications: impl IntoIterator<Item = ApplicationId>) {
        self.running.shared.mail.wake(applications);
    }

    /// Stops: claims no more, gives attempts under way until `deadline`, records what has ended and gives
    /// back the rest. Returns at the latest 5 s after `deadline`; what could not be given back comes back
    /// to life when its lease ends.
    pub async fn stop(&self, deadline: Duration) {
        self.running.shared.mail.stop(Instant::now() + deadline);
        let mut tasks = self.running.tasks.lock().await;
        let all_ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(deadline + GRACE, all_ended).await.is_err() {
            tracing::warn!("deliveries stopped before everything was recorded; leases will end by themselves");
            tasks.shutdown().await;
        }
    }

    /// How the engine is doing. Costs a few loads.
    pub fn progress(&self) -> Progress {
        let counts = &self.running.shared.counts;
        Progress {
            last_cycle: Timestamp::from_millis(counts.last_cycle.load(Ordering::Relaxed)),
            in_flight: counts.in_flight.load(Ordering::Relaxed),
            unrecorded: counts.unrecorded.load(Ordering::Relaxed),
            delivered: counts.delivered.load(Ordering::Relaxed),
            failed_attempts: counts.failed_attempts.load(Ordering::Relaxed),
            given_up: counts.given_up.load(Ordering::Relaxed),
        }
    }
}
