//! `/api/host/v1/applications/{application}/deliveries` and `…/latest-messages-deliveries`: what was sent, and what
//! came of it.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::Caller;
use spaceport_platform::application::{Application, VerificationToken};
use spaceport_platform::id::{DeliveryId, EventId, WebhookId};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::{AttemptKey, LogFilter, LoggedAttempt, LoggedDelivery, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::delivery::{Delivery, DeliveryState, HeaderField, MessageDelivery, MessageType, WebhookName};
use spaceport_wire::payload::webhook_request;
use spaceport_wire::scalar::DateTime;
use spaceport_wire::webhook::DeliveryClientError;

use crate::api::page::Page;
use crate::host::audit_trail::moment;
use crate::http::access::{Cx, OnApplication, ViewApplications, WatchApplicationSecrets};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;
use crate::outbox::MASK;

/// Most attempts of a page, because each may bring a payload and 16 KiB of answer.
const MOST_ATTEMPTS: usize = 100;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/host/v1/applications/{application}/deliveries",
            "host.delivery.list",
            "List the deliveries of an application's webhooks",
            deliveries,
        )
        .get(
            "/api/host/v1/applications/{application}/latest-messages-deliveries",
            "host.attempt.list",
            "List the attempts made for an application's webhooks",
            attempts,
        )
}

/// Which deliveries.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryFilter {
    /// The `next` of the page before.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top")]
    top: Option<i64>,
    /// Those of a webhook.
    webhook_id: Option<String>,
    /// Those of an event.
    event_id: Option<String>,
    /// Those in a state: `waiting`, `sending`, `delivered`, `given_up` (dead letters) or `cancelled`.
    state: Option<String>,
    /// Those made at or after this moment, in ISO 8601.
    since: Option<String>,
    /// Those made before this moment, in ISO 8601.
    until: Option<String>,
}

/// Deliveries of an application, the newest first, page by page. What has been kept long enough is not there any more.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn deliveries(
    cx: Cx<OnApplication<ViewApplications>>,
    Query(query): Query<DeliveryFilter>,
) -> Result<Json<Batch<Delivery>>, ApiError> {
    let limit = Page::new(None, query.top)?.limit;
    let before = query.skip.filter(|skip| !skip.is_empty() && skip != "0").map(DeliveryId::new);
    let filter = LogFilter {
        webhook: query.webhook_id.map(WebhookId::new),
        event: query.event_id.map(EventId::new),
        state: query.state.as_deref().map(state).transpose()?,
        since: moment("since", query.since.as_deref())?,
        until: moment("until", query.until.as_deref())?,
    };
    let application = cx.access.application.id.clone();
    let asked = before.clone();
    let found = cx.read(move |tx| tx.deliveries(&application, &filter, asked.as_ref(), limit)).await;
    let found = found.map_err(|error: StoreError| ApiError::from(error))?;
    let next = found.last().map(|last| last.id.clone()).or(before);
    let next = next.map_or_else(|| "0".to_owned(), |next| next.to_string());
    Ok(Json(Batch { next, total_count: None, data: found.into_iter().map(delivery_out).collect() }))
}

/// The state that a query names.
fn state(name: &str) -> Result<&'static str, Invalid> {
    let wrong = || Invalid::new("state", "must be waiting, sending, delivered, given_up or cancelled");
    DeliveryState::from_name(name).map(DeliveryState::name).ok_or_else(wrong)
}

fn delivery_out(delivery: LoggedDelivery) -> Delivery {
    let state = DeliveryState::from_name(&delivery.state).unwrap_or(DeliveryState::Waiting);
    Delivery {
        id: delivery.id.to_string(),
        webhook_id: delivery.webhook.to_string(),
        event_id: delivery.event.to_string(),
        event_type: delivery.event_type,
        state,
        attempts: delivery.attempts,
        created_at: DateTime(delivery.created_at),
        next_attempt_at: (state == DeliveryState::Waiting).then_some(DateTime(delivery.due_at)),
        finished_at: delivery.finished_at.map(DateTime),
    }
}

/// Which attempts.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptFilter {
    /// The `next` of the page before.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page, up to 100.
    #[serde(rename = "$top")]
    top: Option<i64>,
    /// Those for a webhook.
    webhook_id: Option<String>,
    /// Those of an event.
    event_id: Option<String>,
    /// Those that the endpoint took, or the others.
    successful: Option<String>,
    /// Those made at or after this moment, in ISO 8601.
    since: Option<String>,
    /// Those made before this moment, in ISO 8601.
    until: Option<String>,
}

