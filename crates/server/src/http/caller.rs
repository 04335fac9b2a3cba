//! Who makes this request: from bearer token to [`Caller`].

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use futures_util::future::BoxFuture;
use moka::sync::Cache;
use spaceport_platform::access::{Caller, Credential, Principal, Through};
use spaceport_platform::grants::{Grants, Limit};
use spaceport_platform::scope::Scope;
use spaceport_platform::time::{Clock, Timestamp};
use spaceport_store::{Remembered, Store, StoreError, Tx};

use crate::asked::Named;
use crate::http::error::ApiError;
use crate::http::freshness::Freshness;
use crate::oauth::jwt::{Claims, Refusal};
use crate::oauth::permanent::is_damaged;
use crate::oauth::refresh_grant::REVOKED;
use crate::oauth::ring::AccessTokens;
use crate::oauth::standing::{self, Standing};
use crate::services::Services;

/// How often a node looks whether another one changed rights.
pub const NOTICE: Duration = Duration::from_millis(300);
/// How long a look counts (security, decision 3: revocations are known everywhere within a second). Longer
/// than [`NOTICE`], so that requests find a fresh look; when looks fail, requests look themselves.
const TRUST: Duration = Duration::from_millis(900);
/// Most tokens, and most principals, remembered at once.
const CAPACITY: u64 = 100_000;

type TokenHash = [u8; 32];

/// Turns bearer tokens into callers and remembers them until something about rights changes.
#[derive(Clone)]
pub struct Callers {
    known: Cache<TokenHash, Arc<Known>>,
    grants: Cache<Principal, (i64, Arc<Grants>)>,
    named: Named,
    freshness: Arc<Freshness>,
    tokens: Arc<AccessTokens>,
}

/// A caller as he was at a revision of rights.
struct Known {
    caller: Arc<Caller>,
    expires_at: Timestamp,
    revision: i64,
}

/// Why an access token of ours is not good any more.
enum Dead {
    /// It was revoked.
    Invalid,
    /// The refresh token it came with was revoked.
    RefreshTokenRevoked,
}

impl Callers {
    /// With the keys that access tokens are verified by.
    pub fn new(tokens: Arc<AccessTokens>) -> Self {
        let (known, grants) = (Cache::new(CAPACITY), Cache::new(CAPACITY));
        Self { known, grants, named: Named::default(), freshness: Arc::default(), tokens }
    }

    /// Forgets everybody, so that a change of rights or a revocation counts from the next call on. Other nodes
    /// learn of the change by the revision it counted up ([`Tx::rights_changed`]).
    pub fn forget(&self) {
        self.freshness.forget();
        self.known.invalidate_all();
        self.grants.invalidate_all();
        self.named.forget();
    }

    /// The revision of rights, when this node has seen it so lately that what it remembers of it still holds.
    pub fn fresh_revision(&self, clock: &dyn Clock) -> Option<i64> {
        self.freshness.current(clock.now(), TRUST)
    }

    /// Whom and what questions about rights named.
    pub(crate) fn named(&self) -> &Named {
        &self.named
    }

    /// Looks whether something about rights changed, here or on another node.
    ///
    /// # Errors
    /// That the database failed.
    pub async fn notice(&self, store: &Store, clock: &dyn Clock) -> Result<i64, StoreError> {
        let look = self.freshness.look();
        let revision = store.read(|tx| tx.revision(Remembered::Rights)).await?;
        self.freshness.learn(look, revision, clock.now());
        Ok(revision)
    }

