//! Roles, as the host says them: rights in one context, and who has them.

use std::collections::HashSet;

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::context::Context;
use spaceport_platform::directory::membership::Member;
use spaceport_platform::directory::role::{Role, check};
use spaceport_platform::id::{ProfileId, RoleId, TeamId};
use spaceport_platform::identifier::PermissionContextIdentifier;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ListOrder, Listed, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::directory::{Ids, Outcome, RoleEntries, RoleEntry};
use spaceport_wire::identifier::PermissionContextIdentifier as ContextOut;
use spaceport_wire::scalar::List;

use crate::api::walk;

use crate::host::directory::{
    At, BODY_LIMIT, Feeding, Named, Paging, check_ids, count, keeping_an_administrator, listed_id, read_all, single_id,
};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;
use crate::http::trail::Trail;

const LIST: &str = "roles";

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/host/v1/directory/roles";
    const ONE: &str = "/api/host/v1/directory/roles/{id}";
    routes
        .get(ALL, "host.role.list", "List roles", list_all)
        .put(ALL, "host.role.put_all", "Put roles", put_all)
        .with_body_limit(BODY_LIMIT)
        .delete(ALL, "host.role.delete_all", "Delete roles", delete_all)
        .with_body_limit(BODY_LIMIT)
        .get(ONE, "host.role.get", "Get role", get_one)
        .put(ONE, "host.role.put", "Put role", put_one)
        .delete(ONE, "host.role.delete", "Delete role", delete_one)
}

/// A role as a `PUT` would say it.
///
/// # Errors
/// `not-found`.
pub async fn get_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<RoleEntry>, ApiError> {
    let id = RoleId::new(path.id.as_str());
    let found = cx.read(move |tx| tx.role(&id)?.map(|role| out(tx, &role)).transpose()).await;
    let found = found.map_err(|error: StoreError| ApiError::from(error))?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("The directory has no {} of this kind", path.id)))
}

/// All stored roles, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list_all(cx: Feeding, Query(paging): Query<Paging>) -> Result<Json<Batch<RoleEntry>>, ApiError> {
    let (page, start) = paging.read()?;
    let limit = page.limit;
    let listed = cx
        .read(move |tx| {
            let listed = tx.list_roles(&start, limit)?;
            let mut entries = Vec::with_capacity(listed.entries.len());
            for role in &listed.entries {
                entries.push(out(tx, role)?);
            }
            Ok::<_, StoreError>(Listed { entries, total: listed.total, last: listed.last })
        })
        .await
        .map_err(ApiError::from)?;
    Ok(Json(walk::batch(&page, ListOrder::Id, listed)))
}

fn out(tx: &mut Tx<'_>, role: &Role) -> Result<RoleEntry, StoreError> {
    let members = tx.role_members(&role.id)?;
    let of_kind = |kind: &str| {
        let parts = members.iter().map(Member::parts).filter(|(part, _)| *part == kind);
        List(parts.map(|(_, id)| id.to_owned()).collect())
    };
    Ok(RoleEntry {
        id: Some(role.id.to_string()),
        context: Some(ContextOut(role.context.clone().into())),
        name: role.name.clone(),
        description: role.description.clone(),
        rights: List(tx.role_rights(&role.id)?.iter().map(|right| right.code().to_owned()).collect()),
        profiles: of_kind("profile"),
        teams: of_kind("team"),
    })
}

/// A role as the host wants it.
struct Wanted {
    id: RoleId,
    context: PermissionContextIdentifier,
    name: String,
    description: Option<String>,
    rights: HashSet<Right>,
    members: HashSet<Member>,
}

/// Puts a role with its rights and members.
///
/// # Errors
/// `validation-error` naming the field.
pub async fn put_one(
    cx: Feeding,
    Path(path): Path<Named>,
    Body(body): Body<RoleEntry>,
) -> Result<Json<Outcome>, ApiError> {
    let id = single_id(path.id, body.id.as_deref())?;
    let wanted = read(id, body, &cx.services.catalogue.current())?;
    put(cx, vec![wanted], At::Single).await
}

/// Puts many roles with their rights and members.
///
/// # Errors
/// `validation-error` naming the entry and the field.
pub async fn put_all(cx: Feeding, Body(body): Body<RoleEntries>) -> Result<Json<Outcome>, ApiError> {
    let catalogue = cx.services.catalogue.current();
    let wanted = read_all(LIST, body.roles, |mut body| read(listed_id(body.id.take())?, body, &catalogue))?;
    put(cx, wanted, At::List(LIST)).await
}

