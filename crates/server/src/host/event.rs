//! `POST /api/host/v1/events`: events come in.

use std::collections::HashMap;
use std::sync::Arc;

use http::StatusCode;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::event::{MAX_EVENTS, MAX_ID, MAX_PAYLOAD, NewEvent, PublishStatus, Published};
use spaceport_platform::id::{EventId, Id};
use spaceport_platform::identifier::{PermissionContextIdentifier, ProjectIdentifier};
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_platform::random::Random;
use spaceport_platform::time::Timestamp;
use spaceport_store::StoreError;
use spaceport_wire::canonical::canonical_object;
use spaceport_wire::host::{PublishEvent, PublishEvents, PublishResult, PublishResults, PublishStatus as StatusOut};

use crate::http::access::{Cx, Holding, PublishEvents as PublishEventsRight};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Document;
use crate::http::routes::Routes;

/// Largest publish request, in bytes.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.post("/api/host/v1/events", "host.event.publish", "Publish events", publish).with_body_limit(BODY_LIMIT)
}

/// Stores events and their deliveries in one commit. One bad event refuses the whole request.
///
/// # Errors
/// `validation-error` naming the event by index.
pub async fn publish(
    cx: Cx<Holding<PublishEventsRight>>,
    Body(body): Body<PublishEvents>,
) -> Result<Document, ApiError> {
    let now = cx.now();
    let catalogue = cx.services.catalogue.current();
    let named: Vec<_> =
        body.events.iter().map(|event| event.context.as_ref().map(|context| context.0.clone())).collect();
    let mut events = check_all(body, &catalogue, cx.services.random.as_ref(), now)?;
    for (index, (event, place)) in events.iter_mut().zip(places(&cx, named).await?).enumerate() {
        let missing = |_| {
            Invalid::new(
                format!("events[{index}].context"),
                "names a project by a key that the directory does not know",
            )
        };
        event.place = place.ok_or(()).map_err(missing)?;
    }
    let (random, services) = (Arc::clone(&cx.services.random), cx.services.clone());
    let heard = services.subscriptions.hear(&catalogue, &events);
    let (published, woken) = cx
        .write(move |tx| {
            let new_id = || Id::generate(now, random.as_ref());
            services.subscriptions.publish(tx, &catalogue, (&events, heard.as_ref()), now, &new_id)
        })
        .await
        .map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.engine.wake(woken);
    let results = PublishResults { results: published.into_iter().map(result).collect() };
    let answer = serde_json::to_value(results).map_err(ApiError::internal)?;
    Ok(Document::json(&answer).status(StatusCode::ACCEPTED))
}

fn result(published: Published) -> PublishResult {
    PublishResult {
        id: published.id.as_str().to_owned(),
        status: match published.status {
            PublishStatus::Accepted => StatusOut::Accepted,
            PublishStatus::Duplicate => StatusOut::Duplicate,
        },
        deliveries: published.deliveries,
    }
}

fn check_all(
    body: PublishEvents,
    catalogue: &Catalogue,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Vec<NewEvent>, Invalid> {
    if body.events.is_empty() || body.events.len() > MAX_EVENTS {
        return Err(Invalid::new("events", format!("must hold 1 to {MAX_EVENTS} events, holds {}", body.events.len())));
    }
    let checked = body.events.into_iter().enumerate();
    checked
        .map(|(index, event)| {
            check(event, catalogue, random, now).map_err(|fault| fault.within(&format!("events[{index}]")))
        })
        .collect()
}

fn check(event: PublishEvent, catalogue: &Catalogue, random: &dyn Random, now: Timestamp) -> Result<NewEvent, Invalid> {
    let id = match event.id {
        Some(id) => {
            text_length("id", &id, 1, MAX_ID)?;
            if id.chars().any(char::is_control) {
                return Err(Invalid::new("id", "must not hold control characters"));
            }
            EventId::new(id)
        }
        None => EventId::generate(now, random),
    };
    catalogue.subject(&event.subject).map_err(|fault| fault.within("subject"))?;
    let kind = catalogue.event_type(&event.subject, &event.event_type).map_err(|fault| fault.within("type"))?;
    let payload = canonical_object(event.payload.get()).map_err(|fault| fault.within("payload"))?;
    if payload.len() > MAX_PAYLOAD {
        return Err(Invalid::new("payload", format!("must have at most {MAX_PAYLOAD} bytes, has {}", payload.len())));
    }
    check_class(&payload, &kind.payload)?;
    let attributes = match event.attributes {
        Some(attributes) if attributes.is_object() => Some(attributes.to_string()),
        Some(_) => return Err(Invalid::new("attributes", "must be an object")),
        None => None,
    };
    Ok(NewEvent {
        id,
        subject: event.subject,
        event_type: event.event_type,
        place: Place::GLOBAL,
        about: None,
        rights: kind.rights.clone(),
        occurred_at: event.occurred_at.map_or(now, |time| time.0),
        payload,
        attributes,
    })
}

/// Receivers tell payloads apart by `className`, so an event must carry the one its type promises.
fn check_class(payload: &str, expected: &str) -> Result<(), Invalid> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Tagged {
        class_name: Option<String>,
    }
    let wrong = || Invalid::new("payload.className", format!("must be `{expected}` for this event type"));
    let tagged: Tagged = serde_json::from_str(payload).map_err(|_| wrong())?;
    if tagged.class_name.as_deref() == Some(expected) { Ok(()) } else { Err(wrong()) }
}

/// The places that events happened at, each looked up once; `None` for keys that the directory does not know.
async fn places(
    cx: &Cx<Holding<PublishEventsRight>>,
    named: Vec<Option<PermissionContextIdentifier>>,
) -> Result<Vec<Option<Place>>, ApiError> {
    if named.iter().all(Option::is_none) {
        return Ok(vec![Some(Place::GLOBAL); named.len()]);
    }
    let found = cx.read(move |tx| {
        let mut known: HashMap<&PermissionContextIdentifier, Option<Place>> = HashMap::new();
        let mut places = Vec::with_capacity(named.len());
        for identifier in &named {
            places.push(match identifier {
                None => Some(Place::GLOBAL),
                Some(identifier) => match known.get(identifier) {
                    Some(place) => place.clone(),
                    None => {
                        let place = tx.place(identifier)?.or_else(|| unknown_yet(identifier));
                        known.insert(identifier, place.clone());
                        place
                    }
                },
            });
        }
        Ok(places)
    });
    found.await.map_err(|error: StoreError| ApiError::from(error))
}

/// The place that an id names which the directory does not know: an event may come before the directory hears of
/// its project (decision 0027). A key has to be known, because nothing else says which project it means.
pub fn unknown_yet(identifier: &PermissionContextIdentifier) -> Option<Place> {
    match identifier {
        PermissionContextIdentifier::Global | PermissionContextIdentifier::Project(ProjectIdentifier::Key(_)) => None,
        PermissionContextIdentifier::Project(ProjectIdentifier::Id(id)) => Some(Context::Project(id.clone()).into()),
        PermissionContextIdentifier::Channel(id) => Some(Context::Channel(id.clone()).into()),
        PermissionContextIdentifier::PackageRepository(id) => Some(Context::PackageRepository(id.clone()).into()),
    }
}
