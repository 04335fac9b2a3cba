//! Webhooks: where events go, and how their last delivery went.

use std::time::Duration;

use spaceport_platform::application::{AuthenticationMethod, Endpoint};
use spaceport_platform::id::{ApplicationId, DeliveryId, WebhookId};
use spaceport_platform::sending::Sending;
use spaceport_platform::subscription::Subscription;
use spaceport_platform::time::Timestamp;
use spaceport_platform::webhook::{PayloadForm, Webhook};

use crate::error::StoreError;
use crate::tx::revision::Remembered;
use crate::tx::{Tx, containing, placeholders};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, application_id, name, description, endpoint_url, endpoint_ssl_verification, authentication, basic_username, \
     enabled, accepted_codes, retries, created_at, archived_at, revision, ssl_keystore, payload_fields, payload_template, \
     retry_delays, ordered, most_in_flight, most_per_minute";

/// The last attempt of a webhook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastAttempt {
    /// Of which webhook.
    pub webhook: WebhookId,
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// When it began.
    pub started_at: Timestamp,
    /// Status of the answer, if one came.
    pub status: Option<u16>,
    /// What kept the answer away, if none came.
    pub error_kind: Option<String>,
    /// The same in words.
    pub message: Option<String>,
    /// Whether the delivery ended with it well.
    pub delivered: bool,
}

impl Tx<'_> {
    /// Stores a new webhook with its subscriptions.
    pub fn insert_webhook(&mut self, webhook: &Webhook, subscriptions: &[Subscription]) -> Result<(), StoreError> {
        let sql = format!("INSERT INTO webhook ({COLUMNS}, name_folded) VALUES ({})", placeholders(1, 22));
        self.connection.execute(&sql, &values(webhook))?;
        for subscription in subscriptions {
            self.insert_subscription(subscription)?;
        }
        Ok(())
    }

    /// A webhook of an application, archived or not.
    pub fn webhook(&mut self, application: &ApplicationId, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM webhook WHERE application_id = $1 AND id = $2");
        self.connection.query(&sql, &[application.into(), id.into()])?.pop().map(read).transpose()
    }

    /// A page of an application's webhooks in the order they were made, and how many there are in all.
    pub fn webhooks(
        &mut self,
        application: &ApplicationId,
        with_archived: bool,
        name: Option<&str>,
        offset: i64,
        limit: i64,
    ) -> Result<(Vec<Webhook>, i64), StoreError> {
        let condition = format!(
            "application_id = $1 AND name_folded LIKE $2 ESCAPE '!'{}",
            if with_archived { "" } else { " AND archived_at IS NULL" }
        );
        let mut values = vec![application.into(), containing(name.unwrap_or_default())];
        let count = format!("SELECT COUNT(*) FROM webhook WHERE {condition}");
        let total = self.connection.query(&count, &values)?.pop().map_or(Ok(0), |mut row| row.int())?;
        let sql = format!("SELECT {COLUMNS} FROM webhook WHERE {condition} ORDER BY created_at, id LIMIT $3 OFFSET $4");
        values.extend([limit.into(), offset.into()]);
        let found = self.connection.query(&sql, &values)?.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok((found, total))
    }

    /// How many webhooks of an application are not archived.
    pub fn count_webhooks(&mut self, application: &ApplicationId) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM webhook WHERE application_id = $1 AND archived_at IS NULL";
        self.connection.query(sql, &[application.into()])?.pop().map_or(Ok(0), |mut row| row.int())
    }

    /// Stores changed settings, archived or not, and counts its revision.
    pub fn update_webhook(&mut self, webhook: &Webhook) -> Result<(), StoreError> {
        self.changed(Remembered::Subscriptions)?;
        let sql = "UPDATE webhook SET name = $3, description = $4, endpoint_url = $5, endpoint_ssl_verification = $6, \
                     authentication = $7, basic_username = $8, enabled = $9, accepted_codes = $10, retries = $11, \
                     archived_at = $13, ssl_keystore = $15, payload_fields = $16, payload_template = $17, retry_delays = $18, ordered = $19, \
                     most_in_flight = $20, most_per_minute = $21, name_folded = $22, revision = revision + 1 \
                   WHERE id = $1 AND application_id = $2 AND created_at = $12 AND revision = $14";
        let changed = self.connection.execute(sql, &values(webhook))?;
        if changed == 0 {
            return Err(StoreError::corrupt(format!("the webhook {} changed under a change of it", webhook.id)));
        }
        Ok(())
    }

    /// Counts the revision of a webhook whose secrets or headers changed, so that senders load them anew.
    pub fn touch_webhook(&mut self, id: &WebhookId) -> Result<(), StoreError> {
        let sql = "UPDATE webhook SET revision = revision + 1 WHERE id = $1";
        self.connection.execute(sql, &[id.into()]).map(|_| ())
    }

    /// Archives: deliveries that wait are cancelled.
    pub fn archive_webhook(&mut self, id: &WebhookId, now: Timestamp) -> Result<(), StoreError> {
        self.changed(Remembered::Subscriptions)?;
        self.connection.execute(
            "UPDATE webhook SET archived_at = $1, revision = revision + 1 WHERE id = $2",
            &[now.into(), id.into()],
        )?;
        self.cancel_waiting(id, now)
    }

    /// Cancels the deliveries of a webhook that wait. What is on its way is not called back, but not sent again either.
    pub fn cancel_waiting(&mut self, id: &WebhookId, now: Timestamp) -> Result<(), StoreError> {
        // By application, so that the index of open deliveries helps.
        let sql = "UPDATE delivery SET state = 'cancelled', finished_at = $1 WHERE finished_at IS NULL AND webhook_id = $2 \
                   AND application_id = (SELECT application_id FROM webhook WHERE id = $2)";
        self.connection.execute(sql, &[now.into(), id.into()]).map(|_| ())
    }

    /// The last attempt of each webhook that has one.
    pub fn last_attempts(&mut self, webhooks: &[WebhookId]) -> Result<Vec<LastAttempt>, StoreError> {
        let sql = "SELECT webhook_id, delivery_id, started_at, status, error_kind, message, delivered FROM attempt \
                   WHERE webhook_id = $1 ORDER BY started_at DESC, number DESC LIMIT 1";
        let mut found = Vec::new();
        for webhook in webhooks {
            if let Some(mut row) = self.connection.query(sql, &[webhook.into()])?.pop() {
                found.push(LastAttempt {
                    webhook: WebhookId::new(row.text()?),
                    delivery: DeliveryId::new(row.text()?),
                    started_at: row.time()?,
                    status: row.optional_int()?.and_then(|status| u16::try_from(status).ok()),
                    error_kind: row.optional_text()?,
                    message: row.optional_text()?,
                    delivered: row.flag()?,
                });
            }
        }
        Ok(found)
    }
}

