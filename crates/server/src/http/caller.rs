//! Who makes this request: from bearer token to [`Caller`].

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use moka::sync::Cache;
use spaceport_platform::access::{Caller, Credential, Principal};
use spaceport_platform::scope::Scope;
use spaceport_platform::time::{Clock, Timestamp};
use spaceport_store::{Store, StoreError};

use crate::http::error::ApiError;
use crate::oauth::jwt::Refusal;
use crate::oauth::ring::AccessTokens;

/// How long a verified token is trusted without looking again. This bounds how late another node
/// learns of a revocation (security, decision 3: a second).
const TRUST: Duration = Duration::from_secs(1);
/// Most tokens remembered at once.
const CAPACITY: u64 = 100_000;

type TokenHash = [u8; 32];

/// Turns bearer tokens into callers and remembers them for a second.
#[derive(Clone)]
pub struct Callers {
    known: Cache<TokenHash, (Arc<Caller>, Timestamp)>,
    tokens: Arc<AccessTokens>,
}

impl Callers {
    /// With the keys that access tokens are verified by.
    pub fn new(tokens: Arc<AccessTokens>) -> Self {
        Self { known: Cache::builder().max_capacity(CAPACITY).time_to_live(TRUST).build(), tokens }
    }

    /// Forgets everybody, so that a change of rights or a revocation counts from the next call on.
    pub fn forget(&self) {
        self.known.invalidate_all();
    }

    /// The caller behind an `Authorization` header; nobody when there is none.
    ///
    /// # Errors
    /// `401` for tokens that are malformed, unknown, revoked or expired.
    pub async fn resolve(
        &self,
        authorization: Option<&[u8]>,
        store: &Store,
        clock: &dyn Clock,
    ) -> Result<Arc<Caller>, ApiError> {
        let Some(header) = authorization else { return Ok(Arc::new(Caller::nobody())) };
        let token = bearer(header)
            .ok_or_else(|| ApiError::invalid_token("Send the access token as `Authorization: Bearer …`"))?;
        let hash = hash(token);
        if let Some((caller, expires_at)) = self.known.get(&hash) {
            if clock.now() < expires_at {
                return Ok(caller);
            }
            self.known.invalidate(&hash);
        }
        let (caller, expires_at) = if token.contains('.') {
            self.access_token(token, store, clock).await?
        } else {
            permanent_token(token_hash(token), store, clock).await?
        };
        let caller = Arc::new(caller);
        self.known.insert(hash, (Arc::clone(&caller), expires_at));
        Ok(caller)
    }

    async fn access_token(
        &self,
        token: &str,
        store: &Store,
        clock: &dyn Clock,
    ) -> Result<(Caller, Timestamp), ApiError> {
        let claims = self.tokens.verify_looking(token, store, clock).await?.map_err(|refusal| match refusal {
            // The one text the SDKs renew their token on; true only here.
            Refusal::Expired => ApiError::invalid_token("Access token has expired"),
            Refusal::Invalid | Refusal::UnknownKey => invalid(),
        })?;
        let scope = Scope::parse(&claims.grant.scope).map_err(|_| invalid())?;
        let client_id = claims.grant.client_id.clone();
        let found = store
            .read(move |tx| {
                let Some(application) = tx.application_by_client_id(&client_id)? else { return Ok(None) };
                let principal = Principal::Application(application.id.clone());
                let grants = tx.grants(&principal)?;
                let overlap = match claims.grant.stamp == application.tokens_not_before {
                    true => None,
                    false => tx.client_secret_overlap(&application)?,
                };
                Ok::<_, StoreError>(Some((application, overlap, principal, grants)))
            })
            .await?;
        let (application, overlap, principal, grants) = found.ok_or_else(invalid)?;
        let own = claims.grant.delegation.is_none() && claims.grant.subject == claims.grant.client_id;
        if !own || application.archived_at.is_some() {
            return Err(invalid());
        }
        let mut expires_at = claims.expires_at;
        if claims.grant.stamp != application.tokens_not_before {
            // A token of the secret before the present one ends with it.
            let overlap = overlap.filter(|overlap| claims.grant.stamp == overlap.stamp).ok_or_else(invalid)?;
            if clock.now() >= overlap.until {
                return Err(ApiError::invalid_token("Access token has expired"));
            }
            expires_at = expires_at.min(overlap.until);
        }
        let caller =
            Caller { principal, grants, scope, credential: Credential::AccessToken, token: None, issued_to: None };
        Ok((caller, expires_at))
    }
}

async fn permanent_token(hash: String, store: &Store, clock: &dyn Clock) -> Result<(Caller, Timestamp), ApiError> {
    let found = store
        .read(move |tx| {
            let Some(token) = tx.token_by_hash(&hash)? else { return Ok(None) };
            let alive = match &token.principal {
                Principal::Application(id) => {
                    tx.application(id)?.is_some_and(|application| application.archived_at.is_none())
                }
                Principal::User(id) => tx.profile(id)?.is_some_and(|profile| profile.is_active()),
                Principal::Nobody => false,
            };
            let grants = match &token.principal {
                Principal::User(id) => tx.rights_of_person(id)?,
                principal => tx.grants(principal)?,
            };
            Ok::<_, StoreError>(alive.then_some((token, grants)))
        })
        .await?;
    let (token, grants) = found.ok_or_else(invalid)?;
    let expires_at = token.expires_at.unwrap_or(Timestamp::from_millis(i64::MAX));
    if token.revoked_at.is_some() {
        return Err(invalid());
    }
    if clock.now() >= expires_at {
        return Err(ApiError::invalid_token("Access token has expired"));
    }
    let scope = Scope::parse(&token.scope).map_err(|_| invalid())?;
    let (principal, id) = (token.principal, Some(token.id));
    Ok((
        Caller { principal, grants, scope, credential: Credential::PermanentToken, token: id, issued_to: None },
        expires_at,
    ))
}

fn invalid() -> ApiError {
    ApiError::invalid_token("Access token is invalid")
}

/// The token of a `Bearer` header; the scheme's case does not matter (RFC 9110 11.1).
fn bearer(header: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(header).ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn hash(token: &str) -> TokenHash {
    let mut hash = [0_u8; 32];
    for (target, byte) in hash.iter_mut().zip(digest::digest(&digest::SHA256, token.as_bytes()).as_ref()) {
        *target = *byte;
    }
    hash
}

/// The form permanent tokens and one-time links are stored in: SHA-256 in lower-case hex.
pub fn token_hash(token: &str) -> String {
    hash(token).iter().map(|byte| format!("{byte:02x}")).collect()
}
