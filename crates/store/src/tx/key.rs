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
    /// From when on it signs.
    pub signs_from: Timestamp,
    /// When it is not published any more; unset while no newer key signs.
    pub retires_at: Option<Timestamp>,
}

impl Tx<'_> {
    /// Stores a new key pair of an application; `pkcs8` is the private key in DER.
    pub fn insert_application_key(
        &mut self,
        application: &ApplicationId,
        key: &PublicKey,
        pkcs8: &[u8],
    ) -> Result<(), StoreError> {
        let sealed = self.seal(&place(&key.id), pkcs8)?;
        let sql = "INSERT INTO application_key (id, application_id, sealed, n, e, created_at, signs_from, retires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = [
            (&key.id).into(),
            application.into(),
            sealed.into(),
            key.n.as_str().into(),
            key.e.as_str().into(),
            key.created_at.into(),
            key.signs_from.into(),
            key.retires_at.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Gives every key behind which a newer one signs by now its end, and lets each node load the newer one. At most
    /// `limit` keys; answers how many.
    pub fn replace_application_keys(
        &mut self,
        now: Timestamp,
        retires_at: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = "SELECT k.id, k.application_id FROM application_key k WHERE k.retires_at IS NULL AND EXISTS \
                   (SELECT 1 FROM application_key n WHERE n.application_id = k.application_id AND n.signs_from > k.signs_from \
                   AND n.signs_from <= $1) LIMIT $2";
        let mut replaced = 0;
        for mut row in self.connection.query(sql, &[now.into(), limit.into()])? {
            let (id, application) = (row.text()?, ApplicationId::new(row.text()?));
            let sql = "UPDATE application_key SET retires_at = $1 WHERE id = $2 AND retires_at IS NULL";
            replaced += self.connection.execute(sql, &[retires_at.into(), id.into()])?;
            let sql = "UPDATE application SET revision = revision + 1 WHERE id = $1";
            self.connection.execute(sql, &[(&application).into()])?;
        }
        Ok(replaced)
    }

    /// Whether [`Self::replace_application_keys`] or [`Self::delete_retired_application_keys`] have something to do.
    pub fn application_keys_take_turns(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "SELECT k.id FROM application_key k WHERE k.retires_at <= $1 OR (k.retires_at IS NULL AND EXISTS \
                   (SELECT 1 FROM application_key n WHERE n.application_id = k.application_id AND n.signs_from > k.signs_from \
                   AND n.signs_from <= $1)) LIMIT 1";
        Ok(!self.connection.query(sql, &[now.into()])?.is_empty())
    }

    /// Deletes all keys of an application but one, and lets each node load that one.
    pub fn delete_application_keys_but(&mut self, application: &ApplicationId, key: &KeyId) -> Result<(), StoreError> {
        let sql = "DELETE FROM application_key WHERE application_id = $1 AND id <> $2";
        self.connection.execute(sql, &[application.into(), key.into()])?;
        let sql = "UPDATE application SET revision = revision + 1 WHERE id = $1";
        self.connection.execute(sql, &[application.into()]).map(|_| ())
    }

    /// Deletes up to `limit` keys whose end is before `horizon`; answers how many.
    pub fn delete_retired_application_keys(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM application_key WHERE id IN \
                   (SELECT id FROM application_key WHERE retires_at <= $1 LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }

    /// Public keys of an application, newest last.
    pub fn application_keys(&mut self, application: &ApplicationId) -> Result<Vec<PublicKey>, StoreError> {
        let sql = "SELECT id, n, e, created_at, signs_from, retires_at FROM application_key WHERE application_id = $1 \
                   ORDER BY signs_from, created_at, id";
        let rows = self.connection.query(sql, &[application.into()])?;
        let read = |mut row: crate::value::Row| {
            Ok(PublicKey {
                id: KeyId::new(row.text()?),
                n: row.text()?,
                e: row.text()?,
                created_at: row.time()?,
                signs_from: row.time()?,
                retires_at: row.optional_time()?,
            })
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
                   ORDER BY signs_from DESC, created_at DESC, id DESC LIMIT 1";
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