/// Attempts for an application's webhooks, the newest first, with what was sent and answered. Of a connected
/// (multi-org) application nobody but itself sees headers and bodies.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn attempts(
    cx: Cx<OnApplication<WatchApplicationSecrets>>,
    Query(query): Query<AttemptFilter>,
) -> Result<Json<Batch<MessageDelivery>>, ApiError> {
    let limit = usize::try_from(Page::new(None, query.top)?.limit).unwrap_or(0).min(MOST_ATTEMPTS);
    let skip = query.skip.filter(|skip| !skip.is_empty() && skip != "0");
    let before = skip.as_deref().map(place).transpose()?;
    let filter = LogFilter {
        webhook: query.webhook_id.map(WebhookId::new),
        event: query.event_id.map(EventId::new),
        state: match query.successful.as_deref() {
            None => None,
            Some("true") => Some(DeliveryState::Delivered.name()),
            Some("false") => Some(DeliveryState::GivenUp.name()),
            Some(_) => return Err(Invalid::new("successful", "must be true or false").into()),
        },
        since: moment("since", query.since.as_deref())?,
        until: moment("until", query.until.as_deref())?,
    };
    let application = cx.access.application.clone();
    let withheld = is_withheld(&application, &cx.caller);
    let (shown, next) = cx
        .read(move |tx| {
            let found = tx.attempts(&application.id, &filter, before.as_ref(), limit)?;
            let next = found.last().map(|last| next_place(&last.key));
            let names = names(tx, &application, &found)?;
            let shown = found.into_iter().map(|attempt| attempt_out(attempt, &application, &names, withheld)).collect();
            Ok::<_, StoreError>((shown, next))
        })
        .await
        .map_err(ApiError::from)?;
    let next = next.or(skip).unwrap_or_else(|| "0".to_owned());
    Ok(Json(Batch { next, total_count: None, data: shown }))
}

/// Whether a caller must not see what was sent and answered: of a connected application only the application may.
fn is_withheld(application: &Application, caller: &Caller) -> bool {
    application.connection.is_some() && caller.application() != Some(&application.id)
}

fn next_place(key: &AttemptKey) -> String {
    format!("{}.{}.{}", key.started_at.millis(), key.number, key.delivery)
}

fn place(text: &str) -> Result<AttemptKey, Invalid> {
    let read = || {
        let mut parts = text.splitn(3, '.');
        let started_at = Timestamp::from_millis(parts.next()?.parse().ok()?);
        let number = parts.next()?.parse().ok()?;
        Some(AttemptKey { started_at, number, delivery: DeliveryId::new(parts.next()?) })
    };
    read().ok_or_else(|| Invalid::new("$skip", "must be the `next` of an earlier page"))
}

fn names(
    tx: &mut Tx<'_>,
    application: &Application,
    attempts: &[LoggedAttempt],
) -> Result<HashMap<WebhookId, String>, StoreError> {
    let mut names = HashMap::new();
    for attempt in attempts {
        if !names.contains_key(&attempt.webhook)
            && let Some(webhook) = tx.webhook(&application.id, &attempt.webhook)?
        {
            names.insert(webhook.id, webhook.name);
        }
    }
    Ok(names)
}

fn attempt_out(
    attempt: LoggedAttempt,
    application: &Application,
    names: &HashMap<WebhookId, String>,
    withheld: bool,
) -> MessageDelivery {
    let token = (application.verification_token == VerificationToken::Sent).then_some(MASK);
    let whole = |payload: &String| webhook_request(&application.client_id, attempt.webhook.as_str(), payload, token);
    // Headers and bodies are emptied together; what the body was then cannot be told from the event.
    let is_kept = attempt.request_headers.is_some();
    let request_body = attempt.request_body.clone().or_else(|| attempt.payload.as_ref().filter(|_| is_kept).map(whole));
    let key = attempt.key;
    MessageDelivery {
        id: format!("{}/{}", key.delivery, key.number),
        message_type: MessageType::Webhook,
        webhook: names
            .get(&attempt.webhook)
            .map(|name| WebhookName { id: attempt.webhook.to_string(), name: name.clone() }),
        delivery_id: Some(key.delivery.to_string()),
        event_id: attempt.event.to_string(),
        attempt: key.number,
        successful: attempt.delivered,
        sent_at: DateTime(key.started_at),
        duration: attempt.duration_ms,
        method: "POST".to_owned(),
        url: attempt.url,
        request_headers: attempt.request_headers.filter(|_| !withheld).and_then(|stored| fields(&stored)),
        request_body: request_body.filter(|_| !withheld),
        response_status_code: attempt.status,
        response_headers: attempt.response_headers.filter(|_| !withheld).and_then(|stored| fields(&stored)),
        response_body: attempt.response_body.filter(|_| !withheld),
        response_body_complete: attempt.complete,
        http_client_error: attempt.error_kind.map(|kind| DeliveryClientError {
            class_name: kind.clone(),
            message: attempt.message.clone(),
            cause_class_name: Some(kind),
            cause_message: attempt.message,
        }),
        withheld,
    }
}

fn fields(stored: &str) -> Option<Vec<HeaderField>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(stored).ok()?;
    Some(pairs.into_iter().map(|(name, value)| HeaderField { name, value }).collect())
}
