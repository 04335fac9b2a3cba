//! Authorization codes, delegations, and what ends them.

use spaceport_platform::consent::Presence;
use spaceport_platform::delegation::{AuthorizationCode, Challenge, ChallengeMethod, ClientKind, Delegation};
use spaceport_platform::id::{ApplicationId, DelegationId, ProfileId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::consent::scope;

impl Tx<'_> {
    /// Stores a code by its hash.
    pub fn insert_code(&mut self, hash: &str, code: &AuthorizationCode) -> Result<(), StoreError> {
        let sql = "INSERT INTO authorization_code (hash, application_id, profile_id, redirect_uri, scope, challenge, \
                   challenge_method, offline, delegation_id, issued_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let values = [
            hash.into(),
            (&code.application).into(),
            (&code.profile).into(),
            code.redirect_uri.as_str().into(),
            code.scope.to_string().into(),
            code.challenge.as_ref().map(|challenge| challenge.text.as_str()).into(),
            code.challenge.as_ref().map(|challenge| challenge.method.name()).into(),
            (code.presence == Presence::Offline).into(),
            (&code.delegation).into(),
            code.issued_at.into(),
            code.expires_at.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// The code with this hash, used and expired ones too.
    pub fn code(&mut self, hash: &str) -> Result<Option<AuthorizationCode>, StoreError> {
        let sql = "SELECT application_id, profile_id, redirect_uri, scope, challenge, challenge_method, offline, delegation_id, \
                   issued_at, expires_at FROM authorization_code WHERE hash = $1";
        let Some(mut row) = self.connection.query(sql, &[hash.into()])?.pop() else { return Ok(None) };
        let (application, profile) = (ApplicationId::new(row.text()?), ProfileId::new(row.text()?));
        let (redirect_uri, agreed) = (row.text()?, scope(&row.text()?)?);
        let (challenge, method) = (row.optional_text()?, row.optional_text()?);
        let challenge = challenge.map(|text| {
            let method = method.as_deref().and_then(ChallengeMethod::from_name);
            method.map(|method| Challenge { method, text }).ok_or_else(|| StoreError::corrupt("a challenge's method"))
        });
        Ok(Some(AuthorizationCode {
            application,
            profile,
            redirect_uri,
            scope: agreed,
            challenge: challenge.transpose()?,
            presence: if row.flag()? { Presence::Offline } else { Presence::Online },
            delegation: DelegationId::new(row.text()?),
            issued_at: row.time()?,
            expires_at: row.time()?,
        }))
    }

    /// Uses a code up. Of many callers at once exactly one hears that it did.
    pub fn use_code(&mut self, hash: &str, now: Timestamp) -> Result<bool, StoreError> {
        let sql = "UPDATE authorization_code SET used_at = $1 WHERE hash = $2 AND used_at IS NULL";
        Ok(self.connection.execute(sql, &[now.into(), hash.into()])? == 1)
    }

    /// Stores a new delegation.
    pub fn insert_delegation(&mut self, delegation: &Delegation) -> Result<(), StoreError> {
        let sql = "INSERT INTO delegation (id, application_id, profile_id, scope, client_kind, created_at, expires_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let values = [
            (&delegation.id).into(),
            (&delegation.application).into(),
            (&delegation.profile).into(),
            delegation.scope.to_string().into(),
            delegation.client.name().into(),
            delegation.created_at.into(),
            delegation.expires_at.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// The delegation with this id, revoked ones too.
    pub fn delegation(&mut self, id: &DelegationId) -> Result<Option<Delegation>, StoreError> {
        let sql = "SELECT application_id, profile_id, scope, client_kind, created_at, expires_at, revoked_at \
                   FROM delegation WHERE id = $1";
        let Some(mut row) = self.connection.query(sql, &[id.into()])?.pop() else { return Ok(None) };
        Ok(Some(Delegation {
            id: id.clone(),
            application: ApplicationId::new(row.text()?),
            profile: ProfileId::new(row.text()?),
            scope: scope(&row.text()?)?,
            client: ClientKind::from_name(&row.text()?).ok_or_else(|| StoreError::corrupt("the kind of a client"))?,
            created_at: row.time()?,
            expires_at: row.time()?,
            revoked_at: row.optional_time()?,
        }))
    }

    /// Lets a delegation live until `expires_at`, if that is later than so far.
    pub fn extend_delegation(&mut self, id: &DelegationId, expires_at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE delegation SET expires_at = $1 WHERE id = $2 AND expires_at < $1";
        self.connection.execute(sql, &[expires_at.into(), id.into()]).map(|_| ())
    }

    /// Revokes a delegation and every token that rests on it.
    pub fn revoke_delegation(&mut self, id: &DelegationId, now: Timestamp) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sql = "UPDATE delegation SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        self.connection.execute(sql, &[now.into(), id.into()]).map(|_| ())
    }

    /// Revokes the oldest delegations with refresh tokens of a user to an application, so that `keep` are left.
    pub fn limit_delegations(
        &mut self,
        profile: &ProfileId,
        application: &ApplicationId,
        keep: i64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sql = "UPDATE delegation SET revoked_at = $1 WHERE id IN (SELECT d.id FROM delegation AS d \
                   WHERE d.profile_id = $2 AND d.application_id = $3 AND d.revoked_at IS NULL \
                   AND EXISTS (SELECT 1 FROM refresh_token AS t WHERE t.delegation_id = d.id) \
                   ORDER BY d.created_at DESC, d.id DESC LIMIT 1000 OFFSET $4)";
        self.connection.execute(sql, &[now.into(), profile.into(), application.into(), keep.into()]).map(|_| ())
    }

    /// Ends all that users delegated to an application, and the codes that are under way.
    ///
    /// The codes come first: that waits for whoever redeems one at this moment, so that the delegation he makes is found.
    pub fn end_delegations_to(&mut self, application: &ApplicationId, now: Timestamp) -> Result<(), StoreError> {
        self.rights_changed()?;
        let values = [now.into(), application.into()];
        let sql = "UPDATE authorization_code SET used_at = $1 WHERE application_id = $2 AND used_at IS NULL";
        self.connection.execute(sql, &values)?;
        let sql = "UPDATE delegation SET revoked_at = $1 WHERE application_id = $2 AND revoked_at IS NULL";
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Ends all that a user delegated to an application, and the codes that are under way, those first as above. Answers how
    /// many there were.
    pub(crate) fn end_delegations_between(
        &mut self,
        profile: &ProfileId,
        application: &ApplicationId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.rights_changed()?;
        let values = [now.into(), profile.into(), application.into()];
        let sql = "UPDATE authorization_code SET used_at = $1 WHERE profile_id = $2 AND application_id = $3 AND used_at IS NULL";
        let codes = self.connection.execute(sql, &values)?;
        let sql = "UPDATE delegation SET revoked_at = $1 WHERE profile_id = $2 AND application_id = $3 AND revoked_at IS NULL";
        Ok(codes + self.connection.execute(sql, &values)?)
    }

    /// Deletes codes, delegations and entries of revoked tokens that have been over since before `horizon`.
    pub fn delete_old_delegations(&mut self, horizon: Timestamp, limit: i64) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for (table, key) in [("authorization_code", "hash"), ("delegation", "id"), ("revoked_access_token", "token_id")]
        {
            let sql = format!(
                "DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)"
            );
            deleted += self.connection.execute(&sql, &[horizon.into(), limit.into()])?;
        }
        Ok(deleted)
    }

    /// Notes that an access token is revoked, until it would have expired anyway.
    pub fn revoke_access_token(&mut self, token_id: &str, expires_at: Timestamp) -> Result<(), StoreError> {
        self.rights_changed()?;
        let sql = "INSERT INTO revoked_access_token (token_id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.connection.execute(sql, &[token_id.into(), expires_at.into()]).map(|_| ())
    }

    /// Whether an access token was revoked on its own.
    pub fn is_access_token_revoked(&mut self, token_id: &str) -> Result<bool, StoreError> {
        let sql = "SELECT token_id FROM revoked_access_token WHERE token_id = $1";
        Ok(!self.connection.query(sql, &[token_id.into()])?.is_empty())
    }
}
