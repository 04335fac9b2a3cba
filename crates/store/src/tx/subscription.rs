//! Subscriptions of webhooks: which events they hear of, and all of them together for the index.

use std::collections::HashMap;

use spaceport_platform::filter::Filter;
use spaceport_platform::id::{ApplicationId, SubscriptionId, WebhookId};
use spaceport_platform::listeners::{Listener, Listening};
use spaceport_platform::subscription::Subscription;

use crate::error::StoreError;
use crate::tx::revision::Remembered;
use crate::tx::{Tx, placeholders};
use crate::value::{Row, Value};

/// What belongs to subscriptions, by their id.
struct Parts {
    event_types: HashMap<String, Vec<String>>,
    filters: HashMap<String, Vec<Filter>>,
}

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
        self.changed(Remembered::Subscriptions)?;
        let sql = "INSERT INTO subscription_event (subscription_id, event_type, position) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let events = (0_i64..).zip(&subscription.event_types);
        let rows: Vec<_> =
            events.map(|(order, code)| vec![(&subscription.id).into(), code.as_str().into(), order.into()]).collect();
        self.connection.execute_many(sql, &rows)?;
        let (mut filters, mut values) = (Vec::new(), Vec::new());
        for (position, filter) in (0_i64..).zip(&subscription.filters) {
            filters.push(vec![(&subscription.id).into(), position.into(), filter.class.as_str().into()]);
            for (field, given) in &filter.fields {
                for (number, value) in (0_i64..).zip(given) {
                    let row: [Value; 3] = [field.as_str().into(), number.into(), value.as_str().into()];
                    values.push([(&subscription.id).into(), position.into()].into_iter().chain(row).collect());
                }
            }
        }
        let sql = "INSERT INTO subscription_filter (subscription_id, position, class) VALUES ($1, $2, $3)";
        self.connection.execute_many(sql, &filters)?;
        let sql = "INSERT INTO subscription_filter_value (subscription_id, position, field, number, value) \
                   VALUES ($1, $2, $3, $4, $5)";
        self.connection.execute_many(sql, &values).map(|_| ())
    }

    fn delete_parts(&mut self, id: &SubscriptionId) -> Result<(), StoreError> {
        self.changed(Remembered::Subscriptions)?;
        for table in ["subscription_event", "subscription_filter_value", "subscription_filter"] {
            let sql = format!("DELETE FROM {table} WHERE subscription_id = $1");
            self.connection.execute(&sql, &[id.into()])?;
        }
        Ok(())
    }

    /// Subscriptions of webhooks, in the order they were made.
    pub fn subscriptions(&mut self, webhooks: &[WebhookId]) -> Result<Vec<Subscription>, StoreError> {
        if webhooks.is_empty() {
            return Ok(Vec::new());
        }
        let list = placeholders(1, webhooks.len());
        let values: Vec<Value> = webhooks.iter().map(Value::from).collect();
        let of_these = format!("IN (SELECT s.id FROM subscription s WHERE s.webhook_id IN ({list}))");
        let mut parts = self.parts(&format!("WHERE subscription_id {of_these}"), &values)?;
        let sql = format!(
            "SELECT s.id, s.webhook_id, s.name, s.enabled, s.subject FROM subscription s \
             WHERE s.webhook_id IN ({list}) ORDER BY s.webhook_id, s.position"
        );
        self.connection.query(&sql, &values)?.into_iter().map(|row| read(row, &mut parts)).collect()
    }

    /// Every subscription that counts: enabled, of a webhook that is enabled and not archived.
    pub fn listening(&mut self) -> Result<Vec<Listening>, StoreError> {
        let mut parts = self.parts("", &[])?;
        let sql = "SELECT w.application_id, s.id, s.webhook_id, s.name, s.enabled, s.subject FROM subscription s \
                   JOIN webhook w ON w.id = s.webhook_id \
                   WHERE s.enabled = 1 AND w.enabled = 1 AND w.archived_at IS NULL ORDER BY s.webhook_id, s.position";
        let mut all = Vec::new();
        for mut row in self.connection.query(sql, &[])? {
            let application = ApplicationId::new(row.text()?);
            let subscription = read(row, &mut parts)?;
            let listener = Listener { webhook: subscription.webhook.clone(), application, rights: None };
            all.push(Listening { listener, subscription });
        }
        Ok(all)
    }

    fn parts(&mut self, condition: &str, values: &[Value]) -> Result<Parts, StoreError> {
        let mut parts = Parts { event_types: HashMap::new(), filters: HashMap::new() };
        let sql = format!("SELECT subscription_id, event_type FROM subscription_event {condition} ORDER BY position");
        for mut row in self.connection.query(&sql, values)? {
            parts.event_types.entry(row.text()?).or_default().push(row.text()?);
        }
        let sql = format!("SELECT subscription_id, class FROM subscription_filter {condition} ORDER BY position");
        for mut row in self.connection.query(&sql, values)? {
            let filters = parts.filters.entry(row.text()?).or_default();
            filters.push(Filter { class: row.text()?, ..Filter::default() });
        }
        let sql = format!(
            "SELECT subscription_id, position, field, value FROM subscription_filter_value {condition} ORDER BY number"
        );
        for mut row in self.connection.query(&sql, values)? {
            let (id, position) = (row.text()?, usize::try_from(row.int()?).unwrap_or(usize::MAX));
            let filter = parts.filters.get_mut(&id).and_then(|filters| filters.get_mut(position));
            let filter = filter.ok_or_else(|| StoreError::corrupt("a value of a filter that is gone"))?;
            filter.fields.entry(row.text()?).or_default().push(row.text()?);
        }
        Ok(parts)
    }
}

fn read(mut row: Row, parts: &mut Parts) -> Result<Subscription, StoreError> {
    let id = row.text()?;
    Ok(Subscription {
        event_types: parts.event_types.remove(&id).unwrap_or_default(),
        filters: parts.filters.remove(&id).unwrap_or_default(),
        id: SubscriptionId::new(id),
        webhook: WebhookId::new(row.text()?),
        name: row.text()?,
        enabled: row.flag()?,
        subject: row.text()?,
    })
}
