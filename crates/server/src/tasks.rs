//! What the server does by itself, again and again: each task once per period, watched, ended with the server.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accesses;
use crate::api::application_list;
use crate::catalogues;
use crate::host::ssl_keystore;
use crate::housekeeping;
use crate::http::caller;
use crate::oauth::{expiry, rotation};
use crate::services::Services;
use crate::subscriptions;

/// Work that comes back every period.
pub struct Periodic {
    /// What logs call it.
    pub name: &'static str,
    /// From the end of one run to the beginning of the next.
    pub period: Duration,
    /// One run. What it refuses with is logged, and the next run tries again.
    pub run: fn(Services) -> BoxFuture<'static, Result<(), String>>,
}

/// All periodic work.
pub const PERIODIC: &[Periodic] = &[
    crate::rotation::WATCH,
    crate::administrator_link::WATCH,
    housekeeping::TASK,
    crate::failing::TASK,
    rotation::TASK,
    crate::host::public_key::TASK,
    ssl_keystore::WATCH,
    crate::api::trusted_certificate::NOTICE,
    Periodic { name: "notice changes of the catalogue", period: catalogues::NOTICE, run: catalogues::notice },
    expiry::TASK,
    Periodic { name: "notice changes of subscriptions", period: subscriptions::NOTICE, run: subscriptions::notice },
    Periodic { name: "notice changes of rights", period: caller::NOTICE, run: caller::notice },
    Periodic { name: "store sign-ins", period: Duration::from_secs(10), run: accesses::store_sign_ins },
    Periodic { name: "store uses of tokens", period: Duration::from_secs(10), run: accesses::store_token_uses },
    Periodic { name: "forget left places", period: Duration::from_secs(3_600), run: application_list::forget_places },
];

/// The running tasks.
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Starts every task of `list`. The first run begins at once.
    pub fn start(services: &Services, list: &'static [Periodic]) -> Self {
        let tasks = Self { tracker: TaskTracker::new(), stop: CancellationToken::new() };
        for task in list {
            tasks.tracker.spawn(repeat(task, services.clone(), tasks.stop.clone()));
        }
        tasks.tracker.close();
        tasks
    }

    /// Begins no more runs and waits for those under way, at most for `limit`.
    pub async fn stop(self, limit: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(limit, self.tracker.wait()).await.is_err() {
            tracing::warn!("a periodic task was cut off by the end of the server");
        }
    }

    /// Begins no more runs and waits for nothing.
    pub fn abandon(self) {
        self.stop.cancel();
    }
}

async fn repeat(task: &'static Periodic, services: Services, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(task.period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match AssertUnwindSafe((task.run)(services.clone())).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(fault)) => tracing::error!(task = task.name, %fault, "a periodic task failed; it will try again"),
            Err(_) => tracing::error!(task = task.name, "a periodic task panicked; it will try again"),
        }
    }
}
