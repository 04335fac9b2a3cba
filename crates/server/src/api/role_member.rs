//! `/api/http/permission-roles/{roleId}/profiles` and `/teams`: who has a role.

use std::sync::Arc;

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::directory::membership::Member;
use spaceport_platform::directory::role::RoleName;
use spaceport_platform::identifier::{ProfileIdentifier, TeamIdentifier};
use spaceport_store::{StoreError, Tx};
use spaceport_wire::profile::MemberProfile;
use spaceport_wire::team::Team as TeamOut;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::api::profile_out::profile_out;
use crate::api::project::team_out;
use crate::api::role::{Has, refuse_to_give, set_member};
use crate::host::directory::keeping_an_administrator;
use crate::http::access::Cx;
use crate::http::directory_access::{Change, LookAt, OnRole, emails_shown};
use crate::http::error::ApiError;
use crate::http::input::Path;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const PROFILES: &str = "/api/http/permission-roles/{roleId}/profiles";
    const PROFILE: &str = "/api/http/permission-roles/{roleId}/profiles/{profile}";
    const TEAMS: &str = "/api/http/permission-roles/{roleId}/teams";
    const TEAM: &str = "/api/http/permission-roles/{roleId}/teams/{team}";
    routes
        .get(PROFILES, "api.role.profile.list", "Get role members", profiles)
        .post(PROFILE, "api.role.profile.add", "Add role member", add_profile)
        .delete(PROFILE, "api.role.profile.remove", "Remove role member", remove_profile)
        .get(TEAMS, "api.role.team.list", "Get role teams", teams)
        .post(TEAM, "api.role.team.add", "Add role team", add_team)
        .delete(TEAM, "api.role.team.remove", "Remove role team", remove_team)
}

/// The person in the path.
#[derive(Deserialize, JsonSchema)]
pub struct ProfilePath {
    /// The person.
    profile: String,
}

/// The team in the path.
#[derive(Deserialize, JsonSchema)]
pub struct TeamPath {
    /// The team.
    team: String,
}

/// People who have a role themselves and have not left.
///
/// # Errors
/// Those of access.
pub async fn profiles(cx: Cx<OnRole<LookAt>>) -> Result<Json<Vec<MemberProfile>>, ApiError> {
    let members = cx.access.role.members.iter();
    let ids: Vec<_> = members
        .filter_map(|member| match member {
            Member::Profile(id) => Some(id.clone()),
            Member::Team(_) => None,
        })
        .collect();
    let found = cx.read(move |tx| tx.profiles(&ids)).await;
    let mut found = found.map_err(|error: StoreError| ApiError::from(error))?;
    found.retain(|profile| profile.archived_at.is_none());
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let caller = Arc::clone(&cx.caller);
    Ok(Json(found.iter().map(|profile| profile_out(profile, emails_shown(&caller, Some(&profile.id)))).collect()))
}

/// Teams whose members have a role.
///
/// # Errors
/// Those of access.
pub async fn teams(cx: Cx<OnRole<LookAt>>) -> Result<Json<Vec<TeamOut>>, ApiError> {
    let members = cx.access.role.members.iter();
    let ids: Vec<_> = members
        .filter_map(|member| match member {
            Member::Team(id) => Some(id.clone()),
            Member::Profile(_) => None,
        })
        .collect();
    let found = cx.read(move |tx| tx.teams(&ids)).await;
    let mut found = found.map_err(|error: StoreError| ApiError::from(error))?;
    found.retain(|team| team.archived_at.is_none());
    found.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(Json(found.iter().map(team_out).collect()))
}

/// Gives a role to a person; whoever has it keeps it.
///
/// # Errors
/// `not-found`; `permission-denied` when the role holds rights that the caller does not hold himself.
pub async fn add_profile(cx: Cx<OnRole<Change>>, Path(path): Path<ProfilePath>) -> Result<Done, ApiError> {
    let member = profile_of(&path, &cx)?;
    set(cx, member, Has::Given).await
}

