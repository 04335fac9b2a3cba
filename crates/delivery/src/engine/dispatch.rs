//! The dispatcher: the one loop that asks the outbox, and knows what is under way.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_platform::time::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::attempt::{self, Ended};
use super::lanes::Lanes;
use super::mail::Letters;
use super::patience::{Patience, unpanicked};
use super::queues::{Moved, Queues};
use super::{GRACE, Shared};
use crate::outbox::{Claimed, GivenBack, Lease, OutboxError, Want};
use crate::policy::Next;

/// Retries of one application within this time are one timer: never early, at most this late.
const TIMER_GRAIN: Duration = Duration::from_millis(10);
/// More timers than this are left to the poll.
const MOST_TIMERS: usize = 100_000;

/// What is known of an attempt under way.
struct UnderWay {
    lease: Lease,
    application: ApplicationId,
    /// Its webhook, when that has a pace.
    paced: Option<WebhookId>,
}

pub(super) struct Dispatcher {
    shared: Arc<Shared>,
    outcomes: UnboundedSender<Ended>,
    lanes: Lanes,
    attempts: JoinSet<Next>,
    under_way: HashMap<Id, UnderWay>,
    queues: Queues,
    timers: BTreeSet<(Timestamp, ApplicationId)>,
    next_poll: Instant,
    /// Not before then is the outbox asked again.
    pause: Option<Instant>,
    patience: Patience,
}

impl Dispatcher {
    pub(super) fn new(shared: Arc<Shared>, outcomes: UnboundedSender<Ended>) -> Self {
        Self {
            lanes: Lanes::new(shared.settings.in_flight, shared.settings.in_flight_per_application),
            shared,
            outcomes,
            attempts: JoinSet::new(),
            under_way: HashMap::new(),
            queues: Queues::default(),
            timers: BTreeSet::new(),
            next_poll: Instant::now(),
            pause: None,
            patience: Patience::new("asking for deliveries"),
        }
    }

    /// Runs until it is told to stop.
    pub(super) async fn run(mut self) {
        loop {
            let letters = self.shared.mail.take();
            if let Some(until) = letters.stop {
                return self.stop(until).await;
            }
            self.read(letters);
            while let Some(ended) = self.attempts.try_join_next_with_id() {
                self.settle(ended).await;
            }
            let now = self.shared.clock.now();
            self.fire(now);
            if !self.queues.is_empty() && !self.shared.counts.record_fails.load(Ordering::Relaxed) {
                let moved = self.queues.advance(now);
                self.moved(moved).await;
            }
            if self.may_ask() {
                if self.next_poll <= Instant::now() {
                    self.poll(now).await;
                    continue;
                }
                let mut wants = self.lanes.plan(self.budget(), self.shared.settings.claim_applications.max(1));
                if !wants.is_empty() {
                    if !self.queues.is_empty() {
                        wants.iter_mut().for_each(|want| want.except = self.queues.blocked(&want.application));
                    }
                    self.claim(&wants, now).await;
                    continue;
                }
            }
            self.wait(now).await;
        }
    }

    fn read(&mut self, letters: Letters) {
        letters.woken.into_iter().for_each(|application| self.lanes.ready(application));
        for (at, application) in letters.retries {
            if self.timers.len() < MOST_TIMERS {
                self.timers.insert((rounded_up(at), application));
            }
        }
        for webhook in letters.settled {
            if let Some(application) = self.queues.recorded(&webhook) {
                self.lanes.ready(application);
            }
        }
    }

    /// Starts what may go and gives back what may not go in time.
    async fn moved(&mut self, moved: Moved) {
        moved.start.into_iter().for_each(|delivery| self.start(delivery));
        moved.free.into_iter().for_each(|application| self.lanes.ready(application));
        if moved.back.is_empty() {
            return;
        }
        let mut back = Vec::with_capacity(moved.back.len());
        for (lease, application) in moved.back {
            if self.timers.len() < MOST_TIMERS {
                self.timers.insert((rounded_up(lease.due_at), application));
            }
            back.push(lease);
        }
        let outbox = Arc::clone(&self.shared.outbox);
        if let Err(error) = unpanicked(outbox.release(back)).await {
            tracing::warn!(%error, "deliveries that have to wait could not be given back; their leases will end");
        }
    }

    /// Takes in the end of a task, with what it means for others of its webhook.
    async fn settle(&mut self, ended: Result<(Id, Next), JoinError>) {
        let next = ended.as_ref().ok().map(|(_, next)| *next);
        let Some((_, paced)) = self.ended(ended) else { return };
        if let Some(webhook) = paced {
            let moved = self.queues.ended(&webhook, next);
            self.moved(moved).await;
        }
    }

    /// Retries whose time has come.
    fn fire(&mut self, now: Timestamp) {
        while self.timers.first().is_some_and(|(at, _)| *at <= now) {
            if let Some((_, application)) = self.timers.pop_first() {
                self.lanes.ready(application);
            }
        }
    }

    /// What cannot be recorded must not be sent: it would be sent again.
    fn may_ask(&mut self) -> bool {
        if self.pause.is_some_and(|end| end <= Instant::now()) {
            self.pause = None;
        }
        self.pause.is_none() && !self.shared.counts.record_fails.load(Ordering::Relaxed)
    }

    /// How many may be claimed as far as the recorder is concerned; the lanes know the other limits.
    fn budget(&self) -> usize {
        let settings = &self.shared.settings;
        let room = settings.record_batch.max(1).saturating_mul(2);
        settings.claim_batch.max(1).min(room.saturating_sub(self.shared.counts.unrecorded.load(Ordering::Relaxed)))
    }

