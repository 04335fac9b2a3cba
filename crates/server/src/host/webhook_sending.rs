//! `/api/host/v1/applications/{application}/webhooks/{webhookId}/…`: how a webhook sends, a ping, and what it would send.

use std::time::Duration;

use spaceport_platform::application::VerificationToken;
use spaceport_platform::audit::AuditChange;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::Place;
use spaceport_platform::event::{MAX_PAYLOAD, NewEvent};
use spaceport_platform::field_right::FieldRight;
use spaceport_platform::id::{EventId, Id};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::sending::{self, Sending};
use spaceport_platform::webhook::PayloadForm;
use spaceport_platform::webhook_changes::changes;
use spaceport_wire::canonical::canonical_object;
use spaceport_wire::delivery::{DeliveryPreview, Pinged, PreviewDelivery, Sending as SendingOut, UpdateSending};
use spaceport_wire::payload::Shape;
use spaceport_wire::payload_fields::Withheld;
use spaceport_wire::scalar::Patch;

use crate::api::webhook::{WebhookPath, changeable, found, target};
use crate::host::event::unknown_yet;
use crate::http::access::{Cx, EditApplications, LookAfterApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::Json;
use crate::http::routes::Routes;
use crate::outbox::MASK;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const SENDING: &str = "/api/host/v1/applications/{application}/webhooks/{webhookId}/sending";
    routes
        .get(SENDING, "host.webhook.sending.get", "Read how a webhook's deliveries are sent", get)
        .patch(SENDING, "host.webhook.sending.update", "Change how a webhook's deliveries are sent", update)
        .post(
            "/api/host/v1/applications/{application}/webhooks/{webhookId}/ping",
            "host.webhook.ping",
            "Send a ping to a webhook",
            ping,
        )
        .post(
            "/api/host/v1/applications/{application}/webhooks/{webhookId}/preview",
            "host.webhook.preview",
            "Show what a webhook would send",
            preview,
        )
}

/// Resends, order and pace of a webhook.
///
/// # Errors
/// `not-found`.
pub async fn get(
    cx: Cx<OnApplication<ViewApplications>>,
    Path(path): Path<WebhookPath>,
) -> Result<Json<SendingOut>, ApiError> {
    let application = cx.access.application.id.clone();
    let webhook = cx.read(move |tx| found(tx, &application, &path.id())).await?;
    Ok(Json(out(&webhook.sending)))
}

/// Changes resends, order and pace: absent keeps, null clears. Deliveries that wait follow the new settings.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<WebhookPath>,
    Body(body): Body<UpdateSending>,
) -> Result<Json<SendingOut>, ApiError> {
    let (application, trail) = (cx.access.application.id.clone(), cx.trail());
    let changed = cx
        .write(move |tx| {
            let before = changeable(tx, &application, &path.id())?;
            let mut webhook = before.clone();
            apply(&mut webhook.sending, &body)?;
            tx.update_webhook(&webhook)?;
            let recorded = changes(Some(&before), &webhook);
            if !recorded.is_empty() {
                trail.record(tx, target(&webhook), recorded)?;
            }
            Ok::<_, ApiError>(webhook.sending)
        })
        .await?;
    Ok(Json(out(&changed)))
}

fn apply(sending: &mut Sending, body: &UpdateSending) -> Result<(), Invalid> {
    match &body.retry_delays_millis {
        Patch::Absent => {}
        Patch::Null => sending.retry_delays = None,
        Patch::Value(delays) => {
            let wrong = |_| Invalid::new("retryDelaysMillis", "must hold numbers from 0");
            let delays = delays.0.iter().map(|millis| u64::try_from(*millis).map(Duration::from_millis));
            sending.retry_delays = Some(delays.collect::<Result<_, _>>().map_err(wrong)?);
        }
    }
    match body.ordered {
        Patch::Absent => {}
        Patch::Null => return Err(Invalid::new("ordered", "must not be null")),
        Patch::Value(ordered) => sending.ordered = ordered,
    }
    limit("mostInFlight", &mut sending.most_in_flight, &body.most_in_flight)?;
    limit("mostPerMinute", &mut sending.most_per_minute, &body.most_per_minute)?;
    sending::check(sending)
}

fn limit(field: &'static str, limit: &mut Option<u32>, change: &Patch<i64>) -> Result<(), Invalid> {
    match change {
        Patch::Absent => {}
        Patch::Null => *limit = None,
        Patch::Value(number) => {
            let wrong = |_| Invalid::new(field, "must be a positive number, or null for no limit");
            *limit = Some(u32::try_from(*number).map_err(wrong)?);
        }
    }
    Ok(())
}