/// Takes a role from a person; whoever has it not is left alone.
///
/// # Errors
/// `not-found`; `validation-error` when nobody would be left who administers the server.
pub async fn remove_profile(cx: Cx<OnRole<Change>>, Path(path): Path<ProfilePath>) -> Result<Done, ApiError> {
    let member = profile_of(&path, &cx)?;
    set(cx, member, Has::Taken).await
}

/// Gives a role to the members of a team.
///
/// # Errors
/// `not-found`; `permission-denied` when the role holds rights that the caller does not hold himself.
pub async fn add_team(cx: Cx<OnRole<Change>>, Path(path): Path<TeamPath>) -> Result<Done, ApiError> {
    let member = Named::Team(TeamIdentifier::parse(&path.team).map_err(|fault| fault.within("team"))?);
    set(cx, member, Has::Given).await
}

/// Takes a role from the members of a team.
///
/// # Errors
/// `not-found`; `validation-error` when nobody would be left who administers the server.
pub async fn remove_team(cx: Cx<OnRole<Change>>, Path(path): Path<TeamPath>) -> Result<Done, ApiError> {
    let member = Named::Team(TeamIdentifier::parse(&path.team).map_err(|fault| fault.within("team"))?);
    set(cx, member, Has::Taken).await
}

/// Who is named in the path.
enum Named {
    Profile(ProfileIdentifier),
    Team(TeamIdentifier),
}

fn profile_of(path: &ProfilePath, cx: &Cx<OnRole<Change>>) -> Result<Named, ApiError> {
    let identifier = ProfileIdentifier::parse(&path.profile).map_err(|fault| fault.within("profile"))?;
    match (&identifier, cx.caller.user()) {
        (ProfileIdentifier::Me, None) => {
            Err(ApiError::not_found("Profile me not found: an application has no profile"))
        }
        _ => Ok(Named::Profile(identifier)),
    }
}

impl Named {
    fn find(&self, tx: &mut Tx<'_>, cx: &spaceport_platform::access::Principal) -> Result<Member, ApiError> {
        match self {
            Self::Profile(identifier) => {
                let hidden = || ApiError::not_found(format!("Profile {identifier} not found"));
                tx.find_profile(identifier, cx)?.map(|profile| Member::Profile(profile.id)).ok_or_else(hidden)
            }
            Self::Team(identifier) => {
                let hidden = || ApiError::not_found(format!("Team {identifier} not found"));
                tx.find_team(identifier)?.map(|team| Member::Team(team.id)).ok_or_else(hidden)
            }
        }
    }
}

async fn set(cx: Cx<OnRole<Change>>, named: Named, has: Has) -> Result<Done, ApiError> {
    let (view, trail, now, caller) = (cx.access.role.clone(), cx.trail(), cx.now(), Arc::clone(&cx.caller));
    if !view.has_editable_members() {
        return Err(ApiError::validation(
            "Every member of the organization has this role; nobody can be added or removed",
        ));
    }
    if has == Has::Given {
        refuse_to_give(&caller, &view.rights, &view.place)?;
    }
    cx.write(move |tx| {
        let member = named.find(tx, &caller.principal)?;
        if matches!((&view.name, &member), (RoleName::Administrators, Member::Team(_))) {
            return Err(ApiError::validation(
                "Administrators are people: give a team a role with the right Superadmin",
            ));
        }
        if keeping_an_administrator(tx, |tx| Ok(set_member(tx, &view, &member, has, now)?))? {
            let name = member.to_string();
            let change = match has {
                Has::Given => AuditChange::between("member", None, Some(&name)),
                Has::Taken => AuditChange::between("member", Some(&name), None),
            };
            trail.record(tx, AuditTarget::other("role", view.name.to_string()), change)?;
        }
        Ok::<_, ApiError>(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}
