//! Ordered webhooks: what was leased for one is kept only from its oldest open delivery on and without a gap.

use std::time::Duration;

use spaceport_platform::id::{ApplicationId, DeliveryId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// How soon it is looked again when another attempt is under way whose end nobody here is told of.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

impl Tx<'_> {
    /// How many of these deliveries of a webhook, just leased and in the order they were made, may be sent. The others
    /// are given back, not counted, and due one after the other when what stands before them can have ended.
    pub(crate) fn keep_order(
        &mut self,
        (application, webhook): (&ApplicationId, &str),
        leased: &[DeliveryId],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let limit = leased.len() + 1;
        // By application, so that the index of open deliveries helps.
        let sql = format!(
            "SELECT id, state, due_at FROM delivery WHERE application_id = $1 AND finished_at IS NULL AND webhook_id = $2 \
             ORDER BY id LIMIT {limit}"
        );
        let mut open = self.connection.query(&sql, &[application.into(), webhook.into()])?.into_iter();
        let mut kept = 0;
        let mut blocker = None;
        for id in leased {
            let Some(mut row) = open.next() else { break };
            let (oldest, state, due_at) = (row.text()?, row.text()?, row.time()?);
            if oldest != id.as_str() {
                blocker = Some((state, due_at));
                break;
            }
            kept += 1;
        }
        let Some((state, due_at)) = blocker else { return Ok(kept) };
        let mut due_at = match state.as_str() {
            "waiting" => due_at.max(now),
            _ => now.plus(LOOK_AGAIN),
        };
        let mut back: Vec<Vec<Value>> = Vec::new();
        for id in leased.iter().skip(kept) {
            due_at = due_at.plus(Duration::from_millis(1));
            back.push(vec![due_at.into(), id.into()]);
        }
        let sql = "UPDATE delivery SET state = 'waiting', due_at = $1, attempts = attempts - 1 WHERE id = $2";
        self.execute_all(sql, &back)?;
        Ok(kept)
    }
}
