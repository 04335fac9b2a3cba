//! Refresh tokens, by hash alone. Those of public clients are spent when they are used.

use spaceport_platform::delegation::Rotation;
use spaceport_platform::id::{ApplicationId, DelegationId, ProfileId, RefreshTokenId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

/// A stored refresh token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshToken {
    /// Its id.
    pub id: RefreshTokenId,
    /// What it rests on.
    pub delegation: DelegationId,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
    /// The address it was used from last.
    pub last_used_from: Option<String>,
    /// Since when another one has taken its place.
    pub spent_at: Option<Timestamp>,
}

const COLUMNS: &str = "t.id, t.delegation_id, t.created_at, t.last_used_at, t.last_used_from, t.spent_at";

impl Tx<'_> {
    /// Stores a refresh token by its hash; storing the same one again changes nothing.
    pub fn insert_refresh_token(
        &mut self,
        hash: &str,
        id: &RefreshTokenId,
        delegation: &DelegationId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO refresh_token (hash, id, delegation_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
        self.connection.execute(sql, &[hash.into(), id.into(), delegation.into(), now.into()]).map(|_| ())
    }

    /// The refresh token with this hash, spent and revoked ones too.
    pub fn refresh_token(&mut self, hash: &str) -> Result<Option<RefreshToken>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM refresh_token AS t WHERE t.hash = $1");
        self.connection.query(&sql, &[hash.into()])?.pop().map(read).transpose()
    }

    /// Spends a refresh token. Of many callers at once exactly one hears that it did.
    pub fn spend_refresh_token(&mut self, hash: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE refresh_token SET spent_at = $1 WHERE hash = $2 AND spent_at IS NULL";
        Ok(self.connection.execute(sql, &[now.into(), hash.into()])? == 1)
    }

    /// Notes that a refresh token was used.
    pub fn touch_refresh_token(&mut self, hash: &str, now: Timestamp, from: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE refresh_token SET last_used_at = $1, last_used_from = $2 WHERE hash = $3";
        self.connection.execute(sql, &[now.into(), from.into(), hash.into()]).map(|_| ())
    }

    /// The token that takes the place of a spent one: the same for everybody who asks, and nobody else can tell it.
    pub fn refresh_successor(&mut self, token: &str) -> Result<String, StoreError> {
        let tag = self.tag(&format!("refresh token after {token}"))?;
        // The id of the master key stands before the tag; it is nobody's business.
        Ok(tag.rsplit('.').next().unwrap_or_default().to_owned())
    }

    /// Which refresh tokens of an application are spent by use.
    pub fn refresh_rotation(&mut self, application: &ApplicationId) -> Result<Rotation, StoreError> {
        let sql = "SELECT rotation FROM refresh_policy WHERE application_id = $1";
        let Some(mut row) = self.connection.query(sql, &[application.into()])?.pop() else {
            return Ok(Rotation::PublicClients);
        };
        Rotation::from_name(&row.text()?).ok_or_else(|| StoreError::corrupt("the rotation of refresh tokens"))
    }

    /// Sets which refresh tokens of an application are spent by use.
    pub fn set_refresh_rotation(&mut self, application: &ApplicationId, rotation: Rotation) -> Result<(), StoreError> {
        let sql = "INSERT INTO refresh_policy (application_id, rotation) VALUES ($1, $2) \
                   ON CONFLICT (application_id) DO UPDATE SET rotation = excluded.rotation";
        self.connection.execute(sql, &[application.into(), rotation.name().into()]).map(|_| ())
    }

    /// Whether any refresh token was ever issued for a delegation.
    pub fn had_refresh_token(&mut self, delegation: &DelegationId) -> Result<bool, StoreError> {
        let sql = "SELECT id FROM refresh_token WHERE delegation_id = $1 LIMIT 1";
        Ok(!self.connection.query(sql, &[delegation.into()])?.is_empty())
    }

    /// Refresh tokens of a user that can still be used, with the scope of each, oldest first.
    pub fn refresh_tokens_of(&mut self, profile: &ProfileId, now: Timestamp) -> Result<Vec<RefreshToken>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM refresh_token AS t JOIN delegation AS d ON d.id = t.delegation_id WHERE d.profile_id = $1 \
             AND d.revoked_at IS NULL AND d.expires_at > $2 AND t.spent_at IS NULL ORDER BY t.created_at, t.id"
        );
        self.connection.query(&sql, &[profile.into(), now.into()])?.into_iter().map(read).collect()
    }

    /// The delegation that a user's refresh token rests on.
    pub fn delegation_of_refresh_token(
        &mut self,
        profile: &ProfileId,
        id: &RefreshTokenId,
    ) -> Result<Option<DelegationId>, StoreError> {
        let sql = "SELECT d.id FROM refresh_token AS t JOIN delegation AS d ON d.id = t.delegation_id \
                   WHERE t.id = $1 AND d.profile_id = $2 AND d.revoked_at IS NULL";
        let found = self.connection.query(sql, &[id.into(), profile.into()])?.pop();
        found.map(|mut row| row.text().map(DelegationId::new)).transpose()
    }
}

fn read(mut row: crate::value::Row) -> Result<RefreshToken, StoreError> {
    Ok(RefreshToken {
        id: RefreshTokenId::new(row.text()?),
        delegation: DelegationId::new(row.text()?),
        created_at: row.time()?,
        last_used_at: row.optional_time()?,
        last_used_from: row.optional_text()?,
        spent_at: row.optional_time()?,
    })
}
