//! OpenPGP keys of applications.

use std::collections::BTreeMap;

use spaceport_platform::gpg_key::{GpgKey, Revocation};
use spaceport_platform::id::ApplicationId;

use crate::error::StoreError;
use crate::tx::{Tx, placeholders};
use crate::value::{Row, Value};

const COLUMNS: &str =
    "application_id, fingerprint, public_key, comment, created_at, added_at, expires_at, revoked_at, revoke_comment";

impl Tx<'_> {
    /// Stores a new key; `false`, and nothing is stored, when some application has it already.
    pub fn insert_gpg_key(&mut self, key: &GpgKey) -> Result<bool, StoreError> {
        let sql = format!("INSERT INTO gpg_key ({COLUMNS}) VALUES ({}) ON CONFLICT DO NOTHING", placeholders(1, 9));
        let revocation = key.revocation.as_ref();
        let values = [
            (&key.application).into(),
            key.fingerprint.as_str().into(),
            key.public_key.as_str().into(),
            key.comment.as_str().into(),
            key.created_at.into(),
            key.added_at.into(),
            key.expires_at.into(),
            revocation.map(|revocation| revocation.at).into(),
            revocation.map(|revocation| revocation.comment.as_str()).into(),
        ];
        if self.connection.execute(&sql, &values)? == 0 {
            return Ok(false);
        }
        let sql = "INSERT INTO gpg_key_user_id (fingerprint, position, user_id) VALUES ($1, $2, $3)";
        let rows: Vec<Vec<Value>> = (0_i64..)
            .zip(&key.user_ids)
            .map(|(position, user_id)| vec![key.fingerprint.as_str().into(), position.into(), user_id.as_str().into()])
            .collect();
        self.connection.execute_many(sql, &rows)?;
        Ok(true)
    }

    /// Keys of an application in the order they were added.
    pub fn gpg_keys(&mut self, application: &ApplicationId) -> Result<Vec<GpgKey>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM gpg_key WHERE application_id = $1 ORDER BY added_at, fingerprint");
        let rows = self.connection.query(&sql, &[application.into()])?;
        let mut keys = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let sql = "SELECT u.fingerprint, u.user_id FROM gpg_key_user_id u JOIN gpg_key k ON k.fingerprint = u.fingerprint \
                   WHERE k.application_id = $1 ORDER BY u.fingerprint, u.position";
        let mut user_ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mut row in self.connection.query(sql, &[application.into()])? {
            user_ids.entry(row.text()?).or_default().push(row.text()?);
        }
        for key in &mut keys {
            key.user_ids = user_ids.remove(&key.fingerprint).unwrap_or_default();
        }
        Ok(keys)
    }

    /// A key of an application.
    pub fn gpg_key(&mut self, application: &ApplicationId, fingerprint: &str) -> Result<Option<GpgKey>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM gpg_key WHERE application_id = $1 AND fingerprint = $2");
        let found = self.connection.query(&sql, &[application.into(), fingerprint.into()])?.pop();
        let Some(mut key) = found.map(read).transpose()? else { return Ok(None) };
        let sql = "SELECT user_id FROM gpg_key_user_id WHERE fingerprint = $1 ORDER BY position";
        for mut row in self.connection.query(sql, &[fingerprint.into()])? {
            key.user_ids.push(row.text()?);
        }
        Ok(Some(key))
    }

    /// How many keys an application has.
    pub fn count_gpg_keys(&mut self, application: &ApplicationId) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM gpg_key WHERE application_id = $1";
        self.connection.query(sql, &[application.into()])?.pop().map_or(Ok(0), |mut row| row.int())
    }

    /// Stores whether and why a key was taken back.
    pub fn set_gpg_key_revocation(&mut self, key: &GpgKey) -> Result<(), StoreError> {
        let revocation = key.revocation.as_ref();
        let values = [
            revocation.map(|revocation| revocation.at).into(),
            revocation.map(|revocation| revocation.comment.as_str()).into(),
            key.fingerprint.as_str().into(),
        ];
        let sql = "UPDATE gpg_key SET revoked_at = $1, revoke_comment = $2 WHERE fingerprint = $3";
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Forgets a key of an application; `false` when it has no such key.
    pub fn delete_gpg_key(&mut self, application: &ApplicationId, fingerprint: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM gpg_key WHERE application_id = $1 AND fingerprint = $2";
        Ok(self.connection.execute(sql, &[application.into(), fingerprint.into()])? > 0)
    }
}

fn read(mut row: Row) -> Result<GpgKey, StoreError> {
    let application = ApplicationId::new(row.text()?);
    let (fingerprint, public_key, comment) = (row.text()?, row.text()?, row.text()?);
    let (created_at, added_at, expires_at) = (row.time()?, row.time()?, row.optional_time()?);
    let (revoked_at, revoke_comment) = (row.optional_time()?, row.optional_text()?);
    let revocation = revoked_at.map(|at| Revocation { at, comment: revoke_comment.unwrap_or_default() });
    let user_ids = Vec::new();
    Ok(GpgKey { application, fingerprint, public_key, user_ids, comment, created_at, added_at, expires_at, revocation })
}
