//! The log of deliveries and attempts, and sending again what is in it.
//!
//! Ids of deliveries begin with the time at which their event came, so that ranges of time and the deliveries of one
//! event are ranges of keys.

use std::time::Duration;

use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::{ApplicationId, DeliveryId, EventId, WebhookId, id_prefix};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::attempt::Call;
use crate::tx::delivery::delivery_state;
use crate::tx::{Tx, placeholders};
use crate::value::{Row, Value};

/// Which deliveries of an application; what is `None` does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogFilter {
    /// Those of a webhook.
    pub webhook: Option<WebhookId>,
    /// Those of an event.
    pub event: Option<EventId>,
    /// Those in a state.
    pub state: Option<DeliveryState>,
    /// Those made at or after this moment.
    pub since: Option<Timestamp>,
    /// Those made before this moment.
    pub until: Option<Timestamp>,
}

/// Which attempts of an application; what is `None` does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AttemptFilter {
    /// Those for a webhook.
    pub webhook: Option<WebhookId>,
    /// Those of an event.
    pub event: Option<EventId>,
    /// Those that the endpoint took, or the others.
    pub delivered: Option<bool>,
    /// Those that carried a payload of one of these classes; events are of the class
    /// [`PayloadClass::WebhookRequest`].
    pub classes: Option<Vec<PayloadClass>>,
    /// Those sent at or after this moment.
    pub since: Option<Timestamp>,
    /// Those sent before this moment.
    pub until: Option<Timestamp>,
}

impl AttemptFilter {
    /// Whether attempts of deliveries can fit.
    fn wants_events(&self) -> bool {
        self.classes.as_ref().is_none_or(|classes| classes.contains(&PayloadClass::WebhookRequest))
    }
}

/// A delivery in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// For which webhook.
    pub webhook: WebhookId,
    /// Of which event.
    pub event: EventId,
    /// The event's type; `None` when the event is not kept any more.
    pub event_type: Option<String>,
    /// Its state.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it is sent next, while it waits.
    pub due_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The place of an attempt in the log, which is ordered by time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AttemptKey {
    /// When it began.
    pub started_at: Timestamp,
    /// Of which delivery or dispatch.
    pub delivery: DeliveryId,
    /// Its number.
    pub number: u32,
}

/// An attempt in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedAttempt {
    /// Its place.
    pub key: AttemptKey,
    /// What it carried.
    pub carried: Carried,
    /// What was sent, and what came of it.
    pub call: Call,
    /// Whether the endpoint took it.
    pub delivered: bool,
}

/// What an attempt carried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Carried {
    /// An event for a webhook.
    Event {
        /// Which webhook.
        webhook: WebhookId,
        /// Which event.
        event: EventId,
        /// Canonical JSON of the event's payload, when no body is kept and the event still is.
        payload: Option<String>,
    },
    /// Another payload, of this class.
    Payload(PayloadClass),
}

/// Parameters of a statement, and their places in it.
#[derive(Default)]
pub(crate) struct Conditions {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Conditions {
    /// One more condition, which ends before its value.
    pub(crate) fn add(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.and(&format!("{condition} ${}", self.values.len()));
    }

    fn and(&mut self, condition: &str) {
        let joint = if self.sql.is_empty() { "" } else { " AND " };
        self.sql.push_str(&format!("{joint}{condition}"));
    }

    pub(crate) fn one_of(&mut self, column: &str, values: Vec<Value>) {
        let list = placeholders(self.values.len() + 1, values.len());
        self.values.extend(values);
        self.and(&format!("{column} IN ({list})"));
    }

    /// What the filter says of attempts as `a`, whatever they carried, from behind `before`. `delivery` is the column
    /// with what they are attempts of.
    pub(crate) fn attempts(&mut self, delivery: &str, filter: &AttemptFilter, before: Option<&AttemptKey>) {
        if let Some(since) = filter.since {
            self.add("a.started_at >=", since);
        }
        if let Some(until) = filter.until {
            self.add("a.started_at <", until);
        }
        if let Some(delivered) = filter.delivered {
            self.add("a.delivered =", delivered);
        }
        if let Some(before) = before {
            self.add("a.started_at <=", before.started_at);
            let from = self.values.len();
            self.values.extend([(&before.delivery).into(), before.number.into()]);
            self.and(&format!(
                "(a.started_at < ${from} OR {delivery} < ${0} OR ({delivery} = ${0} AND a.number < ${1}))",
                from + 1,
                from + 2
            ));
        }
    }
}

impl Tx<'_> {
    /// What is asked of deliveries as `d`; `None` when nothing can be found.
    fn conditions(
        &mut self,
        application: &ApplicationId,
        filter: &LogFilter,
    ) -> Result<Option<Conditions>, StoreError> {
        let mut all = Conditions::default();
        all.add("d.application_id =", application);
        let (mut since, mut until) = (filter.since, filter.until);
        if let Some(event) = &filter.event {
            let found = self.connection.query("SELECT received_at FROM event WHERE id = $1", &[event.into()])?.pop();
            let Some(mut row) = found else { return Ok(None) };
            // Deliveries are made in the moment in which their event comes, or named as if they had been.
            let received = row.time()?;
            since = Some(since.map_or(received, |since| since.max(received)));
            let after = received.plus(Duration::from_millis(1));
            until = Some(until.map_or(after, |until| until.min(after)));
            all.add("d.event_id =", event);
        }
        if let Some(since) = since {
            all.add("d.id >=", id_prefix(since));
        }
        if let Some(until) = until {
            all.add("d.id <", id_prefix(until));
        }
        if let Some(webhook) = &filter.webhook {
            all.add("d.webhook_id =", webhook);
        }
        if let Some(state) = filter.state {
            // Written out, so that the index of what was given up is found.
            all.and(&format!("d.state = '{}'", state.name()));
        }
        Ok(Some(all))
    }

