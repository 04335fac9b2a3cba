//! `GET /api/http/notifications`: which subjects and event types there are.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::catalogue::{Catalogue, EventType, Subject};
use spaceport_wire::catalogue::{CRight, EventSubjectInfo, EventTypeInfo};

use crate::http::access::{Authenticated, Cx};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/http/notifications", "api.catalogue.list", "Get event subjects", notifications)
}

/// Parameters of the list.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Filter {
    /// Of Space's chat integration; both answers are the same here.
    #[serde(default)]
    pub for_slack: Option<bool>,
}

/// All subjects with their event types.
///
/// # Errors
/// None but those of access.
pub async fn notifications(
    cx: Cx<Authenticated>,
    Query(filter): Query<Filter>,
) -> Result<Json<Vec<EventSubjectInfo>>, ApiError> {
    let _ = filter.for_slack;
    let catalogue = cx.services.catalogue.current();
    Ok(Json(catalogue.subjects().iter().map(|subject| subject_out(subject, &catalogue)).collect()))
}

fn subject_out(subject: &Subject, catalogue: &Catalogue) -> EventSubjectInfo {
    let events = subject.events.iter().enumerate();
    EventSubjectInfo {
        code: subject.code.clone(),
        parent_code: subject.parent.clone(),
        name: subject.name.clone(),
        description: subject.description.clone(),
        events: events.map(|(order, event)| event_out(event, order, catalogue)).collect(),
        default_filters: Vec::new(),
        feature_flag: None,
    }
}

fn event_out(event: &EventType, order: usize, catalogue: &Catalogue) -> EventTypeInfo {
    let rights = event.rights.iter().filter_map(|right| catalogue.right(right.code()));
    EventTypeInfo {
        code: event.code.clone(),
        name: event.name.clone(),
        description: event.description.clone(),
        rights: rights
            .map(|right| CRight {
                type_code: right.target.clone(),
                code: right.code.clone(),
                title: right.title.clone(),
                description: None,
                feature_flag: None,
            })
            .collect(),
        feature_flag: None,
        sort_order: i32::try_from(order).unwrap_or(i32::MAX),
        payload_api_class_name: Some(event.payload.clone()),
    }
}
