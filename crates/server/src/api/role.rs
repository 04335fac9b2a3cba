//! `/api/http/permission-roles`: which rights people and teams are given together.
//!
//! Nobody gives what he does not hold himself where the role holds: neither a right to a role, nor a role to
//! somebody.

use spaceport_platform::access::{Caller, Grant, Target, decide};
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::context::{Context, Place};
use spaceport_platform::directory::membership::{Group, Member, Membership, Position};
use spaceport_platform::directory::role::{RIGHTS_OF_MEMBERS, Role, RoleName, check};
use spaceport_platform::id::{Id, ProfileId, RoleId};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::right::Right;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::RightStatus;
use spaceport_wire::right::RightOfApplication;
use spaceport_wire::role::{CreateRole, GetRoles, GrantRoleRights, Role as RoleOut, UpdateRole};

use std::collections::HashSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::right_out::right_out;
use crate::api::role_view::RoleView;
use crate::host::directory::keeping_an_administrator;
use crate::host::directory::role::{grantable, listed, refuse_for_all_members};
use crate::http::access::{Authenticated, Cx};
use crate::http::directory_access::{Change, LookAt, OnRole, RoleUse};
use crate::http::error::ApiError;
use crate::http::input::{Body, Query};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ROLE: &str = "/api/http/permission-roles/{roleId}";
    const RIGHTS: &str = "/api/http/permission-roles/{roleId}/permissions";
    const RESET: &str = "/api/http/permission-roles/{roleId}/reset-role-permissions-to-default";
    routes
        .post("/api/http/permission-roles/get", "api.role.list", "Get roles", list)
        .post("/api/http/permission-roles/create", "api.role.create", "Create role", create)
        .patch(ROLE, "api.role.update", "Update role", update)
        .delete(ROLE, "api.role.delete", "Delete role", delete)
        .get(RIGHTS, "api.role.right.list", "Get role permissions", rights_of)
        .post(RIGHTS, "api.role.right.grant", "Grant role permissions", grant)
        .delete(RIGHTS, "api.role.right.revoke", "Revoke role permissions", revoke)
        .post(RESET, "api.role.right.reset", "Reset role permissions to default", reset)
}

/// The roles of a context, predefined ones first.
///
/// # Errors
/// `not-found` when there is no such context, or the caller may not look at its roles.
pub async fn list(cx: Cx<Authenticated>, Body(body): Body<GetRoles>) -> Result<Json<Vec<RoleOut>>, ApiError> {
    let identifier = body.context_identifier.0;
    let caller = Arc::clone(&cx.caller);
    let roles = cx
        .read(move |tx| {
            let hidden = || ApiError::not_found(format!("Context {identifier} not found"));
            let place = tx.place(&identifier)?.ok_or_else(hidden)?;
            if !LookAt::allows(&caller, &place) {
                // That there is an organization is no secret.
                return Err(if place == Place::GLOBAL { needed(&LookAt::right(&place)) } else { hidden() });
            }
            Ok(RoleView::all(tx, &place)?)
        })
        .await?;
    Ok(Json(roles.iter().map(RoleView::out).collect()))
}

fn needed(right: &Right) -> ApiError {
    ApiError::denied(format!("The right {right} is needed here"))
}

/// Makes a role without rights and members.
///
/// # Errors
/// `not-found`, `permission-denied`, `duplicated-entity` for a name that is taken, `validation-error`.
pub async fn create(cx: Cx<Authenticated>, Body(body): Body<CreateRole>) -> Result<Json<RoleOut>, ApiError> {
    let (now, trail, caller) = (cx.now(), cx.trail(), Arc::clone(&cx.caller));
    let id: RoleId = Id::generate(now, cx.services.random.as_ref());
    let made = cx
        .write(move |tx| {
            let hidden = || ApiError::not_found(format!("Context {} not found", body.context_identifier.0));
            let place = tx.place(&body.context_identifier.0)?.ok_or_else(hidden)?;
            if place != Place::GLOBAL && !LookAt::allows(&caller, &place) {
                return Err(hidden());
            }
            let right = Change::right(&place);
            if let Some(refusal) = ApiError::from_decision(decide(&caller, &right, Target::Place(&place)), right.code())
            {
                return Err(refusal);
            }
            let (context, name) = (place.context().clone(), body.name.trim().to_owned());
            let role = Role { id: id.clone(), context, name, description: None, created_at: now };
            check(&role)?;
            refuse_taken_name(tx, &role)?;
            tx.save_role(&role)?;
            let changes = [
                AuditChange::between("context", None, Some(&role.context.to_string())),
                AuditChange::between("name", None, Some(&role.name)),
            ];
            trail.record(tx, target(&role.id), changes.into_iter().flatten())?;
            RoleView::load(tx, &RoleName::Stored(role.id))?.ok_or_else(|| ApiError::internal("a role vanished"))
        })
        .await?;
    Ok(Json(made.out()))
}

