//! Dispatches: payloads that are no events, leased, sent elsewhere, and recorded with what came of the last attempt.
//!
//! What a payload says is sealed: it can hold secrets, and the state of an installation is nobody's business.

use spaceport_platform::dispatch::{Dispatch, LastTry, Order, PayloadClass};
use spaceport_platform::id::{ApplicationId, DeliveryId, id_prefix};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::delivery::{RecordedAttempt, delivery_state};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, application_id, class, server_url, state, attempts, due_at, created_at, finished_at, tried_at, \
     duration_ms, status, error_kind, message";

/// What can be sent: nothing that has ended, nothing that waits for one before it.
const CLAIMABLE: &str = "d.finished_at IS NULL AND (d.in_order = 0 OR NOT EXISTS (SELECT 1 FROM dispatch b \
     WHERE b.application_id = d.application_id AND b.finished_at IS NULL AND b.in_order = 1 AND b.id < d.id))";

/// A dispatch to be stored, due at once.
#[derive(Clone, Debug)]
pub struct NewDispatch {
    /// Its id.
    pub id: DeliveryId,
    /// For whom.
    pub application: ApplicationId,
    /// What it carries.
    pub class: PayloadClass,
    /// The server URL that it tells, if it tells one.
    pub server_url: Option<String>,
    /// The payload, as text.
    pub payload: String,
}

/// A dispatch leased to the caller.
#[derive(Clone, Debug)]
pub struct ClaimedDispatch {
    /// The dispatch; the attempt that begins is counted.
    pub dispatch: Dispatch,
    /// The payload, as text.
    pub payload: String,
}

