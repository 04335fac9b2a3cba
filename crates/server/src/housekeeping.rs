//! Housekeeping: what is over is deleted when its time of keeping has passed, in small steps beside everything else.

use std::time::Duration;

use futures_util::FutureExt as _;
use spaceport_platform::attachment::UNUSED_FOR;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::config::Retention;
use crate::services::Services;
use crate::tasks::Periodic;

/// Rows that one transaction deletes: a few milliseconds of the writer, between those of everybody else.
const STEP: u32 = 200;
/// Previous secrets are remembered for this long after their end, so that the longest-lived token that came from one
/// can still be told to have expired.
const PREVIOUS_SECRETS: Duration = Duration::from_secs(24 * 3600);

/// The task.
pub const TASK: Periodic =
    Periodic { name: "housekeeping", period: Duration::from_secs(600), run: |services| run(services).boxed() };

/// One kind of things that are over.
struct Broom {
    /// What logs call them.
    name: &'static str,
    /// How long they are kept.
    kept: fn(&Retention) -> Duration,
    /// Deletes up to so many that were over before a moment; answers how many.
    sweep: fn(&mut Tx<'_>, Timestamp, u32) -> Result<u64, StoreError>,
}

/// In this order: deliveries before the events they are of.
const BROOMS: &[Broom] = &[
    Broom {
        name: "deliveries",
        kept: |kept| kept.deliveries,
        sweep: |tx, horizon, limit| tx.delete_deliveries(horizon, limit),
    },
    Broom {
        name: "headers and bodies of attempts",
        kept: |kept| kept.bodies,
        sweep: |tx, horizon, limit| tx.clear_bodies(horizon, limit),
    },
    Broom {
        name: "headers and bodies of late attempts",
        kept: |kept| kept.bodies,
        sweep: |tx, horizon, limit| tx.clear_late_bodies(horizon, limit),
    },
    Broom {
        name: "payloads that are no events",
        kept: |kept| kept.deliveries,
        sweep: |tx, horizon, limit| tx.delete_dispatches(horizon, limit),
    },
    Broom {
        name: "attempts to send payloads that are no events",
        kept: |kept| kept.deliveries,
        sweep: |tx, horizon, limit| tx.delete_dispatch_attempts(horizon, limit),
    },
    Broom {
        name: "headers and bodies of attempts to send payloads that are no events",
        kept: |kept| kept.bodies,
        sweep: |tx, horizon, limit| tx.clear_dispatch_attempts(horizon, limit),
    },
    Broom { name: "events", kept: |kept| kept.events, sweep: |tx, horizon, limit| tx.delete_events(horizon, limit) },
    Broom {
        name: "tokens",
        kept: |kept| kept.tokens,
        sweep: |tx, horizon, limit| tx.delete_ended_tokens(horizon, limit),
    },
    Broom {
        name: "links",
        kept: |kept| kept.tokens,
        sweep: |tx, horizon, limit| tx.delete_ended_links(horizon, limit),
    },
    Broom {
        name: "uploads without a file",
        kept: |_| Duration::ZERO,
        sweep: |tx, horizon, limit| tx.delete_expired_uploads(horizon, limit),
    },
    Broom {
        name: "attachments that nothing uses",
        kept: |_| UNUSED_FOR,
        sweep: |tx, horizon, limit| tx.delete_unused_attachments(horizon, limit),
    },
    Broom {
        name: "previous secrets",
        kept: |_| PREVIOUS_SECRETS,
        sweep: |tx, horizon, limit| tx.delete_previous_secrets(horizon, limit),
    },
    Broom {
        name: "audit entries",
        kept: |kept| kept.audit,
        sweep: |tx, horizon, limit| tx.delete_audit_entries(horizon, i64::from(limit)),
    },
];

/// Goes through all brooms once.
///
/// # Errors
/// When the database failed; what was deleted until then stays deleted.
pub async fn run(services: Services) -> Result<(), String> {
    let now = services.clock.now();
    let failed = |error: StoreError| format!("what is over cannot be deleted: {error}");
    // Whatever has not ended keeps everything that came with it or later, however long that takes.
    let open = services.store.read(|tx| tx.oldest_open_delivery()).await.map_err(failed)?.unwrap_or(now);
    for broom in BROOMS {
        let horizon = now.minus((broom.kept)(&services.settings.retention));
        let horizon = if broom.name == "events" { horizon.min(open) } else { horizon };
        let (sweep, mut deleted) = (broom.sweep, 0);
        loop {
            let step = services.store.write(move |tx| sweep(tx, horizon, STEP)).await.map_err(failed)?;
            deleted += step;
            if step < u64::from(STEP) {
                break;
            }
        }
        if deleted > 0 {
            tracing::info!(what = broom.name, deleted, before = %horizon, "deleted what was kept long enough");
        }
    }
    Ok(())
}
