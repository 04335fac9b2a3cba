//! `/health/live`, `/health/ready`, `/metrics`: what operators and their tools ask.

use std::time::Duration;

use http::StatusCode;
use spaceport_platform::time::Timestamp;
use spaceport_store::StoreError;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::metrics;

/// Deliveries that are due for this long while the sender does nothing mean that it stands still.
const STANDSTILL: Duration = Duration::from_secs(10);

/// The process runs.
///
/// # Errors
/// None.
pub async fn live(_: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(Document::json(&serde_json::json!({ "status": "live" })))
}

/// The database answers and deliveries move.
///
/// # Errors
/// `503` when the database does not answer.
pub async fn ready(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    let now = cx.now();
    let oldest = cx.read(move |tx| tx.oldest_due(now)).await.map_err(|error: StoreError| ApiError::from(error))?;
    let progress = cx.services.engine.progress();
    if stands_still(oldest, progress.last_cycle, now) {
        let answer =
            serde_json::json!({ "status": "not ready", "reason": "deliveries are due and the sender does not move" });
        return Ok(Document::json(&answer).status(StatusCode::SERVICE_UNAVAILABLE));
    }
    Ok(Document::json(&serde_json::json!({ "status": "ready" })))
}

/// Whether something is due for long while the sender has not worked for as long. Deliveries that wait
/// for a slow endpoint are no standstill: the sender goes on meanwhile.
fn stands_still(oldest_due: Option<Timestamp>, last_cycle: Timestamp, now: Timestamp) -> bool {
    oldest_due.is_some_and(|due| now.since(due) > STANDSTILL) && now.since(last_cycle) > STANDSTILL
}

/// Counts in the text format that Prometheus reads.
///
/// # Errors
/// None that is to be expected.
pub async fn metrics(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(Document {
        status: StatusCode::OK,
        content_type: metrics::CONTENT_TYPE,
        headers: Vec::new(),
        body: cx.services.metrics.render(&cx.services.engine.progress()).map_err(ApiError::internal)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_due_deliveries_and_an_idle_sender_together_are_a_standstill() {
        let at = Timestamp::from_millis;
        let now = at(60_000);
        assert!(stands_still(Some(at(40_000)), at(45_000), now));
        assert!(!stands_still(None, at(0), now), "nothing is due");
        assert!(!stands_still(Some(at(40_000)), at(59_000), now), "the sender works");
        assert!(!stands_still(Some(at(55_000)), at(0), now), "it is due only just now");
    }
}
