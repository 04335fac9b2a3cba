//! The keys that sign access tokens. At most one comes next and at most one is active; the schema says so.

use spaceport_platform::id::KeyId;
use spaceport_platform::server_key::{Algorithm, KeyState, ServerKeyFacts};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::key::place;
use crate::value::Row;

/// A key that signs access tokens, or did, or will.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// What is told about it.
    pub facts: ServerKeyFacts,
    /// The private key, PKCS #8 in DER.
    pub pkcs8: Vec<u8>,
}

impl Tx<'_> {
    /// Stores a key pair (PKCS #8 in DER). Answers whether it was stored: not when another key is in that state, of which
    /// there may be one.
    pub fn insert_server_key(
        &mut self,
        id: &KeyId,
        algorithm: Algorithm,
        state: KeyState,
        pkcs8: &[u8],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sealed = self.seal(&place(id), pkcs8)?;
        let sql = "INSERT INTO server_key (id, sealed, state, created_at, algorithm, changed_at) \
                   VALUES ($1, $2, $3, $4, $5, $4) ON CONFLICT DO NOTHING";
        let values = [id.into(), sealed.into(), state.name().into(), now.into(), algorithm.name().into()];
        Ok(self.connection.execute(sql, &values)? == 1)
    }

    /// All keys, with their private halves.
    pub fn server_keys(&mut self) -> Result<Vec<ServerKey>, StoreError> {
        let sql = "SELECT id, algorithm, state, changed_at, sealed FROM server_key ORDER BY created_at, id";
        let rows = self.connection.query(sql, &[])?;
        rows.into_iter()
            .map(|mut row| {
                let facts = read(&mut row)?;
                let pkcs8 = self.open(&place(&facts.id), &row.text()?)?;
                Ok(ServerKey { facts, pkcs8 })
            })
            .collect()
    }

    /// All keys, without their private halves.
    pub fn server_key_facts(&mut self) -> Result<Vec<ServerKeyFacts>, StoreError> {
        let sql = "SELECT id, algorithm, state, changed_at FROM server_key ORDER BY created_at, id";
        self.connection.query(sql, &[])?.into_iter().map(|mut row| read(&mut row)).collect()
    }

    /// Lets the key that comes next sign and retires the active one. Answers whether it did: of several nodes one does.
    pub fn activate_server_key(&mut self, next: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let retire = "UPDATE server_key SET state = 'retired', changed_at = $1 WHERE state = 'active' \
                      AND EXISTS (SELECT 1 FROM server_key AS n WHERE n.id = $2 AND n.state = 'next')";
        if self.connection.execute(retire, &[now.into(), next.into()])? == 0 {
            return Ok(false);
        }
        let activate = "UPDATE server_key SET state = 'active', changed_at = $1 WHERE id = $2 AND state = 'next'";
        match self.connection.execute(activate, &[now.into(), next.into()])? {
            1 => Ok(true),
            _ => Err(StoreError::Conflict("another node changed the keys".to_owned())),
        }
    }

    /// Deletes a key that does not sign.
    pub fn delete_server_key(&mut self, id: &KeyId) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM server_key WHERE id = $1 AND state <> 'active'", &[id.into()]).map(|_| ())
    }
}

fn read(row: &mut Row) -> Result<ServerKeyFacts, StoreError> {
    let (id, algorithm, state) = (KeyId::new(row.text()?), row.text()?, row.text()?);
    Ok(ServerKeyFacts {
        id,
        algorithm: Algorithm::from_name(&algorithm)
            .ok_or_else(|| StoreError::corrupt(format!("the algorithm {algorithm}")))?,
        state: KeyState::from_name(&state).ok_or_else(|| StoreError::corrupt(format!("the key state {state}")))?,
        changed_at: row.time()?,
    })
}