fn out(sending: &Sending) -> SendingOut {
    let millis = |delay: &Duration| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
    SendingOut {
        retry_delays_millis: sending.retry_delays.as_ref().map(|delays| delays.iter().map(millis).collect()),
        ordered: sending.ordered,
        most_in_flight: sending.most_in_flight,
        most_per_minute: sending.most_per_minute,
    }
}

/// Sends a `PingWebhookEvent`, also while the webhook is switched off. It is a delivery like any other.
///
/// # Errors
/// `not-found`; `validation-error` while the webhook or its application is archived.
pub async fn ping(
    cx: Cx<OnApplication<LookAfterApplications>>,
    Path(path): Path<WebhookPath>,
) -> Result<Json<Pinged>, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    let random = cx.services.random.as_ref();
    let (event, delivery) = (EventId::generate(now, random), Id::generate(now, random));
    let (woken, id) = (application.clone(), delivery.to_string());
    cx.write(move |tx| {
        let webhook = changeable(tx, &application, &path.id())?;
        let event = NewEvent {
            id: event.clone(),
            subject: "Webhook".to_owned(),
            event_type: "Webhook.Ping".to_owned(),
            place: Place::GLOBAL,
            about: None,
            rights: Vec::new(),
            occurred_at: now,
            payload: ping_payload(&webhook.name),
            attributes: None,
        };
        tx.publish_to(&event, (&application, &webhook.id), &delivery, now)?;
        let change = AuditChange::between("ping", None, Some(delivery.as_str()));
        Ok::<_, ApiError>(trail.record(tx, target(&webhook), change)?)
    })
    .await?;
    cx.services.engine.wake([woken]);
    Ok(Json(Pinged { delivery_id: id }))
}

fn ping_payload(webhook_name: &str) -> String {
    serde_json::json!({ "className": "PingWebhookEvent", "webhookName": webhook_name }).to_string()
}

/// Fields of such events that demand a right of their own.
fn fields_of(event_type: Option<&str>, catalogue: &Catalogue) -> Result<Vec<FieldRight>, Invalid> {
    let Some(code) = event_type else { return Ok(Vec::new()) };
    catalogue.named_event_type(code).map_err(|fault| fault.within("type"))?;
    Ok(catalogue.field_rights().of(code).to_vec())
}

/// The body that a webhook would send for an event, with its own fields or template or others to be tried. With the
/// event's type, fields are left out that the application may not see in the context.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument, in expressions with the position.
pub async fn preview(
    cx: Cx<OnApplication<ViewApplications>>,
    Path(path): Path<WebhookPath>,
    Body(body): Body<PreviewDelivery>,
) -> Result<Json<DeliveryPreview>, ApiError> {
    let application = cx.access.application.clone();
    let id = application.id.clone();
    let fields = fields_of(body.event_type.as_deref(), &cx.services.catalogue.current())?;
    let context = body.context.map(|context| context.0);
    let (webhook, withheld) = cx
        .read(move |tx| {
            let webhook = found(tx, &id, &path.id())?;
            let place = match &context {
                None => Some(Place::GLOBAL),
                Some(context) => tx.place(context)?.or_else(|| unknown_yet(context)),
            };
            let unknown = || Invalid::new("context", "names a project by a key that the directory does not know");
            let withheld = tx.withheld_fields(&id, &fields, &place.ok_or_else(unknown)?)?;
            Ok::<_, ApiError>((webhook, withheld))
        })
        .await?;
    let payload = match &body.payload {
        Some(payload) => canonical_object(payload.get()).map_err(|fault| fault.within("payload"))?,
        None => ping_payload(&webhook.name),
    };
    if payload.len() > MAX_PAYLOAD {
        return Err(Invalid::new("payload", format!("must have at most {MAX_PAYLOAD} bytes")).into());
    }
    let form = match (body.payload_fields, body.payload_template) {
        (None, None) => webhook.payload,
        (fields, template) => PayloadForm::new(fields, template)?,
    };
    let token = (application.verification_token == VerificationToken::Sent).then_some(MASK);
    let withheld = Withheld::of_paths(withheld.iter().map(String::as_str));
    let body = Shape::parse(&form)?.body(&application.client_id, webhook.id.as_str(), &payload, token, &withheld);
    Ok(Json(DeliveryPreview { body }))
}
