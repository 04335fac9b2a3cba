//! Lists that are walked: page by page, each beginning behind the last entry of the one before.

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// Where a page of a list begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ListStart {
    /// After this many entries.
    Offset(i64),
    /// After the entry at this place.
    After(ListPlace),
}

/// The place of an entry in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListPlace {
    /// What the list is ordered by; empty where that is the id.
    pub key: String,
    /// The entry's id, which decides among equal keys.
    pub id: String,
}

/// A page of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed<T> {
    /// Its entries.
    pub entries: Vec<T>,
    /// How many there are on all pages.
    pub total: i64,
    /// Place of the last entry.
    pub last: Option<ListPlace>,
}

/// What a list is ordered by.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ListOrder {
    /// The id, which never changes: a walk shows everybody once, whatever happens meanwhile.
    #[default]
    Id,
    /// The name.
    Name,
    /// The name, from Z to A.
    NameBackwards,
}

/// A list on its way to be asked for.
pub(crate) struct Listing {
    pub(crate) table: &'static str,
    pub(crate) columns: &'static str,
    pub(crate) conditions: Vec<String>,
    pub(crate) bound: Vec<Value>,
    pub(crate) order: ListOrder,
}

impl Tx<'_> {
    /// Rows of a page, and how many there are in all.
    pub(crate) fn listed(
        &mut self,
        listing: Listing,
        start: &ListStart,
        limit: i64,
    ) -> Result<(Vec<Row>, i64), StoreError> {
        let Listing { table, columns, mut conditions, mut bound, order } = listing;
        let all = |conditions: &[String]| {
            if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") }
        };
        let count = format!("SELECT COUNT(*) FROM {table} WHERE {}", all(&conditions));
        let total = self.connection.query(&count, &bound)?.pop().map_or(Ok(0), |mut row| row.int())?;
        let keys = match order {
            ListOrder::Id => "id",
            ListOrder::Name => "name_folded, id",
            ListOrder::NameBackwards => "name_folded DESC, id DESC",
        };
        let mut offset = 0;
        match start {
            ListStart::Offset(skipped) => offset = *skipped,
            ListStart::After(place) => {
                let from = bound.len() + 1;
                match order {
                    ListOrder::Id => conditions.push(format!("id > ${from}")),
                    ListOrder::Name | ListOrder::NameBackwards => {
                        let beyond = if order == ListOrder::Name { '>' } else { '<' };
                        conditions.push(format!("(name_folded, id) {beyond} (${from}, ${})", from + 1));
                        bound.push(place.key.as_str().into());
                    }
                }
                bound.push(place.id.as_str().into());
            }
        }
        bound.extend([limit.into(), offset.into()]);
        let sql = format!(
            "SELECT {columns} FROM {table} WHERE {} ORDER BY {keys} LIMIT ${} OFFSET ${}",
            all(&conditions),
            bound.len() - 1,
            bound.len()
        );
        Ok((self.connection.query(&sql, &bound)?, total))
    }
}

/// Puts a page together. `place` tells the key and the id of an entry.
pub(crate) fn page<T>(
    entries: Vec<T>,
    total: i64,
    order: ListOrder,
    place: impl Fn(&T) -> (String, String),
) -> Listed<T> {
    let last = entries.last().map(|entry| {
        let (key, id) = place(entry);
        match order {
            ListOrder::Id => ListPlace { key: String::new(), id },
            ListOrder::Name | ListOrder::NameBackwards => ListPlace { key, id },
        }
    });
    Listed { entries, total, last }
}
