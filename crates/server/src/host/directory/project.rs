//! Projects, as the host says them.

use std::collections::HashMap;

use spaceport_platform::audit::AuditChange;
use spaceport_platform::directory::project::{Openness, Project, check};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::profile::folded;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ListOrder, ListStart, Listed, ProjectFilter, StoreError, Tx, Visible};
use spaceport_wire::batch::Batch;
use spaceport_wire::directory::{Ids, Outcome, ProjectEntries, ProjectEntry};

use crate::host::directory::{
    At, BODY_LIMIT, Feeding, Kind, Named, Paging, archive, flag, list, listed_id, put, read_all, show, single_id,
};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/host/v1/directory/projects";
    const ONE: &str = "/api/host/v1/directory/projects/{id}";
    routes
        .get(ALL, "host.project.list", "List projects", list_all)
        .put(ALL, "host.project.put_all", "Put projects", put_all)
        .with_body_limit(BODY_LIMIT)
        .delete(ALL, "host.project.delete_all", "Archive projects", delete_all)
        .with_body_limit(BODY_LIMIT)
        .get(ONE, "host.project.get", "Get project", get_one)
        .put(ONE, "host.project.put", "Put project", put_one)
        .delete(ONE, "host.project.delete", "Archive project", delete_one)
}

/// A project as a `PUT` would say it.
///
/// # Errors
/// `not-found`.
pub async fn get_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<ProjectEntry>, ApiError> {
    show::<Project>(&cx, path.id).await.map(Json)
}

/// All projects, archived ones too, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list_all(cx: Feeding, Query(paging): Query<Paging>) -> Result<Json<Batch<ProjectEntry>>, ApiError> {
    list::<Project>(&cx, &paging).await.map(Json)
}

/// Puts a project.
///
/// # Errors
/// `validation-error` naming the field.
pub async fn put_one(
    cx: Feeding,
    Path(path): Path<Named>,
    Body(body): Body<ProjectEntry>,
) -> Result<Json<Outcome>, ApiError> {
    let id = single_id(path.id, body.id.as_deref())?;
    let entry = read(id, body, cx.now())?;
    put(&cx, vec![entry], At::Single).await.map(Json)
}

/// Puts many projects.
///
/// # Errors
/// `validation-error` naming the entry and the field.
pub async fn put_all(cx: Feeding, Body(body): Body<ProjectEntries>) -> Result<Json<Outcome>, ApiError> {
    let now = cx.now();
    let entries = read_all(Project::LIST, body.projects, |mut body| read(listed_id(body.id.take())?, body, now))?;
    put(&cx, entries, At::List(Project::LIST)).await.map(Json)
}

/// Archives a project. What holds in it can still be looked at and withdrawn.
///
/// # Errors
/// Those of access.
pub async fn delete_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<Outcome>, ApiError> {
    archive::<Project>(&cx, vec![path.id]).await.map(Json)
}

/// Archives many projects.
///
/// # Errors
/// Those of access.
pub async fn delete_all(cx: Feeding, Body(body): Body<Ids>) -> Result<Json<Outcome>, ApiError> {
    archive::<Project>(&cx, body.ids).await.map(Json)
}

fn read(id: String, body: ProjectEntry, now: Timestamp) -> Result<Project, Invalid> {
    let project = Project {
        id,
        key: body.key,
        name: body.name,
        description: body.description,
        icon: body.icon,
        openness: openness(body.private),
        created_at: now,
        archived_at: body.archived.unwrap_or(false).then_some(now),
    };
    check(&project)?;
    Ok(project)
}

/// What `private` says; public when it is absent.
pub(super) fn openness(private: Option<bool>) -> Openness {
    if private == Some(true) { Openness::Private } else { Openness::Public }
}

impl Kind for Project {
    const LIST: &'static str = "projects";
    const NAME: &'static str = "project";

    type Out = ProjectEntry;

    fn id(&self) -> &str {
        &self.id
    }

    fn out(&self) -> ProjectEntry {
        ProjectEntry {
            id: Some(self.id.clone()),
            key: self.key.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            icon: self.icon.clone(),
            private: Some(self.openness == Openness::Private),
            archived: Some(self.archived_at.is_some()),
        }
    }

    fn page(tx: &mut Tx<'_>, start: &ListStart, limit: i64) -> Result<Listed<Self>, StoreError> {
        let filter =
            ProjectFilter { visible: Visible::All, term: String::new(), with_archived: true, order: ListOrder::Id };
        tx.list_projects(&filter, start, limit)
    }

    fn inherit(&mut self, known: &Self) {
        self.created_at = known.created_at;
        self.archived_at = self.archived_at.map(|now| known.archived_at.unwrap_or(now));
    }

    fn archive(&mut self, now: Timestamp) {
        self.archived_at = self.archived_at.or(Some(now));
    }

    fn changes(&self, known: Option<&Self>) -> Vec<AuditChange> {
        let text =
            |field, read: fn(&Self) -> Option<&str>| AuditChange::between(field, known.and_then(read), read(self));
        [
            text("key", |it| Some(&it.key)),
            text("name", |it| Some(&it.name)),
            text("description", |it| it.description.as_deref()),
            text("icon", |it| it.icon.as_deref()),
            flag("private", known.map(|it| it.openness == Openness::Private), self.openness == Openness::Private),
            flag("archived", known.map(|it| it.archived_at.is_some()), self.archived_at.is_some()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn load(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Self>, StoreError> {
        tx.projects(ids)
    }

    fn save(tx: &mut Tx<'_>, entries: &[(usize, Self)], _: Timestamp, at: &At) -> Result<(), ApiError> {
        let coming: HashMap<&str, &Self> = entries.iter().map(|(_, project)| (project.id.as_str(), project)).collect();
        let keys: Vec<String> = entries.iter().map(|(_, project)| folded(&project.key)).collect();
        let mut holders = tx.project_key_owners(&keys)?;
        holders.retain(|_, holder| !coming.contains_key(holder.as_str()));
        for (index, project) in entries {
            if let Some(holder) = holders.insert(folded(&project.key), project.id.clone()) {
                let field = at.field(*index, "key");
                return Err(ApiError::duplicated(format!("{field} is taken by the project {holder}")));
            }
        }
        let projects: Vec<Self> = entries.iter().map(|(_, project)| project.clone()).collect();
        Ok(tx.save_projects(&projects)?)
    }
}
