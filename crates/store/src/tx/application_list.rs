//! Lists of applications: filtered, ordered, walked page by page.
//!
//! A walk shall show every application once, although others are renamed or edited meanwhile and so change their
//! place. Therefore the place that an application leaves is kept for a day, and a walk that goes on looks each
//! application up where it stood when the walk began.

use spaceport_platform::application::Application;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::application::{COLUMNS, read};
use crate::tx::{Tx, containing, placeholders};
use crate::value::Value;

/// Which applications a list holds.
#[derive(Clone, Default, Debug)]
pub struct ApplicationFilter {
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// Owned by any of these people; everybody when `None`.
    pub owners: Option<Vec<ProfileId>>,
    /// Archived ones too.
    pub with_archived: bool,
    /// Those made by other applications too.
    pub with_managed: bool,
}

/// In which order a list comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApplicationOrder {
    /// By name.
    NameAscending,
    /// By name, backwards.
    NameDescending,
    /// The one changed last comes first.
    LastEdited,
}

/// Where a page begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ApplicationStart {
    /// After this many applications.
    Offset(i64),
    /// After this application, as the places were when the walk began.
    After(ApplicationPlace),
}

/// The place of an application in a list, at the moment a walk began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplicationPlace {
    /// When the walk began.
    pub began: Timestamp,
    /// What the list is ordered by: the folded name, or the milliseconds of the last change.
    pub key: String,
    /// The application.
    pub id: ApplicationId,
}

/// One page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplicationPage {
    /// The applications.
    pub applications: Vec<Application>,
    /// How many there are in all.
    pub total: i64,
    /// The place of the last one; `None` on an empty page.
    pub last: Option<ApplicationPlace>,
}

impl Tx<'_> {
    /// A page of at most `limit` applications. `now` is when the walk begins, if it does so here.
    pub fn applications(
        &mut self,
        filter: &ApplicationFilter,
        order: ApplicationOrder,
        start: &ApplicationStart,
        limit: i64,
        now: Timestamp,
    ) -> Result<ApplicationPage, StoreError> {
        let (mut bound, mut conditions) = conditions(filter);
        let count = format!("SELECT COUNT(*) FROM application WHERE {}", conditions.join(" AND "));
        let total = self.connection.query(&count, &bound)?.pop().map_or(Ok(0), |mut row| row.int())?;
        let column = match order {
            ApplicationOrder::NameAscending | ApplicationOrder::NameDescending => "name_folded",
            ApplicationOrder::LastEdited => "updated_at",
        };
        let (direction, beyond) = match order {
            ApplicationOrder::NameAscending => ("ASC", ">"),
            ApplicationOrder::NameDescending | ApplicationOrder::LastEdited => ("DESC", "<"),
        };
        let (mut source, mut key, mut began, mut skipped) = ("application".to_owned(), column.to_owned(), now, 0);
        match start {
            ApplicationStart::Offset(offset) => skipped = *offset,
            ApplicationStart::After(place) => {
                began = place.began;
                if self.any_left_since(began)? {
                    bound.extend([began.into(), began.into()]);
                    let (until, since) = (bound.len(), bound.len() - 1);
                    source = format!(
                        "(SELECT a.*, COALESCE(p.{column}, a.{column}) AS place FROM application a LEFT JOIN application_place p \
                         ON p.application_id = a.id AND p.updated_at <= ${since} AND p.until > ${until}) AS placed"
                    );
                    "place".clone_into(&mut key);
                }
                bound.push(match order {
                    ApplicationOrder::LastEdited => Value::from(place.key.parse::<i64>().unwrap_or(0)),
                    _ => place.key.as_str().into(),
                });
                bound.push((&place.id).into());
                conditions.push(format!("({key}, id) {beyond} (${}, ${})", bound.len() - 1, bound.len()));
            }
        }
        bound.extend([limit.into(), skipped.into()]);
        let sql = format!(
            "SELECT CAST({key} AS TEXT) AS place_key, {COLUMNS} FROM {source} WHERE {} ORDER BY {key} {direction}, id {direction} LIMIT ${} OFFSET ${}",
            conditions.join(" AND "),
            bound.len() - 1,
            bound.len()
        );
        let mut page = ApplicationPage { applications: Vec::new(), total, last: None };
        for mut row in self.connection.query(&sql, &bound)? {
            let key = row.text()?;
            let application = read(row)?;
            page.last = Some(ApplicationPlace { began, key, id: application.id.clone() });
            page.applications.push(application);
        }
        Ok(page)
    }

    /// Keeps the place an application is about to leave, for walks that have begun.
    pub(crate) fn keep_place(&mut self, id: &ApplicationId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO application_place (application_id, name_folded, updated_at, until) \
                   SELECT id, name_folded, updated_at, CAST($1 AS BIGINT) FROM application WHERE id = $2 \
                   ON CONFLICT (application_id, until) DO NOTHING";
        self.connection.execute(sql, &[now.into(), id.into()]).map(|_| ())
    }

    /// Forgets places left before `before`; walks that began earlier see the present places.
    pub fn forget_places(&mut self, before: Timestamp) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM application_place WHERE until < $1", &[before.into()]).map(|_| ())
    }

    fn any_left_since(&mut self, began: Timestamp) -> Result<bool, StoreError> {
        let found =
            self.connection.query("SELECT until FROM application_place WHERE until > $1 LIMIT 1", &[began.into()])?;
        Ok(!found.is_empty())
    }
}

fn conditions(filter: &ApplicationFilter) -> (Vec<Value>, Vec<String>) {
    let (mut bound, mut conditions) = (Vec::new(), vec!["1 = 1".to_owned()]);
    if let Some(name) = &filter.name {
        bound.push(containing(name));
        conditions.push(format!("name_folded LIKE ${} ESCAPE '!'", bound.len()));
    }
    match &filter.owners {
        None => {}
        Some(owners) if owners.is_empty() => conditions.push("1 = 0".to_owned()),
        Some(owners) => {
            conditions.push(format!("owner_profile_id IN ({})", placeholders(bound.len() + 1, owners.len())));
            bound.extend(owners.iter().map(Value::from));
        }
    }
    if !filter.with_archived {
        conditions.push("archived_at IS NULL".to_owned());
    }
    if !filter.with_managed {
        conditions.push("owner_application_id IS NULL".to_owned());
    }
    (bound, conditions)
}
