//! Webhooks that have failed for days are switched off, when the operator wants that: an event, an entry of the audit
//! trail and a line in the log say so.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use spaceport_platform::access::Caller;
use spaceport_platform::audit::{AuditEntry, AuditTarget};
use spaceport_platform::id::Id;
use spaceport_platform::webhook::Webhook;
use spaceport_platform::webhook_changes::changes;
use spaceport_store::{FailingWebhook, StoreError, Tx};

use crate::events::application::webhook_disabled;
use crate::http::news::News;
use crate::services::Services;
use crate::tasks::Periodic;

/// The task.
pub const TASK: Periodic = Periodic {
    name: "switch off what fails for days",
    period: Duration::from_secs(600),
    run: |services| run(services).boxed(),
};

/// Switches off what has failed for long enough, from the first failure after the last success to the latest.
///
/// # Errors
/// When the database failed; what was switched off until then stays so.
pub async fn run(services: Services) -> Result<(), String> {
    let Some(patience) = services.settings.disable_failing_after else { return Ok(()) };
    let failed = |error: StoreError| format!("failing webhooks cannot be switched off: {error}");
    let found = services.store.read(|tx| tx.failing_webhooks()).await.map_err(failed)?;
    for failing in found.into_iter().filter(|failing| failing.latest.since(failing.since) >= patience) {
        let news = News::new(Arc::new(Caller::nobody()), services.clock.now(), services.clone());
        let (told, one) = (news.clone(), failing.clone());
        let done = services.store.write(move |tx| switch_off(tx, &told, &one)).await.map_err(failed)?;
        if done {
            news.wake();
            let FailingWebhook { application, webhook, since, .. } = failing;
            tracing::warn!(%application, %webhook, %since, "a webhook that fails for days was switched off");
        }
    }
    Ok(())
}

/// Answers whether it was still on.
fn switch_off(tx: &mut Tx<'_>, news: &News, failing: &FailingWebhook) -> Result<bool, StoreError> {
    let Some(application) = tx.application(&failing.application)? else { return Ok(false) };
    let before = tx.webhook(&application.id, &failing.webhook)?;
    let Some(before) = before.filter(|webhook| webhook.enabled && webhook.archived_at.is_none()) else {
        return Ok(false);
    };
    let webhook = Webhook { enabled: false, ..before.clone() };
    tx.update_webhook(&webhook)?;
    tx.cancel_waiting(&webhook.id, news.now)?;
    let target = AuditTarget::of_application(&application.id, "webhook", webhook.id.as_str());
    let changed = changes(Some(&before), &webhook);
    let id = Id::generate(news.now, news.random());
    tx.insert_audit_entry(&AuditEntry::of_server(id, news.now, "server.webhook.disable", target, changed))?;
    webhook_disabled(news, tx, &application, &webhook, failing.since)?;
    Ok(true)
}

/// How long a webhook may fail, as the settings say it; `None` for ever.
///
/// # Errors
/// A sentence that names the setting: attempts must be kept for longer, or nobody could tell.
pub fn patience(length: Duration, kept: Duration) -> Result<Option<Duration>, String> {
    match length {
        Duration::ZERO => Ok(None),
        length if length < kept => Ok(Some(length)),
        _ => {
            Err("disable_failing_after must be less than keep_deliveries, or 0s to let webhooks fail for ever"
                .to_owned())
        }
    }
}
