//! Which rights an application needs wherever it is authorized.

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::authorization::{Capacity, MAX_RIGHTS, Wish};
use spaceport_platform::lifecycle;
use spaceport_platform::right::Right;
use spaceport_store::StoreError;
use spaceport_wire::right::{RightOfApplication, UpdateRequiredRights};

use crate::api::application_state::loaded;
use crate::api::authorization::checked;
use crate::api::right_out::right_out;
use crate::authorization::{Change, apply};
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const REQUIRED: &str = "/api/http/applications/{application}/authorizations/required-rights";
    routes.get(REQUIRED, "api.required_right.list", "Get all required rights", list).patch(
        REQUIRED,
        "api.required_right.update",
        "Update required right",
        update,
    )
}

/// Rights the application needs. The list belongs to no context, so none of them has a status.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Vec<RightOfApplication>>, ApiError> {
    let id = cx.access.application.id.clone();
    let required = cx.read(move |tx| tx.required_rights(&id)).await;
    let required = required.map_err(|error: StoreError| ApiError::from(error))?;
    let catalogue = cx.services.catalogue.current();
    Ok(Json(required.iter().map(|right| right_out(&catalogue, right)).collect()))
}

/// Adds and removes required rights; where wanted, asks for the added ones in every context in which the
/// application is authorized.
///
/// # Errors
/// `validation-error` naming the right that does not exist.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Body(body): Body<UpdateRequiredRights>,
) -> Result<Done, ApiError> {
    lifecycle::require_active(&cx.access.application)?;
    let catalogue = cx.services.catalogue.current();
    let rights = |field, named: &[spaceport_wire::right::PermissionIdentifier]| {
        let named: Vec<_> = named.iter().map(|right| (right, Wish::Request)).collect();
        checked(&catalogue, field, &named).map(|wishes| wishes.into_iter().map(|(right, _)| right).collect())
    };
    let add: Vec<Right> = rights("rightCodesToAdd", &body.right_codes_to_add.0)?;
    let remove: Vec<Right> = rights("rightCodesToRemove", &body.right_codes_to_remove.0)?;
    if let Some(both) = add.iter().find(|right| remove.contains(right)) {
        return Err(ApiError::validation(format!("rightCodesToRemove must not hold {both}, which is to be added")));
    }
    let (id, now, trail, news) = (cx.access.application.id.clone(), cx.now(), cx.trail(), cx.news());
    let request = body.request_rights_in_authorized_contexts;
    cx.write(move |tx| {
        loaded(tx, &id)?;
        let before = tx.required_rights(&id)?;
        let added: Vec<Right> = add.iter().filter(|right| !before.contains(right)).cloned().collect();
        let removed: Vec<Right> = remove.iter().filter(|right| before.contains(right)).cloned().collect();
        if before.len() + added.len() - removed.len() > MAX_RIGHTS {
            return Err(ApiError::validation(format!("rightCodesToAdd makes more than {MAX_RIGHTS} required rights")));
        }
        if !added.is_empty() || !removed.is_empty() {
            tx.change_required_rights(&id, &added, &removed, now)?;
            let text = |rights: &[Right]| rights.iter().map(Right::code).collect::<Vec<_>>().join(" ");
            let after = tx.required_rights(&id)?;
            let change = AuditChange::between("requiredRights", Some(&text(&before)), Some(&text(&after)));
            trail.record(tx, AuditTarget::application(&id), change)?;
        }
        if request {
            let mut places = Vec::new();
            for context in tx.authorized_contexts(&id)? {
                places.push(tx.place_of(context)?);
            }
            let wishes = add.iter().map(|right| (right.clone(), Wish::Request)).collect();
            let (actor, comment) = (None, None);
            let change =
                Change { application: id.clone(), places, wishes, capacity: Capacity::Manager, actor, comment };
            apply(tx, &trail, &news, &change)?;
        }
        Ok(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}
