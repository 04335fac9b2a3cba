//! Secrets of applications and webhooks, sealed; and the check of the master key.

use spaceport_platform::application::SecretKind;
use spaceport_platform::secret::Secret;

use crate::error::StoreError;
use crate::tx::Tx;

const CHECK: &str = "master-key-check";

impl Tx<'_> {
    /// Makes sure that the master key is the one this database was made with; on a new database,
    /// remembers it.
    pub(crate) fn check_master_key(&mut self) -> Result<(), StoreError> {
        let found = self.connection.query("SELECT value FROM setting WHERE name = $1", &[CHECK.into()])?.pop();
        match found {
            Some(mut row) => {
                let sealed = row.text()?;
                self.sealer.open(CHECK, &sealed).map(|_| ())
            }
            None => {
                let sealed = self.sealer.seal(CHECK, CHECK.as_bytes())?;
                self.connection
                    .execute("INSERT INTO setting (name, value) VALUES ($1, $2)", &[CHECK.into(), sealed.into()])
                    .map(|_| ())
            }
        }
    }

    /// Stores a secret of an application or webhook, in place of the one before.
    pub fn set_secret(&mut self, owner: &str, kind: SecretKind, secret: &Secret) -> Result<(), StoreError> {
        let sealed = self.sealer.seal(&place(owner, kind), secret.reveal().as_bytes())?;
        let tag = self.sealer.tag(secret.reveal());
        let sql = "INSERT INTO secret (owner_id, kind, sealed, tag) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (owner_id, kind) DO UPDATE SET sealed = excluded.sealed, tag = excluded.tag";
        self.connection.execute(sql, &[owner.into(), kind.name().into(), sealed.into(), tag.into()]).map(|_| ())
    }

    /// The secret in clear.
    pub fn secret(&mut self, owner: &str, kind: SecretKind) -> Result<Option<Secret>, StoreError> {
        let sql = "SELECT sealed FROM secret WHERE owner_id = $1 AND kind = $2";
        let Some(mut row) = self.connection.query(sql, &[owner.into(), kind.name().into()])?.pop() else {
            return Ok(None);
        };
        let plain = self.sealer.open(&place(owner, kind), &row.text()?)?;
        let text = String::from_utf8(plain).map_err(|_| StoreError::corrupt("a secret that is no text"))?;
        Ok(Some(Secret::new(text)))
    }

    /// Whether `candidate` is the secret. Takes the same time when there is none.
    pub fn secret_matches(&mut self, owner: &str, kind: SecretKind, candidate: &str) -> Result<bool, StoreError> {
        let sql = "SELECT tag FROM secret WHERE owner_id = $1 AND kind = $2";
        let tag = match self.connection.query(sql, &[owner.into(), kind.name().into()])?.pop() {
            Some(mut row) => row.text()?,
            None => self.sealer.tag(""),
        };
        // The empty text stands for "no secret" and is none itself.
        Ok(self.sealer.matches(candidate, &tag) && !candidate.is_empty())
    }
}

fn place(owner: &str, kind: SecretKind) -> String {
    format!("secret|{owner}|{}", kind.name())
}
