//! SSL keystores: certificates in clear, private keys sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spaceport_platform::keystore::Keystore;

use crate::error::StoreError;
use crate::tx::{Tx, placeholders};
use crate::value::Row;

const COLUMNS: &str =
    "name, certificates, subject, issuer, valid_from, valid_until, fingerprint, created_at, updated_at";

/// What names a keystore.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeystoreUse {
    /// Names of applications, archived ones too: they can be restored.
    pub applications: Vec<String>,
    /// Names of webhooks, archived ones too.
    pub webhooks: Vec<String>,
}

impl Tx<'_> {
    /// Stores a new keystore with its private key as DER; `false`, and nothing is stored, when the name is taken.
    pub fn insert_keystore(&mut self, keystore: &Keystore, key: &[u8]) -> Result<bool, StoreError> {
        let sealed = self.seal(&place(&keystore.name), key)?;
        let sql = format!(
            "INSERT INTO ssl_keystore ({COLUMNS}, sealed) VALUES ({}) ON CONFLICT DO NOTHING",
            placeholders(1, 10)
        );
        let values = [
            keystore.name.as_str().into(),
            written(&keystore.chain).into(),
            keystore.subject.as_str().into(),
            keystore.issuer.as_str().into(),
            keystore.valid_from.into(),
            keystore.valid_until.into(),
            keystore.fingerprint.as_str().into(),
            keystore.created_at.into(),
            keystore.updated_at.into(),
            sealed.into(),
        ];
        Ok(self.connection.execute(&sql, &values)? > 0)
    }

    /// Stores other contents under the same name, and counts a revision of whatever uses it, so that senders on
    /// every node load them.
    pub fn replace_keystore(&mut self, keystore: &Keystore, key: &[u8]) -> Result<(), StoreError> {
        let sealed = self.seal(&place(&keystore.name), key)?;
        let sql = "UPDATE ssl_keystore SET certificates = $1, subject = $2, issuer = $3, valid_from = $4, valid_until = $5, \
                   fingerprint = $6, updated_at = $7, sealed = $8 WHERE name = $9";
        let values = [
            written(&keystore.chain).into(),
            keystore.subject.as_str().into(),
            keystore.issuer.as_str().into(),
            keystore.valid_from.into(),
            keystore.valid_until.into(),
            keystore.fingerprint.as_str().into(),
            keystore.updated_at.into(),
            sealed.into(),
            keystore.name.as_str().into(),
        ];
        self.connection.execute(sql, &values)?;
        for table in ["application", "webhook"] {
            let sql = format!("UPDATE {table} SET revision = revision + 1 WHERE ssl_keystore = $1");
            self.connection.execute(&sql, &[keystore.name.as_str().into()])?;
        }
        Ok(())
    }

    /// All keystores by name, without their private keys.
    pub fn keystores(&mut self) -> Result<Vec<Keystore>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM ssl_keystore ORDER BY name");
        self.connection.query(&sql, &[])?.into_iter().map(read).collect()
    }

    /// A keystore without its private key.
    pub fn keystore(&mut self, name: &str) -> Result<Option<Keystore>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM ssl_keystore WHERE name = $1");
        self.connection.query(&sql, &[name.into()])?.pop().map(read).transpose()
    }

    /// Whether there is a keystore of that name; if so, it stays until the transaction ends, so that it can be
    /// named by what is stored here.
    pub fn hold_keystore(&mut self, name: &str) -> Result<bool, StoreError> {
        let sql = format!("SELECT name FROM ssl_keystore WHERE name = $1 {}", self.connection.held_for_share());
        Ok(!self.connection.query(&sql, &[name.into()])?.is_empty())
    }

    /// The private key of a keystore as DER.
    pub fn keystore_key(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.connection.query("SELECT sealed FROM ssl_keystore WHERE name = $1", &[name.into()])?.pop();
        let Some(mut row) = found else { return Ok(None) };
        self.open(&place(name), &row.text()?).map(Some)
    }

    /// What names a keystore, up to `limit` of each kind.
    pub fn keystore_use(&mut self, name: &str, limit: u32) -> Result<KeystoreUse, StoreError> {
        let mut names = |table: &str| {
            let sql = format!("SELECT name FROM {table} WHERE ssl_keystore = $1 ORDER BY name LIMIT $2");
            let rows = self.connection.query(&sql, &[name.into(), limit.into()])?;
            rows.into_iter().map(|mut row| row.text()).collect::<Result<Vec<_>, StoreError>>()
        };
        Ok(KeystoreUse { applications: names("application")?, webhooks: names("webhook")? })
    }

    /// Forgets a keystore; `false` when there is none of that name. Ask [`Self::keystore_use`] afterwards, in the
    /// same transaction: from here on nobody can begin to use it.
    pub fn delete_keystore(&mut self, name: &str) -> Result<bool, StoreError> {
        Ok(self.connection.execute("DELETE FROM ssl_keystore WHERE name = $1", &[name.into()])? > 0)
    }
}

/// Where a private key is stored.
pub(crate) fn place(name: &str) -> String {
    format!("ssl_keystore|{name}")
}

/// Certificates in base64, a space between them.
fn written(chain: &[Vec<u8>]) -> String {
    chain.iter().map(|certificate| STANDARD.encode(certificate)).collect::<Vec<_>>().join(" ")
}

fn read(mut row: Row) -> Result<Keystore, StoreError> {
    let (name, certificates) = (row.text()?, row.text()?);
    let decoded = certificates.split(' ').map(|text| STANDARD.decode(text));
    let chain = decoded.collect::<Result<Vec<_>, _>>().map_err(|_| StoreError::corrupt("a certificate in base64"))?;
    Ok(Keystore {
        name,
        chain,
        subject: row.text()?,
        issuer: row.text()?,
        valid_from: row.time()?,
        valid_until: row.time()?,
        fingerprint: row.text()?,
        created_at: row.time()?,
        updated_at: row.time()?,
    })
}
