//! `POST /api/host/v1/applications/{application}/webhooks/{webhookId}/replay-missing`: a webhook gets the events that it
//! missed, because it was off, or made, subscribed or entitled later.

use std::sync::Arc;
use std::time::Duration;

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::{EventId, Id};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::listeners::Listener;
use spaceport_platform::time::Timestamp;
use spaceport_store::{EventPlace, Missed, MissedQuery, StoreError, Tx};
use spaceport_wire::delivery::{ReplayMissing, Replayed};

use crate::api::webhook::{WebhookPath, changeable};
use crate::http::access::{Cx, EditApplications, OnApplication};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// Events that one look reads, without their payloads.
const LOOK: usize = 1_000;
/// Events that one transaction delivers; each may have a payload of 256 KiB.
const STEP: usize = 100;
/// Most events that one call looks at.
const MOST: usize = 10_000;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.post(
        "/api/host/v1/applications/{application}/webhooks/{webhookId}/replay-missing",
        "host.webhook.replay_missing",
        "Send a webhook the events it missed",
        replay_missing,
    )
}

/// Makes deliveries of events since a moment that the webhook would hear of today, with its subscriptions, filters and
/// rights of today, and of which it has no delivery. One call looks at up to 10,000 events, the oldest first. Done again,
/// it makes none twice. Events older than deliveries are kept are passed over: of those nobody can tell any more.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument, and while the webhook is archived or switched off.
pub async fn replay_missing(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<WebhookPath>,
    Body(body): Body<ReplayMissing>,
) -> Result<Json<Replayed>, ApiError> {
    let now = cx.now();
    let listener = Listener { webhook: path.id(), application: cx.access.application.id.clone(), rights: None };
    let until = now.plus(Duration::from_millis(1));
    let until = body.until.map_or(until, |asked| asked.0.min(until));
    let mut after = body.after.as_deref().map(place).transpose()?;
    let kept_since = now.minus(cx.services.settings.retention.deliveries);
    let since = body.since.0.max(kept_since);
    let (mut replayed, mut looked_at) = (0, 0);
    let more = loop {
        let (wanted, from) = (listener.clone(), after.clone());
        let missed = cx.read(move |tx| look(tx, wanted.clone(), (since, until), from.clone())).await?;
        looked_at += missed.looked_at;
        after = missed.last.clone().or(after);
        let at_end = missed.at_end;
        replayed += deliver(&cx, &listener, missed, now).await?;
        if at_end {
            break false;
        }
        if looked_at >= MOST {
            break true;
        }
    };
    let next = after.filter(|_| more).map(|after| format!("{}.{}", after.received_at.millis(), after.id));
    Ok(Json(Replayed { replayed: u32::try_from(replayed).unwrap_or(u32::MAX), next }))
}

/// What the webhook missed, as far as its subscriptions name it.
fn look(
    tx: &mut Tx<'_>,
    listener: Listener,
    (since, until): (Timestamp, Timestamp),
    after: Option<EventPlace>,
) -> Result<Missed, ApiError> {
    let webhook = changeable(tx, &listener.application, &listener.webhook)?;
    if !webhook.enabled {
        return Err(ApiError::validation("The webhook is switched off, and hears of nothing"));
    }
    let subscriptions = tx.subscriptions(&[webhook.id])?.into_iter().filter(|one| one.enabled);
    let kinds = subscriptions.flat_map(|one| one.event_types.into_iter().map(move |kind| (one.subject.clone(), kind)));
    let kinds = kinds.collect();
    let since = tx.deliveries_deleted_before()?.map_or(since, |deleted| deleted.max(since));
    Ok(tx.missed_events(&MissedQuery { listener, kinds, since, until, after, look_at: LOOK, limit: STEP })?)
}

/// Compares the events with the subscriptions, as when they are published, and makes deliveries; answers how many.
async fn deliver(
    cx: &Cx<OnApplication<EditApplications>>,
    listener: &Listener,
    missed: Missed,
    now: Timestamp,
) -> Result<usize, ApiError> {
    if missed.events.is_empty() {
        return Ok(0);
    }
    let (catalogue, services, random) =
        (cx.services.catalogue.current(), cx.services.clone(), Arc::clone(&cx.services.random));
    let heard = services.subscriptions.hear(&catalogue, &missed.events);
    let (listener, trail, woken) = (listener.clone(), cx.trail(), listener.application.clone());
    let made = cx.write(move |tx| {
        let new_id = |received_at| Id::generate(received_at, random.as_ref());
        let told = (&missed, heard.as_ref());
        let made = services.subscriptions.deliver_missed(tx, &catalogue, &listener, told, now, &new_id)?;
        if !made.is_empty() {
            let target = AuditTarget::of_application(&listener.application, "webhook", listener.webhook.as_str());
            let count = made.len().to_string();
            trail.record(tx, target, AuditChange::between("replayedMissing", None, Some(&count)))?;
        }
        Ok::<_, StoreError>(made.len())
    });
    let made = made.await.map_err(ApiError::from)?;
    if made > 0 {
        cx.services.engine.wake([woken]);
    }
    Ok(made)
}

fn place(text: &str) -> Result<EventPlace, Invalid> {
    let read = || {
        let (millis, id) = text.split_once('.')?;
        Some(EventPlace { received_at: Timestamp::from_millis(millis.parse().ok()?), id: EventId::new(id) })
    };
    // No text column of PostgreSQL can hold or be compared with NUL.
    let wrong = || Invalid::new("after", "must be the `next` of an answer before");
    read().filter(|place| !place.id.as_str().contains('\0')).ok_or_else(wrong)
}
