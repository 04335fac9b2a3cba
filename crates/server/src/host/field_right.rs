//! `/api/host/v1/catalogue/field-rights`: fields of payloads that only those applications get which hold a right.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::field_right::{FieldRight, check_field_rights};
use spaceport_store::{OwnFieldRights, StoreError, Tx};
use spaceport_wire::field_right::{DefineFieldRights, FieldRightEntry, FieldRightsOfType};

use crate::http::access::{Cx, Holding, ManageCatalogue};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/host/v1/catalogue/field-rights";
    const OF_TYPE: &str = "/api/host/v1/catalogue/field-rights/{eventType}";
    routes
        .get(ALL, "host.field_right.list", "Get all rights on fields of payloads", list)
        .put(OF_TYPE, "host.field_right.put", "Put rights on fields of an event type's payload", put)
        .delete(OF_TYPE, "host.field_right.delete", "Remove the rights on fields of an event type's payload", delete)
}

/// The event type in the path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventTypePath {
    /// Code of the event type, such as `Issue.Created`.
    pub event_type: String,
}

/// All rights on fields, by event type, as they were put.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<Holding<ManageCatalogue>>) -> Result<Json<Vec<FieldRightsOfType>>, ApiError> {
    let own = cx.read(|tx| tx.own_field_rights()).await.map_err(|error: StoreError| ApiError::from(error))?;
    let entry = |field: FieldRight| FieldRightEntry { path: field.path, right: field.right.code().to_owned() };
    let shown = own.into_iter().map(|own| FieldRightsOfType {
        event_type: own.event_type,
        fields: own.fields.into_iter().map(entry).collect(),
    });
    Ok(Json(shown.collect()))
}

/// Puts rights on fields of an event type's payload, in place of those it had. From the next attempt on, on every node
/// within a second, a field is left out for applications that do not hold its right in the event's context.
///
/// # Errors
/// `validation-error` for an unknown event type, or naming the field that breaks a rule.
pub async fn put(
    cx: Cx<Holding<ManageCatalogue>>,
    Path(path): Path<EventTypePath>,
    Body(body): Body<DefineFieldRights>,
) -> Result<Done, ApiError> {
    let fields = body.fields.iter().map(|field| (field.path.as_str(), field.right.as_str()));
    let fields = check_field_rights(&path.event_type, fields, &cx.services.catalogue.current())?;
    let (after, trail) = (OwnFieldRights { event_type: path.event_type, fields }, cx.trail());
    cx.write(move |tx| {
        let before = of_type(tx, &after.event_type)?;
        if before.as_ref() == Some(&after) {
            return Ok(());
        }
        tx.save_field_rights(&after)?;
        trail.record(tx, target(&after.event_type), change(before.as_ref(), Some(&after)))
    })
    .await
    .map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.catalogue.notice(&cx.services.store).await?;
    Ok(Done)
}

/// Removes all rights on fields of an event type's payload: whoever hears of such events gets all of it.
///
/// # Errors
/// `not-found` when there is none.
pub async fn delete(cx: Cx<Holding<ManageCatalogue>>, Path(path): Path<EventTypePath>) -> Result<Done, ApiError> {
    let (event_type, trail) = (path.event_type, cx.trail());
    cx.write(move |tx| {
        let missing = || ApiError::not_found(format!("Rights on fields of {event_type} not found"));
        let before = of_type(tx, &event_type)?.ok_or_else(missing)?;
        tx.save_field_rights(&OwnFieldRights { event_type: event_type.clone(), fields: Vec::new() })?;
        Ok::<_, ApiError>(trail.record(tx, target(&event_type), change(Some(&before), None))?)
    })
    .await?;
    cx.services.catalogue.notice(&cx.services.store).await?;
    Ok(Done)
}

fn of_type(tx: &mut Tx<'_>, event_type: &str) -> Result<Option<OwnFieldRights>, StoreError> {
    Ok(tx.own_field_rights()?.into_iter().find(|own| own.event_type == event_type))
}

fn target(event_type: &str) -> AuditTarget {
    AuditTarget::other("fieldRights", event_type.to_owned())
}

fn change(before: Option<&OwnFieldRights>, after: Option<&OwnFieldRights>) -> Option<AuditChange> {
    let text = |own: &OwnFieldRights| {
        let fields = own.fields.iter().map(|field| format!("{}: {}", field.path, field.right));
        fields.collect::<Vec<_>>().join(", ")
    };
    AuditChange::between("fields", before.map(text).as_deref(), after.map(text).as_deref())
}
