//! Deliveries: leased, sent elsewhere, and recorded with what became of each attempt.

use std::collections::{HashMap, HashSet};

use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::field_right::FieldRights;
use spaceport_platform::id::{ApplicationId, DeliveryId, WebhookId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::attempt::Call;
use crate::tx::entitlement::{Question, Told};
use crate::tx::{Tx, placeholders};
use crate::value::{Row, Value};

/// Behind the making of a delivery an attempt is late from here on, in milliseconds: half of the shortest time for which
/// bodies can be kept, so that each that is made when those of its delivery were emptied already is late.
const LATE: i64 = 30 * 60 * 1000;

/// A delivery that was leased to the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClaimedRow {
    /// Its id.
    pub id: DeliveryId,
    /// Whose.
    pub application: ApplicationId,
    /// For which webhook.
    pub webhook: WebhookId,
    /// Number of the attempt that begins, from 1.
    pub attempt: u32,
    /// How many attempts there were before the delivery was last replayed.
    pub tried_before: u32,
    /// When the delivery was made.
    pub created_at: Timestamp,
    /// Canonical JSON of the event's payload.
    pub payload: String,
    /// Revision of the webhook.
    pub webhook_revision: i64,
    /// Revision of the application.
    pub application_revision: i64,
    /// Client id of the application.
    pub client_id: String,
    /// Paths of the fields of the payload that the application may not see.
    pub withheld: Vec<String>,
}

/// How many deliveries of an application are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// Whose.
    pub application: ApplicationId,
    /// At most so many.
    pub capacity: usize,
    /// None of these webhooks.
    pub except: Vec<WebhookId>,
}

impl Wanted {
    /// Of all webhooks.
    pub fn of(application: ApplicationId, capacity: usize) -> Self {
        Self { application, capacity, except: Vec::new() }
    }
}

/// What senders need to know of a webhook to load the rest, if they have not got it yet.
#[derive(Clone)]
struct Facts {
    webhook_revision: i64,
    application_revision: i64,
    client_id: String,
    ordered: bool,
}

/// A delivery just leased, before anything else about it is known.
#[derive(Clone)]
struct Leased<'a> {
    application: &'a ApplicationId,
    id: String,
    webhook: String,
    attempt: i64,
    tried_before: i64,
    created_at: Timestamp,
    event: String,
    withheld: Vec<String>,
}

/// What follows from an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordedNext {
    /// The delivery has ended well.
    Delivered,
    /// It is sent again then.
    RetryAt(Timestamp),
    /// It has ended badly.
    GiveUp,
}

impl RecordedNext {
    /// The state that follows, when it is due then, and when it ended.
    pub(crate) fn state(self, now: Timestamp) -> (DeliveryState, Timestamp, Option<Timestamp>) {
        match self {
            Self::Delivered => (DeliveryState::Delivered, now, Some(now)),
            Self::RetryAt(at) => (DeliveryState::Waiting, at, None),
            Self::GiveUp => (DeliveryState::GivenUp, now, Some(now)),
        }
    }
}

/// An attempt to record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordedAttempt {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// Its number.
    pub number: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// What was sent, and what came of it.
    pub call: Call,
    /// What follows.
    pub next: RecordedNext,
}

