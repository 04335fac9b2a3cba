//! `/api/http/projects`: the projects of the organization.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::Caller;
use spaceport_platform::directory::membership::{Group, Member, Membership, Position};
use spaceport_platform::directory::package_repository::PackageRepository;
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::directory::team::Team;
use spaceport_platform::id::{ProfileId, TeamId};
use spaceport_platform::profile::Profile;
use spaceport_store::{ListOrder, Listed, ProjectFilter, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::project::{Project as ProjectOut, ProjectKey, ProjectPackageRepository};
use spaceport_wire::scalar::DateTime;
use spaceport_wire::team::Team as TeamOut;

use crate::api::page::Page;
use crate::api::profile_out::profile_out;
use crate::api::walk;
use crate::http::access::{Authenticated, Cx};
use crate::http::directory_access::{OnProject, emails_shown, visible_projects};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/http/projects", "api.project.list", "Get all projects", list).get(
        "/api/http/projects/{project}",
        "api.project.get",
        "Get project",
        get,
    )
}

/// A project, with who belongs to it.
///
/// # Errors
/// Those of access.
pub async fn get(cx: Cx<OnProject>) -> Result<Json<ProjectOut>, ApiError> {
    let (project, caller) = (cx.access.project.clone(), Arc::clone(&cx.caller));
    let found = cx.read(move |tx| with_members(tx, &caller, std::slice::from_ref(&project))).await;
    let mut found = found.map_err(|error: StoreError| ApiError::from(error))?;
    found.pop().map(Json).ok_or_else(|| ApiError::internal("a project vanished"))
}

/// Filters of the list. All must hold.
#[derive(Deserialize, JsonSchema)]
pub struct ListFilter {
    /// Where the page begins.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top")]
    top: Option<i32>,
    /// Part of the name or the whole key, in any case.
    term: Option<String>,
    /// A tag; no project has one.
    tag: Option<String>,
    /// Whether the calling person has marked it; nobody has marked one.
    starred: Option<bool>,
}

/// Projects that the caller sees, page by page, by name.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(cx: Cx<Authenticated>, Query(query): Query<ListFilter>) -> Result<Json<Batch<ProjectOut>>, ApiError> {
    let page = Page::walked(query.skip.as_deref(), query.top.map(i64::from))?;
    let start = walk::start(&page, ListOrder::Name)?;
    if query.tag.is_some() || query.starred == Some(true) {
        return Ok(Json(page.batch_after(Vec::new(), 0, None)));
    }
    let (term, caller, limit) = (query.term.unwrap_or_default(), Arc::clone(&cx.caller), page.limit);
    let listed = cx
        .read(move |tx| {
            let visible = visible_projects(tx, &caller)?;
            let filter = ProjectFilter { visible, term: term.clone(), with_archived: false, order: ListOrder::Name };
            let listed = tx.list_projects(&filter, &start, limit)?;
            let entries = with_members(tx, &caller, &listed.entries)?;
            Ok::<_, StoreError>(Listed { entries, total: listed.total, last: listed.last })
        })
        .await
        .map_err(ApiError::from)?;
    Ok(Json(walk::batch(&page, ListOrder::Name, listed)))
}

/// Projects with who belongs to them, everybody loaded once.
fn with_members(tx: &mut Tx<'_>, caller: &Caller, projects: &[Project]) -> Result<Vec<ProjectOut>, StoreError> {
    let groups: Vec<Group> = projects.iter().map(|project| Group::Project(project.id.clone())).collect();
    let memberships = tx.memberships_in_all(&groups)?;
    let (mut people, mut teams): (Vec<ProfileId>, Vec<TeamId>) = (Vec::new(), Vec::new());
    for membership in &memberships {
        match &membership.member {
            Member::Profile(id) => people.push(id.clone()),
            Member::Team(id) => teams.push(id.clone()),
        }
    }
    people.sort();
    people.dedup();
    teams.sort();
    teams.dedup();
    let (people, teams) = (tx.profiles(&people)?, tx.teams(&teams)?);
    let out = |project: &Project| {
        let mut out = project_out(project);
        let here = |membership: &&Membership| membership.group.parts() == ("project", project.id.as_str());
        for membership in memberships.iter().filter(here) {
            add(&mut out, membership, &people, &teams, caller);
        }
        out
    };
    Ok(projects.iter().map(out).collect())
}

fn add(out: &mut ProjectOut, membership: &Membership, people: &[Profile], teams: &[Team], caller: &Caller) {
    match &membership.member {
        Member::Profile(id) => {
            let list = match membership.position {
                Position::Admin => &mut out.admin_profiles,
                Position::Member => &mut out.member_profiles,
            };
            // Whoever has left belongs nowhere any more.
            let person = people.iter().find(|profile| profile.id == *id && profile.archived_at.is_none());
            list.extend(person.map(|profile| profile_out(profile, emails_shown(caller, Some(id)))));
        }
        Member::Team(id) => {
            let list = match membership.position {
                Position::Admin => &mut out.admin_teams,
                Position::Member => &mut out.member_teams,
            };
            list.extend(teams.iter().find(|team| team.id == *id && team.archived_at.is_none()).map(team_out));
        }
    }
}

/// A project, without who belongs to it.
pub fn project_out(project: &Project) -> ProjectOut {
    ProjectOut {
        id: project.id.clone(),
        key: ProjectKey { key: project.key.clone() },
        name: project.name.clone(),
        private: project.openness == Openness::Private,
        description: project.description.clone(),
        icon: project.icon.clone(),
        created_at: Some(DateTime(project.created_at)),
        archived: project.archived_at.is_some(),
        admin_profiles: Vec::new(),
        admin_teams: Vec::new(),
        member_profiles: Vec::new(),
        member_teams: Vec::new(),
    }
}

/// A package repository.
pub fn package_repository_out(repository: &PackageRepository, project: &Project) -> ProjectPackageRepository {
    ProjectPackageRepository {
        id: repository.id.clone(),
        project: project_out(project),
        name: repository.name.clone(),
        description: repository.description.clone(),
        archived: repository.archived_at.is_some(),
    }
}

/// A team.
pub fn team_out(team: &Team) -> TeamOut {
    TeamOut {
        id: team.id.to_string(),
        name: team.name.clone(),
        description: team.description.clone().unwrap_or_default(),
        archived: team.archived_at.is_some(),
        external_id: team.external_id.clone(),
    }
}
