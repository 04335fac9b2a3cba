//! Package repositories, as the host says them.

use std::collections::HashSet;

use spaceport_platform::audit::AuditChange;
use spaceport_platform::directory::package_repository::{PackageRepository, check};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ListStart, Listed, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::directory::{Ids, Outcome, PackageRepositoryEntries, PackageRepositoryEntry};

use crate::host::directory::{
    At, BODY_LIMIT, Feeding, Kind, Named, Paging, archive, flag, list, listed_id, put, read_all, show, single_id,
};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/host/v1/directory/package-repositories";
    const ONE: &str = "/api/host/v1/directory/package-repositories/{id}";
    routes
        .get(ALL, "host.package_repository.list", "List package repositories", list_all)
        .put(ALL, "host.package_repository.put_all", "Put package repositories", put_all)
        .with_body_limit(BODY_LIMIT)
        .delete(ALL, "host.package_repository.delete_all", "Archive package repositories", delete_all)
        .with_body_limit(BODY_LIMIT)
        .get(ONE, "host.package_repository.get", "Get package repository", get_one)
        .put(ONE, "host.package_repository.put", "Put package repository", put_one)
        .delete(ONE, "host.package_repository.delete", "Archive package repository", delete_one)
}

/// A package repository as a `PUT` would say it.
///
/// # Errors
/// `not-found`.
pub async fn get_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<PackageRepositoryEntry>, ApiError> {
    show::<PackageRepository>(&cx, path.id).await.map(Json)
}

/// All package repositories, archived ones too, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list_all(
    cx: Feeding,
    Query(paging): Query<Paging>,
) -> Result<Json<Batch<PackageRepositoryEntry>>, ApiError> {
    list::<PackageRepository>(&cx, &paging).await.map(Json)
}

/// Puts a package repository.
///
/// # Errors
/// `validation-error` naming the field.
pub async fn put_one(
    cx: Feeding,
    Path(path): Path<Named>,
    Body(body): Body<PackageRepositoryEntry>,
) -> Result<Json<Outcome>, ApiError> {
    let id = single_id(path.id, body.id.as_deref())?;
    let entry = read(id, body, cx.now())?;
    put(&cx, vec![entry], At::Single).await.map(Json)
}

/// Puts many package repositories.
///
/// # Errors
/// `validation-error` naming the entry and the field.
pub async fn put_all(cx: Feeding, Body(body): Body<PackageRepositoryEntries>) -> Result<Json<Outcome>, ApiError> {
    let now = cx.now();
    let entries = read_all(PackageRepository::LIST, body.package_repositories, |mut body| {
        read(listed_id(body.id.take())?, body, now)
    })?;
    put(&cx, entries, At::List(PackageRepository::LIST)).await.map(Json)
}

/// Archives a package repository. What holds in it can still be looked at and withdrawn.
///
/// # Errors
/// Those of access.
pub async fn delete_one(cx: Feeding, Path(path): Path<Named>) -> Result<Json<Outcome>, ApiError> {
    archive::<PackageRepository>(&cx, vec![path.id]).await.map(Json)
}

/// Archives many package repositories.
///
/// # Errors
/// Those of access.
pub async fn delete_all(cx: Feeding, Body(body): Body<Ids>) -> Result<Json<Outcome>, ApiError> {
    archive::<PackageRepository>(&cx, body.ids).await.map(Json)
}

fn read(id: String, body: PackageRepositoryEntry, now: Timestamp) -> Result<PackageRepository, Invalid> {
    let repository = PackageRepository {
        id,
        project: body.project,
        name: body.name,
        description: body.description,
        created_at: now,
        archived_at: body.archived.unwrap_or(false).then_some(now),
    };
    check(&repository)?;
    Ok(repository)
}

impl Kind for PackageRepository {
    const LIST: &'static str = "packageRepositories";
    const NAME: &'static str = "package_repository";

    type Out = PackageRepositoryEntry;

    fn id(&self) -> &str {
        &self.id
    }

    fn out(&self) -> PackageRepositoryEntry {
        PackageRepositoryEntry {
            id: Some(self.id.clone()),
            project: self.project.clone(),
            name: self.name.clone(),
            description: self.description.clone(),
            archived: Some(self.archived_at.is_some()),
        }
    }

    fn page(tx: &mut Tx<'_>, start: &ListStart, limit: i64) -> Result<Listed<Self>, StoreError> {
        tx.list_package_repositories(start, limit)
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
            text("project", |it| Some(&it.project)),
            text("name", |it| Some(&it.name)),
            text("description", |it| it.description.as_deref()),
            flag("archived", known.map(|it| it.archived_at.is_some()), self.archived_at.is_some()),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn load(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Self>, StoreError> {
        tx.package_repositories(ids)
    }

    fn save(tx: &mut Tx<'_>, entries: &[(usize, Self)], _: Timestamp, at: &At) -> Result<(), ApiError> {
        let projects: Vec<String> = entries.iter().map(|(_, repository)| repository.project.clone()).collect();
        let known: HashSet<String> = tx.projects(&projects)?.into_iter().map(|project| project.id).collect();
        if let Some((index, repository)) = entries.iter().find(|(_, repository)| !known.contains(&repository.project)) {
            let fault = Invalid::new("project", format!("names no known project: `{}`", repository.project));
            return Err(at.fault(*index, fault).into());
        }
        let repositories: Vec<Self> = entries.iter().map(|(_, repository)| repository.clone()).collect();
        Ok(tx.save_package_repositories(&repositories)?)
    }
}
