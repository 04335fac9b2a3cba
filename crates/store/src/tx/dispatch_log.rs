//! Attempts to send payloads that are no events, beside those of deliveries in one log.
//!
//! What was said on both sides is sealed, as the payloads themselves are: people write to applications, and what an
//! application answers is meant for one of them. Secrets are not in it at all.

use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::{ApplicationId, DeliveryId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::attempt::Call;
use crate::tx::delivery::{RecordedAttempt, RecordedNext};
use crate::tx::delivery_log::{AttemptFilter, AttemptKey, Carried, Conditions, LoggedAttempt};
use crate::tx::{Tx, placeholders};
use crate::value::Value;

/// The columns of an attempt, but for its key.
const COLUMNS: &str = "class, delivered, duration_ms, url, request_headers, status, error_kind, message, complete, \
     request_body_sealed, response_headers_sealed, response_body_sealed";

impl Tx<'_> {
    /// Remembers an attempt to send a payload that somebody waited for; such a payload is no dispatch. One that is
    /// known is left alone.
    pub fn insert_dispatch_attempt(
        &mut self,
        (application, class): (&ApplicationId, PayloadClass),
        attempt: &RecordedAttempt,
    ) -> Result<(), StoreError> {
        let id = id_of(&attempt.delivery, attempt.number);
        let call = &attempt.call;
        let request_body = self.seal_said("request_body", &id, call.request_body.as_deref())?;
        let response_headers = self.seal_said("response_headers", &id, call.response_headers.as_deref())?;
        let response_body = self.seal_said("response_body", &id, call.response_body.as_deref())?;
        let sql = format!(
            "INSERT INTO dispatch_attempt (id, dispatch_id, number, application_id, started_at, {COLUMNS}) \
             VALUES ({}) ON CONFLICT DO NOTHING",
            placeholders(1, 17)
        );
        let values: [Value; 17] = [
            id.into(),
            (&attempt.delivery).into(),
            attempt.number.into(),
            application.into(),
            attempt.started_at.into(),
            class.name().into(),
            (attempt.next == RecordedNext::Delivered).into(),
            call.duration_ms.into(),
            call.url.as_deref().into(),
            call.request_headers.as_deref().into(),
            call.status.map(i64::from).into(),
            call.error_kind.as_deref().into(),
            call.message.as_deref().into(),
            call.complete.into(),
            request_body.into(),
            response_headers.into(),
            response_body.into(),
        ];
        self.connection.execute(&sql, &values).map(|_| ())
    }

    /// Remembers an attempt to send a dispatch.
    pub(crate) fn remember_dispatch_attempt(&mut self, attempt: &RecordedAttempt) -> Result<(), StoreError> {
        let sql = "SELECT application_id, class FROM dispatch WHERE id = $1";
        let Some(mut row) = self.connection.query(sql, &[(&attempt.delivery).into()])?.pop() else { return Ok(()) };
        let (application, class) = (ApplicationId::new(row.text()?), class(&row.text()?)?);
        self.insert_dispatch_attempt((&application, class), attempt)
    }

    /// Keys of attempts that fit, the newest first.
    pub(crate) fn dispatch_attempt_keys(
        &mut self,
        application: &ApplicationId,
        filter: &AttemptFilter,
        before: Option<&AttemptKey>,
        limit: usize,
    ) -> Result<Vec<AttemptKey>, StoreError> {
        // Such a payload is of no event and for no webhook.
        if filter.event.is_some() || filter.webhook.is_some() {
            return Ok(Vec::new());
        }
        let mut all = Conditions::default();
        all.add("a.application_id =", application);
        all.attempts("a.dispatch_id", filter, before);
        if let Some(classes) = &filter.classes {
            if classes.is_empty() {
                return Ok(Vec::new());
            }
            all.one_of("a.class", classes.iter().map(|class| class.name().into()).collect());
        }
        self.newest_keys(("dispatch_attempt", "dispatch_id"), &all, limit)
    }

    pub(crate) fn dispatch_attempt(&mut self, key: AttemptKey) -> Result<Option<LoggedAttempt>, StoreError> {
        let id = id_of(&key.delivery, key.number);
        let sql = format!("SELECT {COLUMNS} FROM dispatch_attempt WHERE id = $1");
        let Some(mut row) = self.connection.query(&sql, &[id.as_str().into()])?.pop() else { return Ok(None) };
        let (class, delivered) = (class(&row.text()?)?, row.flag()?);
        let call = Call {
            duration_ms: row.int()?,
            url: row.optional_text()?,
            request_headers: row.optional_text()?,
            status: row.optional_int()?.and_then(|status| u16::try_from(status).ok()),
            error_kind: row.optional_text()?,
            message: row.optional_text()?,
            complete: row.flag()?,
            request_body: self.open_said("request_body", &id, row.optional_text()?)?,
            response_headers: self.open_said("response_headers", &id, row.optional_text()?)?,
            response_body: self.open_said("response_body", &id, row.optional_text()?)?,
        };
        Ok(Some(LoggedAttempt { key, carried: Carried::Payload(class), call, delivered }))
    }

    fn seal_said(&mut self, what: &str, id: &str, said: Option<&str>) -> Result<Option<String>, StoreError> {
        said.map(|said| self.seal(&place(what, &[id.to_owned()]), said.as_bytes())).transpose()
    }

    fn open_said(&self, what: &str, id: &str, sealed: Option<String>) -> Result<Option<String>, StoreError> {
        let Some(sealed) = sealed else { return Ok(None) };
        let plain = self.open(&place(what, &[id.to_owned()]), &sealed)?;
        String::from_utf8(plain).map(Some).map_err(|_| StoreError::corrupt("what was said is no text"))
    }

    /// Empties what was sent and answered in up to `limit` attempts made before `horizon`; answers how many.
    pub fn clear_dispatch_attempts(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "UPDATE dispatch_attempt SET request_headers = NULL, request_body_sealed = NULL, response_headers_sealed = NULL, \
                     response_body_sealed = NULL \
                   WHERE id IN ( \
                     SELECT id FROM dispatch_attempt WHERE request_headers IS NOT NULL AND started_at < $1 ORDER BY started_at LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }

    /// Deletes up to `limit` attempts made before `horizon`; answers how many.
    pub fn delete_dispatch_attempts(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM dispatch_attempt WHERE id IN ( \
                     SELECT id FROM dispatch_attempt WHERE started_at < $1 ORDER BY started_at LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }
}

/// Names an attempt, here and in the log.
fn id_of(dispatch: &DeliveryId, number: u32) -> String {
    format!("{dispatch}/{number}")
}

fn class(name: &str) -> Result<PayloadClass, StoreError> {
    PayloadClass::from_name(name).ok_or_else(|| StoreError::corrupt(format!("the class {name}")))
}

/// What was said is sealed for the attempt, each part by itself. `keys` is the attempt's id.
pub(crate) fn place(what: &str, keys: &[String]) -> String {
    format!("dispatch_attempt|{what}|{}", keys.join("|"))
}
