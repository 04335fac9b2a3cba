//! Webhooks with an order or limits of their own: what was claimed for them and may not go yet stands here. Pure.
//!
//! While something stands here, nothing more is claimed for that webhook, and the others of its application are not
//! held up. What would stand longer than its lease allows is given back.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_platform::time::Timestamp;

use crate::outbox::{Claimed, GivenBack, Pace};
use crate::policy::Next;

/// All webhooks with a pace that have something here or under way.
#[derive(Default)]
pub(super) struct Queues {
    queues: HashMap<WebhookId, Queue>,
}

struct Queue {
    application: ApplicationId,
    pace: Pace,
    parked: VecDeque<Parked>,
    in_flight: usize,
    /// Begun and not recorded yet: until then what follows in an ordered webhook must not be claimed. An end and its record
    /// are heard of in any order.
    unrecorded: usize,
    /// Not before then may the next attempt begin.
    next_slot: Timestamp,
}

struct Parked {
    delivery: Claimed,
    /// The lease ends too soon for an attempt that begins later.
    until: Timestamp,
}

/// What may go, and what must be given back.
#[derive(Default)]
pub(super) struct Moved {
    pub(super) start: Vec<Claimed>,
    pub(super) back: Vec<(GivenBack, ApplicationId)>,
    /// More may be claimed for these.
    pub(super) free: Vec<ApplicationId>,
}

impl Queue {
    fn new(application: ApplicationId, pace: Pace) -> Self {
        let next_slot = Timestamp::from_millis(0);
        Self { application, pace, parked: VecDeque::new(), in_flight: 0, unrecorded: 0, next_slot }
    }

    fn most_in_flight(&self) -> usize {
        let own = self.pace.most_in_flight.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        if self.pace.ordered { 1 } else { own.max(1) }
    }

    fn interval(&self) -> Duration {
        self.pace.most_per_minute.map_or(Duration::ZERO, |most| Duration::from_secs(60) / most.max(1))
    }

    fn is_blocked(&self) -> bool {
        !self.parked.is_empty() || self.unrecorded > 0 || (self.pace.ordered && self.in_flight > 0)
    }

    fn is_idle(&self, now: Timestamp) -> bool {
        self.parked.is_empty() && self.in_flight + self.unrecorded == 0 && self.next_slot <= now
    }

    fn advance(&mut self, now: Timestamp, moved: &mut Moved) {
        let stood = !self.parked.is_empty();
        while self.in_flight < self.most_in_flight() && self.next_slot <= now {
            let Some(Parked { delivery, .. }) = self.parked.pop_front() else { break };
            self.in_flight += 1;
            self.unrecorded += usize::from(self.pace.ordered);
            self.next_slot = self.next_slot.max(now).plus(self.interval());
            moved.start.push(delivery);
        }
        // Behind one that must go back, order is kept by all going back.
        if self.parked.iter().any(|parked| parked.until <= now) {
            self.give_back(now.max(self.next_slot), moved);
        }
        if stood && !self.is_blocked() {
            moved.free.push(self.application.clone());
        }
    }

    /// Everything that stands here goes back, one due after the other, so that it comes again in this order.
    fn give_back(&mut self, from: Timestamp, moved: &mut Moved) {
        let step = self.interval().max(Duration::from_millis(1));
        let mut due_at = from;
        for Parked { delivery, .. } in self.parked.drain(..) {
            moved.back.push((GivenBack { lease: delivery.lease(), due_at }, self.application.clone()));
            due_at = due_at.plus(step);
        }
    }
}

impl Queues {
    pub(super) fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }

    /// The webhooks of an application for which nothing may be claimed at present.
    pub(super) fn blocked(&self, application: &ApplicationId) -> Vec<WebhookId> {
        let of_it = self.queues.iter().filter(|(_, queue)| queue.application == *application && queue.is_blocked());
        of_it.map(|(webhook, _)| webhook.clone()).collect()
    }

    /// Takes in what was claimed; an attempt of it must begin before `until`.
    pub(super) fn park(&mut self, delivery: Claimed, pace: &Pace, until: Timestamp) {
        let queue = self.queues.entry(pace.of.clone());
        let queue = queue.or_insert_with(|| Queue::new(delivery.application.clone(), pace.clone()));
        queue.pace.clone_from(pace);
        queue.parked.push_back(Parked { delivery, until });
    }

    /// What may go now.
    pub(super) fn advance(&mut self, now: Timestamp) -> Moved {
        let mut moved = Moved::default();
        self.queues.values_mut().for_each(|queue| queue.advance(now, &mut moved));
        self.queues.retain(|_, queue| !queue.is_idle(now));
        moved
    }

    /// When something may go, or must be given back, that neither an end nor a claim announces.
    pub(super) fn next(&self) -> Option<Timestamp> {
        let of_queue = |queue: &Queue| {
            let until = queue.parked.iter().map(|parked| parked.until).min()?;
            let may_go = queue.in_flight < queue.most_in_flight();
            Some(if may_go { until.min(queue.next_slot) } else { until })
        };
        self.queues.values().filter_map(of_queue).min()
    }

    /// An attempt has ended. After a failure in an ordered webhook everything behind it waits for its resend.
    pub(super) fn ended(&mut self, webhook: &WebhookId, next: Option<Next>) -> Moved {
        let mut moved = Moved::default();
        let Some(queue) = self.queues.get_mut(webhook) else { return moved };
        queue.in_flight = queue.in_flight.saturating_sub(1);
        if queue.pace.ordered {
            match next {
                Some(Next::RetryAt(at)) => queue.give_back(at.plus(Duration::from_millis(1)), &mut moved),
                Some(Next::Delivered | Next::GiveUp) => {}
                // One that was aborted is recorded by nobody.
                None => queue.unrecorded = queue.unrecorded.saturating_sub(1),
            }
            if !queue.is_blocked() {
                moved.free.push(queue.application.clone());
            }
        }
        moved
    }

    /// Outcomes of ordered webhooks are stored; more may be claimed for the applications that are answered.
    pub(super) fn recorded(&mut self, webhook: &WebhookId) -> Option<ApplicationId> {
        let queue = self.queues.get_mut(webhook)?;
        queue.unrecorded = queue.unrecorded.saturating_sub(1);
        (!queue.is_blocked()).then(|| queue.application.clone())
    }

    /// Gives everything back, because we stop.
    pub(super) fn give_all_back(&mut self, now: Timestamp) -> Vec<GivenBack> {
        let mut moved = Moved::default();
        self.queues.values_mut().for_each(|queue| queue.give_back(now, &mut moved));
        moved.back.into_iter().map(|(back, _)| back).collect()
    }
}