    /// Deliveries of an application, the newest first, from behind `before`.
    pub fn deliveries(
        &mut self,
        application: &ApplicationId,
        filter: &LogFilter,
        before: Option<&DeliveryId>,
        limit: i64,
    ) -> Result<Vec<LoggedDelivery>, StoreError> {
        let Some(mut all) = self.conditions(application, filter)? else { return Ok(Vec::new()) };
        if let Some(before) = before {
            all.add("d.id <", before);
        }
        let sql = format!(
            "SELECT d.id, d.webhook_id, d.event_id, e.event_type, d.state, d.attempts, d.created_at, d.due_at, d.finished_at \
             FROM delivery d LEFT JOIN event e ON e.id = d.event_id WHERE {} ORDER BY d.id DESC LIMIT {limit}",
            all.sql
        );
        let rows = self.connection.query(&sql, &all.values)?;
        rows.into_iter().map(read_delivery).collect()
    }

    /// Makes up to `limit` deliveries that have ended wait again, in the order they were made, from behind `after`, each
    /// with all its tries; answers their ids. Those of webhooks that are archived or switched off, and of events that are not
    /// kept any more, are passed over.
    pub fn replay(
        &mut self,
        application: &ApplicationId,
        filter: &LogFilter,
        after: Option<&DeliveryId>,
        limit: i64,
        now: Timestamp,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let Some(mut all) = self.conditions(application, filter)? else { return Ok(Vec::new()) };
        if let Some(after) = after {
            all.add("d.id >", after);
        }
        let sql = format!(
            "SELECT d.id FROM delivery d JOIN webhook w ON w.id = d.webhook_id AND w.archived_at IS NULL AND w.enabled = 1 \
               JOIN event e ON e.id = d.event_id \
             WHERE {} AND d.finished_at IS NOT NULL ORDER BY d.id LIMIT {limit}",
            all.sql
        );
        let rows = self.connection.query(&sql, &all.values)?;
        let ids = rows.into_iter().map(|mut row| row.text().map(DeliveryId::new)).collect::<Result<Vec<_>, _>>()?;
        let sets: Vec<Vec<Value>> = ids.iter().map(|id| vec![now.into(), id.into()]).collect();
        let sql = "UPDATE delivery SET state = 'waiting', due_at = $1, finished_at = NULL, tried_before = attempts \
                   WHERE id = $2 AND finished_at IS NOT NULL";
        self.execute_all(sql, &sets)?;
        Ok(ids)
    }

    /// Whether the application has this delivery, and its state.
    pub fn delivery_state(
        &mut self,
        application: &ApplicationId,
        id: &DeliveryId,
    ) -> Result<Option<DeliveryState>, StoreError> {
        let sql = "SELECT state FROM delivery WHERE id = $1 AND application_id = $2";
        let found = self.connection.query(sql, &[id.into(), application.into()])?.pop();
        found.map(|mut row| delivery_state(&mut row)).transpose()
    }

    /// Makes one delivery wait again that has ended, with all its tries. Answers whether it did: its webhook is neither
    /// archived nor switched off, and its event is still kept.
    pub fn replay_one(&mut self, id: &DeliveryId, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE delivery SET state = 'waiting', due_at = $1, finished_at = NULL, tried_before = attempts \
                   WHERE id = $2 AND finished_at IS NOT NULL \
                   AND EXISTS (SELECT 1 FROM event e WHERE e.id = delivery.event_id) \
                   AND EXISTS (SELECT 1 FROM webhook w WHERE w.id = delivery.webhook_id AND w.archived_at IS NULL AND w.enabled = 1)";
        Ok(self.connection.execute(sql, &[now.into(), id.into()])? > 0)
    }

