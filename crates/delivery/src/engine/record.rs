//! The recorder: commits outcomes, as many at a time as have gathered, and loses none.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use spaceport_platform::id::WebhookId;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::sleep;

use super::Shared;
use super::attempt::Ended;
use super::patience::{Patience, unpanicked};
use crate::outbox::{OutboxError, PayloadKind};
use crate::policy::Next;

pub(super) struct Recorder {
    shared: Arc<Shared>,
    ended: UnboundedReceiver<Ended>,
    patience: Patience,
}

impl Recorder {
    pub(super) const fn new(shared: Arc<Shared>, ended: UnboundedReceiver<Ended>) -> Self {
        Self { shared, ended, patience: Patience::new("recording outcomes of deliveries") }
    }

    /// Ends when the dispatcher and all attempts are gone and everything is recorded.
    pub(super) async fn run(mut self) {
        let most = self.shared.settings.record_batch.max(1);
        loop {
            let mut batch = Vec::new();
            if self.ended.recv_many(&mut batch, most).await == 0 {
                return;
            }
            self.commit(batch).await;
        }
    }

    /// Does not return before each outcome is recorded, or refused when it stood alone.
    async fn commit(&mut self, batch: Vec<Ended>) {
        let mut parts = vec![batch];
        while let Some(mut part) = parts.pop() {
            let finished = part.iter().map(|ended| ended.finished.clone()).collect();
            match unpanicked(self.shared.outbox.record(finished)).await {
                Ok(()) => self.recorded(part),
                Err(OutboxError::Refused(_)) if part.len() > 1 => {
                    let second = part.split_off(part.len() / 2);
                    parts.extend([second, part]);
                }
                Err(OutboxError::Refused(error)) => {
                    // Nothing else may wait for this one; its lease makes it claimable again.
                    for ended in &part {
                        tracing::error!(delivery = %ended.finished.id, %error, "an outcome cannot be recorded");
                    }
                    let count = part.len();
                    let ordered = part.into_iter().filter_map(|ended| ended.ordered).collect();
                    self.settled(count, ordered);
                }
                Err(error) => {
                    self.shared.counts.record_fails.store(true, Ordering::Relaxed);
                    sleep(self.patience.failed(&error)).await;
                    parts.push(part);
                }
            }
        }
    }

    fn recorded(&mut self, part: Vec<Ended>) {
        let counts = &self.shared.counts;
        let count = part.len();
        let (mut retries, mut woken, mut ordered) = (Vec::new(), Vec::new(), Vec::new());
        for Ended { finished, application, kind, ordered: webhook } in part {
            ordered.extend(webhook);
            match finished.next {
                Next::Delivered => counts.delivered.fetch_add(1, Ordering::Relaxed),
                Next::RetryAt(_) | Next::GiveUp => counts.failed_attempts.fetch_add(1, Ordering::Relaxed),
            };
            match finished.next {
                Next::RetryAt(at) => retries.push((at, application)),
                Next::GiveUp | Next::Delivered => {
                    if finished.next == Next::GiveUp {
                        counts.given_up.fetch_add(1, Ordering::Relaxed);
                    }
                    // Lifecycle payloads of an application go out in order: the next one may be claimable now.
                    if kind == PayloadKind::Lifecycle {
                        woken.push(application);
                    }
                }
            }
        }
        self.shared.mail.recorded(retries, woken, Vec::new());
        self.settled(count, ordered);
    }

    fn settled(&mut self, count: usize, ordered: Vec<WebhookId>) {
        self.patience.succeeded();
        self.shared.counts.record_fails.store(false, Ordering::Relaxed);
        self.shared.counts.unrecorded.fetch_sub(count, Ordering::Relaxed);
        // A dispatcher that waits for room must hear of it in every case.
        self.shared.mail.recorded(Vec::new(), Vec::new(), ordered);
    }
}
