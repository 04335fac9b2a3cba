//! An outbox in memory, a clock that follows the stopped time of the runtime, and senders that do as told.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use spaceport_delivery::http::{Request, Sender, SslVerification};
use spaceport_delivery::outbox::{Authentication, Due, Finished, GivenBack, Lease, Retries, Want};
use spaceport_delivery::outcome::BodyEnd;
use spaceport_delivery::standard::StandardKeys;
use spaceport_delivery::{
    Answer, Claimed, Engine, Handle, Outbox, OutboxError, Outcome, PayloadKind, Settings, Target,
};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::id::{ApplicationId, DeliveryId, WebhookId};
use spaceport_platform::random::Counting;
use spaceport_platform::time::{Clock, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// What the stopped clock shows when a test begins.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Goes with the runtime's time, which tests stop: it jumps to the next timer as soon as nothing else is to do.
pub(crate) struct StoppedClock(Instant);

impl Default for StoppedClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl StoppedClock {
    /// What it shows.
    pub(crate) fn reading(&self) -> Timestamp {
        START.plus(self.0.elapsed())
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        self.reading()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) application: ApplicationId,
    pub(crate) kind: PayloadKind,
    pub(crate) state: DeliveryState,
    pub(crate) attempt: u32,
    pub(crate) tried_before: u32,
    pub(crate) due: Timestamp,
    pub(crate) lease_until: Timestamp,
    pub(crate) target: Arc<Target>,
    /// All attempts that were recorded.
    pub(crate) recorded: Vec<Finished>,
}

impl Row {
    fn claimable(&self, now: Timestamp) -> bool {
        (self.state == DeliveryState::Waiting && self.due <= now)
            || (self.state == DeliveryState::Sending && self.lease_until <= now)
    }
}

/// Everything in the outbox, and how it is to misbehave.
#[derive(Default)]
pub(crate) struct Inside {
    pub(crate) rows: BTreeMap<DeliveryId, Row>,
    pub(crate) claims: usize,
    pub(crate) looks: usize,
    pub(crate) records: usize,
    pub(crate) failing_looks: usize,
    pub(crate) failing_records: usize,
    pub(crate) panicking_claims: usize,
    pub(crate) refused: Option<DeliveryId>,
}

impl Inside {
    pub(crate) fn count(&self, state: DeliveryState) -> usize {
        self.rows.values().filter(|row| row.state == state).count()
    }

    pub(crate) fn row(&self, id: &str) -> &Row {
        &self.rows[&DeliveryId::new(id)]
    }
}

pub(crate) struct Memory {
    inside: Mutex<Inside>,
    changes: watch::Sender<()>,
}

impl Memory {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { inside: Mutex::default(), changes: watch::channel(()).0 })
    }

    /// A test that panics inside must find everything as it was.
    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn look<T>(&self, read: impl FnOnce(&mut Inside) -> T) -> T {
        let result = read(&mut self.lock());
        self.changes.send_replace(());
        result
    }

    /// Puts in `count` deliveries, named after the application and their number, due at once.
    pub(crate) fn put(&self, application: &str, count: usize) {
        self.put_for(application, count, target(Authentication::None), PayloadKind::Webhook);
    }

    pub(crate) fn put_for(&self, application: &str, count: usize, target: Target, kind: PayloadKind) {
        self.put_as(application, application, count, target, kind);
    }

    /// The same with names of their own.
    pub(crate) fn put_as(&self, application: &str, name: &str, count: usize, target: Target, kind: PayloadKind) {
        let target = Arc::new(target);
        self.look(|inside| {
            for number in 0..count {
                let row = Row {
                    application: ApplicationId::new(application),
                    kind,
                    state: DeliveryState::Waiting,
                    attempt: 0,
                    tried_before: 0,
                    due: START,
                    lease_until: START,
                    target: Arc::clone(&target),
                    recorded: vec![],
                };
                inside.rows.insert(DeliveryId::new(format!("{name}-{number:04}")), row);
            }
        });
    }

    /// Waits until `reached` holds; a year of stopped time is long enough for anything.
    pub(crate) async fn until(&self, reached: impl Fn(&Inside) -> bool) {
        let mut changes = self.changes.subscribe();
        let wait = async {
            while !reached(&self.lock()) {
                changes.changed().await.unwrap();
            }
        };
        timeout(Duration::from_secs(365 * 24 * 3600), wait).await.expect("never reached");
    }

    pub(crate) async fn until_all(&self, state: DeliveryState) {
        self.until(|inside| inside.count(state) == inside.rows.len()).await;
    }
}

fn unavailable() -> OutboxError {
    OutboxError::Unavailable("switched off by the test".into())
}

#[async_trait]
impl Outbox for Memory {
    async fn due(&self, now: Timestamp) -> Result<Due, OutboxError> {
        self.look(|inside| {
            inside.looks += 1;
            if inside.failing_looks > 0 {
                inside.failing_looks -= 1;
                return Err(unavailable());
            }
            let claimable = inside.rows.values().filter(|row| row.claimable(now));
            let applications = claimable.map(|row| row.application.clone()).collect();
            let next = inside.rows.values().filter(|row| row.state == DeliveryState::Waiting && row.due > now);
            Ok(Due { applications, next: next.map(|row| row.due).min() })
        })
    }

