//! The keys of access tokens as this node knows them: which one signs, which ones verify, and how news of
//! other nodes' keys arrive.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use spaceport_platform::server_key::KeyState;
use spaceport_platform::time::{Clock, Timestamp};
use spaceport_store::{ServerKey, Store, StoreError};

use crate::oauth::jwt::{self, Claims, Grant, Refusal};
use crate::oauth::signing::SigningKey;

/// Tokens that name unknown keys make us look into the database at most this often, because anybody can
/// send such tokens.
const LOOK: Duration = Duration::from_secs(1);

/// Signs and verifies access tokens.
pub struct AccessTokens {
    issuer: String,
    lifetime: i64,
    keys: RwLock<Arc<Keys>>,
    looked_at: AtomicI64,
}

/// All keys at one moment.
struct Keys {
    active: Arc<SigningKey>,
    known: Vec<Arc<SigningKey>>,
}

impl Keys {
    fn read(stored: &[ServerKey]) -> Result<Self, String> {
        let mut active = None;
        let mut known = Vec::with_capacity(stored.len());
        for key in stored {
            let facts = &key.facts;
            let read = Arc::new(SigningKey::read(facts.id.to_string(), facts.algorithm, &key.pkcs8)?);
            if facts.state == KeyState::Active {
                active = Some(Arc::clone(&read));
            }
            known.push(read);
        }
        let active = active.ok_or("The database holds no key to sign access tokens with")?;
        Ok(Self { active, known })
    }
}

impl AccessTokens {
    /// With these keys; tokens live `lifetime` seconds.
    ///
    /// # Errors
    /// When a key cannot be read or none is active.
    pub fn new(issuer: String, keys: &[ServerKey], lifetime: i64) -> Result<Self, String> {
        let keys = RwLock::new(Arc::new(Keys::read(keys)?));
        Ok(Self { issuer, lifetime, keys, looked_at: AtomicI64::new(i64::MIN) })
    }

    /// How long tokens live, in seconds.
    pub fn lifetime(&self) -> i64 {
        self.lifetime
    }

    /// Who issues tokens: the server's URL.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Issues a token. `token_id` makes it unique.
    ///
    /// # Errors
    /// When signing fails.
    pub async fn issue(self: &Arc<Self>, grant: Grant, token_id: String, now: Timestamp) -> Result<String, String> {
        let key = Arc::clone(&self.keys().active);
        if key.algorithm() != spaceport_platform::server_key::Algorithm::Rs512 {
            return jwt::issue(&key, &self.issuer, &grant, token_id, now, self.lifetime);
        }
        let tokens = Arc::clone(self);
        // An RSA signature takes a third of a millisecond of CPU: not on the threads that serve everybody.
        let work = move || jwt::issue(&key, &tokens.issuer, &grant, token_id, now, tokens.lifetime);
        tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
    }

    /// Verifies a token with the keys this node knows.
    ///
    /// # Errors
    /// Says why the token is not accepted.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
        let keys = self.keys();
        jwt::verify(token, &self.issuer, now, |id| keys.known.iter().find(|key| key.id == id).map(Arc::as_ref))
    }

    /// Verifies a token; when it names an unknown key, looks once whether another node made that key.
    ///
    /// # Errors
    /// [`Refusal`] within, and without that the database failed.
    pub async fn verify_looking(
        &self,
        token: &str,
        store: &Store,
        clock: &dyn Clock,
    ) -> Result<Result<Claims, Refusal>, StoreError> {
        let now = clock.now();
        let verified = self.verify(token, now);
        if verified != Err(Refusal::UnknownKey) || !self.may_look(now) {
            return Ok(verified);
        }
        self.reload(store).await?;
        Ok(self.verify(token, now))
    }

    fn may_look(&self, now: Timestamp) -> bool {
        let last = self.looked_at.load(Ordering::Relaxed);
        now.millis() >= last.saturating_add(i64::try_from(LOOK.as_millis()).unwrap_or(i64::MAX))
            && self.looked_at.compare_exchange(last, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Reads the keys anew.
    ///
    /// # Errors
    /// When the database fails or holds unreadable keys; then the known keys stay.
    pub async fn reload(&self, store: &Store) -> Result<(), StoreError> {
        let stored = store.read(|tx| tx.server_keys()).await?;
        let keys = Keys::read(&stored).map_err(StoreError::corrupt)?;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        Ok(())
    }

    /// The public halves as a JWK set (RFC 7517).
    pub fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self.keys().known.iter().map(|key| key.jwk()).collect();
        serde_json::json!({ "keys": keys })
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}
