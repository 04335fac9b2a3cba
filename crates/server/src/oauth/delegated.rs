//! Tokens that speak for a user: how they are issued, and what still stands behind one when it is used.

use std::time::Duration;

use spaceport_platform::application::Application;
use spaceport_platform::consent::Presence;
use spaceport_platform::delegation::{ClientKind, Delegation};
use spaceport_platform::id::{DelegationId, Id, ProfileId, RefreshTokenId, random_text};
use spaceport_platform::scope::Scope;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::oauth::answer::TOKEN_ID;
use crate::oauth::jwt::Grant;
use crate::services::Services;

/// Characters of codes and refresh tokens: 285 bits.
pub const SECRET_TEXT: usize = 48;
/// Most delegations with refresh tokens of one user to one application; the oldest go (wire-protocol 8, question 2).
const MAX_DELEGATIONS: i64 = 20;
/// How much longer than its last access token a delegation without refresh token is kept.
const MARGIN: Duration = Duration::from_secs(300);

/// What is about to be stored for a new delegation. Made outside of the transaction, which may run twice.
#[derive(Clone)]
pub struct NewDelegation {
    delegation: Delegation,
    stamp: Timestamp,
    refresh: Option<NewRefresh>,
}

/// A refresh token that waits to be stored.
#[derive(Clone)]
pub struct NewRefresh {
    /// Its id.
    pub id: RefreshTokenId,
    /// Its text.
    pub text: String,
}

impl NewRefresh {
    /// With fresh randomness.
    pub fn generate(services: &Services, now: Timestamp) -> Self {
        let random = services.random.as_ref();
        Self { id: Id::generate(now, random), text: random_text(SECRET_TEXT, random) }
    }
}

/// Who delegates what to whom.
pub struct Parties<'a> {
    /// The application.
    pub application: &'a Application,
    /// The stamp of its tokens.
    pub stamp: Timestamp,
    /// How the client proved who it is.
    pub client: ClientKind,
    /// The user.
    pub profile: &'a ProfileId,
    /// What.
    pub scope: &'a Scope,
    /// Whether a refresh token comes with it.
    pub presence: Presence,
}

impl NewDelegation {
    /// Prepares a delegation.
    pub fn prepare(services: &Services, id: DelegationId, parties: &Parties<'_>, now: Timestamp) -> Self {
        let online = Duration::from_secs(u64::try_from(services.tokens.lifetime()).unwrap_or(0)) + MARGIN;
        let (refresh, life) = match parties.presence {
            Presence::Offline => (Some(NewRefresh::generate(services, now)), services.oauth.refresh_idle),
            Presence::Online => (None, online),
        };
        let delegation = Delegation {
            id,
            application: parties.application.id.clone(),
            profile: parties.profile.clone(),
            scope: parties.scope.clone(),
            client: parties.client,
            created_at: now,
            expires_at: now.plus(life),
            revoked_at: None,
        };
        Self { delegation, stamp: parties.stamp, refresh }
    }

    /// Stores it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn insert(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
        let Delegation { id, profile, application, .. } = &self.delegation;
        tx.insert_delegation(&self.delegation)?;
        if let Some(refresh) = &self.refresh {
            tx.insert_refresh_token(&token_hash(&refresh.text), &refresh.id, id, now)?;
            tx.limit_delegations(profile, application, MAX_DELEGATIONS, now)?;
        }
        Ok(())
    }

    /// The tokens to hand out once it is stored.
    ///
    /// # Errors
    /// When signing fails.
    pub async fn issue(self, services: &Services, client_id: &str, now: Timestamp) -> Result<Issued, ApiError> {
        let refresh = self.refresh.map(|refresh| refresh.text);
        let scope = self.delegation.scope.clone();
        issue(services, (client_id, self.stamp), &self.delegation, scope, refresh, now).await
    }
}

/// Tokens to hand out.
pub struct Issued {
    /// The access token.
    pub access_token: String,
    /// What it may be used for.
    pub scope: Scope,
    /// The refresh token, if there is one.
    pub refresh_token: Option<String>,
}

/// Issues an access token that rests on a delegation.
///
/// # Errors
/// When signing fails.
pub async fn issue(
    services: &Services,
    (client_id, stamp): (&str, Timestamp),
    delegation: &Delegation,
    scope: Scope,
    refresh_token: Option<String>,
    now: Timestamp,
) -> Result<Issued, ApiError> {
    let grant = Grant {
        client_id: client_id.to_owned(),
        subject: delegation.profile.to_string(),
        scope: scope.to_string(),
        stamp,
        delegation: Some(delegation.id.clone()),
    };
    let token_id = random_text(TOKEN_ID, services.random.as_ref());
    let access_token = services.tokens.issue(grant, token_id, now).await.map_err(ApiError::internal)?;
    Ok(Issued { access_token, scope, refresh_token })
}