/// Deletes a role; whoever had it loses its rights.
///
/// # Errors
/// `validation-error` for the role of all members, and when nobody would be left who administers the server.
pub async fn delete_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<Outcome>, ApiError> {
    delete(cx, vec![path.id]).await
}

/// Deletes many roles.
///
/// # Errors
/// Those of deleting one.
pub async fn delete_all(cx: Feeding, Body(body): Body<Ids>) -> Result<Json<Outcome>, ApiError> {
    delete(cx, body.ids).await
}

async fn put(cx: Feeding, wanted: Vec<Wanted>, at: At) -> Result<Json<Outcome>, ApiError> {
    let (now, trail) = (cx.now(), cx.trail());
    let work = move |tx: &mut Tx<'_>| {
        let mut outcome = Outcome::default();
        for (index, wanted) in wanted.iter().enumerate() {
            store(tx, wanted, now, &trail, &mut outcome).map_err(|fault| match fault {
                Refused::Invalid(fault) => at.fault(index, fault).into(),
                Refused::Duplicated(holder) => {
                    ApiError::duplicated(format!("{} is taken by the role {holder}", at.field(index, "name")))
                }
                Refused::Other(fault) => fault,
            })?;
        }
        Ok(outcome)
    };
    let outcome = cx.write(move |tx| keeping_an_administrator(tx, &work)).await?;
    cx.services.callers.forget();
    Ok(Json(outcome))
}

/// Why a role cannot be stored.
enum Refused {
    Invalid(Invalid),
    /// Its name belongs to this other role.
    Duplicated(RoleId),
    Other(ApiError),
}

impl<E: Into<ApiError>> From<E> for Refused {
    fn from(fault: E) -> Self {
        Self::Other(fault.into())
    }
}

fn store(
    tx: &mut Tx<'_>,
    wanted: &Wanted,
    now: Timestamp,
    trail: &Trail,
    outcome: &mut Outcome,
) -> Result<(), Refused> {
    let unknown = |field: String, what: String| Refused::Invalid(Invalid::new(field, format!("names no known {what}")));
    let context = tx
        .find_context(&wanted.context)?
        .ok_or_else(|| unknown("context".to_owned(), format!("context: `{}`", wanted.context)))?;
    let known = tx.role(&wanted.id)?;
    let role = Role {
        id: wanted.id.clone(),
        context,
        name: wanted.name.clone(),
        description: wanted.description.clone(),
        created_at: known.as_ref().map_or(now, |known| known.created_at),
    };
    check(&role).map_err(Refused::Invalid)?;
    if let Some(holder) = tx.role_by_name(&role.context, &role.name)?.filter(|holder| holder.id != role.id) {
        return Err(Refused::Duplicated(holder.id));
    }
    let rights: HashSet<Right> = tx.role_rights(&role.id)?.into_iter().collect();
    let members: HashSet<Member> = tx.role_members(&role.id)?.into_iter().collect();
    if known.as_ref() == Some(&role) && rights == wanted.rights && members == wanted.members {
        outcome.unchanged += 1;
        return Ok(());
    }
    let new_members: Vec<Member> = sorted(wanted.members.difference(&members));
    for member in &new_members {
        let (field, there) = match member {
            Member::Profile(id) => ("profiles", tx.profile(id)?.is_some()),
            Member::Team(id) => ("teams", tx.team(id)?.is_some()),
        };
        if !there {
            let (kind, id) = member.parts();
            return Err(unknown(field.to_owned(), format!("{kind}: `{id}`")));
        }
    }
    tx.save_role(&role)?;
    tx.add_role_rights(&role.id, &sorted(wanted.rights.difference(&rights)))?;
    tx.remove_role_rights(&role.id, &sorted(rights.difference(&wanted.rights)))?;
    tx.add_role_members(&role.id, &new_members)?;
    tx.remove_role_members(&role.id, &sorted(members.difference(&wanted.members)))?;
    match known {
        Some(_) => outcome.changed += 1,
        None => outcome.created += 1,
    }
    let context = |role: &Role| role.context.to_string();
    let changes = [
        AuditChange::between("context", known.as_ref().map(context).as_deref(), Some(&context(&role))),
        AuditChange::between("name", known.as_ref().map(|it| it.name.as_str()), Some(&role.name)),
        AuditChange::between(
            "description",
            known.as_ref().and_then(|it| it.description.as_deref()),
            role.description.as_deref(),
        ),
        AuditChange::between("rights", listed(&rights).as_deref(), listed(&wanted.rights).as_deref()),
        AuditChange::between("members", listed(&members).as_deref(), listed(&wanted.members).as_deref()),
    ];
    trail.record(tx, AuditTarget::other("role", role.id.as_str()), changes.into_iter().flatten())?;
    Ok(())
}

