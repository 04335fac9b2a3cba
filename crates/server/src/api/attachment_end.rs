//! The end of uploads that got no file, and of attachments that nothing uses.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use spaceport_platform::attachment::UNUSED_FOR;
use spaceport_store::StoreError;

use crate::services::Services;

/// Most rows of a step; between steps others get at the database.
const STEP: i64 = 100;

/// Deletes what has had its time, in small steps.
pub fn delete_unused(services: Services) -> BoxFuture<'static, Result<(), String>> {
    async move {
        let now = services.clock.now();
        loop {
            let work = move |tx: &mut spaceport_store::Tx<'_>| {
                let uploads = tx.delete_expired_uploads(now, STEP)?;
                let attachments = tx.delete_unused_attachments(now.minus(UNUSED_FOR), STEP)?;
                Ok::<_, StoreError>((uploads, attachments))
            };
            let (uploads, attachments) = services.store.write(work).await.map_err(|error| error.to_string())?;
            if attachments > 0 {
                tracing::info!(attachments, "deleted attachments that nothing used for a day");
            }
            if uploads.max(attachments) < STEP.unsigned_abs() {
                return Ok(());
            }
        }
    }
    .boxed()
}
