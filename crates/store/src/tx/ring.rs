//! The ring of master keys: which key seals, and re-sealing what older keys sealed.
//!
//! The row `master-key-check` is sealed with the key that seals now. Whoever seals holds that row until his
//! transaction ends, so once a rotation has changed it nothing new can be sealed with the key before.

use spaceport_platform::id::KeyId;

use crate::error::StoreError;
use crate::seal::key_id;
use crate::tx::{Tx, custom_header, dispatch, dispatch_log, key, keystore, placeholders, secret};
use crate::value::Value;

const CHECK: &str = "master-key-check";

/// A column that holds sealed text.
struct Column {
    table: &'static str,
    /// The primary key, from which the place of a value follows.
    keys: &'static [&'static str],
    /// The column, named `sealed` or `…_sealed`.
    sealed: &'static str,
    /// The column with the tag of the same secret.
    tag: Option<&'static str>,
    place: fn(&[String]) -> String,
}

/// Every column that holds sealed text. A test compares this list with the schema.
const COLUMNS: &[Column] = &[
    Column {
        table: "secret",
        keys: &["owner_id", "kind"],
        sealed: "sealed",
        tag: Some("tag"),
        place: |keys| secret::place("secret", keys),
    },
    Column {
        table: "previous_secret",
        keys: &["owner_id", "kind"],
        sealed: "sealed",
        tag: Some("tag"),
        place: |keys| secret::place("previous_secret", keys),
    },
    Column { table: "application_key", keys: &["id"], sealed: "sealed", tag: None, place: of_key },
    Column { table: "server_key", keys: &["id"], sealed: "sealed", tag: None, place: of_key },
    Column {
        table: "dispatch",
        keys: &["id"],
        sealed: "sealed",
        tag: None,
        place: |keys| keys.first().map(|id| dispatch::place(id)).unwrap_or_default(),
    },
    of_attempt("request_body_sealed", |keys| dispatch_log::place("request_body", keys)),
    of_attempt("response_headers_sealed", |keys| dispatch_log::place("response_headers", keys)),
    of_attempt("response_body_sealed", |keys| dispatch_log::place("response_body", keys)),
    Column {
        table: "ssl_keystore",
        keys: &["name"],
        sealed: "sealed",
        tag: None,
        place: |keys| keys.first().map(|name| keystore::place(name)).unwrap_or_default(),
    },
    Column {
        table: "custom_header",
        keys: &["webhook_id", "name"],
        sealed: "sealed",
        tag: None,
        place: |keys| custom_header::place(keys),
    },
];

const fn of_attempt(sealed: &'static str, place: fn(&[String]) -> String) -> Column {
    Column { table: "dispatch_attempt", keys: &["id"], sealed, tag: None, place }
}

fn of_key(keys: &[String]) -> String {
    keys.first().map(|id| key::place(&KeyId::new(id.as_str()))).unwrap_or_default()
}

/// Where re-sealing goes on: behind a row of one of the sealed columns.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct ResealCursor {
    column: usize,
    after: Option<Vec<String>>,
}