/// Elements as one text, for the audit trail; nothing for none.
pub(crate) fn listed<T: ToString + Ord>(elements: &HashSet<T>) -> Option<String> {
    let mut elements: Vec<&T> = elements.iter().collect();
    elements.sort();
    let texts: Vec<String> = elements.into_iter().map(T::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(" "))
}

fn sorted<'a, T: Clone + Ord + 'a>(elements: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut elements: Vec<T> = elements.cloned().collect();
    elements.sort();
    elements
}

async fn delete(cx: Feeding, ids: Vec<String>) -> Result<Json<Outcome>, ApiError> {
    count("ids", ids.len())?;
    let trail = cx.trail();
    let work = move |tx: &mut Tx<'_>| {
        let mut outcome = Outcome::default();
        for id in &ids {
            let id = RoleId::new(id.as_str());
            let Some(role) = tx.role(&id)? else {
                outcome.unchanged += 1;
                continue;
            };
            refuse_for_all_members(&role)?;
            tx.delete_role(&id)?;
            let name = AuditChange::between("name", Some(&role.name), None);
            trail.record(tx, AuditTarget::other("role", id.as_str()), name)?;
            outcome.changed += 1;
        }
        Ok(outcome)
    };
    let outcome = cx.write(move |tx| keeping_an_administrator(tx, &work)).await?;
    cx.services.callers.forget();
    Ok(Json(outcome))
}

/// The role of all members is always there.
///
/// # Errors
/// `validation-error`.
pub fn refuse_for_all_members(role: &Role) -> Result<(), ApiError> {
    if role.is_of_everybody() {
        return Err(ApiError::validation("The role of all members cannot be deleted; take its rights away instead"));
    }
    Ok(())
}

fn read(id: String, body: RoleEntry, catalogue: &Catalogue) -> Result<Wanted, Invalid> {
    check_ids("profiles", &body.profiles.0)?;
    check_ids("teams", &body.teams.0)?;
    let context = body.context.map_or(PermissionContextIdentifier::Global, |context| context.0);
    let rights = body.rights.0.iter().enumerate();
    let rights = rights
        .map(|(index, code)| grantable(catalogue, code).map_err(|fault| fault.within(&format!("rights[{index}]"))))
        .collect::<Result<_, _>>()?;
    let people = body.profiles.0.into_iter().map(|id| Member::Profile(ProfileId::new(id)));
    let teams = body.teams.0.into_iter().map(|id| Member::Team(TeamId::new(id)));
    let members: HashSet<Member> = people.chain(teams).collect();
    let wanted =
        Wanted { id: RoleId::new(id), context, name: body.name, description: body.description, rights, members };
    let role = Role {
        id: wanted.id.clone(),
        context: Context::Global,
        name: wanted.name.clone(),
        description: wanted.description.clone(),
        created_at: Timestamp::from_millis(0),
    };
    check(&role)?;
    if role.is_of_everybody() && !wanted.members.is_empty() {
        return Err(Invalid::new("profiles", "must be empty for the role that all members have"));
    }
    Ok(wanted)
}

/// A right that a role can hold: one of the catalogue, but none of the host's.
///
/// # Errors
/// When there is no such right, or it is the host's.
pub fn grantable(catalogue: &Catalogue, code: &str) -> Result<Right, Invalid> {
    let shown: String = code.chars().take(100).collect();
    match catalogue.right(code) {
        None => Err(Invalid::new("", format!("names no known right: `{shown}`"))),
        Some(_) if Right::from_code(code).is_of_host() => {
            Err(Invalid::new("", format!("must not be a right of the host: `{shown}`")))
        }
        Some(_) => Ok(Right::from_code(code)),
    }
}