    /// Attempts of an application, whatever they carried, the newest first, from behind `before`.
    pub fn attempts(
        &mut self,
        application: &ApplicationId,
        filter: &AttemptFilter,
        before: Option<&AttemptKey>,
        limit: usize,
    ) -> Result<Vec<LoggedAttempt>, StoreError> {
        let of_deliveries = match &filter.event {
            _ if !filter.wants_events() => Vec::new(),
            Some(event) => self.keys_of_event(application, event, filter, before)?,
            None => self.keys_of_webhooks(application, filter, before, limit)?,
        };
        let of_dispatches = self.dispatch_attempt_keys(application, filter, before, limit)?;
        let of_deliveries = of_deliveries.into_iter().map(|key| (key, Source::Delivery));
        let mut keys: Vec<(AttemptKey, Source)> =
            of_deliveries.chain(of_dispatches.into_iter().map(|key| (key, Source::Dispatch))).collect();
        keys.sort_by(|(a, _), (b, _)| b.cmp(a));
        keys.truncate(limit);
        let mut found = Vec::with_capacity(keys.len());
        for (key, source) in keys {
            found.extend(match source {
                Source::Delivery => self.attempt(key)?,
                Source::Dispatch => self.dispatch_attempt(key)?,
            });
        }
        Ok(found)
    }

    fn keys_of_event(
        &mut self,
        application: &ApplicationId,
        event: &EventId,
        filter: &AttemptFilter,
        before: Option<&AttemptKey>,
    ) -> Result<Vec<AttemptKey>, StoreError> {
        let of_event =
            LogFilter { event: Some(event.clone()), webhook: filter.webhook.clone(), ..LogFilter::default() };
        let Some(mut all) = self.conditions(application, &of_event)? else { return Ok(Vec::new()) };
        all.attempts("a.delivery_id", filter, before);
        let sql = format!(
            "SELECT a.started_at, a.delivery_id, a.number FROM delivery d JOIN attempt a ON a.delivery_id = d.id WHERE {}",
            all.sql
        );
        self.connection.query(&sql, &all.values)?.into_iter().map(read_key).collect()
    }

    /// The newest of each webhook, by its index: merged they are the newest of all.
    fn keys_of_webhooks(
        &mut self,
        application: &ApplicationId,
        filter: &AttemptFilter,
        before: Option<&AttemptKey>,
        limit: usize,
    ) -> Result<Vec<AttemptKey>, StoreError> {
        let sql = "SELECT id FROM webhook WHERE application_id = $1";
        let rows = self.connection.query(sql, &[application.into()])?;
        let webhooks = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, _>>()?;
        let mut keys = Vec::new();
        for webhook in webhooks {
            if filter.webhook.as_ref().is_some_and(|wanted| wanted.as_str() != webhook) {
                continue;
            }
            let mut all = Conditions::default();
            all.add("a.webhook_id =", webhook);
            all.attempts("a.delivery_id", filter, before);
            keys.extend(self.newest_keys(("attempt", "delivery_id"), &all, limit)?);
        }
        Ok(keys)
    }

    /// Keys of the newest attempts in a table, as `a`, for which these conditions hold. The column is that with what they
    /// are attempts of.
    pub(crate) fn newest_keys(
        &mut self,
        (table, column): (&str, &str),
        all: &Conditions,
        limit: usize,
    ) -> Result<Vec<AttemptKey>, StoreError> {
        let sql = format!(
            "SELECT a.started_at, a.{column}, a.number FROM {table} a WHERE {} \
             ORDER BY a.started_at DESC, a.{column} DESC, a.number DESC LIMIT {limit}",
            all.sql
        );
        self.connection.query(&sql, &all.values)?.into_iter().map(read_key).collect()
    }

    fn attempt(&mut self, key: AttemptKey) -> Result<Option<LoggedAttempt>, StoreError> {
        let sql = format!(
            "SELECT a.webhook_id, d.event_id, CASE WHEN a.request_body IS NULL THEN e.payload END, a.delivered, {} \
             FROM attempt a JOIN delivery d ON d.id = a.delivery_id LEFT JOIN event e ON e.id = d.event_id \
             WHERE a.delivery_id = $1 AND a.number = $2",
            Call::COLUMNS
        );
        let found = self.connection.query(&sql, &[(&key.delivery).into(), key.number.into()])?.pop();
        found.map(|row| read_attempt(key, row)).transpose()
    }
}

/// Where an attempt is kept.
#[derive(Clone, Copy)]
enum Source {
    Delivery,
    Dispatch,
}

fn read_key(mut row: Row) -> Result<AttemptKey, StoreError> {
    let (started_at, delivery) = (row.time()?, DeliveryId::new(row.text()?));
    Ok(AttemptKey { started_at, delivery, number: small(row.int()?) })
}

fn read_attempt(key: AttemptKey, mut row: Row) -> Result<LoggedAttempt, StoreError> {
    Ok(LoggedAttempt {
        key,
        carried: Carried::Event {
            webhook: WebhookId::new(row.text()?),
            event: EventId::new(row.text()?),
            payload: row.optional_text()?,
        },
        delivered: row.flag()?,
        call: Call::read(&mut row)?,
    })
}

fn read_delivery(mut row: Row) -> Result<LoggedDelivery, StoreError> {
    Ok(LoggedDelivery {
        id: DeliveryId::new(row.text()?),
        webhook: WebhookId::new(row.text()?),
        event: EventId::new(row.text()?),
        event_type: row.optional_text()?,
        state: delivery_state(&mut row)?,
        attempts: small(row.int()?),
        created_at: row.time()?,
        due_at: row.time()?,
        finished_at: row.optional_time()?,
    })
}

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
