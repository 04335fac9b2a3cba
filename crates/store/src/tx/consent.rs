//! Consents: what users agreed to, and its end.

use spaceport_platform::consent::{ApprovedScope, Consent, Presence};
use spaceport_platform::id::{ApplicationId, ApprovedScopeId, ConsentId, ProfileId};
use spaceport_platform::scope::Scope;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::{Row, Value};

impl Tx<'_> {
    /// What a user agreed to for one application.
    pub fn consent(&mut self, profile: &ProfileId, application: &ApplicationId) -> Result<Option<Consent>, StoreError> {
        let condition = "profile_id = $1 AND application_id = $2";
        Ok(self.consents_where(condition, &[profile.into(), application.into()])?.pop())
    }

    /// The same, kept as it is until this transaction ends: whoever withdraws it waits, and finds what was made of it.
    pub fn held_consent(
        &mut self,
        profile: &ProfileId,
        application: &ApplicationId,
    ) -> Result<Option<Consent>, StoreError> {
        let sql = "UPDATE consent SET created_at = created_at WHERE profile_id = $1 AND application_id = $2";
        self.connection.execute(sql, &[profile.into(), application.into()])?;
        self.consent(profile, application)
    }

    /// What a user agreed to, oldest first.
    pub fn consents(&mut self, profile: &ProfileId) -> Result<Vec<Consent>, StoreError> {
        self.consents_where("profile_id = $1", &[profile.into()])
    }

    fn consents_where(&mut self, condition: &str, values: &[Value]) -> Result<Vec<Consent>, StoreError> {
        let sql =
            format!("SELECT id, profile_id, application_id FROM consent WHERE {condition} ORDER BY created_at, id");
        let mut consents = Vec::new();
        for mut row in self.connection.query(&sql, values)? {
            let id = ConsentId::new(row.text()?);
            let (profile, application) = (ProfileId::new(row.text()?), ApplicationId::new(row.text()?));
            let sql = "SELECT id, scope, offline_allowed, created_at FROM approved_scope WHERE consent_id = $1 ORDER BY created_at, id";
            let scopes = self.connection.query(sql, &[(&id).into()])?;
            let scopes = scopes.into_iter().map(read_scope).collect::<Result<_, _>>()?;
            consents.push(Consent { id, profile, application, scopes });
        }
        Ok(consents)
    }

    /// Remembers that a user approved a scope. Approving it again changes nothing, or adds that the application may act
    /// while the user is away.
    pub fn approve(
        &mut self,
        profile: &ProfileId,
        application: &ApplicationId,
        new_consent: &ConsentId,
        approved: &ApprovedScope,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO consent (id, profile_id, application_id, created_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (profile_id, application_id) DO UPDATE SET created_at = consent.created_at RETURNING id";
        let values = [new_consent.into(), profile.into(), application.into(), approved.approved_at.into()];
        let found = self.connection.query(sql, &values)?.pop();
        let consent = found.ok_or_else(|| StoreError::corrupt("a consent that was not stored"))?.text()?;
        let sql = "INSERT INTO approved_scope (id, consent_id, scope, offline_allowed, created_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (consent_id, scope) DO UPDATE SET offline_allowed = \
                   CASE WHEN excluded.offline_allowed = 1 THEN 1 ELSE approved_scope.offline_allowed END";
        let values = [
            (&approved.id).into(),
            consent.into(),
            approved.scope.to_string().into(),
            (approved.presence == Presence::Offline).into(),
            approved.approved_at.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Ends a user's consent to an application and with it every code, token and delegation. Answers whether there was
    /// any of these.
    pub fn withdraw_consent(
        &mut self,
        profile: &ProfileId,
        application: &ApplicationId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "DELETE FROM consent WHERE profile_id = $1 AND application_id = $2";
        let existed = self.connection.execute(sql, &[profile.into(), application.into()])? > 0;
        let ended = self.end_delegations_between(profile, application, now)?;
        Ok(existed || ended > 0)
    }

    /// Ends one approved scope of a user, and every delegation to that application, since each may rest on it. Answers to
    /// which application it belonged.
    pub fn withdraw_scope(
        &mut self,
        profile: &ProfileId,
        scope: &ApprovedScopeId,
        now: Timestamp,
    ) -> Result<Option<ApplicationId>, StoreError> {
        let sql = "SELECT c.application_id FROM approved_scope AS s JOIN consent AS c ON c.id = s.consent_id \
                   WHERE s.id = $1 AND c.profile_id = $2";
        let Some(mut row) = self.connection.query(sql, &[scope.into(), profile.into()])?.pop() else { return Ok(None) };
        let application = ApplicationId::new(row.text()?);
        self.held_consent(profile, &application)?;
        self.connection.execute("DELETE FROM approved_scope WHERE id = $1", &[scope.into()])?;
        let sql = "DELETE FROM consent WHERE profile_id = $1 AND application_id = $2 \
                   AND NOT EXISTS (SELECT 1 FROM approved_scope AS s WHERE s.consent_id = consent.id)";
        self.connection.execute(sql, &[profile.into(), (&application).into()])?;
        self.end_delegations_between(profile, &application, now)?;
        Ok(Some(application))
    }
}

fn read_scope(mut row: Row) -> Result<ApprovedScope, StoreError> {
    Ok(ApprovedScope {
        id: ApprovedScopeId::new(row.text()?),
        scope: scope(&row.text()?)?,
        presence: if row.flag()? { Presence::Offline } else { Presence::Online },
        approved_at: row.time()?,
    })
}

/// A stored scope.
pub(crate) fn scope(text: &str) -> Result<Scope, StoreError> {
    Scope::parse(text).map_err(|_| StoreError::corrupt("a stored scope"))
}
