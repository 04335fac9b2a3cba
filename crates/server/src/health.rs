//! `/health/live`, `/health/ready`, `/metrics`: what operators and their tools ask.

use std::time::Duration;

use http::StatusCode;
use spaceport_store::StoreError;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;

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
    let waits = oldest.is_some_and(|due| now.since(due) > STANDSTILL);
    let idle = now.since(progress.last_cycle) > STANDSTILL;
    if waits && idle {
        let answer =
            serde_json::json!({ "status": "not ready", "reason": "deliveries are due and the sender does not move" });
        return Ok(Document::json(&answer).status(StatusCode::SERVICE_UNAVAILABLE));
    }
    Ok(Document::json(&serde_json::json!({ "status": "ready" })))
}

/// Counts in the text format of Prometheus.
///
/// # Errors
/// None.
pub async fn metrics(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(Document {
        status: StatusCode::OK,
        content_type: "text/plain; version=0.0.4",
        headers: Vec::new(),
        body: cx.services.metrics.render(&cx.services.engine.progress()),
    })
}