impl Tx<'_> {
    /// Stores a dispatch.
    pub fn insert_dispatch(&mut self, new: &NewDispatch, now: Timestamp) -> Result<(), StoreError> {
        let sealed = self.seal(&place(new.id.as_str()), new.payload.as_bytes())?;
        let sql = "INSERT INTO dispatch (id, application_id, class, in_order, server_url, sealed, state, attempts, due_at, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7, $7)";
        let values = [
            (&new.id).into(),
            (&new.application).into(),
            new.class.name().into(),
            (new.class.order() == Order::OneAfterTheOther).into(),
            new.server_url.as_deref().into(),
            sealed.into(),
            now.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Up to `limit` applications with a dispatch that can be sent now, and when the next one falls due.
    pub fn dispatches_due(
        &mut self,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Vec<ApplicationId>, Option<Timestamp>), StoreError> {
        let sql = format!(
            "SELECT d.application_id, MIN(d.due_at) FROM dispatch d WHERE {CLAIMABLE} GROUP BY d.application_id ORDER BY 2, 1 LIMIT $1"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (mut due, mut next) = (Vec::new(), None);
        for mut row in self.connection.query(&sql, &[limit.into()])? {
            let (application, first) = (ApplicationId::new(row.text()?), row.time()?);
            match first <= now {
                true => due.push(application),
                false => next = Some(next.map_or(first, |next: Timestamp| next.min(first))),
            }
        }
        Ok((due, next))
    }

    /// Leases up to so many dispatches of each application until `lease_until`, and counts the attempt.
    pub fn claim_dispatches(
        &mut self,
        wants: &[(ApplicationId, usize)],
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Vec<ClaimedDispatch>, StoreError> {
        let sql = format!(
            "UPDATE dispatch SET state = 'sending', due_at = $1, attempts = attempts + 1 WHERE id IN ( \
               SELECT d.id FROM dispatch d WHERE d.application_id = $2 AND d.due_at <= $3 AND {CLAIMABLE} \
               ORDER BY d.id LIMIT $4 {}) \
             RETURNING {COLUMNS}, sealed",
            self.connection.dialect().for_update_skip_locked()
        );
        let mut claimed = Vec::new();
        for (application, capacity) in wants {
            let capacity = i64::try_from(*capacity).unwrap_or(i64::MAX);
            let rows =
                self.connection.query(&sql, &[lease_until.into(), application.into(), now.into(), capacity.into()])?;
            for mut row in rows {
                let dispatch = read(&mut row)?;
                let payload = self.open_payload(&dispatch.id, &row.text()?)?;
                claimed.push(ClaimedDispatch { dispatch, payload });
            }
        }
        claimed.sort_by(|a, b| a.dispatch.id.cmp(&b.dispatch.id));
        Ok(claimed)
    }

    fn open_payload(&self, id: &DeliveryId, sealed: &str) -> Result<String, StoreError> {
        let plain = self.open(&place(id.as_str()), sealed)?;
        String::from_utf8(plain).map_err(|_| StoreError::corrupt("a payload that is no text"))
    }

    /// Records an attempt and what follows from it. Answers the dispatch as it is then, or nothing when it was claimed
    /// again or withdrawn meanwhile: then the attempt is remembered, but decides nothing.
    pub fn record_dispatch(
        &mut self,
        attempt: &RecordedAttempt,
        now: Timestamp,
    ) -> Result<Option<Dispatch>, StoreError> {
        self.remember_dispatch_attempt(attempt)?;
        let (state, due_at, finished_at) = attempt.next.state(now);
        let sql = format!(
            "UPDATE dispatch SET state = $1, due_at = $2, finished_at = $3, tried_at = $4, duration_ms = $5, status = $6, \
               error_kind = $7, message = $8 \
             WHERE id = $9 AND state = 'sending' AND attempts = $10 RETURNING {COLUMNS}"
        );
        let values: [Value; 10] = [
            state.name().into(),
            due_at.into(),
            finished_at.into(),
            attempt.started_at.into(),
            attempt.call.duration_ms.into(),
            attempt.call.status.map(i64::from).into(),
            attempt.call.error_kind.as_deref().into(),
            attempt.call.message.as_deref().into(),
            (&attempt.delivery).into(),
            attempt.number.into(),
        ];
        self.connection.query(&sql, &values)?.pop().map(|mut row| read(&mut row)).transpose()
    }

    /// Gives leases back, each with when it is due again; the attempt was none.
    pub fn release_dispatches(&mut self, leases: &[(DeliveryId, u32, Timestamp)]) -> Result<(), StoreError> {
        let sql = "UPDATE dispatch SET state = 'waiting', due_at = $1, attempts = attempts - 1 \
                   WHERE id = $2 AND state = 'sending' AND attempts = $3";
        let rows: Vec<Vec<Value>> =
            leases.iter().map(|(id, attempt, due_at)| vec![(*due_at).into(), id.into(), (*attempt).into()]).collect();
        self.connection.execute_many(sql, &rows).map(|_| ())
    }

    /// Makes every dispatch that is leased due. Only for a database no other process uses.
    pub fn reset_dispatch_leases(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE dispatch SET state = 'waiting', due_at = $1 WHERE finished_at IS NULL AND state = 'sending'";
        self.connection.execute(sql, &[now.into()]).map(|_| ())
    }

    /// Withdraws the dispatches of an application that wait. Those being sent run to their end.
    pub fn cancel_waiting_dispatches(&mut self, application: &ApplicationId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE dispatch SET state = 'cancelled', finished_at = $1 \
                   WHERE application_id = $2 AND finished_at IS NULL AND state = 'waiting'";
        self.connection.execute(sql, &[now.into(), application.into()]).map(|_| ())
    }

    /// Withdraws those of one class that wait.
    pub fn cancel_waiting_dispatches_of(
        &mut self,
        application: &ApplicationId,
        class: PayloadClass,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE dispatch SET state = 'cancelled', finished_at = $1 \
                   WHERE application_id = $2 AND class = $3 AND finished_at IS NULL AND state = 'waiting'";
        self.connection.execute(sql, &[now.into(), application.into(), class.name().into()]).map(|_| ())
    }

    /// Withdraws those of one class that have not ended, those being sent too; answers whether there was one.
    pub fn cancel_dispatches_of(
        &mut self,
        application: &ApplicationId,
        class: PayloadClass,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE dispatch SET state = 'cancelled', finished_at = $1 \
                   WHERE application_id = $2 AND class = $3 AND finished_at IS NULL";
        let values = [now.into(), application.into(), class.name().into()];
        self.connection.execute(sql, &values).map(|cancelled| cancelled > 0)
    }

    /// Withdraws the dispatches of an application that have not ended, those being sent too: what comes of them decides
    /// nothing any more.
    pub fn cancel_dispatches(&mut self, application: &ApplicationId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE dispatch SET state = 'cancelled', finished_at = $1 WHERE application_id = $2 AND finished_at IS NULL";
        self.connection.execute(sql, &[now.into(), application.into()]).map(|_| ())
    }

    /// The newest dispatch of a class, with its payload.
    pub fn newest_dispatch(
        &mut self,
        application: &ApplicationId,
        class: PayloadClass,
    ) -> Result<Option<ClaimedDispatch>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS}, sealed FROM dispatch WHERE application_id = $1 AND class = $2 ORDER BY id DESC LIMIT 1"
        );
        let Some(mut row) = self.connection.query(&sql, &[application.into(), class.name().into()])?.pop() else {
            return Ok(None);
        };
        let dispatch = read(&mut row)?;
        let payload = self.open_payload(&dispatch.id, &row.text()?)?;
        Ok(Some(ClaimedDispatch { dispatch, payload }))
    }

    /// Up to `limit` dispatches of an application, the newest first, made before the one called `before`.
    pub fn dispatches(
        &mut self,
        application: &ApplicationId,
        before: Option<&DeliveryId>,
        limit: u32,
    ) -> Result<Vec<Dispatch>, StoreError> {
        let (condition, bound) = match before {
            Some(before) => ("AND id < $3", vec![application.into(), limit.into(), before.into()]),
            None => ("", vec![application.into(), limit.into()]),
        };
        let sql =
            format!("SELECT {COLUMNS} FROM dispatch WHERE application_id = $1 {condition} ORDER BY id DESC LIMIT $2");
        self.connection.query(&sql, &bound)?.into_iter().map(|mut row| read(&mut row)).collect()
    }

    /// Up to `limit` connected applications, behind `after`, that were last told another URL of this server than `url`,
    /// and whose last payload about it was about another one too.
    pub fn applications_with_other_server_url(
        &mut self,
        url: &str,
        after: Option<&ApplicationId>,
        limit: u32,
    ) -> Result<Vec<ApplicationId>, StoreError> {
        let sql = "SELECT a.id FROM application a WHERE a.connected = 1 AND a.archived_at IS NULL \
                     AND a.connection_status IN ('connected', 'reconnecting') AND a.uninstallation_status IS NULL \
                     AND a.last_sent_server_url <> $1 AND a.id > $2 \
                     AND COALESCE((SELECT d.server_url FROM dispatch d WHERE d.application_id = a.id \
                       AND d.class = 'ChangeServerUrlPayload' ORDER BY d.id DESC LIMIT 1), '') <> $1 \
                   ORDER BY a.id LIMIT $3";
        let after = after.map_or("", ApplicationId::as_str);
        let rows = self.connection.query(sql, &[url.into(), after.into(), limit.into()])?;
        rows.into_iter().map(|mut row| row.text().map(ApplicationId::new)).collect()
    }

    /// Deletes up to `limit` dispatches made before `horizon` that have ended, but never the newest of its class;
    /// answers how many.
    pub fn delete_dispatches(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM dispatch WHERE id IN (SELECT d.id FROM dispatch d \
                     WHERE d.id < $1 AND d.finished_at IS NOT NULL AND EXISTS (SELECT 1 FROM dispatch n \
                       WHERE n.application_id = d.application_id AND n.class = d.class AND n.id > d.id) \
                     ORDER BY d.id LIMIT $2)";
        self.connection.execute(sql, &[id_prefix(horizon).into(), limit.into()])
    }
}

fn read(row: &mut Row) -> Result<Dispatch, StoreError> {
    let (id, application) = (DeliveryId::new(row.text()?), ApplicationId::new(row.text()?));
    let class = row.text()?;
    let class = PayloadClass::from_name(&class).ok_or_else(|| StoreError::corrupt(format!("the class {class}")))?;
    let server_url = row.optional_text()?;
    let state = delivery_state(row)?;
    let attempts = u32::try_from(row.int()?).unwrap_or(u32::MAX);
    let (due_at, created_at, finished_at) = (row.time()?, row.time()?, row.optional_time()?);
    let (tried_at, duration_ms) = (row.optional_time()?, row.optional_int()?);
    let status = row.optional_int()?.and_then(|status| u16::try_from(status).ok());
    let (error_kind, message) = (row.optional_text()?, row.optional_text()?);
    let last = tried_at.zip(duration_ms);
    let last = last.map(|(at, duration_ms)| LastTry { at, duration_ms, status, error_kind, message });
    Ok(Dispatch { id, application, class, server_url, state, attempts, due_at, created_at, finished_at, last })
}

/// Payloads are sealed for the id of their dispatch.
pub(crate) fn place(id: &str) -> String {
    format!("dispatch|{id}")
}
