//! Passwords and sessions of people.

use spaceport_platform::id::{ProfileId, SessionId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

/// A stored session of a browser.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSession {
    /// Its id.
    pub id: SessionId,
    /// Who signed in.
    pub profile: ProfileId,
    /// When.
    pub created_at: Timestamp,
    /// When it was used last; kept to the minute or so.
    pub last_seen_at: Timestamp,
    /// How it began.
    pub via: String,
}

impl Tx<'_> {
    /// Stores the hash of a password in place of the one before.
    pub fn set_password_hash(&mut self, profile: &ProfileId, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = "INSERT INTO account (profile_id, password_hash, changed_at) VALUES ($1, $2, $3) ON CONFLICT (profile_id) \
                   DO UPDATE SET password_hash = excluded.password_hash, changed_at = excluded.changed_at";
        self.connection.execute(sql, &[profile.into(), hash.into(), now.into()]).map(|_| ())
    }

    /// The hash of a person's password; `None` when the person has none.
    pub fn password_hash(&mut self, profile: &ProfileId) -> Result<Option<String>, StoreError> {
        let sql = "SELECT password_hash FROM account WHERE profile_id = $1";
        self.connection.query(sql, &[profile.into()])?.pop().map(|mut row| row.text()).transpose()
    }

    /// Whether this is the hash of a person's password. If it is, it stays so until this transaction ends.
    pub fn holds_password_hash(&mut self, profile: &ProfileId, hash: &str) -> Result<bool, StoreError> {
        let sql = "UPDATE account SET password_hash = password_hash WHERE profile_id = $1 AND password_hash = $2";
        Ok(self.connection.execute(sql, &[profile.into(), hash.into()])? > 0)
    }

    /// Stores a session by the hash of its cookie.
    pub fn insert_session(
        &mut self,
        hash: &str,
        id: &SessionId,
        profile: &ProfileId,
        via: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO browser_session (hash, id, profile_id, created_at, last_seen_at, via) VALUES ($1, $2, $3, $4, $4, $5)";
        self.connection.execute(sql, &[hash.into(), id.into(), profile.into(), now.into(), via.into()]).map(|_| ())
    }

    /// The session with this hash, however old.
    pub fn session(&mut self, hash: &str) -> Result<Option<StoredSession>, StoreError> {
        let sql = "SELECT id, profile_id, created_at, last_seen_at, via FROM browser_session WHERE hash = $1";
        let Some(mut row) = self.connection.query(sql, &[hash.into()])?.pop() else { return Ok(None) };
        Ok(Some(StoredSession {
            id: SessionId::new(row.text()?),
            profile: ProfileId::new(row.text()?),
            created_at: row.time()?,
            last_seen_at: row.time()?,
            via: row.text()?,
        }))
    }

    /// Notes that a session was used.
    pub fn touch_session(&mut self, hash: &str, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE browser_session SET last_seen_at = $1 WHERE hash = $2 AND last_seen_at < $1";
        self.connection.execute(sql, &[now.into(), hash.into()]).map(|_| ())
    }

    /// Ends one session.
    pub fn end_session(&mut self, hash: &str) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM browser_session WHERE hash = $1", &[hash.into()]).map(|_| ())
    }

    /// Ends every session of a person; answers how many.
    pub fn end_sessions_of(&mut self, profile: &ProfileId) -> Result<u64, StoreError> {
        self.connection.execute("DELETE FROM browser_session WHERE profile_id = $1", &[profile.into()])
    }

    /// Deletes up to `limit` sessions that began before `horizon`.
    pub fn delete_old_sessions(&mut self, horizon: Timestamp, limit: i64) -> Result<u64, StoreError> {
        let sql = "DELETE FROM browser_session WHERE hash IN \
                   (SELECT hash FROM browser_session WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }
}
