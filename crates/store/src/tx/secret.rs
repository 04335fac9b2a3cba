//! Secrets of applications and webhooks, sealed: the present one and, while an overlap lasts, the one before.

use spaceport_platform::application::{Application, SecretKind};
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;

/// What becomes of a secret that a new one takes the place of: it stays valid for a while.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overlap {
    /// Until when.
    pub until: Timestamp,
    /// The application's `tokens_not_before` until now: tokens that carry it live as long as the secret.
    pub stamp: Timestamp,
    /// The one from now on. Whatever moves it again ends the overlap of the client secret.
    pub next_stamp: Timestamp,
}

/// The secret before the present one.
#[derive(Clone, Debug)]
pub struct PreviousSecret {
    /// In clear.
    pub secret: Secret,
    /// What it still brings.
    pub overlap: Overlap,
}

/// Which client secret a candidate is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SecretMatch {
    /// None.
    None,
    /// The present one.
    Present,
    /// The one before, within its overlap; tokens carry the stamp given here.
    Previous(Timestamp),
}

impl Tx<'_> {
    /// Stores a secret of an application or webhook. The one before ends at once, and so does the overlap of one
    /// before that.
    pub fn set_secret(&mut self, owner: &str, kind: SecretKind, secret: &Secret) -> Result<(), StoreError> {
        self.end_overlap(owner, kind)?;
        self.put("secret", owner, kind, secret)
    }

    fn put(&mut self, table: &str, owner: &str, kind: SecretKind, secret: &Secret) -> Result<(), StoreError> {
        let sealed = self.seal(&place_of(table, owner, kind), secret.reveal().as_bytes())?;
        let tag = self.tag(secret.reveal())?;
        let sql = format!(
            "INSERT INTO {table} (owner_id, kind, sealed, tag) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (owner_id, kind) DO UPDATE SET sealed = excluded.sealed, tag = excluded.tag"
        );
        self.connection.execute(&sql, &[owner.into(), kind.name().into(), sealed.into(), tag.into()]).map(|_| ())
    }

    /// Stores a secret in place of another, which stays valid for the overlap. Only one stays: a second change within
    /// an overlap ends the oldest at once.
    pub fn replace_secret(
        &mut self,
        owner: &str,
        kind: SecretKind,
        secret: &Secret,
        overlap: &Overlap,
    ) -> Result<(), StoreError> {
        self.rights_changed()?;
        let before = self.secret(owner, kind)?;
        self.set_secret(owner, kind, secret)?;
        let Some(before) = before else { return Ok(()) };
        self.put("previous_secret", owner, kind, &before)?;
        let sql = "UPDATE previous_secret SET valid_until = $1, stamp = $2, next_stamp = $3 WHERE owner_id = $4 AND kind = $5";
        let values =
            [overlap.until.into(), overlap.stamp.into(), overlap.next_stamp.into(), owner.into(), kind.name().into()];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// The secret in clear.
    pub fn secret(&mut self, owner: &str, kind: SecretKind) -> Result<Option<Secret>, StoreError> {
        let sql = "SELECT sealed FROM secret WHERE owner_id = $1 AND kind = $2";
        let Some(mut row) = self.connection.query(sql, &[owner.into(), kind.name().into()])?.pop() else {
            return Ok(None);
        };
        self.reveal(&place_of("secret", owner, kind), &row.text()?).map(Some)
    }

    fn reveal(&self, place: &str, sealed: &str) -> Result<Secret, StoreError> {
        let plain = self.open(place, sealed)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| StoreError::corrupt("a secret that is no text"))
    }

    /// The secret before the present one, if its overlap lasts at `now`.
    pub fn previous_secret(
        &mut self,
        owner: &str,
        kind: SecretKind,
        now: Timestamp,
    ) -> Result<Option<PreviousSecret>, StoreError> {
        let sql = "SELECT sealed, valid_until, stamp, next_stamp FROM previous_secret \
                   WHERE owner_id = $1 AND kind = $2 AND valid_until > $3";
        let values = [owner.into(), kind.name().into(), now.into()];
        let Some(mut row) = self.connection.query(sql, &values)?.pop() else { return Ok(None) };
        let secret = self.reveal(&place_of("previous_secret", owner, kind), &row.text()?)?;
        let overlap = Overlap { until: row.time()?, stamp: row.time()?, next_stamp: row.time()? };
        Ok(Some(PreviousSecret { secret, overlap }))
    }

    /// Ends the overlap of a secret at once; answers whether there was one.
    pub fn end_overlap(&mut self, owner: &str, kind: SecretKind) -> Result<bool, StoreError> {
        self.rights_changed()?;
        let sql = "DELETE FROM previous_secret WHERE owner_id = $1 AND kind = $2";
        self.connection.execute(sql, &[owner.into(), kind.name().into()]).map(|ended| ended > 0)
    }

    /// Makes the secret before the present one the present one again, and forgets the one that took its place; answers
    /// what it brought, or nothing when there is none before.
    pub fn return_to_previous_secret(&mut self, owner: &str, kind: SecretKind) -> Result<Option<Overlap>, StoreError> {
        // However long ago its time ended: it is better than one that nobody knows.
        let Some(previous) = self.previous_secret(owner, kind, Timestamp::from_millis(0))? else { return Ok(None) };
        self.set_secret(owner, kind, &previous.secret)?;
        Ok(Some(previous.overlap))
    }

    /// What the client secret before the present one still brings to an application: also after its end, so that
    /// tokens can be told apart that have expired with it.
    pub fn client_secret_overlap(&mut self, application: &Application) -> Result<Option<Overlap>, StoreError> {
        let sql = "SELECT valid_until, stamp, next_stamp FROM previous_secret \
                   WHERE owner_id = $1 AND kind = $2 AND next_stamp = $3";
        let kind = SecretKind::ClientSecret.name();
        let values = [(&application.id).into(), kind.into(), application.tokens_not_before.into()];
        let found = self.connection.query(sql, &values)?.pop();
        found.map(|mut row| Ok(Overlap { until: row.time()?, stamp: row.time()?, next_stamp: row.time()? })).transpose()
    }

    /// Which client secret of an application `candidate` is. Without an application the same work is done for nothing,
    /// and both secrets are always compared, so that time tells nothing.
    pub fn match_client_secret(
        &mut self,
        application: Option<&Application>,
        candidate: &str,
        now: Timestamp,
    ) -> Result<SecretMatch, StoreError> {
        let owner = application.map_or("", |application| application.id.as_str());
        let stamp = application.map_or(Timestamp::from_millis(0), |application| application.tokens_not_before);
        let present = self.tag_of(owner, SecretKind::ClientSecret)?;
        let sql = "SELECT tag, stamp FROM previous_secret \
                   WHERE owner_id = $1 AND kind = $2 AND valid_until > $3 AND next_stamp = $4";
        let values = [owner.into(), SecretKind::ClientSecret.name().into(), now.into(), stamp.into()];
        let (previous, stamp) = match self.connection.query(sql, &values)?.pop() {
            Some(mut row) => (Some(row.text()?), row.time()?),
            None => (None, stamp),
        };
        let is_present = self.tag_matches(candidate, present.as_deref())?;
        let is_previous = self.tag_matches(candidate, previous.as_deref())?;
        Ok(match (is_present, is_previous) {
            (true, _) => SecretMatch::Present,
            (false, true) => SecretMatch::Previous(stamp),
            (false, false) => SecretMatch::None,
        })
    }

    fn tag_of(&mut self, owner: &str, kind: SecretKind) -> Result<Option<String>, StoreError> {
        let sql = "SELECT tag FROM secret WHERE owner_id = $1 AND kind = $2";
        self.connection.query(sql, &[owner.into(), kind.name().into()])?.pop().map(|mut row| row.text()).transpose()
    }

    /// Whether `candidate` is the secret. Takes the same time when there is none.
    pub fn secret_matches(&mut self, owner: &str, kind: SecretKind, candidate: &str) -> Result<bool, StoreError> {
        let tag = self.tag_of(owner, kind)?;
        self.tag_matches(candidate, tag.as_deref())
    }

    /// Deletes up to `limit` secrets whose overlap ended before `horizon`; answers how many.
    pub fn delete_previous_secrets(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM previous_secret WHERE (owner_id, kind) IN \
                   (SELECT owner_id, kind FROM previous_secret WHERE valid_until < $1 ORDER BY valid_until LIMIT $2)";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }
}

fn place_of(table: &str, owner: &str, kind: SecretKind) -> String {
    format!("{table}|{owner}|{}", kind.name())
}

/// Where a secret is sealed for, from its table and primary key.
pub(crate) fn place(table: &str, keys: &[String]) -> String {
    format!("{table}|{}", keys.join("|"))
}
