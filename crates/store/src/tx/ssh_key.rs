//! SSH keys of applications.

use spaceport_platform::id::ApplicationId;
use spaceport_platform::ssh_key::SshKey;

use crate::error::StoreError;
use crate::tx::{Tx, placeholders};
use crate::value::Row;

const COLUMNS: &str = "application_id, md5_fingerprint, sha256_fingerprint, public_key, comment, added_at";

impl Tx<'_> {
    /// Stores a new key; `false`, and nothing is stored, when some application has it already.
    pub fn insert_ssh_key(&mut self, key: &SshKey) -> Result<bool, StoreError> {
        let sql = format!("INSERT INTO ssh_key ({COLUMNS}) VALUES ({}) ON CONFLICT DO NOTHING", placeholders(1, 6));
        let values = [
            (&key.application).into(),
            key.md5_fingerprint.as_str().into(),
            key.sha256_fingerprint.as_str().into(),
            key.public_key.as_str().into(),
            key.comment.as_str().into(),
            key.added_at.into(),
        ];
        Ok(self.connection.execute(&sql, &values)? > 0)
    }

    /// Keys of an application in the order they were added.
    pub fn ssh_keys(&mut self, application: &ApplicationId) -> Result<Vec<SshKey>, StoreError> {
        let sql =
            format!("SELECT {COLUMNS} FROM ssh_key WHERE application_id = $1 ORDER BY added_at, sha256_fingerprint");
        self.connection.query(&sql, &[application.into()])?.into_iter().map(read).collect()
    }

    /// How many keys an application has.
    pub fn count_ssh_keys(&mut self, application: &ApplicationId) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM ssh_key WHERE application_id = $1";
        self.connection.query(sql, &[application.into()])?.pop().map_or(Ok(0), |mut row| row.int())
    }

    /// Forgets a key of an application, named by either fingerprint; what it was, or `None` when it has no such key.
    pub fn delete_ssh_key(
        &mut self,
        application: &ApplicationId,
        fingerprint: &str,
    ) -> Result<Option<SshKey>, StoreError> {
        let condition = "application_id = $1 AND (sha256_fingerprint = $2 OR md5_fingerprint = $2)";
        let values = [application.into(), fingerprint.into()];
        let sql = format!("SELECT {COLUMNS} FROM ssh_key WHERE {condition}");
        let found = self.connection.query(&sql, &values)?.pop().map(read).transpose()?;
        self.connection.execute(&format!("DELETE FROM ssh_key WHERE {condition}"), &values)?;
        Ok(found)
    }
}

fn read(mut row: Row) -> Result<SshKey, StoreError> {
    Ok(SshKey {
        application: ApplicationId::new(row.text()?),
        md5_fingerprint: row.text()?,
        sha256_fingerprint: row.text()?,
        public_key: row.text()?,
        comment: row.text()?,
        added_at: row.time()?,
    })
}