fn refuse_taken_name(tx: &mut Tx<'_>, role: &Role) -> Result<(), ApiError> {
    match tx.role_by_name(&role.context, &role.name)?.filter(|holder| holder.id != role.id) {
        Some(holder) => Err(ApiError::duplicated(format!("name is taken by the role {}", holder.id))),
        None => Ok(()),
    }
}

fn target(id: &RoleId) -> AuditTarget {
    AuditTarget::other("role", id.as_str())
}

/// The stored role behind what was found; it is read again, because it may have changed since.
fn stored(tx: &mut Tx<'_>, view: &RoleView) -> Result<Role, ApiError> {
    match &view.name {
        RoleName::Stored(id) => tx.role(id)?.ok_or_else(|| ApiError::not_found(format!("Role {id} not found"))),
        RoleName::Administrators | RoleName::Holders(..) => {
            Err(ApiError::validation("A predefined role keeps its name and rights; only its members can be changed"))
        }
    }
}

/// Renames a role.
///
/// # Errors
/// `duplicated-entity` for a name that is taken, `validation-error` for predefined roles.
pub async fn update(cx: Cx<OnRole<Change>>, Body(body): Body<UpdateRole>) -> Result<Done, ApiError> {
    let (view, trail) = (cx.access.role.clone(), cx.trail());
    cx.write(move |tx| {
        let known = stored(tx, &view)?;
        let role = Role { name: body.name.trim().to_owned(), ..known.clone() };
        check(&role)?;
        refuse_taken_name(tx, &role)?;
        if let Some(change) = AuditChange::between("name", Some(&known.name), Some(&role.name)) {
            tx.save_role(&role)?;
            trail.record(tx, target(&role.id), [change])?;
        }
        Ok::<_, ApiError>(())
    })
    .await?;
    Ok(Done)
}