impl Tx<'_> {
    /// Makes sure that the ring opens what this database holds; a new database remembers the newest key.
    pub(crate) fn check_master_key(&mut self) -> Result<(), StoreError> {
        let found = self.connection.query("SELECT value FROM setting WHERE name = $1", &[CHECK.into()])?.pop();
        if let Some(mut row) = found {
            let sealed = row.text()?;
            return self.open(CHECK, &sealed).map(|_| ());
        }
        let newest = self.sealer.key_ids().into_iter().next().ok_or(StoreError::WrongMasterKey)?;
        let sealed = self.sealer.seal_with(&newest, CHECK, CHECK.as_bytes())?;
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2)";
        self.connection.execute(sql, &[CHECK.into(), sealed.into()]).map(|_| ())
    }

    /// Id of the key that seals new values, on every node. In a writing transaction it stays so until the end.
    pub fn sealing_key(&mut self) -> Result<String, StoreError> {
        if let Some(id) = &self.sealing {
            return Ok(id.clone());
        }
        let sql = format!("SELECT value FROM setting WHERE name = $1 {}", self.connection.held_for_share());
        let found = self.connection.query(&sql, &[CHECK.into()])?.pop();
        let sealed = found.map_or_else(|| Err(StoreError::corrupt("no master key is named")), |mut row| row.text())?;
        let id = key_id(&sealed).ok_or_else(|| StoreError::corrupt("the name of the master key"))?.to_owned();
        self.sealing = Some(id.clone());
        Ok(id)
    }

    /// Seals `plain` for the place it is stored in; columns of sealed text are listed in `tx/ring.rs`.
    pub(crate) fn seal(&mut self, place: &str, plain: &[u8]) -> Result<String, StoreError> {
        let id = self.sealing_key()?;
        self.sealer.seal_with(&id, place, plain)
    }

    /// Opens what was sealed for `place`.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>, StoreError> {
        self.sealer.open(place, sealed)
    }

    /// A keyed digest of a secret, to compare candidates with.
    pub(crate) fn tag(&mut self, secret: &str) -> Result<String, StoreError> {
        let id = self.sealing_key()?;
        self.sealer.tag_with(&id, secret)
    }

    /// Whether `candidate` has this tag; takes the same time when there is none.
    pub(crate) fn tag_matches(&self, candidate: &str, tag: Option<&str>) -> Result<bool, StoreError> {
        self.sealer.matches(candidate, tag)
    }

    /// From the commit on, the key `id` seals, on every node. Changes nothing that is sealed already.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] when the ring lacks this key or the one before.
    pub fn seal_from_now_with(&mut self, id: &str) -> Result<(), StoreError> {
        self.check_master_key()?;
        let sealed = self.sealer.seal_with(id, CHECK, CHECK.as_bytes())?;
        self.connection.execute("UPDATE setting SET value = $1 WHERE name = $2", &[sealed.into(), CHECK.into()])?;
        self.sealing = None;
        Ok(())
    }

    /// Looks at up to `limit` sealed values behind `cursor` and seals those anew that another key than the present
    /// one sealed, with their tags. Answers how many it changed and where to go on; `None` at the end.
    ///
    /// Doing a step again changes nothing, so a rotation that was cut off begins anew.
    pub fn reseal(&mut self, cursor: &ResealCursor, limit: u32) -> Result<(u64, Option<ResealCursor>), StoreError> {
        let Some(column) = COLUMNS.get(cursor.column) else { return Ok((0, None)) };
        let rows = self.sealed_rows(column, cursor.after.as_deref(), limit)?;
        let next = match rows.last() {
            Some((keys, _)) if rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX) => {
                Some(ResealCursor { column: cursor.column, after: Some(keys.clone()) })
            }
            _ => Some(ResealCursor { column: cursor.column + 1, after: None }),
        };
        let current = self.sealing_key()?;
        let mut changed = 0;
        for (keys, sealed) in rows.into_iter().filter(|(_, sealed)| key_id(sealed) != Some(current.as_str())) {
            changed += self.reseal_row(column, &keys, &sealed)?;
        }
        Ok((changed, next.filter(|next| next.column < COLUMNS.len())))
    }

    fn sealed_rows(
        &mut self,
        column: &Column,
        after: Option<&[String]>,
        limit: u32,
    ) -> Result<Vec<(Vec<String>, String)>, StoreError> {
        let keys = column.keys.join(", ");
        let mut values: Vec<Value> = after.unwrap_or_default().iter().map(|key| key.as_str().into()).collect();
        let behind = match after {
            Some(after) => format!(" AND ({keys}) > ({})", placeholders(1, after.len())),
            None => String::new(),
        };
        values.push(limit.into());
        let sql = format!(
            "SELECT {keys}, {sealed} FROM {} WHERE {sealed} IS NOT NULL{behind} ORDER BY {keys} LIMIT ${}",
            column.table,
            values.len(),
            sealed = column.sealed
        );
        let read = |mut row: crate::value::Row| {
            let keys = column.keys.iter().map(|_| row.text()).collect::<Result<Vec<_>, _>>()?;
            Ok((keys, row.text()?))
        };
        self.connection.query(&sql, &values)?.into_iter().map(read).collect()
    }

    fn reseal_row(&mut self, column: &Column, keys: &[String], sealed: &str) -> Result<u64, StoreError> {
        let place = (column.place)(keys);
        let plain = self.open(&place, sealed)?;
        let mut assignments = format!("{} = $1", column.sealed);
        let mut values: Vec<Value> = vec![self.seal(&place, &plain)?.into()];
        if let Some(tag) = column.tag {
            let text = String::from_utf8(plain).map_err(|_| StoreError::corrupt("a secret that is no text"))?;
            values.push(self.tag(&text)?.into());
            assignments.push_str(&format!(", {tag} = $2"));
        }
        let mut conditions = Vec::new();
        for (name, key) in column.keys.iter().zip(keys) {
            values.push(key.as_str().into());
            conditions.push(format!("{name} = ${}", values.len()));
        }
        // A value that was replaced meanwhile is sealed with the present key already.
        values.push(sealed.into());
        conditions.push(format!("{} = ${}", column.sealed, values.len()));
        let sql = format!("UPDATE {} SET {assignments} WHERE {}", column.table, conditions.join(" AND "));
        self.connection.execute(&sql, &values)
    }

    /// How many values each key has sealed, by key id. A key that is not named here is not needed any more.
    pub fn sealed_by(&mut self) -> Result<Vec<(String, i64)>, StoreError> {
        let mut counts = vec![(self.sealing_key()?, 0)];
        for column in COLUMNS {
            // `v1.` and eight digits, see `Sealer`.
            let sql = format!(
                "SELECT substr({sealed}, 4, 8), COUNT(*) FROM {} WHERE {sealed} IS NOT NULL GROUP BY 1 ORDER BY 1",
                column.table,
                sealed = column.sealed
            );
            for mut row in self.connection.query(&sql, &[])? {
                let (id, count) = (row.text()?, row.int()?);
                match counts.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, known)) => *known += count,
                    None => counts.push((id, count)),
                }
            }
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{MasterKey, Sealer, Store};

    /// Text columns of the schema, as `table.column`.
    async fn columns(url: &str, sql: &'static str) -> BTreeSet<String> {
        let store = Store::open(url, Sealer::new(MasterKey::new([7; 32]))).await.unwrap();
        let read = store.read(move |tx| {
            let rows = tx.connection.query(sql, &[])?;
            rows.into_iter().map(|mut row| row.text()).collect::<Result<BTreeSet<_>, StoreError>>()
        });
        read.await.unwrap()
    }

    fn sealed_ones_are_listed(schema: &BTreeSet<String>) {
        let named = |end: &str| -> BTreeSet<String> {
            let of_end = |column: &&String| column.split_once('.').unwrap().1.split('_').next_back() == Some(end);
            schema.iter().filter(of_end).cloned().collect()
        };
        let listed: BTreeSet<String> =
            COLUMNS.iter().map(|column| format!("{}.{}", column.table, column.sealed)).collect();
        assert_eq!(named("sealed"), listed, "a sealed column is missing in COLUMNS, so rotation would forget it");
        let tags = COLUMNS.iter().filter_map(|column| Some(format!("{}.{}", column.table, column.tag?))).collect();
        assert_eq!(named("tag"), tags, "the tag of a secret is missing in COLUMNS, so rotation would forget it");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_sealed_column_of_sqlite_is_listed() {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let sql =
            "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";
        sealed_ones_are_listed(&columns(&url, sql).await);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_sealed_column_of_postgres_is_listed() {
        let database = spaceport_testkit::postgres::database();
        let sql = "SELECT CAST(table_name || '.' || column_name AS TEXT) FROM information_schema.columns \
                   WHERE table_schema = 'public'";
        sealed_ones_are_listed(&columns(&database.url, sql).await);
    }
}