    async fn poll(&mut self, now: Timestamp) {
        let outbox = Arc::clone(&self.shared.outbox);
        let Some(due) = self.heard(unpanicked(outbox.due(now)).await, now) else { return };
        due.applications.into_iter().for_each(|application| self.lanes.ready(application));
        let poll = self.shared.settings.poll;
        let mut pause = poll;
        // Somebody else's retry, or one from before the start, is met on time as well, within a tenth of a poll.
        let known = |next| self.timers.first().is_some_and(|(at, _)| *at <= next);
        if let Some(next) = due.next
            && next > now
            && !known(next)
        {
            pause = next.since(now).clamp(poll / 10, poll);
        }
        self.next_poll = Instant::now() + pause;
    }

    async fn claim(&mut self, wants: &[Want], now: Timestamp) {
        let outbox = Arc::clone(&self.shared.outbox);
        let lease_until = now.plus(self.shared.settings.lease());
        let claimed = unpanicked(outbox.claim(wants, now, lease_until)).await;
        let Some(claimed) = self.heard(claimed, now) else { return };
        let mut counts: HashMap<&ApplicationId, usize> = HashMap::with_capacity(wants.len());
        for delivery in &claimed {
            *counts.entry(&delivery.application).or_default() += 1;
        }
        for want in wants {
            if counts.get(&want.application).is_none_or(|count| *count < want.capacity) {
                self.lanes.drained(&want.application);
            }
        }
        let until = now.plus(self.shared.settings.patience());
        for delivery in claimed {
            let target = Arc::clone(&delivery.target);
            match &target.pace {
                None => self.start(delivery),
                Some(pace) => self.queues.park(delivery, pace, until),
            }
        }
        self.show_in_flight();
    }

    /// Notes whether the outbox answered.
    fn heard<T>(&mut self, answer: Result<T, OutboxError>, now: Timestamp) -> Option<T> {
        match answer {
            Ok(value) => {
                self.patience.succeeded();
                self.shared.counts.last_cycle.store(now.millis(), Ordering::Relaxed);
                Some(value)
            }
            Err(error) => {
                self.pause = Some(Instant::now() + self.patience.failed(&error));
                None
            }
        }
    }

    fn start(&mut self, delivery: Claimed) {
        let (lease, application) = (delivery.lease(), delivery.application.clone());
        let paced = delivery.target.pace.as_ref().map(|pace| pace.of.clone());
        self.lanes.started(application.clone());
        let task = attempt::run(Arc::clone(&self.shared), delivery, self.outcomes.clone());
        let task = self.attempts.spawn(task);
        self.under_way.insert(task.id(), UnderWay { lease, application, paced });
    }

    /// Frees the slot of a task, however it ended. Answers the lease if the task was aborted, and the webhook if that has
    /// a pace.
    fn ended(&mut self, ended: Result<(Id, Next), JoinError>) -> Option<(Option<Lease>, Option<WebhookId>)> {
        let (task, aborted) = match &ended {
            Ok((task, _)) => (*task, false),
            Err(error) => (error.id(), error.is_cancelled()),
        };
        let UnderWay { lease, application, paced } = self.under_way.remove(&task)?;
        if ended.is_err_and(|error| error.is_panic()) {
            tracing::error!(delivery = %lease.id, "an attempt ended without an outcome; its lease will bring it back");
        }
        self.lanes.ended(&application);
        self.show_in_flight();
        Some((aborted.then_some(lease), paced))
    }

    fn show_in_flight(&self) {
        self.shared.counts.in_flight.store(self.lanes.in_flight(), Ordering::Relaxed);
    }

    /// Until there is news: mail, the end of an attempt, or the next thing due.
    async fn wait(&mut self, now: Timestamp) {
        let here = Instant::now();
        let until = if let Some(end) = self.pause {
            end
        } else if self.shared.counts.record_fails.load(Ordering::Relaxed) {
            // The recorder rings when it can go on.
            here + self.shared.settings.poll
        } else {
            let timer = self.timers.first().map(|(at, _)| *at);
            let timer = timer.into_iter().chain(self.queues.next()).min().map(|at| here + at.since(now));
            timer.map_or(self.next_poll, |timer| timer.min(self.next_poll))
        };
        let ended = tokio::select! {
            () = self.shared.mail.arrived() => None,
            ended = self.attempts.join_next_with_id(), if !self.attempts.is_empty() => ended,
            () = sleep_until(until) => None,
        };
        if let Some(ended) = ended {
            self.settle(ended).await;
        }
    }

    /// Lets attempts end until the deadline; aborts and gives back the others.
    async fn stop(mut self, until: Instant) {
        while let Ok(Some(ended)) = timeout_at(until, self.attempts.join_next_with_id()).await {
            self.ended(ended);
        }
        self.attempts.abort_all();
        let now = self.shared.clock.now();
        let mut given_back = self.queues.give_all_back(now);
        while let Some(ended) = self.attempts.join_next_with_id().await {
            let aborted = self.ended(ended).and_then(|(lease, _)| lease);
            given_back.extend(aborted.map(|lease| GivenBack { lease, due_at: now }));
        }
        if given_back.is_empty() {
            return;
        }
        tracing::info!(count = given_back.len(), "deliveries under way are given back");
        let outbox = Arc::clone(&self.shared.outbox);
        while let Err(error) = unpanicked(outbox.release(given_back.clone())).await {
            let pause = self.patience.failed(&error);
            if Instant::now() + pause >= until + GRACE {
                return;
            }
            sleep(pause).await;
        }
    }
}

fn rounded_up(at: Timestamp) -> Timestamp {
    let grain = i64::try_from(TIMER_GRAIN.as_millis()).unwrap_or(1);
    let over = at.millis().rem_euclid(grain);
    if over == 0 { at } else { Timestamp::from_millis(at.millis().saturating_add(grain - over)) }
}
