//! Subscriptions of webhooks: which events they hear of.

use spaceport_platform::id::{SubscriptionId, WebhookId};
use spaceport_platform::subscription::Subscription;

use crate::error::StoreError;
use crate::tx::{Tx, placeholders};
use crate::value::Value;

impl Tx<'_> {
    /// Stores a new subscription behind the others of its webhook.
    pub fn insert_subscription(&mut self, subscription: &Subscription) -> Result<(), StoreError> {
        let sql = "INSERT INTO subscription (id, webhook_id, name, enabled, subject, position) VALUES ($1, $2, $3, $4, $5, \
                   (SELECT COALESCE(MAX(s.position) + 1, 0) FROM subscription s WHERE s.webhook_id = $2))";
        let row = [
            (&subscription.id).into(),
            (&subscription.webhook).into(),
            subscription.name.as_str().into(),
            subscription.enabled.into(),
            subscription.subject.as_str().into(),
        ];
        self.connection.execute(sql, &row)?;
        self.insert_parts(subscription)
    }

    /// Stores a changed subscription in its place.
    pub fn update_subscription(&mut self, subscription: &Subscription) -> Result<(), StoreError> {
        let sql = "UPDATE subscription SET name = $1, enabled = $2, subject = $3 WHERE id = $4";
        let values = [
            subscription.name.as_str().into(),
            subscription.enabled.into(),
            subscription.subject.as_str().into(),
            (&subscription.id).into(),
        ];
        self.connection.execute(sql, &values)?;
        self.delete_parts(&subscription.id)?;
        self.insert_parts(subscription)
    }

    /// Deletes a subscription. Events that it has matched already are still delivered.
    pub fn delete_subscription(&mut self, id: &SubscriptionId) -> Result<(), StoreError> {
        self.delete_parts(id)?;
        self.connection.execute("DELETE FROM subscription WHERE id = $1", &[id.into()]).map(|_| ())
    }

    fn insert_parts(&mut self, subscription: &Subscription) -> Result<(), StoreError> {
        let sql = "INSERT INTO subscription_event (subscription_id, event_type, position) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let events = (0_i64..).zip(&subscription.event_types);
        let rows: Vec<_> =
            events.map(|(order, code)| vec![(&subscription.id).into(), code.as_str().into(), order.into()]).collect();
        self.connection.execute_many(sql, &rows).map(|_| ())
    }

    fn delete_parts(&mut self, id: &SubscriptionId) -> Result<(), StoreError> {
        let sql = "DELETE FROM subscription_event WHERE subscription_id = $1";
        self.connection.execute(sql, &[id.into()]).map(|_| ())
    }

    /// Subscriptions of webhooks, in the order they were made.
    pub fn subscriptions(&mut self, webhooks: &[WebhookId]) -> Result<Vec<Subscription>, StoreError> {
        if webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT s.id, s.webhook_id, s.name, s.enabled, s.subject, e.event_type \
             FROM subscription s JOIN subscription_event e ON e.subscription_id = s.id \
             WHERE s.webhook_id IN ({}) ORDER BY s.webhook_id, s.position, e.position",
            placeholders(1, webhooks.len())
        );
        let values: Vec<Value> = webhooks.iter().map(Value::from).collect();
        let mut found: Vec<Subscription> = Vec::new();
        for mut row in self.connection.query(&sql, &values)? {
            let subscription = Subscription {
                id: SubscriptionId::new(row.text()?),
                webhook: WebhookId::new(row.text()?),
                name: row.text()?,
                enabled: row.flag()?,
                subject: row.text()?,
                event_types: vec![row.text()?],
            };
            match found.last_mut() {
                Some(last) if last.id == subscription.id => last.event_types.extend(subscription.event_types),
                _ => found.push(subscription),
            }
        }
        Ok(found)
    }
}
