//! Memberships, as the host says them: who belongs to which team, project or channel.

use std::collections::{HashMap, HashSet};

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::directory::check_id;
use spaceport_platform::directory::membership::{Group, Member, Membership, Position};
use spaceport_platform::id::{ProfileId, TeamId};
use spaceport_platform::invalid::Invalid;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::directory::{MembershipEntries, MembershipEntry, Outcome, PositionEntry};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::host::directory::{At, BODY_LIMIT, Feeding, keeping_an_administrator, read_all};
use crate::http::error::ApiError;
use crate::http::input::{Body, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;

const LIST: &str = "memberships";

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const MEMBERSHIPS: &str = "/api/host/v1/directory/memberships";
    routes
        .get(MEMBERSHIPS, "host.membership.list", "List memberships", list_all)
        .put(MEMBERSHIPS, "host.membership.put_all", "Put memberships", put_all)
        .with_body_limit(BODY_LIMIT)
        .delete(MEMBERSHIPS, "host.membership.delete_all", "End memberships", delete_all)
        .with_body_limit(BODY_LIMIT)
}

/// Of what the members are listed: exactly one.
#[derive(Deserialize, JsonSchema)]
pub struct GroupQuery {
    /// Id of a team.
    team: Option<String>,
    /// Id of a project.
    project: Option<String>,
    /// Id of a channel.
    channel: Option<String>,
}

/// Who belongs to a team, a project or a channel.
///
/// # Errors
/// `validation-error` unless exactly one is named.
pub async fn list_all(cx: Feeding, Query(query): Query<GroupQuery>) -> Result<Json<Vec<MembershipEntry>>, ApiError> {
    let group = group(query.team, query.project, query.channel)?;
    let found = cx.read(move |tx| tx.memberships_in(&group)).await;
    Ok(Json(found.map_err(|error: StoreError| ApiError::from(error))?.iter().map(out).collect()))
}

fn out(membership: &Membership) -> MembershipEntry {
    let group = |kind: &str| Some(membership.group.parts()).filter(|it| it.0 == kind).map(|it| it.1.to_owned());
    let member = |kind: &str| Some(membership.member.parts()).filter(|it| it.0 == kind).map(|it| it.1.to_owned());
    MembershipEntry {
        team: group("team"),
        project: group("project"),
        channel: group("channel"),
        profile: member("profile"),
        member_team: member("team"),
        position: Some(match membership.position {
            Position::Member => PositionEntry::Member,
            Position::Admin => PositionEntry::Admin,
        }),
    }
}

fn group(team: Option<String>, project: Option<String>, channel: Option<String>) -> Result<Group, Invalid> {
    match (team, project, channel) {
        (Some(id), None, None) => Ok(Group::Team(TeamId::new(id))),
        (None, Some(id), None) => Ok(Group::Project(id)),
        (None, None, Some(id)) => Ok(Group::Channel(id)),
        _ => Err(one_of("`team`, `project` and `channel`")),
    }
}

fn one_of(names: &str) -> Invalid {
    Invalid::new("", format!("needs exactly one of {names}"))
}

/// Puts memberships: whoever belongs there already gets the new position.
///
/// # Errors
/// `validation-error` naming the entry and the field.
pub async fn put_all(cx: Feeding, Body(body): Body<MembershipEntries>) -> Result<Json<Outcome>, ApiError> {
    let memberships = read_all(LIST, body.memberships, read)?;
    let mut seen = HashSet::new();
    let repeated = |membership: &Membership| !seen.insert((membership.group.clone(), membership.member.clone()));
    if let Some(index) = memberships.iter().position(repeated) {
        return Err(ApiError::validation(format!("{LIST}[{index}] must not repeat a membership")));
    }
    let (now, trail) = (cx.now(), cx.trail());
    let outcome = cx
        .write(move |tx| {
            let known = known(tx, &memberships)?;
            let (mut outcome, mut changed, mut told) = (Outcome::default(), Vec::new(), Vec::new());
            for (index, membership) in memberships.iter().enumerate() {
                let before = known.get(&(&membership.group, &membership.member).into()).copied();
                match before {
                    Some(position) if position == membership.position => {
                        outcome.unchanged += 1;
                        continue;
                    }
                    Some(_) => outcome.changed += 1,
                    None => outcome.created += 1,
                }
                told.push(change(membership, before, Some(membership.position)));
                changed.push((index, membership.clone()));
            }
            check_references(tx, &changed)?;
            let changed: Vec<Membership> = changed.into_iter().map(|(_, membership)| membership).collect();
            tx.save_memberships(&changed, now)?;
            trail.record_all(tx, told)?;
            Ok::<_, ApiError>(outcome)
        })
        .await?;
    cx.services.callers.forget();
    Ok(Json(outcome))
}

