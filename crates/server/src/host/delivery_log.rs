//! `/api/host/v1/applications/{application}/deliveries` and `…/latest-messages-deliveries`, the latter also below
//! `/api/http`: what was sent, and what came of it.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::Caller;
use spaceport_platform::application::{Application, VerificationToken};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::{DeliveryId, EventId, WebhookId};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::{AttemptFilter, AttemptKey, Carried, LogFilter, LoggedAttempt, LoggedDelivery, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::delivery::{Delivery, HeaderField, MessageDelivery, MessageType, StateName, WebhookName};
use spaceport_wire::payload::webhook_request;
use spaceport_wire::scalar::DateTime;
use spaceport_wire::webhook::DeliveryClientError;

use crate::api::page::LogPage;
use crate::host::audit_trail::moment;
use crate::http::access::{Cx, OnApplication, ViewApplications, WatchApplicationSecrets};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;
use crate::outbox::MASK;

const ATTEMPTS: &str = "List the attempts to send an application something";
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
            ATTEMPTS,
            attempts,
        )
}

/// The log where Space had it from June to December 2021 (semantics 3.9), for what still asks there.
pub fn space_routes(routes: Routes) -> Routes {
    routes.get(
        "/api/http/applications/{application}/latest-messages-deliveries",
        "api.attempt.list",
        ATTEMPTS,
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
    let page = LogPage::new(query.skip, query.top, |id| Some(DeliveryId::new(id)))?;
    let filter = LogFilter {
        webhook: query.webhook_id.map(WebhookId::new),
        event: query.event_id.map(EventId::new),
        state: query.state.as_deref().map(state).transpose()?,
        since: moment("since", query.since.as_deref())?,
        until: moment("until", query.until.as_deref())?,
    };
    let application = cx.access.application.id.clone();
    let (before, limit) = (page.before.clone(), page.limit);
    let found = cx.read(move |tx| tx.deliveries(&application, &filter, before.as_ref(), limit)).await;
    let found = found.map_err(|error: StoreError| ApiError::from(error))?;
    let last = found.last().map(|last| last.id.to_string());
    Ok(Json(page.batch(found.into_iter().map(delivery_out).collect(), last)))
}

/// The state that a query names.
fn state(name: &str) -> Result<DeliveryState, Invalid> {
    let wrong = || Invalid::new("state", "must be waiting, sending, delivered, given_up or cancelled");
    DeliveryState::from_name(name).ok_or_else(wrong)
}

fn delivery_out(delivery: LoggedDelivery) -> Delivery {
    Delivery {
        id: delivery.id.to_string(),
        webhook_id: delivery.webhook.to_string(),
        event_id: delivery.event.to_string(),
        event_type: delivery.event_type,
        state: StateName(delivery.state),
        attempts: delivery.attempts,
        created_at: DateTime(delivery.created_at),
        next_attempt_at: (delivery.state == DeliveryState::Waiting).then_some(DateTime(delivery.due_at)),
        finished_at: delivery.finished_at.map(DateTime),
    }
}

/// Which attempts.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptQuery {
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
    /// Those that carried something of this type, such as `Webhook` or `InitPayload`.
    message_type: Option<String>,
    /// Those that the endpoint took, or the others.
    successful: Option<String>,
    /// Those made at or after this moment, in ISO 8601.
    since: Option<String>,
    /// Those made before this moment, in ISO 8601.
    until: Option<String>,
}

/// Attempts to reach an application, the newest first, with what was sent and answered: events for its webhooks, and
/// payloads that are no events. Of a connected (multi-org) application nobody but itself sees headers and bodies.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn attempts(
    cx: Cx<OnApplication<WatchApplicationSecrets>>,
    Query(query): Query<AttemptQuery>,
) -> Result<Json<Batch<MessageDelivery>>, ApiError> {
    let page = LogPage::new(query.skip, query.top, place)?;
    let (before, limit) = (page.before.clone(), usize::try_from(page.limit).unwrap_or(0).min(MOST_ATTEMPTS));
    let filter = AttemptFilter {
        webhook: query.webhook_id.map(WebhookId::new),
        event: query.event_id.map(EventId::new),
        delivered: match query.successful.as_deref() {
            None => None,
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(_) => return Err(Invalid::new("successful", "must be true or false").into()),
        },
        classes: query.message_type.as_deref().map(classes).transpose()?,
        since: moment("since", query.since.as_deref())?,
        until: moment("until", query.until.as_deref())?,
    };
    let application = cx.access.application.clone();
    let withheld = is_withheld(&application, &cx.caller);
    let (shown, last) = cx
        .read(move |tx| {
            let found = tx.attempts(&application.id, &filter, before.as_ref(), limit)?;
            let last = found.last().map(|last| next_place(&last.key));
            let names = names(tx, &application, &found)?;
            let shown = found.into_iter().map(|attempt| attempt_out(attempt, &application, &names, withheld)).collect();
            Ok::<_, StoreError>((shown, last))
        })
        .await
        .map_err(ApiError::from)?;
    Ok(Json(page.batch(shown, last)))
}