    async fn claim(&self, wants: &[Want], now: Timestamp, lease_until: Timestamp) -> Result<Vec<Claimed>, OutboxError> {
        self.look(|inside| {
            inside.claims += 1;
            if inside.panicking_claims > 0 {
                inside.panicking_claims -= 1;
                std::panic::resume_unwind(Box::new("told to panic"));
            }
            let mut claimed = Vec::new();
            for Want { application, capacity, except } in wants {
                let rows = inside.rows.iter_mut();
                // Lifecycle payloads go out in order: only the first that is not final.
                let mut lifecycle_open = false;
                // Ordered webhooks hand out the oldest that are not final, without a gap.
                let mut gap: HashSet<WebhookId> = HashSet::new();
                let rows = rows.filter(|(_, row)| row.application == *application).filter(|(_, row)| {
                    let first = row.kind == PayloadKind::Webhook || !lifecycle_open;
                    lifecycle_open |= row.kind == PayloadKind::Lifecycle && !is_final(row.state);
                    let pace = row.target.pace.as_ref();
                    let blocked = pace.is_some_and(|pace| except.contains(&pace.of) || gap.contains(&pace.of));
                    if let Some(pace) = pace.filter(|pace| pace.ordered)
                        && !is_final(row.state)
                        && !row.claimable(now)
                    {
                        gap.insert(pace.of.clone());
                    }
                    first && !blocked && row.claimable(now)
                });
                for (id, row) in rows.take(*capacity) {
                    (row.state, row.lease_until) = (DeliveryState::Sending, lease_until);
                    row.attempt += 1;
                    claimed.push(Claimed {
                        id: id.clone(),
                        application: application.clone(),
                        target: Arc::clone(&row.target),
                        kind: row.kind,
                        attempt: row.attempt,
                        tried_before: row.tried_before,
                        body: Bytes::from_static(b"{}"),
                        logged: None,
                        created_at: START,
                    });
                }
            }
            Ok(claimed)
        })
    }

    async fn record(&self, finished: Vec<Finished>) -> Result<(), OutboxError> {
        self.look(|inside| {
            inside.records += 1;
            if inside.failing_records > 0 {
                inside.failing_records -= 1;
                return Err(unavailable());
            }
            if finished.iter().any(|finished| inside.refused.as_ref() == Some(&finished.id)) {
                return Err(OutboxError::Refused("told to refuse".into()));
            }
            for finished in finished {
                let row = inside.rows.get_mut(&finished.id).unwrap();
                if row.attempt == finished.attempt {
                    row.state = finished.next.into();
                    if let spaceport_delivery::policy::Next::RetryAt(at) = finished.next {
                        row.due = at;
                    }
                }
                row.recorded.push(finished);
            }
            Ok(())
        })
    }

    async fn release(&self, leases: Vec<GivenBack>) -> Result<(), OutboxError> {
        self.look(|inside| {
            for GivenBack { lease: Lease { id, attempt }, due_at } in leases {
                let row = inside.rows.get_mut(&id).unwrap();
                if row.state == DeliveryState::Sending && row.attempt == attempt {
                    (row.state, row.due, row.attempt) = (DeliveryState::Waiting, due_at, attempt - 1);
                }
            }
        });
        Ok(())
    }
}

const fn is_final(state: DeliveryState) -> bool {
    matches!(state, DeliveryState::Delivered | DeliveryState::GivenUp | DeliveryState::Cancelled)
}

type Behaviour = Box<dyn Fn(Request) -> BoxFuture<'static, Outcome> + Send + Sync>;

/// A sender that does what a test says.
pub(crate) struct Told(Behaviour);

impl Told {
    pub(crate) fn to<F>(behaviour: impl Fn(Request) -> F + Send + Sync + 'static) -> Arc<Self>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Arc::new(Self(Box::new(move |request| Box::pin(behaviour(request)))))
    }

    /// Answers at once, always the same.
    pub(crate) fn answer(status: u16) -> Arc<Self> {
        Self::to(move |_| async move { answered(status) })
    }
}

#[async_trait]
impl Sender for Told {
    async fn send(&self, request: Request) -> Outcome {
        (self.0)(request).await
    }
}

/// Which delivery a request carries.
pub(crate) fn delivery_of(request: &Request) -> String {
    request.headers["x-space-delivery-id"].to_str().unwrap().to_owned()
}

pub(crate) fn answered(status: u16) -> Outcome {
    Outcome::Answered(Answer { status, headers: vec![], body: Bytes::new(), end: BodyEnd::Complete })
}

pub(crate) fn target(authentication: Authentication) -> Target {
    Target {
        url: "https://example.com/hook".into(),
        ssl_verification: SslVerification::Verify,
        identity: None,
        authentication,
        standard: StandardKeys::default(),
        headers: vec![],
        accepted_codes: vec![],
        retries: Retries::Enabled,
        delays: None,
        pace: None,
    }
}

pub(crate) fn application(name: &str) -> [ApplicationId; 1] {
    [ApplicationId::new(name)]
}

pub(crate) fn start(outbox: &Arc<Memory>, sender: Arc<Told>, settings: Settings) -> Handle {
    let outbox: Arc<dyn Outbox> = Arc::<Memory>::clone(outbox);
    Engine::start(outbox, sender, Arc::new(StoppedClock::default()), Arc::new(Counting::default()), settings)
}
