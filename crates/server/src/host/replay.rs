//! `/api/host/v1/applications/{application}/deliveries/…/replay`: what has ended is sent once more.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::id::{DeliveryId, EventId, WebhookId};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::lifecycle;
use spaceport_store::LogFilter;
use spaceport_wire::delivery::{ReplayDeliveries, Replayed};

use crate::api::application_state::loaded;
use crate::http::access::{Cx, LookAfterApplications, OnApplication};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// Deliveries that one transaction changes.
const STEP: i64 = 500;
/// Most deliveries of one call.
const MOST: usize = 10_000;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .post(
            "/api/host/v1/applications/{application}/deliveries/replay",
            "host.delivery.replay_many",
            "Send deliveries again",
            replay_many,
        )
        .post(
            "/api/host/v1/applications/{application}/deliveries/{deliveryId}/replay",
            "host.delivery.replay",
            "Send a delivery again",
            replay,
        )
}

/// The delivery in the path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryPath {
    /// Id of the delivery.
    delivery_id: String,
}

/// Sends a delivery again that has ended, under its id and with all its tries. Rights and settings of today count.
///
/// # Errors
/// `not-found`; `validation-error` when it has not ended, or nothing is left to be sent.
pub async fn replay(
    cx: Cx<OnApplication<LookAfterApplications>>,
    Path(path): Path<DeliveryPath>,
) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    let id = DeliveryId::new(path.delivery_id);
    let woken = application.clone();
    cx.write(move |tx| {
        let missing = || ApiError::not_found(format!("Delivery {id} not found"));
        let state = tx.delivery_state(&application, &id)?.ok_or_else(missing)?;
        lifecycle::require_active(&loaded(tx, &application)?)?;
        if !tx.replay_one(&id, now)? {
            return Err(ApiError::validation(match state {
                DeliveryState::Waiting | DeliveryState::Sending => "The delivery has not ended",
                _ => "The webhook is archived or switched off, or the event is not kept any more",
            }));
        }
        let target = AuditTarget::of_application(&application, "delivery", id.as_str());
        Ok(trail.record(tx, target, AuditChange::between("state", Some(state.name()), Some("waiting")))?)
    })
    .await?;
    cx.services.engine.wake([woken]);
    Ok(Done)
}

/// Sends again all deliveries that fit and have ended: up to 10,000 in one call, the oldest first.
///
/// # Errors
/// `validation-error` when nothing says which ones.
pub async fn replay_many(
    cx: Cx<OnApplication<LookAfterApplications>>,
    Body(body): Body<ReplayDeliveries>,
) -> Result<Json<Replayed>, ApiError> {
    if body == (ReplayDeliveries { after: body.after.clone(), ..ReplayDeliveries::default() }) {
        return Err(Invalid::new("since", "or webhookId, eventId or state must say which deliveries").into());
    }
    let filter = LogFilter {
        webhook: body.webhook_id.map(WebhookId::new),
        event: body.event_id.map(EventId::new),
        state: body.state.map(|state| state.0),
        since: body.since.map(|since| since.0),
        until: body.until.map(|until| until.0),
    };
    let (application, now) = (cx.access.application.id.clone(), cx.now());
    let mut after = body.after.map(DeliveryId::new);
    let mut replayed = 0;
    let more = loop {
        let (application, filter, from, trail) = (application.clone(), filter.clone(), after.clone(), cx.trail());
        let step = cx
            .write(move |tx| {
                lifecycle::require_active(&loaded(tx, &application)?)?;
                let step = tx.replay(&application, &filter, from.as_ref(), STEP, now)?;
                if let Some(first) = step.first() {
                    let target = AuditTarget::of_application(&application, "delivery", first.as_str());
                    let count = step.len().to_string();
                    trail.record(tx, target, AuditChange::between("replayed", None, Some(&count)))?;
                }
                Ok::<_, ApiError>(step)
            })
            .await?;
        cx.services.engine.wake([cx.access.application.id.clone()]);
        replayed += step.len();
        after = step.last().cloned().or(after);
        if step.len() < usize::try_from(STEP).unwrap_or(usize::MAX) {
            break false;
        }
        if replayed >= MOST {
            break true;
        }
    };
    let next = after.filter(|_| more).map(|after| after.to_string());
    Ok(Json(Replayed { replayed: u32::try_from(replayed).unwrap_or(u32::MAX), next }))
}