/// The classes of payloads of a type.
fn classes(name: &str) -> Result<Vec<PayloadClass>, Invalid> {
    let found = MessageType::ALL.into_iter().find(|known| known.name() == name);
    let names = || MessageType::ALL.map(MessageType::name).join(", ");
    found.map(MessageType::classes).ok_or_else(|| Invalid::new("messageType", format!("must be one of {}", names())))
}

/// Whether a caller must not see what was sent and answered: of a connected application only the application may.
fn is_withheld(application: &Application, caller: &Caller) -> bool {
    application.connection.is_some() && caller.application() != Some(&application.id)
}

fn next_place(key: &AttemptKey) -> String {
    format!("{}.{}.{}", key.started_at.millis(), key.number, key.delivery)
}

fn place(text: &str) -> Option<AttemptKey> {
    let mut parts = text.splitn(3, '.');
    let started_at = Timestamp::from_millis(parts.next()?.parse().ok()?);
    let number = parts.next()?.parse().ok()?;
    Some(AttemptKey { started_at, number, delivery: DeliveryId::new(parts.next()?) })
}

fn names(
    tx: &mut Tx<'_>,
    application: &Application,
    attempts: &[LoggedAttempt],
) -> Result<HashMap<WebhookId, String>, StoreError> {
    let mut names = HashMap::new();
    for attempt in attempts {
        if let Carried::Event { webhook, .. } = &attempt.carried
            && !names.contains_key(webhook)
            && let Some(webhook) = tx.webhook(&application.id, webhook)?
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
    let LoggedAttempt { key, carried, call, delivered } = attempt;
    let (class, webhook, event, payload) = match carried {
        Carried::Event { webhook, event, payload } => {
            (PayloadClass::WebhookRequest, Some(webhook), Some(event), payload)
        }
        Carried::Payload(class) => (class, None, None, None),
    };
    // Headers and bodies are emptied together; what the body was then cannot be told from the event.
    let is_kept = call.request_headers.is_some();
    let told = webhook.as_ref().zip(payload).filter(|_| is_kept).map(|(webhook, payload)| {
        let token = (application.verification_token == VerificationToken::Sent).then_some(MASK);
        webhook_request(&application.client_id, webhook.as_str(), &payload, token)
    });
    let request_body = call.request_body.or(told);
    MessageDelivery {
        id: format!("{}/{}", key.delivery, key.number),
        message_type: MessageType::of(class),
        webhook: webhook
            .and_then(|id| names.get(&id).map(|name| WebhookName { id: id.to_string(), name: name.clone() })),
        delivery_id: Some(key.delivery.to_string()),
        event_id: event.map(|event| event.to_string()),
        payload_class_name: class.name().to_owned(),
        attempt: key.number,
        successful: delivered,
        sent_at: DateTime(key.started_at),
        duration: call.duration_ms,
        method: "POST".to_owned(),
        url: call.url,
        request_headers: call.request_headers.filter(|_| !withheld).and_then(|stored| fields(&stored)),
        request_body: request_body.filter(|_| !withheld),
        response_status_code: call.status,
        response_headers: call.response_headers.filter(|_| !withheld).and_then(|stored| fields(&stored)),
        response_body: call.response_body.filter(|_| !withheld),
        response_body_complete: call.complete,
        http_client_error: call.error_kind.map(|kind| DeliveryClientError {
            class_name: kind.clone(),
            message: call.message.clone(),
            cause_class_name: Some(kind),
            cause_message: call.message,
        }),
        withheld,
    }
}

fn fields(stored: &str) -> Option<Vec<HeaderField>> {
    let pairs: Vec<(String, String)> = serde_json::from_str(stored).ok()?;
    Some(pairs.into_iter().map(|(name, value)| HeaderField { name, value }).collect())
}
