//! Talking to an outbox that fails: growing pauses, one line in the log when it begins and one when it ends.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;

use crate::outbox::OutboxError;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How often something has failed in a row.
pub(super) struct Patience {
    what: &'static str,
    failures: u32,
}

impl Patience {
    pub(super) const fn new(what: &'static str) -> Self {
        Self { what, failures: 0 }
    }

    /// Another failure: how long to wait before the next try.
    pub(super) fn failed(&mut self, error: &OutboxError) -> Duration {
        if self.failures == 0 {
            tracing::error!(%error, "{} fails; it is repeated until it succeeds", self.what);
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        pause
    }

    pub(super) fn succeeded(&mut self) {
        if self.failures > 0 {
            tracing::info!(failures = self.failures, "{} succeeds again", self.what);
            self.failures = 0;
        }
    }
}

/// A panic inside the outbox must not end the engine: it is one more way of refusing.
pub(super) async fn unpanicked<T>(call: impl Future<Output = Result<T, OutboxError>>) -> Result<T, OutboxError> {
    let panicked = |_| Err(OutboxError::Refused("the call panicked".into()));
    AssertUnwindSafe(call).catch_unwind().await.unwrap_or_else(panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit_and_start_again_after_a_success() {
        let mut patience = Patience::new("a test");
        let error = OutboxError::Unavailable("away".into());
        let pauses: Vec<_> = (0..8).map(|_| patience.failed(&error).as_millis()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        patience.succeeded();
        assert_eq!(patience.failed(&error), FIRST_PAUSE);
    }
}