/// Deletes a role; whoever had it loses its rights.
///
/// # Errors
/// `validation-error` for predefined roles, and when nobody would be left who administers the server.
pub async fn delete(cx: Cx<OnRole<Change>>) -> Result<Done, ApiError> {
    let (view, trail) = (cx.access.role.clone(), cx.trail());
    cx.write(move |tx| {
        let role = stored(tx, &view)?;
        refuse_for_all_members(&role)?;
        keeping_an_administrator(tx, |tx| Ok(tx.delete_role(&role.id)?))?;
        trail.record(tx, target(&role.id), AuditChange::between("name", Some(&role.name), None))?;
        Ok::<_, ApiError>(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// The rights of a role.
///
/// # Errors
/// Those of access.
pub async fn rights_of(cx: Cx<OnRole<LookAt>>) -> Result<Json<Vec<RightOfApplication>>, ApiError> {
    let (catalogue, role) = (cx.services.catalogue.current(), &cx.access.role);
    let may_change = cx.caller.holds(&Change::right(&role.place), &role.place) && role.has_editable_rights();
    let shown = role.rights.iter().map(|right| RightOfApplication {
        status: RightStatus::Granted,
        editable: may_change && cx.caller.may_give(right, &role.place),
        ..right_out(&catalogue, right)
    });
    Ok(Json(shown.collect()))
}

/// Gives rights to a role; those it has stay.
///
/// # Errors
/// `permission-denied` for a right that the caller does not hold there himself, `validation-error` for unknown
/// rights and predefined roles.
pub async fn grant(cx: Cx<OnRole<Change>>, Body(body): Body<GrantRoleRights>) -> Result<Done, ApiError> {
    let added = rights(&cx.services.catalogue.current(), &body.right_codes.0)?;
    set_rights(cx, move |known| known.union(&added).cloned().collect()).await
}

/// Rights that the query names.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokedRights {
    /// Codes of the rights.
    right_codes: Vec<String>,
}

/// Takes rights from a role; those it has not are left alone.
///
/// # Errors
/// `validation-error` for unknown rights and predefined roles, and when nobody would be left who administers the
/// server.
pub async fn revoke(cx: Cx<OnRole<Change>>, Query(query): Query<RevokedRights>) -> Result<Done, ApiError> {
    let taken = rights(&cx.services.catalogue.current(), &query.right_codes)?;
    set_rights(cx, move |known| known.difference(&taken).cloned().collect()).await
}

/// Gives the role of all members the rights it had at first.
///
/// # Errors
/// `validation-error` for any other role; `permission-denied` for a right that it lost and the caller does not hold himself.
pub async fn reset(cx: Cx<OnRole<Change>>) -> Result<Done, ApiError> {
    if cx.access.role.name != RoleName::Stored(RoleId::new(spaceport_platform::directory::role::MEMBERS)) {
        return Err(ApiError::validation("Only the role of all members has rights to go back to"));
    }
    set_rights(cx, |_| RIGHTS_OF_MEMBERS.into_iter().collect()).await
}

fn rights(catalogue: &spaceport_platform::catalogue::Catalogue, codes: &[String]) -> Result<HashSet<Right>, Invalid> {
    let read = |(index, code): (usize, &String)| {
        grantable(catalogue, code).map_err(|fault| fault.within(&format!("rightCodes[{index}]")))
    };
    codes.iter().enumerate().map(read).collect()
}

async fn set_rights(
    cx: Cx<OnRole<Change>>,
    wanted: impl Fn(&HashSet<Right>) -> HashSet<Right> + Send + Sync + 'static,
) -> Result<Done, ApiError> {
    let (view, trail, caller) = (cx.access.role.clone(), cx.trail(), Arc::clone(&cx.caller));
    cx.write(move |tx| {
        let role = stored(tx, &view)?;
        let known: HashSet<Right> = tx.role_rights(&role.id)?.into_iter().collect();
        let wanted = wanted(&known);
        refuse_to_give(&caller, wanted.difference(&known), &view.place)?;
        let Some(change) = AuditChange::between("rights", listed(&known).as_deref(), listed(&wanted).as_deref()) else {
            return Ok(());
        };
        keeping_an_administrator(tx, |tx| {
            tx.add_role_rights(&role.id, &wanted.difference(&known).cloned().collect::<Vec<_>>())?;
            Ok(tx.remove_role_rights(&role.id, &known.difference(&wanted).cloned().collect::<Vec<_>>())?)
        })?;
        trail.record(tx, target(&role.id), [change])?;
        Ok::<_, ApiError>(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// Refuses rights that the caller does not hold at a place.
pub(crate) fn refuse_to_give<'a>(
    caller: &Caller,
    rights: impl IntoIterator<Item = &'a Right>,
    place: &Place,
) -> Result<(), ApiError> {
    match rights.into_iter().find(|right| !caller.may_give(right, place)) {
        Some(right) => Err(ApiError::denied(format!("Nobody gives what he does not hold himself: the right {right}"))),
        None => Ok(()),
    }
}

/// Gives or takes a role, whatever kind it is; answers whether anything changed.
pub(crate) fn set_member(
    tx: &mut Tx<'_>,
    view: &RoleView,
    member: &Member,
    has: Has,
    now: spaceport_platform::time::Timestamp,
) -> Result<bool, StoreError> {
    let had = match &view.name {
        RoleName::Stored(id) => tx.role_members(id)?.contains(member),
        RoleName::Administrators | RoleName::Holders(..) => view.members.contains(member),
    };
    if had == (has == Has::Given) {
        return Ok(false);
    }
    match (&view.name, member) {
        (RoleName::Stored(id), member) => match has {
            Has::Given => tx.add_role_members(id, std::slice::from_ref(member))?,
            Has::Taken => tx.remove_role_members(id, std::slice::from_ref(member))?,
        },
        (RoleName::Administrators, Member::Profile(person)) => set_administrator(tx, person, has, now)?,
        // Teams get the right by a role.
        (RoleName::Administrators, Member::Team(_)) => return Ok(false),
        (RoleName::Holders(group, position), member) => set_holder(tx, group, *position, member, has, now)?,
    }
    Ok(true)
}

/// Whether somebody gets a role or loses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Has {
    /// He gets it.
    Given,
    /// He loses it.
    Taken,
}

fn set_administrator(
    tx: &mut Tx<'_>,
    person: &ProfileId,
    has: Has,
    now: spaceport_platform::time::Timestamp,
) -> Result<(), StoreError> {
    let principal = spaceport_platform::access::Principal::User(person.clone());
    let grant = Grant { right: Right::SUPERADMIN, context: Context::Global };
    match has {
        Has::Given => tx.grant(&principal, &grant, now),
        Has::Taken => tx.revoke_grant(&principal, &grant).map(|_| ()),
    }
}

fn set_holder(
    tx: &mut Tx<'_>,
    group: &Group,
    position: Position,
    member: &Member,
    has: Has,
    now: spaceport_platform::time::Timestamp,
) -> Result<(), StoreError> {
    match has {
        Has::Given => {
            let membership = Membership { group: group.clone(), member: member.clone(), position };
            tx.save_memberships(&[membership], now)
        }
        Has::Taken => tx.delete_memberships(&[(group.clone(), member.clone())]).map(|_| ()),
    }
}
