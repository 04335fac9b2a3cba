//! Webhooks that have failed for a long time without a single success.

use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

/// A webhook whose attempts all fail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailingWebhook {
    /// Whose.
    pub application: ApplicationId,
    /// Which.
    pub webhook: WebhookId,
    /// The first failure since the last success, as far as attempts are kept.
    pub since: Timestamp,
    /// The latest failure.
    pub latest: Timestamp,
}

impl Tx<'_> {
    /// Lets the patience with a webhook, or with all of an application, begin anew: what failed before does not count any more.
    pub fn begin_patience(
        &mut self,
        application: &ApplicationId,
        webhook: Option<&WebhookId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE webhook SET patience_from = $1 WHERE application_id = $2 AND ($3 = '' OR id = $3)";
        let webhook = webhook.map_or("", WebhookId::as_str);
        self.connection.execute(sql, &[now.into(), application.into(), webhook.into()]).map(|_| ())
    }

    /// Webhooks that are switched on and whose last attempt failed, as far as that counts ([`Self::begin_patience`]).
    pub fn failing_webhooks(&mut self) -> Result<Vec<FailingWebhook>, StoreError> {
        // For one that works each of these reads a single entry of the index.
        let sql = "SELECT f.application_id, f.id, f.latest, \
                     (SELECT a.started_at FROM attempt a WHERE a.webhook_id = f.id AND a.started_at > f.good \
                      AND a.started_at >= f.patience_from ORDER BY a.started_at LIMIT 1) \
                   FROM (SELECT w.application_id, w.id, w.patience_from, \
                       (SELECT a.started_at FROM attempt a WHERE a.webhook_id = w.id ORDER BY a.started_at DESC LIMIT 1) AS latest, \
                       COALESCE((SELECT a.started_at FROM attempt a WHERE a.webhook_id = w.id AND a.delivered = 1 \
                                 ORDER BY a.started_at DESC LIMIT 1), 0) AS good \
                     FROM webhook w WHERE w.enabled = 1 AND w.archived_at IS NULL) f \
                   WHERE f.latest > f.good AND f.latest >= f.patience_from";
        let mut found = Vec::new();
        for mut row in self.connection.query(sql, &[])? {
            let (application, webhook) = (ApplicationId::new(row.text()?), WebhookId::new(row.text()?));
            let (latest, since) = (row.time()?, row.time()?);
            found.push(FailingWebhook { application, webhook, since, latest });
        }
        Ok(found)
    }
}
