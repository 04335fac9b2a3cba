//! Stored tokens and one-time links, by hash alone.

use spaceport_platform::access::Principal;
use spaceport_platform::access_record::AccessRecord;
use spaceport_platform::id::{ApplicationId, ProfileId, TokenId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::profile::principal_columns;
use crate::value::{Row, Value};

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
    /// What people read.
    pub name: String,
    /// What it may be used for.
    pub scope: String,
    /// When it ends; never when `None`.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
    /// Its last use, as far as it is stored.
    pub last_access: Option<AccessRecord>,
}

/// Where a page of tokens begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenStart {
    /// After this many tokens.
    Offset(i64),
    /// After this token.
    After(TokenId),
}

const COLUMNS: &str = "id, principal_kind, principal_id, name, scope, expires_at, created_at, revoked_at, last_access_at, \
                       last_access_address, last_access_user_agent";

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
        let sql = format!("SELECT {COLUMNS} FROM token WHERE hash = $1");
        self.connection.query(&sql, &[hash.into()])?.pop().map(read).transpose()
    }

    /// The token with this id, revoked and expired ones too. In a writing transaction nobody else changes it until
    /// the end.
    pub fn token(&mut self, id: &TokenId) -> Result<Option<StoredToken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM token WHERE id = $1 {}", self.connection.held_for_update());
        self.connection.query(&sql, &[id.into()])?.pop().map(read).transpose()
    }

    /// A page of the tokens of a principal that are not revoked, the oldest first, and how many there are in all.
    pub fn tokens_of(
        &mut self,
        principal: &Principal,
        start: &TokenStart,
        limit: i64,
    ) -> Result<(Vec<StoredToken>, i64), StoreError> {
        let Some((kind, id)) = principal_columns(principal) else { return Ok((Vec::new(), 0)) };
        let whose = "principal_kind = $1 AND principal_id = $2 AND revoked_at IS NULL";
        let sql = format!("SELECT COUNT(*) FROM token WHERE {whose}");
        let total = self.connection.query(&sql, &[kind.into(), id.into()])?.pop().map_or(Ok(0), |mut row| row.int())?;
        let (after, offset) = match start {
            TokenStart::Offset(offset) => ("", *offset),
            TokenStart::After(id) => (id.as_str(), 0),
        };
        let sql = format!("SELECT {COLUMNS} FROM token WHERE {whose} AND id > $3 ORDER BY id LIMIT $4 OFFSET $5");
        let values = [kind.into(), id.into(), after.into(), limit.into(), offset.into()];
        let found = self.connection.query(&sql, &values)?.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok((found, total))
    }

    /// Changes what a token is called, what it may be used for and when it ends.
    pub fn update_token(
        &mut self,
        id: &TokenId,
        name: &str,
        scope: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let sql = "UPDATE token SET name = $1, scope = $2, expires_at = $3 WHERE id = $4";
        self.connection.execute(sql, &[name.into(), scope.into(), expires_at.into(), id.into()])?;
        self.rights_changed()
    }

    /// Revokes a token.
    pub fn revoke_token(&mut self, id: &TokenId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        self.connection.execute(sql, &[now.into(), id.into()])?;
        self.rights_changed()
    }

    /// Stores the last uses of tokens; one that is older than the stored one changes nothing.
    pub fn record_token_accesses(&mut self, records: &[(TokenId, AccessRecord)]) -> Result<(), StoreError> {
        let sql = "UPDATE token SET last_access_at = $1, last_access_address = $2, last_access_user_agent = $3 \
                   WHERE id = $4 AND (last_access_at IS NULL OR last_access_at < $1)";
        let rows: Vec<Vec<Value>> = records
            .iter()
            .map(|(id, record)| {
                let user_agent = record.user_agent.as_deref();
                vec![record.at.into(), record.address.as_str().into(), user_agent.into(), id.into()]
            })
            .collect();
        self.connection.execute_many(sql, &rows).map(|_| ())
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

    /// Uses a link of this purpose up; answers for whom it was. Of many callers at once exactly one gets an answer.
    pub fn use_link(&mut self, hash: &str, purpose: &str, now: Timestamp) -> Result<Option<ProfileId>, StoreError> {
        let sql = "UPDATE one_time_link SET used_at = $1 WHERE hash = $2 AND purpose = $3 AND used_at IS NULL AND expires_at > $1 RETURNING profile_id";
        let found = self.connection.query(sql, &[now.into(), hash.into(), purpose.into()])?.pop();
        found.map(|mut row| row.text().map(ProfileId::new)).transpose()
    }
}

fn read(mut row: Row) -> Result<StoredToken, StoreError> {
    let id = TokenId::new(row.text()?);
    let principal = match (row.text()?.as_str(), row.text()?) {
        ("application", id) => Principal::Application(ApplicationId::new(id)),
        ("profile", id) => Principal::User(ProfileId::new(id)),
        (kind, _) => return Err(StoreError::corrupt(format!("a token of a {kind}"))),
    };
    Ok(StoredToken {
        id,
        principal,
        name: row.text()?,
        scope: row.text()?,
        expires_at: row.optional_time()?,
        created_at: row.time()?,
        revoked_at: row.optional_time()?,
        last_access: match (row.optional_time()?, row.optional_text()?, row.optional_text()?) {
            (Some(at), address, user_agent) => {
                Some(AccessRecord { at, address: address.unwrap_or_default(), user_agent })
            }
            (None, ..) => None,
        },
    })
}
