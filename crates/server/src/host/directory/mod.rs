//! `/api/host/v1/directory`: the host says who and what there is.
//!
//! Every operation is safe to repeat: what is already so is counted as unchanged and leaves no trace in the
//! audit trail. A call does all of it or nothing. [`put`] and [`archive`] are the same for all kinds of entries;
//! what differs is in one file for each kind.

pub mod channel;
pub mod membership;
pub mod organization;
pub mod package_repository;
pub mod profile;
pub mod project;
pub mod role;
pub mod team;

use std::collections::{HashMap, HashSet};

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::directory::check_id;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;
use spaceport_store::{ListOrder, ListStart, Listed, StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::directory::Outcome;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::page::Page;
use crate::api::walk;
use crate::http::access::{Cx, Holding, ManageDirectory};
use crate::http::error::ApiError;
use crate::http::routes::Routes;

/// Most entries of one call.
pub const MOST: usize = 10_000;
/// Largest call with many entries, in bytes.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// Callers who may feed the directory.
pub type Feeding = Cx<Holding<ManageDirectory>>;

/// The operations of the whole directory.
pub fn routes(routes: Routes) -> Routes {
    routes
        .with(profile::routes)
        .with(project::routes)
        .with(channel::routes)
        .with(package_repository::routes)
        .with(team::routes)
        .with(membership::routes)
        .with(role::routes)
        .with(organization::routes)
}

/// The id in the path.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Named {
    /// Id of the entry.
    pub id: String,
}

