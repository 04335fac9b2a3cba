//! What an application may do in a context: asked for, granted, refused, taken back.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::{Decision, Target, decide};
use spaceport_platform::authorization::{Capacity, MAX_COMMENT, MAX_RIGHTS, Wish, may_grant};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_platform::lifecycle;
use spaceport_platform::right::Right;
use spaceport_store::StoreError;
use spaceport_wire::identifier::PermissionContextIdentifier;
use spaceport_wire::principal::PrincipalIn;
use spaceport_wire::right::{PermissionIdentifier, RequestRights, RightOfApplication, UpdateAuthorizedRights};

use crate::api::right_out::{Editor, rights_out, status_in};
use crate::authorization::{Change, apply};
use crate::http::access::{Cx, LookAfterApplications, OnApplication};
use crate::http::error::ApiError;
use crate::http::in_context::asked_place;
use crate::http::input::{Body, Query};
use crate::http::on_authorization::{Changing, Looking, OnAuthorization};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const RIGHTS: &str = "/api/http/applications/{application}/authorizations/authorized-rights";
    const REQUEST: &str = "/api/http/applications/{application}/authorizations/authorized-rights/request-rights";
    routes
        .get(RIGHTS, "api.authorized_right.list", "Get all authorized rights", list)
        .patch(RIGHTS, "api.authorized_right.update", "Update authorized right", update)
        .delete(RIGHTS, "api.authorized_right.delete", "Delete authorized right", delete)
        .patch(REQUEST, "api.authorized_right.request", "Request rights", request)
}

/// The context of the call.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InOneContext {
    /// Where.
    pub context_identifier: PermissionContextIdentifier,
}

/// Rights of the application in the context: those that were asked for, granted or refused.
///
/// # Errors
/// Those of access.
pub async fn list(
    cx: Cx<OnAuthorization<Looking>>,
    Query(_): Query<InOneContext>,
) -> Result<Json<Vec<RightOfApplication>>, ApiError> {
    let (id, place) = (cx.access.application.id.clone(), cx.access.place.clone());
    let (family, acting, caller) = (cx.access.family.clone(), cx.access.acting.clone(), cx.caller.clone());
    let catalogue = cx.services.catalogue.current();
    let found = cx.read(move |tx| {
        let rights = tx.authorized_rights(&id, place.context())?;
        let may = |right: &Right| may_grant(&caller, right, &place, acting.as_ref(), &family);
        rights_out(tx, &caller, &catalogue, &rights, &Editor(&may))
    });
    found.await.map(Json).map_err(|error: StoreError| ApiError::from(error))
}

/// Sets statuses of rights in the context.
///
/// # Errors
/// `permission-denied` for a right that the caller may not grant here; `validation-error` naming the update whose
/// right does not exist or cannot take the status.
pub async fn update(
    cx: Cx<OnAuthorization<Changing>>,
    Body(body): Body<UpdateAuthorizedRights>,
) -> Result<Done, ApiError> {
    let catalogue = cx.services.catalogue.current();
    let updates: Vec<_> =
        body.updates.0.iter().map(|update| (&update.right_code, status_in(update.status).wish())).collect();
    let wishes = checked(&catalogue, "updates", &updates)?;
    for (right, wish) in &wishes {
        let access = &cx.access;
        let granting = *wish == Wish::Grant;
        if granting && !may_grant(&cx.caller, right, &access.place, access.acting.as_ref(), &access.family) {
            return Err(not_to_grant(&cx, right));
        }
    }
    change(&cx, wishes, body.actor.as_ref(), body.comment).await
}

/// Says why somebody may not grant a right here.
fn not_to_grant(cx: &Cx<OnAuthorization<Changing>>, right: &Right) -> ApiError {
    let holds = decide(&cx.caller, right, Target::Place(&cx.access.place)) == Decision::Allowed;
    ApiError::denied(match (holds, &cx.access.acting) {
        (_, Some(acting)) if acting.root == cx.access.family.root => {
            format!("The right {right} must be granted by somebody else than the application")
        }
        (false, _) => format!("The right {right} can be granted only by somebody who holds it here"),
        (true, _) => format!("The right {right} can be granted only by somebody who decides about rights here"),
    })
}