impl Tx<'_> {
    /// Up to `limit` applications that have a delivery due, the longest waiting first, and when the next
    /// one of the others falls due.
    pub fn due(&mut self, now: Timestamp, limit: usize) -> Result<(Vec<ApplicationId>, Option<Timestamp>), StoreError> {
        // Hops from application to application in the index instead of reading every open delivery.
        let sql = "WITH RECURSIVE lane (application_id) AS ( \
                     SELECT MIN(application_id) FROM delivery WHERE finished_at IS NULL \
                     UNION ALL \
                     SELECT (SELECT MIN(d.application_id) FROM delivery d \
                             WHERE d.finished_at IS NULL AND d.application_id > lane.application_id) \
                     FROM lane WHERE lane.application_id IS NOT NULL) \
                   SELECT lane.application_id, \
                     (SELECT MIN(d.due_at) FROM delivery d WHERE d.finished_at IS NULL AND d.application_id = lane.application_id) \
                   FROM lane WHERE lane.application_id IS NOT NULL ORDER BY 2, 1 LIMIT $1";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (mut due, mut next) = (Vec::new(), None);
        for mut row in self.connection.query(sql, &[limit.into()])? {
            let (application, first) = (ApplicationId::new(row.text()?), row.time()?);
            if first <= now {
                due.push(application);
            } else {
                next = Some(next.map_or(first, |known: Timestamp| known.min(first)));
            }
        }
        Ok((due, next))
    }

    /// Leases up to so many due deliveries of each application until `lease_until`, and counts the
    /// attempt. A lease that has run out makes the delivery due again. Of an ordered webhook none is leased before all
    /// that are older. What the application may see of each payload follows from `field_rights`.
    pub fn claim(
        &mut self,
        wants: &[Wanted],
        field_rights: &FieldRights,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<ClaimedRow>, StoreError> {
        let locked = self.connection.dialect().for_update_skip_locked();
        let mut leased = Vec::new();
        for Wanted { application, capacity, except } in wants {
            let capacity = i64::try_from(*capacity).unwrap_or(i64::MAX);
            let mut values: Vec<Value> = vec![lease_until.into(), application.into(), now.into(), capacity.into()];
            let others = match except.is_empty() {
                true => String::new(),
                false => format!("AND webhook_id NOT IN ({})", placeholders(5, except.len())),
            };
            values.extend(except.iter().map(Value::from));
            let sql = format!(
                "UPDATE delivery SET state = 'sending', due_at = $1, attempts = attempts + 1 WHERE id IN ( \
                   SELECT id FROM delivery WHERE application_id = $2 AND finished_at IS NULL AND due_at <= $3 {others} \
                   ORDER BY due_at LIMIT $4 {locked}) \
                 RETURNING id, webhook_id, attempts, created_at, event_id, tried_before"
            );
            for mut row in self.connection.query(&sql, &values)? {
                leased.push(Leased {
                    application,
                    id: row.text()?,
                    webhook: row.text()?,
                    attempt: row.int()?,
                    created_at: row.time()?,
                    event: row.text()?,
                    tried_before: row.int()?,
                    withheld: Vec::new(),
                });
            }
        }
        let events: Vec<String> = leased.iter().map(|lease| lease.event.clone()).collect();
        let told = self.told(&events)?;
        let leased = self.cancel_unmet(leased, (&told, field_rights), now)?;
        let mut known: HashMap<String, Facts> = HashMap::new();
        for lease in &leased {
            if !known.contains_key(&lease.webhook) {
                let facts = self.delivery_facts(&lease.webhook)?;
                known.insert(lease.webhook.clone(), facts);
            }
        }
        let leased = self.without_overtaking(leased, &known, now)?;
        let mut claimed = Vec::with_capacity(leased.len());
        for lease in leased {
            let Some(facts) = known.get(&lease.webhook) else { continue };
            claimed.push(ClaimedRow {
                id: DeliveryId::new(lease.id),
                application: lease.application.clone(),
                webhook: WebhookId::new(lease.webhook),
                attempt: u32::try_from(lease.attempt).unwrap_or(u32::MAX),
                tried_before: u32::try_from(lease.tried_before).unwrap_or(u32::MAX),
                created_at: lease.created_at,
                payload: told.get(&lease.event).map(|told| told.payload.clone()).unwrap_or_default(),
                webhook_revision: facts.webhook_revision,
                application_revision: facts.application_revision,
                client_id: facts.client_id.clone(),
                withheld: lease.withheld,
            });
        }
        // RETURNING has no order; ids are ordered by time.
        claimed.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(claimed)
    }

    /// Ends those whose application may not hear of the event any more, and those whose event is gone; their attempt was
    /// none. Answers the others, each with what is withheld.
    fn cancel_unmet<'a>(
        &mut self,
        leased: Vec<Leased<'a>>,
        (told, field_rights): (&HashMap<String, Told>, &FieldRights),
        now: Timestamp,
    ) -> Result<Vec<Leased<'a>>, StoreError> {
        let (mut kept, mut cancelled) = (Vec::with_capacity(leased.len()), Vec::new());
        // Leases come application by application, so each one is asked about once.
        for of_one in leased.chunk_by(|a, b| a.application == b.application) {
            let Some(first) = of_one.first() else { continue };
            let cancel = |lease: &Leased<'_>| vec![now.into(), lease.id.as_str().into()];
            let mut known = Vec::with_capacity(of_one.len());
            for lease in of_one {
                match told.get(&lease.event) {
                    Some(Told { demand, event_type, .. }) => {
                        known.push((lease, Question { demand, fields: field_rights.of(event_type) }));
                    }
                    // Replayed while the event was being deleted.
                    None => cancelled.push(cancel(lease)),
                }
            }
            let (leases, questions): (Vec<_>, Vec<_>) = known.into_iter().unzip();
            let answers = self.meets(first.application, &questions)?;
            for (lease, answer) in leases.into_iter().zip(answers) {
                match answer {
                    Some(withheld) => kept.push(Leased { withheld, ..lease.clone() }),
                    None => cancelled.push(cancel(lease)),
                }
            }
        }
        let sql = "UPDATE delivery SET state = 'cancelled', finished_at = $1, attempts = attempts - 1 WHERE id = $2";
        self.connection.execute_many(sql, &cancelled)?;
        Ok(kept)
    }

    /// Without what an ordered webhook must not get yet.
    fn without_overtaking<'a>(
        &mut self,
        leased: Vec<Leased<'a>>,
        known: &HashMap<String, Facts>,
        now: Timestamp,
    ) -> Result<Vec<Leased<'a>>, StoreError> {
        let mut refused: HashSet<DeliveryId> = HashSet::new();
        for webhook in known.iter().filter(|(_, facts)| facts.ordered).map(|(webhook, _)| webhook) {
            let of_it = || leased.iter().filter(|lease| lease.webhook == *webhook);
            let Some(first) = of_it().next() else { continue };
            let mut ids: Vec<DeliveryId> = of_it().map(|lease| DeliveryId::new(lease.id.as_str())).collect();
            ids.sort();
            let kept = self.keep_order((first.application, webhook), &ids, now)?;
            refused.extend(ids.into_iter().skip(kept));
        }
        let may_go = |lease: &Leased<'_>| refused.is_empty() || !refused.contains(&DeliveryId::new(lease.id.as_str()));
        Ok(leased.into_iter().filter(may_go).collect())
    }

    fn delivery_facts(&mut self, webhook: &str) -> Result<Facts, StoreError> {
        let sql = "SELECT w.revision, a.revision, a.client_id, w.ordered FROM webhook w JOIN application a ON a.id = w.application_id WHERE w.id = $1";
        let found = self.connection.query(sql, &[webhook.into()])?.pop();
        let mut row =
            found.ok_or_else(|| StoreError::corrupt(format!("a delivery of the unknown webhook {webhook}")))?;
        let (webhook_revision, application_revision, client_id) = (row.int()?, row.int()?, row.text()?);
        Ok(Facts { webhook_revision, application_revision, client_id, ordered: row.flag()? })
    }

    /// Records attempts and what follows from them. An attempt whose lease ran out and was taken by
    /// another is remembered, but no longer decides.
    pub fn record(&mut self, attempts: &[RecordedAttempt], now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE delivery SET state = $1, due_at = $2, finished_at = $3 \
                   WHERE id = $4 AND state = 'sending' AND attempts = $5";
        let rows: Vec<Vec<Value>> = attempts.iter().map(|attempt| state_row(attempt, now)).collect();
        self.connection.execute_many(sql, &rows)?;
        let sql = format!(
            "INSERT INTO attempt (delivery_id, number, webhook_id, started_at, late, delivered, {}) \
             VALUES ($1, $2, (SELECT d.webhook_id FROM delivery d WHERE d.id = $1), $3, \
               COALESCE((SELECT CASE WHEN $3 - d.created_at > {LATE} THEN 1 ELSE 0 END FROM delivery d WHERE d.id = $1), 0), $4, {}) \
             ON CONFLICT DO NOTHING",
            Call::COLUMNS,
            placeholders(5, Call::WIDTH)
        );
        let rows: Vec<Vec<Value>> = attempts.iter().map(attempt_row).collect();
        self.connection.execute_many(&sql, &rows).map(|_| ())
    }

    /// Gives leases back, each named by its delivery and attempt, with when it is due again; the attempt was none.
    /// What another has claimed meanwhile has a higher attempt and stays leased.
    pub fn release(&mut self, leases: &[(DeliveryId, u32, Timestamp)]) -> Result<(), StoreError> {
        let sql = "UPDATE delivery SET state = 'waiting', due_at = $1, attempts = attempts - 1 \
                   WHERE id = $2 AND state = 'sending' AND attempts = $3";
        let rows: Vec<Vec<Value>> =
            leases.iter().map(|(id, attempt, due_at)| vec![(*due_at).into(), id.into(), (*attempt).into()]).collect();
        self.connection.execute_many(sql, &rows).map(|_| ())
    }

    /// Makes everything that is leased due. Only for a database no other process uses.
    pub fn reset_leases(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE delivery SET state = 'waiting', due_at = $1 WHERE finished_at IS NULL AND state = 'sending'";
        self.connection.execute(sql, &[now.into()]).map(|_| ())
    }

    /// Since when the delivery that waits longest is due.
    pub fn oldest_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(due_at) FROM delivery WHERE finished_at IS NULL AND due_at <= $1";
        self.connection.query(sql, &[now.into()])?.pop().map_or(Ok(None), |mut row| row.optional_time())
    }

    /// How many deliveries are in each state.
    pub fn delivery_counts(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let rows = self.connection.query("SELECT state, COUNT(*) FROM delivery GROUP BY state ORDER BY state", &[])?;
        rows.into_iter().map(|mut row| Ok((row.text()?, row.int()?))).collect()
    }
}

/// A column that holds the state of a delivery or a dispatch.
pub(crate) fn delivery_state(row: &mut Row) -> Result<DeliveryState, StoreError> {
    let state = row.text()?;
    DeliveryState::from_name(&state).ok_or_else(|| StoreError::corrupt(format!("the state {state}")))
}

fn state_row(attempt: &RecordedAttempt, now: Timestamp) -> Vec<Value> {
    let (state, due_at, finished_at) = attempt.next.state(now);
    vec![state.name().into(), due_at.into(), finished_at.into(), (&attempt.delivery).into(), attempt.number.into()]
}

fn attempt_row(attempt: &RecordedAttempt) -> Vec<Value> {
    let mut row: Vec<Value> = vec![
        (&attempt.delivery).into(),
        attempt.number.into(),
        attempt.started_at.into(),
        (attempt.next == RecordedNext::Delivered).into(),
    ];
    row.extend(attempt.call.values());
    row
}