fn values(webhook: &Webhook) -> Vec<Value> {
    let username = match &webhook.authentication {
        Some(AuthenticationMethod::Basic { username }) => Some(username.as_str()),
        _ => None,
    };
    let codes: Vec<String> = webhook.accepted_codes.iter().map(u16::to_string).collect();
    vec![
        (&webhook.id).into(),
        (&webhook.application).into(),
        webhook.name.as_str().into(),
        webhook.description.as_deref().into(),
        webhook.endpoint.as_ref().map(|endpoint| endpoint.url.as_str()).into(),
        webhook.endpoint.as_ref().is_none_or(|endpoint| endpoint.ssl_verification).into(),
        webhook.authentication.as_ref().map(AuthenticationMethod::name).into(),
        username.into(),
        webhook.enabled.into(),
        codes.join(",").into(),
        webhook.retries.into(),
        webhook.created_at.into(),
        webhook.archived_at.into(),
        webhook.revision.into(),
        webhook.ssl_keystore.as_deref().into(),
        webhook.payload.fields().into(),
        webhook.payload.template().into(),
        webhook.sending.retry_delays.as_deref().map(stored_delays).into(),
        webhook.sending.ordered.into(),
        webhook.sending.most_in_flight.into(),
        webhook.sending.most_per_minute.into(),
        webhook.name.to_lowercase().into(),
    ]
}

fn read(mut row: Row) -> Result<Webhook, StoreError> {
    let (id, application) = (WebhookId::new(row.text()?), ApplicationId::new(row.text()?));
    let (name, description) = (row.text()?, row.optional_text()?);
    let (url, ssl_verification) = (row.optional_text()?, row.flag()?);
    let (method, username) = (row.optional_text()?, row.optional_text()?);
    let authentication = match method {
        Some(method) => Some(
            AuthenticationMethod::from_stored(&method, username)
                .ok_or_else(|| StoreError::corrupt(format!("the authentication method {method}")))?,
        ),
        None => None,
    };
    Ok(Webhook {
        id,
        application,
        name,
        description,
        endpoint: url.map(|url| Endpoint { url, ssl_verification }),
        authentication,
        enabled: row.flag()?,
        accepted_codes: row.text()?.split(',').filter_map(|code| code.parse().ok()).collect(),
        retries: row.flag()?,
        created_at: row.time()?,
        archived_at: row.optional_time()?,
        revision: row.int()?,
        ssl_keystore: row.optional_text()?,
        payload: PayloadForm::new(row.optional_text()?, row.optional_text()?)
            .map_err(|_| StoreError::corrupt("a webhook with fields and a template"))?,
        sending: Sending {
            retry_delays: row.optional_text()?.map(|stored| read_delays(&stored)),
            ordered: row.flag()?,
            most_in_flight: row.optional_int()?.and_then(|most| u32::try_from(most).ok()),
            most_per_minute: row.optional_int()?.and_then(|most| u32::try_from(most).ok()),
        },
    })
}

/// Pauses in milliseconds, with a comma between.
fn stored_delays(delays: &[Duration]) -> String {
    delays.iter().map(|delay| delay.as_millis().to_string()).collect::<Vec<_>>().join(",")
}

fn read_delays(stored: &str) -> Vec<Duration> {
    stored.split(',').filter_map(|millis| millis.parse().ok().map(Duration::from_millis)).collect()
}