    /// The caller behind an `Authorization` header; nobody when there is none. Asks the database only for
    /// tokens that were not seen since rights changed last.
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
        if is_damaged(token) {
            return Err(invalid());
        }
        let hash = hash(token);
        if let Some(known) = self.known.get(&hash) {
            let revision = match self.fresh_revision(clock) {
                Some(revision) => revision,
                None => self.notice(store, clock).await?,
            };
            if known.revision == revision && clock.now() < known.expires_at {
                return Ok(Arc::clone(&known.caller));
            }
        }
        let look = self.freshness.look();
        let known = if token.contains('.') {
            self.access_token(token, store, clock).await?
        } else {
            self.permanent_token(token_hash(token), store, clock).await?
        };
        self.freshness.learn(look, known.revision, clock.now());
        let caller = Arc::clone(&known.caller);
        self.known.insert(hash, Arc::new(known));
        Ok(caller)
    }

    async fn access_token(&self, token: &str, store: &Store, clock: &dyn Clock) -> Result<Known, ApiError> {
        let claims = self.tokens.verify_looking(token, store, clock).await?.map_err(|refusal| match refusal {
            // The one text the SDKs renew their token on; true only here.
            Refusal::Expired => ApiError::invalid_token("Access token has expired"),
            Refusal::Invalid | Refusal::UnknownKey => invalid(),
        })?;
        let scope = Scope::parse(&claims.grant.scope).map_err(|_| invalid())?;
        let callers = self.clone();
        let found = store.read(move |tx| callers.of_claims(tx, &claims, &scope)).await?;
        let known = found.map_err(|dead| match dead {
            Dead::Invalid => invalid(),
            // On this text the SDKs drop the refresh token they have stored (wire-protocol 2.9).
            Dead::RefreshTokenRevoked => ApiError::invalid_token(REVOKED),
        })?;
        if clock.now() >= known.expires_at {
            return Err(ApiError::invalid_token("Access token has expired"));
        }
        Ok(known)
    }

    /// The caller an access token speaks for, unless the token was revoked.
    fn of_claims(&self, tx: &mut Tx<'_>, claims: &Claims, scope: &Scope) -> Result<Result<Known, Dead>, StoreError> {
        let revision = tx.revision(Remembered::Rights)?;
        let Some(application) = tx.application_by_client_id(&claims.grant.client_id)? else {
            return Ok(Err(Dead::Invalid));
        };
        let Some(expires_at) = standing::until(tx, claims, &application)? else { return Ok(Err(Dead::Invalid)) };
        let itself = Principal::Application(application.id.clone());
        let grants = self.grants_of(tx, &itself, revision)?;
        let caller = match &claims.grant.delegation {
            None if claims.grant.subject == claims.grant.client_id => {
                Caller::new(itself, grants, limit(tx, scope)?, Credential::AccessToken)
            }
            None => return Ok(Err(Dead::Invalid)),
            Some(id) => {
                let delegation = match standing::delegation(tx, id, &application.id, &claims.grant.subject)? {
                    Standing::Stands(delegation) => delegation,
                    Standing::RefreshTokenRevoked => return Ok(Err(Dead::RefreshTokenRevoked)),
                    Standing::Ended => return Ok(Err(Dead::Invalid)),
                };
                let consent = limit(tx, &delegation.scope)?;
                let user = Principal::User(delegation.profile);
                let rights = self.grants_of(tx, &user, revision)?;
                Caller::new(user, rights, limit(tx, scope)?, Credential::AccessToken).through(Through {
                    application: application.id,
                    grants,
                    consent,
                })
            }
        };
        Ok(Ok(Known { caller: Arc::new(caller), expires_at, revision }))
    }

    async fn permanent_token(&self, hash: String, store: &Store, clock: &dyn Clock) -> Result<Known, ApiError> {
        let callers = self.clone();
        let found = store
            .read(move |tx| {
                let revision = tx.revision(Remembered::Rights)?;
                let Some(token) = tx.token_by_hash(&hash)? else { return Ok(None) };
                if token.revoked_at.is_some() || !is_active(tx, &token.principal)? {
                    return Ok(None);
                }
                // A scope that cannot be read lets nothing through.
                let scope = Scope::parse(&token.scope).unwrap_or(Scope::Elements(Vec::new()));
                let (grants, scope) = (callers.grants_of(tx, &token.principal, revision)?, limit(tx, &scope)?);
                let caller = Caller::new(token.principal, grants, scope, Credential::PermanentToken).by_token(token.id);
                Ok::<_, StoreError>(Some((caller, token.expires_at, revision)))
            })
            .await?;
        let (caller, expires_at, revision) = found.ok_or_else(invalid)?;
        let expires_at = expires_at.unwrap_or(Timestamp::from_millis(i64::MAX));
        if clock.now() >= expires_at {
            return Err(ApiError::invalid_token("Access token has expired"));
        }
        Ok(Known { caller: Arc::new(caller), expires_at, revision })
    }

    /// What is granted to a principal, when it is remembered from this revision.
    pub(crate) fn known_grants(&self, principal: &Principal, revision: i64) -> Option<Arc<Grants>> {
        self.grants.get(principal).filter(|(known, _)| *known == revision).map(|(_, grants)| grants)
    }

    /// What is granted to a principal at `revision`, the one of the transaction's snapshot.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) fn grants_of(
        &self,
        tx: &mut Tx<'_>,
        principal: &Principal,
        revision: i64,
    ) -> Result<Arc<Grants>, StoreError> {
        if let Some(grants) = self.known_grants(principal, revision) {
            return Ok(grants);
        }
        let granted = match principal {
            Principal::User(id) => tx.rights_of_person(id)?,
            principal => tx.grants(principal)?,
        };
        let grants: Arc<Grants> = Arc::new(granted.into_iter().collect());
        self.grants.insert(principal.clone(), (revision, Arc::clone(&grants)));
        Ok(grants)
    }
}

/// Looks whether another node changed rights; one run of the periodic task.
pub fn notice(services: Services) -> BoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let noticed = services.callers.notice(&services.store, services.clock.as_ref()).await;
        noticed.map(|_| ()).map_err(|error| error.to_string())
    })
}

fn is_active(tx: &mut Tx<'_>, principal: &Principal) -> Result<bool, StoreError> {
    Ok(match principal {
        Principal::Application(id) => tx.application(id)?.is_some_and(|application| application.archived_at.is_none()),
        Principal::User(id) => tx.profile(id)?.is_some_and(|profile| profile.is_active()),
        Principal::Nobody => false,
    })
}

/// The limit a scope sets, with the names in it resolved now.
pub fn limit(tx: &mut Tx<'_>, scope: &Scope) -> Result<Limit, StoreError> {
    Limit::of(scope, |identifier| Ok(tx.place(identifier)?.map(|place| place.context().clone())))
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
