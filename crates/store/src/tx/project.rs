//! Projects.

use std::collections::HashMap;

use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::identifier::ProjectIdentifier;
use spaceport_platform::profile::folded;

use crate::error::StoreError;
use crate::tx::list::{ListOrder, ListStart, Listed, Listing, page};
use crate::tx::{Tx, containing, placeholders};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, key, name, description, icon, openness, created_at, archived_at";

/// Which of the places that can be private somebody sees.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Visible {
    /// All.
    All,
    /// The public ones and these.
    PublicAnd(Vec<String>),
    /// Only these.
    Only(Vec<String>),
}

/// Which projects a list holds.
#[derive(Clone, Debug)]
pub struct ProjectFilter {
    /// Those that somebody sees.
    pub visible: Visible,
    /// Part of the name or the whole key, in any case; empty finds all.
    pub term: String,
    /// Whether archived ones are in it.
    pub with_archived: bool,
    /// What the list is ordered by.
    pub order: ListOrder,
}

impl Tx<'_> {
    /// Stores projects, in place of those with the same ids.
    pub fn save_projects(&mut self, projects: &[Project]) -> Result<(), StoreError> {
        self.rights_changed()?;
        // First each gives up its key, so that two can swap them.
        let ids: Vec<Vec<Value>> = projects.iter().map(|project| vec![project.id.as_str().into()]).collect();
        self.execute_for("UPDATE project SET key_folded = ':' || id WHERE id", &[], &ids)?;
        let into = format!("INSERT INTO project ({COLUMNS}, key_folded, name_folded)");
        let tail = "ON CONFLICT (id) DO UPDATE SET key = excluded.key, name = excluded.name, \
                    description = excluded.description, icon = excluded.icon, openness = excluded.openness, \
                    archived_at = excluded.archived_at, key_folded = excluded.key_folded, name_folded = excluded.name_folded";
        self.insert_all(&into, tail, &projects.iter().map(values).collect::<Vec<_>>()).map(|_| ())
    }

    /// The project an identifier names, archived or not; keys in any case.
    pub fn find_project(&mut self, identifier: &ProjectIdentifier) -> Result<Option<Project>, StoreError> {
        let (column, value) = match identifier {
            ProjectIdentifier::Id(id) => ("id", id.clone()),
            ProjectIdentifier::Key(key) => ("key_folded", folded(key)),
        };
        let mut rows = self.rows_in(&format!("SELECT {COLUMNS} FROM project"), column, &[value.into()])?;
        rows.pop().map(read).transpose()
    }

    /// The projects with these ids, in no order; unknown ids are left out.
    pub fn projects(&mut self, ids: &[String]) -> Result<Vec<Project>, StoreError> {
        let ids: Vec<Value> = ids.iter().map(|id| id.as_str().into()).collect();
        self.rows_in(&format!("SELECT {COLUMNS} FROM project"), "id", &ids)?.into_iter().map(read).collect()
    }

    /// Ids of the projects with these keys, in the form they are compared in.
    pub fn project_key_owners(&mut self, keys: &[String]) -> Result<HashMap<String, String>, StoreError> {
        let keys: Vec<Value> = keys.iter().map(|key| key.as_str().into()).collect();
        let rows = self.rows_in("SELECT key_folded, id FROM project", "key_folded", &keys)?;
        rows.into_iter().map(|mut row| Ok((row.text()?, row.text()?))).collect()
    }

    /// A page of projects.
    pub fn list_projects(
        &mut self,
        filter: &ProjectFilter,
        start: &ListStart,
        limit: i64,
    ) -> Result<Listed<Project>, StoreError> {
        let (mut conditions, mut bound): (Vec<String>, Vec<Value>) = (Vec::new(), Vec::new());
        if !filter.with_archived {
            conditions.push("archived_at IS NULL".to_owned());
        }
        if !filter.term.is_empty() {
            bound.extend([containing(&filter.term), folded(&filter.term).into()]);
            conditions.push("(name_folded LIKE $1 ESCAPE '!' OR key_folded = $2)".to_owned());
        }
        conditions.push(visible(&filter.visible, &mut bound));
        let listing = Listing { table: "project", columns: COLUMNS, conditions, bound, order: filter.order };
        let (rows, total) = self.listed(listing, start, limit)?;
        let found = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(page(found, total, filter.order, |project| (folded(&project.name), project.id.clone())))
    }
}

/// The condition that keeps what somebody sees; its values come last.
pub(crate) fn visible(visible: &Visible, values: &mut Vec<Value>) -> String {
    let ids = match visible {
        Visible::All => return "1 = 1".to_owned(),
        Visible::PublicAnd(ids) | Visible::Only(ids) => ids,
    };
    let mut ways = Vec::new();
    if matches!(visible, Visible::PublicAnd(_)) {
        ways.push(format!("openness = '{}'", Openness::Public.name()));
    }
    // Lists have their limits in both engines, so a long one is several.
    for portion in ids.chunks(1_000) {
        ways.push(format!("id IN ({})", placeholders(values.len() + 1, portion.len())));
        values.extend(portion.iter().map(|id| Value::from(id.as_str())));
    }
    if ways.is_empty() { "1 = 0".to_owned() } else { format!("({})", ways.join(" OR ")) }
}

/// Reads a stored openness.
pub(crate) fn openness(name: &str) -> Result<Openness, StoreError> {
    Openness::from_name(name).ok_or_else(|| StoreError::corrupt(format!("the openness {name}")))
}

fn values(project: &Project) -> Vec<Value> {
    vec![
        project.id.as_str().into(),
        project.key.as_str().into(),
        project.name.as_str().into(),
        project.description.as_deref().into(),
        project.icon.as_deref().into(),
        project.openness.name().into(),
        project.created_at.into(),
        project.archived_at.into(),
        folded(&project.key).into(),
        folded(&project.name).into(),
    ]
}

fn read(mut row: Row) -> Result<Project, StoreError> {
    Ok(Project {
        id: row.text()?,
        key: row.text()?,
        name: row.text()?,
        description: row.optional_text()?,
        icon: row.optional_text()?,
        openness: openness(&row.text()?)?,
        created_at: row.time()?,
        archived_at: row.optional_time()?,
    })
}
