//! Key pairs of applications, that sign payloads.

use spaceport_platform::id::{ApplicationId, KeyId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

/// The public half of a key pair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PublicKey {
    /// Its id (`kid`).
    pub id: KeyId,
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Tx<'_> {
    /// Stores a new key pair of an application; `pkcs8` is the private key in DER.
    pub fn insert_application_key(
        &mut self,
        id: &KeyId,
        application: &ApplicationId,
        pkcs8: &[u8],
        n: &str,
        e: &str,
        created_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sealed = self.seal(&place(id), pkcs8)?;
        let sql = "INSERT INTO application_key (id, application_id, sealed, n, e, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let values = [id.into(), application.into(), sealed.into(), n.into(), e.into(), created_at.into()];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Public keys of an application, newest last.
    pub fn application_keys(&mut self, application: &ApplicationId) -> Result<Vec<PublicKey>, StoreError> {
        let sql = "SELECT id, n, e, created_at FROM application_key WHERE application_id = $1 ORDER BY created_at, id";
        let rows = self.connection.query(sql, &[application.into()])?;
        let read = |mut row: crate::value::Row| {
            Ok(PublicKey { id: KeyId::new(row.text()?), n: row.text()?, e: row.text()?, created_at: row.time()? })
        };
        rows.into_iter().map(read).collect()
    }

    /// The private key that signs an application's payloads at `now`: the newest one whose time has come.
    pub fn signing_private_key(
        &mut self,
        application: &ApplicationId,
        now: Timestamp,
    ) -> Result<Option<(KeyId, Vec<u8>)>, StoreError> {
        let sql = "SELECT id, sealed FROM application_key WHERE application_id = $1 AND signs_from <= $2 \
                   ORDER BY created_at DESC, id DESC LIMIT 1";
        let found = self.connection.query(sql, &[application.into(), now.into()])?.pop();
        self.open_key(found)
    }

    fn open_key(&self, row: Option<crate::value::Row>) -> Result<Option<(KeyId, Vec<u8>)>, StoreError> {
        let Some(mut row) = row else { return Ok(None) };
        let id = KeyId::new(row.text()?);
        let pkcs8 = self.open(&place(&id), &row.text()?)?;
        Ok(Some((id, pkcs8)))
    }
}

/// Key pairs of both kinds are sealed for their id.
pub(crate) fn place(id: &KeyId) -> String {
    format!("key|{id}")
}