/// Takes back everything that the application holds or asks for in the context.
///
/// # Errors
/// Those of access.
pub async fn delete(cx: Cx<OnAuthorization<Changing>>, Query(_): Query<InOneContext>) -> Result<Done, ApiError> {
    let (id, place) = (cx.access.application.id.clone(), cx.access.place.clone());
    let rights = cx.read(move |tx| tx.authorized_rights(&id, place.context())).await;
    let rights = rights.map_err(|error: StoreError| ApiError::from(error))?;
    let capacity = cx.access.capacity;
    // Whoever only manages the application cannot wipe out that something was refused.
    let wishes = rights.into_iter().filter(|right| right.status.after(Wish::Withdraw, capacity).is_ok());
    let wishes = wishes.map(|right| (right.right, Wish::Withdraw)).collect();
    change(&cx, wishes, None, None).await
}

async fn change(
    cx: &Cx<OnAuthorization<Changing>>,
    wishes: Vec<(Right, Wish)>,
    actor: Option<&PrincipalIn>,
    comment: Option<String>,
) -> Result<Done, ApiError> {
    let change = Change {
        application: cx.access.application.id.clone(),
        places: vec![cx.access.place.clone()],
        wishes,
        capacity: cx.access.capacity,
        actor: actor.map(ToString::to_string),
        comment: commented(comment)?,
    };
    let (trail, news) = (cx.trail(), cx.news());
    cx.write(move |tx| apply(tx, &trail, &news, &change)).await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// Asks for rights in the context. What is granted stays granted. A place that the caller may not see is asked in all the
/// same, and one that does not exist gets the same answer.
///
/// # Errors
/// `validation-error` naming the right that does not exist, or while the application is archived.
pub async fn request(
    cx: Cx<OnApplication<LookAfterApplications>>,
    Body(body): Body<RequestRights>,
) -> Result<Done, ApiError> {
    let catalogue = cx.services.catalogue.current();
    let asked: Vec<_> = body.right_codes.0.iter().map(|right| (right, Wish::Request)).collect();
    let wishes = checked(&catalogue, "rightCodes", &asked)?;
    let (actor, comment) = (body.actor.map(|actor| actor.to_string()), commented(body.comment)?);
    // Whatever can be wrong is said before the place is looked for.
    lifecycle::require_active(&cx.access.application)?;
    let Some(place) = asked_place(&cx, body.context_identifier.0).await? else { return Ok(Done) };
    let (application, places, capacity) = (cx.access.application.id.clone(), vec![place], Capacity::Manager);
    let change = Change { application, places, wishes, capacity, actor, comment };
    let (trail, news) = (cx.trail(), cx.news());
    cx.write(move |tx| apply(tx, &trail, &news, &change)).await?;
    cx.services.callers.forget();
    Ok(Done)
}

fn commented(comment: Option<String>) -> Result<Option<String>, Invalid> {
    if let Some(comment) = &comment {
        text_length("comment", comment, 0, MAX_COMMENT)?;
    }
    Ok(comment.filter(|comment| !comment.is_empty()))
}

/// The rights behind what a caller wrote, each once.
///
/// # Errors
/// Names the entry whose right does not exist, occurs twice with different wishes, or belongs to the host.
pub fn checked(
    catalogue: &Catalogue,
    field: &str,
    asked: &[(&PermissionIdentifier, Wish)],
) -> Result<Vec<(Right, Wish)>, Invalid> {
    if asked.len() > MAX_RIGHTS {
        return Err(Invalid::new(field, format!("must hold at most {MAX_RIGHTS} rights, holds {}", asked.len())));
    }
    let mut wishes: Vec<(Right, Wish)> = Vec::with_capacity(asked.len());
    for (index, (named, wish)) in asked.iter().enumerate() {
        let within = |fault: Invalid| fault.within(&format!("{field}[{index}]"));
        let right = catalogue.named_right(&named.0).map_err(within)?;
        if right.is_of_host() {
            return Err(within(Invalid::new("", format!("must not be {right}: it belongs to the host alone"))));
        }
        match wishes.iter().find(|(known, _)| *known == right) {
            Some((_, known)) if known != wish => {
                return Err(within(Invalid::new("", format!("must not give {right} a second status"))));
            }
            Some(_) => {}
            None => wishes.push((right, *wish)),
        }
    }
    Ok(wishes)
}