/// A kind of entries that are put and archived by id.
pub trait Kind: Clone + PartialEq + Send + Sync + 'static {
    /// What lists of them are called in bodies.
    const LIST: &'static str;
    /// What the audit trail calls one.
    const NAME: &'static str;

    /// An entry as a `PUT` would say it.
    type Out: Serialize + JsonSchema + Send + 'static;

    /// The id.
    fn id(&self) -> &str;

    /// As a `PUT` would say it.
    fn out(&self) -> Self::Out;

    /// A page of all entries, archived ones too, by id.
    ///
    /// # Errors
    /// When the database fails.
    fn page(tx: &mut Tx<'_>, start: &ListStart, limit: i64) -> Result<Listed<Self>, StoreError>;

    /// Takes over from the stored entry what the host does not say, such as when it was made.
    fn inherit(&mut self, known: &Self);

    /// Marks as gone. Whoever is gone already stays so.
    fn archive(&mut self, now: Timestamp);

    /// What is different from `known`, or from nothing.
    fn changes(&self, known: Option<&Self>) -> Vec<AuditChange>;

    /// The stored entries with these ids.
    ///
    /// # Errors
    /// When the database fails.
    fn load(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<Self>, StoreError>;

    /// Stores entries after making sure that they fit to everything else. `entries` come with their index.
    ///
    /// # Errors
    /// `duplicated-entity` or `validation-error`, naming the entry and the field.
    fn save(tx: &mut Tx<'_>, entries: &[(usize, Self)], now: Timestamp, at: &At) -> Result<(), ApiError>;
}

/// How a fault names an entry: by its index, unless it is the only one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// In the list of this name.
    List(&'static str),
    /// The entry in the path.
    Single,
}

impl At {
    /// The path of a field of the entry with this index.
    pub fn field(self, index: usize, field: &str) -> String {
        match self {
            Self::List(list) => format!("{list}[{index}].{field}"),
            Self::Single => field.to_owned(),
        }
    }

    /// A fault of an entry, seen from the whole body.
    pub fn fault(self, index: usize, fault: Invalid) -> Invalid {
        match self {
            Self::List(list) => fault.within(&format!("{list}[{index}]")),
            Self::Single => fault,
        }
    }
}

/// Reads the entries of a body with `read`, and checks how many there are.
///
/// # Errors
/// Names the entry and the field.
pub fn read_all<B, T>(
    list: &'static str,
    bodies: Vec<B>,
    read: impl Fn(B) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    count(list, bodies.len())?;
    bodies
        .into_iter()
        .enumerate()
        .map(|(index, body)| read(body).map_err(|fault| At::List(list).fault(index, fault)))
        .collect()
}

/// Checks how many entries a call has.
///
/// # Errors
/// Names the list.
pub fn count(list: &str, length: usize) -> Result<(), Invalid> {
    if length > MOST {
        return Err(Invalid::new(list, format!("must hold at most {MOST} entries, holds {length}")));
    }
    Ok(())
}

/// The id of an entry of a list.
///
/// # Errors
/// When it is missing.
pub fn listed_id(id: Option<String>) -> Result<String, Invalid> {
    id.ok_or_else(|| Invalid::new("id", "is required"))
}

/// The id of the entry in the path, which the body need not repeat.
///
/// # Errors
/// When the body names another one.
pub fn single_id(path: String, body: Option<&str>) -> Result<String, Invalid> {
    match body {
        Some(id) if id != path => Err(Invalid::new("id", "must be absent or the id in the path")),
        _ => Ok(path),
    }
}

/// Puts entries, all of them or none.
///
/// # Errors
/// `duplicated-entity` or `validation-error`, naming the entry and the field.
pub async fn put<K: Kind>(cx: &Feeding, entries: Vec<K>, at: At) -> Result<Outcome, ApiError> {
    let mut seen = HashSet::new();
    if let Some(index) = entries.iter().position(|entry| !seen.insert(entry.id().to_owned())) {
        return Err(ApiError::validation(format!("{} must not repeat an id", at.field(index, "id"))));
    }
    let (now, trail) = (cx.now(), cx.trail());
    let outcome = cx
        .write(move |tx| {
            let ids: Vec<String> = entries.iter().map(|entry| entry.id().to_owned()).collect();
            let known: HashMap<String, K> =
                K::load(tx, &ids)?.into_iter().map(|entry| (entry.id().to_owned(), entry)).collect();
            let (mut outcome, mut changed, mut told) = (Outcome::default(), Vec::new(), Vec::new());
            for (index, entry) in entries.iter().enumerate() {
                let (mut entry, known) = (entry.clone(), known.get(entry.id()));
                if let Some(known) = known {
                    entry.inherit(known);
                }
                match known {
                    Some(known) if *known == entry => {
                        outcome.unchanged += 1;
                        continue;
                    }
                    Some(_) => outcome.changed += 1,
                    None => outcome.created += 1,
                }
                told.push((AuditTarget::other(K::NAME, entry.id()), entry.changes(known)));
                changed.push((index, entry));
            }
            keeping_an_administrator(tx, |tx| K::save(tx, &changed, now, &at))?;
            trail.record_all(tx, told)?;
            Ok::<_, ApiError>(outcome)
        })
        .await?;
    cx.services.callers.forget();
    Ok(outcome)
}

/// Archives entries by id. Ids that nobody has count as unchanged, so that a call can be repeated.
///
/// # Errors
/// `validation-error` when nobody would be left who administers the server.
pub async fn archive<K: Kind>(cx: &Feeding, ids: Vec<String>) -> Result<Outcome, ApiError> {
    count("ids", ids.len())?;
    let (now, trail) = (cx.now(), cx.trail());
    let outcome = cx
        .write(move |tx| {
            let (mut changed, mut told) = (Vec::new(), Vec::new());
            for known in K::load(tx, &ids)? {
                let mut entry = known.clone();
                entry.archive(now);
                if entry != known {
                    told.push((AuditTarget::other(K::NAME, entry.id()), entry.changes(Some(&known))));
                    changed.push((0, entry));
                }
            }
            keeping_an_administrator(tx, |tx| K::save(tx, &changed, now, &At::Single))?;
            let outcome =
                Outcome { created: 0, changed: changed.len(), unchanged: ids.len().saturating_sub(changed.len()) };
            trail.record_all(tx, told)?;
            Ok::<_, ApiError>(outcome)
        })
        .await?;
    cx.services.callers.forget();
    Ok(outcome)
}

/// Does `work`, unless after it nobody could administer the server.
///
/// # Errors
/// Those of `work`, or `validation-error`.
pub fn keeping_an_administrator<T>(
    tx: &mut Tx<'_>,
    work: impl FnOnce(&mut Tx<'_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let before = tx.holders(&Right::SUPERADMIN)?.len();
    let done = work(tx)?;
    if before > 0 && tx.holders(&Right::SUPERADMIN)?.is_empty() {
        return Err(ApiError::validation(
            "Nobody would be left who administers the server; give somebody else the right Superadmin first",
        ));
    }
    Ok(done)
}

/// Which page of a list.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Paging {
    /// Where the page begins.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top")]
    top: Option<i32>,
}

impl Paging {
    /// The page, and where it begins.
    ///
    /// # Errors
    /// Names the parameter.
    pub fn read(&self) -> Result<(Page, ListStart), Invalid> {
        let page = Page::walked(self.skip.as_deref(), self.top.map(i64::from))?;
        let start = walk::start(&page, ListOrder::Id)?;
        Ok((page, start))
    }
}

/// Shows a stored entry.
///
/// # Errors
/// `not-found`.
pub async fn show<K: Kind>(cx: &Feeding, id: String) -> Result<K::Out, ApiError> {
    let asked = id.clone();
    let found = cx.read(move |tx| K::load(tx, std::slice::from_ref(&asked))).await;
    let found = found.map_err(|error: StoreError| ApiError::from(error))?.pop();
    found.map(|entry| entry.out()).ok_or_else(|| ApiError::not_found(format!("The directory has no {id} of this kind")))
}

/// Lists stored entries, archived ones too.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list<K: Kind>(cx: &Feeding, paging: &Paging) -> Result<Batch<K::Out>, ApiError> {
    let (page, start) = paging.read()?;
    let limit = page.limit;
    let listed = cx.read(move |tx| K::page(tx, &start, limit)).await;
    let listed = listed.map_err(|error: StoreError| ApiError::from(error))?;
    let entries = listed.entries.iter().map(Kind::out).collect();
    Ok(walk::batch(&page, ListOrder::Id, Listed { entries, total: listed.total, last: listed.last }))
}

/// Checks ids that refer to other entries: they keep to the rule of ids, so that nothing else is looked up.
///
/// # Errors
/// Names the first one that breaks the rule.
pub fn check_ids(list: &str, ids: &[String]) -> Result<(), Invalid> {
    count(list, ids.len())?;
    ids.iter().enumerate().try_for_each(|(index, id)| check_id(&format!("{list}[{index}]"), id))
}

/// A change of a flag.
pub(crate) fn flag(field: &'static str, known: Option<bool>, now: bool) -> Option<AuditChange> {
    let name = |flag: bool| if flag { "true" } else { "false" };
    AuditChange::between(field, known.map(name), Some(name(now)).filter(|_| known.is_some() || now))
}
