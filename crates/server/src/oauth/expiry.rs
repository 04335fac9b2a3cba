//! What is over is deleted: codes, delegations, entries of revoked tokens, sessions.

use std::time::Duration;

use futures_util::FutureExt;
use spaceport_store::StoreError;

use crate::people::session::LONGEST;
use crate::services::Services;
use crate::tasks::Periodic;

/// How long a used code and an ended delegation are kept, so that one that comes again is known as such.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Rows deleted in one transaction.
const STEP: i64 = 500;

/// Looks once an hour.
pub const TASK: Periodic = Periodic {
    name: "end of codes, delegations and sessions",
    period: Duration::from_secs(3600),
    run: |services| run(services).boxed(),
};

async fn run(services: Services) -> Result<(), String> {
    let now = services.clock.now();
    loop {
        let work = move |tx: &mut spaceport_store::Tx<'_>| {
            let delegations = tx.delete_old_delegations(now.minus(KEPT), STEP)?;
            Ok::<_, StoreError>(delegations + tx.delete_old_sessions(now.minus(LONGEST), STEP)?)
        };
        if services.store.write(work).await.map_err(|error| error.to_string())? == 0 {
            return Ok(());
        }
    }
}
