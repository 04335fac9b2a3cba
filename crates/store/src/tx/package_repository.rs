//! Package repositories.

use spaceport_platform::directory::package_repository::PackageRepository;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::list::{ListOrder, ListStart, Listed, Listing, page};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, project_id, name, description, created_at, archived_at";

impl Tx<'_> {
    /// Stores package repositories, in place of those with the same ids. Their projects must exist.
    pub fn save_package_repositories(&mut self, repositories: &[PackageRepository]) -> Result<(), StoreError> {
        self.rights_changed()?;
        let into = format!("INSERT INTO package_repository ({COLUMNS})");
        let tail = "ON CONFLICT (id) DO UPDATE SET project_id = excluded.project_id, name = excluded.name, \
                    description = excluded.description, archived_at = excluded.archived_at";
        self.insert_all(&into, tail, &repositories.iter().map(values).collect::<Vec<_>>()).map(|_| ())
    }

    /// The package repository with this id, archived or not.
    pub fn package_repository(&mut self, id: &str) -> Result<Option<PackageRepository>, StoreError> {
        Ok(self.package_repositories(&[id.to_owned()])?.pop())
    }

    /// The package repositories with these ids, in no order; unknown ids are left out.
    pub fn package_repositories(&mut self, ids: &[String]) -> Result<Vec<PackageRepository>, StoreError> {
        let ids: Vec<Value> = ids.iter().map(|id| id.as_str().into()).collect();
        self.rows_in(&format!("SELECT {COLUMNS} FROM package_repository"), "id", &ids)?.into_iter().map(read).collect()
    }

    /// A page of package repositories by id, archived ones too.
    pub fn list_package_repositories(
        &mut self,
        start: &ListStart,
        limit: i64,
    ) -> Result<Listed<PackageRepository>, StoreError> {
        let (conditions, bound, order) = (Vec::new(), Vec::new(), ListOrder::Id);
        let listing = Listing { table: "package_repository", columns: COLUMNS, conditions, bound, order };
        let (rows, total) = self.listed(listing, start, limit)?;
        let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page(found, total, order, |repository| (String::new(), repository.id.clone())))
    }
}

fn values(repository: &PackageRepository) -> Vec<Value> {
    vec![
        repository.id.as_str().into(),
        repository.project.as_str().into(),
        repository.name.as_str().into(),
        repository.description.as_deref().into(),
        repository.created_at.into(),
        repository.archived_at.into(),
    ]
}

fn read(mut row: Row) -> Result<PackageRepository, StoreError> {
    Ok(PackageRepository {
        id: row.text()?,
        project: row.text()?,
        name: row.text()?,
        description: row.optional_text()?,
        created_at: row.time()?,
        archived_at: row.optional_time()?,
    })
}
