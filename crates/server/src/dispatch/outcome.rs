//! What comes of a payload: recorded together with what it means for the application.

use std::sync::Arc;

use spaceport_platform::access::Caller;
use spaceport_platform::application::SecretKind;
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::dispatch::Dispatch;
use spaceport_platform::installation::{Consequence, Progress, told};
use spaceport_store::{RecordedAttempt, RecordedNext, StoreError, Tx};

use crate::events::application as events;
use crate::http::news::News;
use crate::http::trail::Trail;
use crate::services::Services;

/// The server's own operation, as the audit trail names it.
const OPERATION: &str = "server.dispatch";

/// Records attempts and applies their consequences, in one commit.
///
/// # Errors
/// When the database failed; then nothing happened.
pub(super) async fn record(services: &Services, attempts: Vec<RecordedAttempt>) -> Result<(), StoreError> {
    let now = services.clock.now();
    let trail = Trail::of_server(OPERATION, now, services.clone());
    let news = News::new(Arc::new(Caller::nobody()), now, services.clone());
    let written = news.clone();
    let done = services.store.write(move |tx| {
        for attempt in &attempts {
            let progress = match attempt.next {
                RecordedNext::Delivered => Progress::Accepted,
                RecordedNext::RetryAt(_) => Progress::Refused,
                RecordedNext::GiveUp => Progress::GivenUp,
            };
            if let Some(dispatch) = tx.record_dispatch(attempt, now)? {
                apply(tx, &written, &trail, &dispatch, progress)?;
            }
        }
        Ok::<_, StoreError>(())
    });
    done.await?;
    news.wake();
    services.callers.forget();
    Ok(())
}

fn apply(
    tx: &mut Tx<'_>,
    news: &News,
    trail: &Trail,
    dispatch: &Dispatch,
    progress: Progress,
) -> Result<(), StoreError> {
    let id = &dispatch.application;
    let Some(before) = tx.application(id)? else { return Ok(()) };
    let mut application = before.clone();
    let consequence = told(&mut application, dispatch.class, progress, dispatch.server_url.as_deref());
    let mut recorded = Vec::new();
    match consequence {
        Consequence::Nothing | Consequence::Archive => {}
        Consequence::EndOldSecret => {
            if tx.end_overlap(id.as_str(), SecretKind::ClientSecret)? {
                recorded.push(AuditChange::secret("previousClientSecret"));
            }
        }
        Consequence::ReturnToOldSecret => {
            if let Some(overlap) = tx.return_to_previous_secret(id.as_str(), SecretKind::ClientSecret)? {
                // Tokens that the old secret brought carry this stamp, so they go on to live.
                application.tokens_not_before = overlap.stamp;
                recorded.push(AuditChange::secret("clientSecret"));
                recorded.extend(AuditChange::between("clientSecretChange", Some("sent"), Some("given up")));
            }
        }
    }
    recorded.extend(changes(Some(&before), &application));
    let archived = consequence == Consequence::Archive && before.archived_at.is_none();
    if recorded.is_empty() && !archived {
        return Ok(());
    }
    tx.update_application(&application)?;
    if archived {
        tx.archive_application(id, news.now)?;
        tx.cancel_dispatches(id, news.now)?;
        recorded.extend(AuditChange::between("archived", Some("false"), Some("true")));
    }
    trail.record(tx, AuditTarget::application(id), recorded)?;
    if archived {
        events::archived(news, tx, &application)?;
    }
    Ok(())
}