/// Ends memberships. Those that are not there count as unchanged.
///
/// # Errors
/// `validation-error` naming the entry and the field.
pub async fn delete_all(cx: Feeding, Body(body): Body<MembershipEntries>) -> Result<Json<Outcome>, ApiError> {
    let memberships = read_all(LIST, body.memberships, read)?;
    let trail = cx.trail();
    let outcome = cx
        .write(move |tx| {
            let known = known(tx, &memberships)?;
            let (mut ended, mut told) = (HashSet::new(), Vec::new());
            for membership in &memberships {
                let key = (membership.group.clone(), membership.member.clone());
                if let Some(position) = known.get(&Key(key.clone()))
                    && ended.insert(key)
                {
                    told.push(change(membership, Some(*position), None));
                }
            }
            let ended: Vec<(Group, Member)> = ended.into_iter().collect();
            keeping_an_administrator(tx, |tx| Ok(tx.delete_memberships(&ended)?))?;
            trail.record_all(tx, told)?;
            let unchanged = memberships.len().saturating_sub(ended.len());
            Ok::<_, ApiError>(Outcome { created: 0, changed: ended.len(), unchanged })
        })
        .await?;
    cx.services.callers.forget();
    Ok(Json(outcome))
}

/// What tells memberships apart.
#[derive(PartialEq, Eq, Hash)]
struct Key((Group, Member));

impl From<(&Group, &Member)> for Key {
    fn from((group, member): (&Group, &Member)) -> Self {
        Self((group.clone(), member.clone()))
    }
}

fn known(tx: &mut Tx<'_>, memberships: &[Membership]) -> Result<HashMap<Key, Position>, StoreError> {
    let groups: HashSet<Group> = memberships.iter().map(|membership| membership.group.clone()).collect();
    let groups: Vec<Group> = groups.into_iter().collect();
    let found = tx.memberships_in_all(&groups)?;
    Ok(found.into_iter().map(|it| (Key((it.group, it.member)), it.position)).collect())
}

fn change(
    membership: &Membership,
    before: Option<Position>,
    after: Option<Position>,
) -> (AuditTarget, Vec<AuditChange>) {
    let target = AuditTarget::other("membership", format!("{} {}", membership.group, membership.member));
    let change = AuditChange::between("position", before.map(Position::name), after.map(Position::name));
    (target, change.into_iter().collect())
}

fn read(body: MembershipEntry) -> Result<Membership, Invalid> {
    let group = group(body.team, body.project, body.channel)?;
    let member = match (body.profile, body.member_team) {
        (Some(id), None) => Member::Profile(ProfileId::new(id)),
        (None, Some(id)) => Member::Team(TeamId::new(id)),
        _ => return Err(one_of("`profile` and `memberTeam`")),
    };
    if matches!((&group, &member), (Group::Team(_), Member::Team(_))) {
        return Err(Invalid::new("memberTeam", "must be absent for teams: say the `parent` of the team instead"));
    }
    check_id(group.parts().0, group.parts().1)?;
    check_id(member_field(&member), member.parts().1)?;
    let position = match body.position {
        None | Some(PositionEntry::Member) => Position::Member,
        Some(PositionEntry::Admin) => Position::Admin,
    };
    Ok(Membership { group, member, position })
}

fn member_field(member: &Member) -> &'static str {
    match member {
        Member::Profile(_) => "profile",
        Member::Team(_) => "memberTeam",
    }
}

/// Makes sure that everything a membership names is there.
fn check_references(tx: &mut Tx<'_>, memberships: &[(usize, Membership)]) -> Result<(), ApiError> {
    let ids = |kind: &str| {
        let parts = memberships.iter().flat_map(|(_, it)| [it.group.parts(), it.member.parts()]);
        let ids: HashSet<String> = parts.filter(|(part, _)| *part == kind).map(|(_, id)| id.to_owned()).collect();
        ids.into_iter().collect::<Vec<String>>()
    };
    let teams: Vec<TeamId> = ids("team").into_iter().map(TeamId::new).collect();
    let people: Vec<ProfileId> = ids("profile").into_iter().map(ProfileId::new).collect();
    let mut there: HashSet<(&str, String)> = HashSet::new();
    there.extend(tx.teams(&teams)?.into_iter().map(|team| ("team", team.id.to_string())));
    there.extend(tx.profiles(&people)?.into_iter().map(|profile| ("profile", profile.id.to_string())));
    there.extend(tx.projects(&ids("project"))?.into_iter().map(|project| ("project", project.id)));
    there.extend(tx.channels(&ids("channel"))?.into_iter().map(|channel| ("channel", channel.id)));
    for (index, membership) in memberships {
        for (field, (kind, id)) in [
            (membership.group.parts().0, membership.group.parts()),
            (member_field(&membership.member), membership.member.parts()),
        ] {
            if !there.contains(&(kind, id.to_owned())) {
                let fault = Invalid::new(field, format!("names no known {kind}: `{id}`"));
                return Err(At::List(LIST).fault(*index, fault).into());
            }
        }
    }
    Ok(())
}
