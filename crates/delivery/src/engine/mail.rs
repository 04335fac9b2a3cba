//! What others tell the dispatcher: who has something to send, what is to be retried when, and to stop.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_platform::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Everything told since the last look. As many wake-ups as may come, it holds each application once.
#[derive(Default, Debug)]
pub(super) struct Letters {
    pub(super) woken: HashSet<ApplicationId>,
    pub(super) retries: Vec<(Timestamp, ApplicationId)>,
    /// Ordered webhooks of which an outcome was recorded.
    pub(super) settled: Vec<WebhookId>,
    /// Set once: attempts may go on until then.
    pub(super) stop: Option<Instant>,
}

/// The letter box. The lock is held for a few set operations, never across an await.
#[derive(Default)]
pub(super) struct Mail {
    letters: Mutex<Letters>,
    arrived: Notify,
}

impl Mail {
    pub(super) fn wake(&self, applications: impl IntoIterator<Item = ApplicationId>) {
        let mut letters = self.open();
        let first = letters.woken.is_empty();
        letters.woken.extend(applications);
        let arrived = first && !letters.woken.is_empty();
        drop(letters);
        // Whoever came first has rung; the dispatcher finds ours beside theirs.
        if arrived {
            self.arrived.notify_one();
        }
    }

    /// Rings even with nothing to tell: outcomes were recorded, so there may be room again.
    pub(super) fn recorded(
        &self,
        retries: Vec<(Timestamp, ApplicationId)>,
        woken: Vec<ApplicationId>,
        settled: Vec<WebhookId>,
    ) {
        let mut letters = self.open();
        letters.settled.extend(settled);
        letters.retries.extend(retries);
        letters.woken.extend(woken);
        drop(letters);
        self.arrived.notify_one();
    }

    pub(super) fn stop(&self, until: Instant) {
        self.open().stop = Some(until);
        self.arrived.notify_one();
    }

    /// Takes everything out; the order to stop stays.
    pub(super) fn take(&self) -> Letters {
        let mut letters = self.open();
        let stop = letters.stop;
        std::mem::replace(&mut *letters, Letters { stop, ..Letters::default() })
    }

    pub(super) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    fn open(&self) -> MutexGuard<'_, Letters> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
