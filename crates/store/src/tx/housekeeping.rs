//! Deleting what is over: each function takes a few rows at a time, so that the writer is soon free again.

use spaceport_platform::id::id_prefix;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::{Tx, placeholders};
use crate::value::Value;

/// The setting that names the last delivery whose attempts were emptied.
const CLEARED: &str = "attempts_cleared_until";

/// What is emptied in an attempt.
const EMPTY: &str = "request_headers = NULL, request_body = NULL, response_headers = NULL, response_body = NULL";

impl Tx<'_> {
    /// Deletes up to `limit` deliveries made before `horizon` that have ended, with their attempts, but never the one
    /// with the last attempt of a webhook, which its status shows; answers how many.
    pub fn delete_deliveries(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // By key: ids are in the order of their making, so this reads little more than it deletes.
        let sql = "SELECT d.id FROM delivery d WHERE d.id < $1 AND d.finished_at IS NOT NULL AND ( \
                     NOT EXISTS (SELECT 1 FROM attempt a WHERE a.delivery_id = d.id) \
                     OR EXISTS (SELECT 1 FROM attempt b WHERE b.webhook_id = d.webhook_id AND b.started_at > \
                       (SELECT MAX(a.started_at) FROM attempt a WHERE a.delivery_id = d.id))) \
                   ORDER BY d.id LIMIT $2";
        let rows = self.connection.query(sql, &[id_prefix(horizon).into(), limit.into()])?;
        let ids = rows.into_iter().map(|mut row| row.text().map(Value::from)).collect::<Result<Vec<_>, _>>()?;
        if ids.is_empty() {
            return Ok(0);
        }
        self.deliveries_are_deleted_before(horizon)?;
        let list = placeholders(1, ids.len());
        self.connection.execute(&format!("DELETE FROM attempt WHERE delivery_id IN ({list})"), &ids)?;
        self.connection.execute(&format!("DELETE FROM delivery WHERE id IN ({list})"), &ids)
    }

    /// Empties what was sent and answered in the attempts of up to `limit` deliveries made before `horizon`, but for late
    /// ones; answers how many deliveries.
    pub fn clear_bodies(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        // From where the last run ended, so that what is empty is not read again and again.
        let sql = "SELECT value FROM setting WHERE name = $1";
        let found = self.connection.query(sql, &[CLEARED.into()])?.pop().map(|mut row| row.text()).transpose()?;
        let from = found.unwrap_or_default();
        let sql = "SELECT DISTINCT delivery_id FROM attempt WHERE delivery_id > $1 AND delivery_id < $2 ORDER BY delivery_id LIMIT $3";
        let rows = self.connection.query(sql, &[from.into(), id_prefix(horizon).into(), limit.into()])?;
        let ids = rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, _>>()?;
        let Some(last) = ids.last().cloned() else { return Ok(0) };
        let sql = format!("UPDATE attempt SET {EMPTY} WHERE delivery_id = $1 AND late = 0");
        let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let sets: Vec<Vec<Value>> = ids.into_iter().map(|id| vec![id.into()]).collect();
        self.connection.execute_many(&sql, &sets)?;
        let sql =
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.connection.execute(sql, &[CLEARED.into(), last.into()])?;
        Ok(count)
    }

    /// Empties what was sent and answered in up to `limit` late attempts made before `horizon`; answers how many. Late are
    /// those that were made long after their delivery, as replays are: they may come when the others were emptied.
    pub fn clear_late_bodies(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = format!(
            "UPDATE attempt SET {EMPTY} WHERE (delivery_id, number) IN ( \
               SELECT delivery_id, number FROM attempt WHERE late = 1 AND request_headers IS NOT NULL AND started_at < $1 \
               ORDER BY started_at LIMIT $2)"
        );
        self.connection.execute(&sql, &[horizon.into(), limit.into()])
    }

    /// When the oldest delivery was made that has not ended.
    pub fn oldest_open_delivery(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT MIN(created_at) FROM delivery WHERE finished_at IS NULL";
        self.connection.query(sql, &[])?.pop().map_or(Ok(None), |mut row| row.optional_time())
    }

    /// Deletes up to `limit` events that came before `horizon`; answers how many. Their ids can be published anew from
    /// then on. A delivery that has not ended still needs its event: see [`Self::oldest_open_delivery`].
    pub fn delete_events(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM event WHERE id IN ( \
                     SELECT id FROM event WHERE received_at < $1 ORDER BY received_at LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }

    /// Deletes up to `limit` tokens that expired or were revoked before `horizon`; answers how many. Those that the
    /// audit trail names stay for as long as it does.
    pub fn delete_ended_tokens(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM token WHERE id IN ( \
                     SELECT t.id FROM token t WHERE (t.expires_at < $1 OR t.revoked_at < $1) \
                     AND NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.token_id = t.id) LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }

    /// Deletes up to `limit` links that were used or ran out before `horizon`; answers how many.
    pub fn delete_ended_links(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM one_time_link WHERE hash IN ( \
                     SELECT hash FROM one_time_link WHERE expires_at < $1 OR used_at < $1 LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }
}
