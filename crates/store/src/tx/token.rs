//! Stored tokens and one-time links, by hash alone.

use spaceport_platform::access::Principal;
use spaceport_platform::id::{ApplicationId, ProfileId, TokenId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::profile::principal_columns;

/// A token to store.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// SHA-256 of the token's text, in hex.
    pub hash: String,
    /// Its id.
    pub id: TokenId,
    /// What people read.
    pub name: String,
    /// What it may be used for.
    pub scope: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; never when `None`.
    pub expires_at: Option<Timestamp>,
}

/// A stored token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredToken {
    /// Its id.
    pub id: TokenId,
    /// Whom it speaks for.
    pub principal: Principal,
    /// What it may be used for.
    pub scope: String,
    /// When it ends; never when `None`.
    pub expires_at: Option<Timestamp>,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Tx<'_> {
    /// Stores a token of a principal.
    pub fn insert_token(&mut self, token: &NewToken, principal: &Principal) -> Result<(), StoreError> {
        let (kind, id) = principal_columns(principal).ok_or_else(|| StoreError::corrupt("a token of nobody"))?;
        let sql = "INSERT INTO token (hash, id, principal_kind, principal_id, name, scope, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let values = [
            token.hash.as_str().into(),
            (&token.id).into(),
            kind.into(),
            id.into(),
            token.name.as_str().into(),
            token.scope.as_str().into(),
            token.created_at.into(),
            token.expires_at.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// The token with this hash, revoked and expired ones too.
    pub fn token_by_hash(&mut self, hash: &str) -> Result<Option<StoredToken>, StoreError> {
        let sql = "SELECT id, principal_kind, principal_id, scope, expires_at, revoked_at FROM token WHERE hash = $1";
        let Some(mut row) = self.connection.query(sql, &[hash.into()])?.pop() else { return Ok(None) };
        let id = TokenId::new(row.text()?);
        let principal = match (row.text()?.as_str(), row.text()?) {
            ("application", id) => Principal::Application(ApplicationId::new(id)),
            ("profile", id) => Principal::User(ProfileId::new(id)),
            (kind, _) => return Err(StoreError::corrupt(format!("a token of a {kind}"))),
        };
        Ok(Some(StoredToken {
            id,
            principal,
            scope: row.text()?,
            expires_at: row.optional_time()?,
            revoked_at: row.optional_time()?,
        }))
    }

    /// What people call the token with this id.
    pub fn token_name(&mut self, id: &TokenId) -> Result<Option<String>, StoreError> {
        let found = self.connection.query("SELECT name FROM token WHERE id = $1", &[id.into()])?.pop();
        found.map(|mut row| row.text()).transpose()
    }

    /// Revokes every token of a principal.
    pub fn revoke_tokens_of(&mut self, principal: &Principal, now: Timestamp) -> Result<(), StoreError> {
        let Some((kind, id)) = principal_columns(principal) else { return Ok(()) };
        let sql =
            "UPDATE token SET revoked_at = $1 WHERE principal_kind = $2 AND principal_id = $3 AND revoked_at IS NULL";
        self.connection.execute(sql, &[now.into(), kind.into(), id.into()])?;
        self.rights_changed()
    }

    /// Stores a link that works once.
    pub fn insert_link(
        &mut self,
        hash: &str,
        purpose: &str,
        profile: &ProfileId,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql =
            "INSERT INTO one_time_link (hash, purpose, profile_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
        self.connection
            .execute(sql, &[hash.into(), purpose.into(), profile.into(), now.into(), expires_at.into()])
            .map(|_| ())
    }

    /// Uses a link up; answers for whom it was. Of many callers at once exactly one gets an answer.
    pub fn use_link(&mut self, hash: &str, now: Timestamp) -> Result<Option<ProfileId>, StoreError> {
        let sql = "UPDATE one_time_link SET used_at = $1 WHERE hash = $2 AND used_at IS NULL AND expires_at > $1 RETURNING profile_id";
        let found = self.connection.query(sql, &[now.into(), hash.into()])?.pop();
        found.map(|mut row| row.text().map(ProfileId::new)).transpose()
    }
}
