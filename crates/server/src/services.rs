//! What the server runs on: store, clock, randomness, catalogue, sender, settings.

use std::sync::{Arc, Weak};

use spaceport_delivery::engine::Handle;
use spaceport_delivery::guard::Guard;
use spaceport_platform::id::{ApplicationId, TokenId};
use spaceport_platform::random::Random;
use spaceport_platform::server_key::KeyPolicy;
use spaceport_platform::time::Clock;
use spaceport_store::Store;

use crate::accesses::Accesses;
use crate::catalogues::Catalogues;
use crate::config::Settings;
use crate::dispatch::Dispatches;
use crate::http::caller::Callers;
use crate::http::listen::TimeLimits;
use crate::keys::KeyReading;
use crate::metrics::Metrics;
use crate::oauth::ring::AccessTokens;
use crate::oauth::settings::OAuth;
use crate::oauth::throttle::FailedSignIns;
use crate::people::password::Passwords;
use crate::people::provider::Provider;
use crate::people::session::{CookieNames, PLAIN, SECURE};
use crate::rate_limit::RateLimit;
use crate::ring::RingFile;
use crate::subscriptions::Subscriptions;

/// Makes an RSA-2048 private key, PKCS #8 in DER. Slow (about 0.2 s), so off the async threads.
pub type KeySource = Arc<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync>;

/// Everything an operation may need, cheap to clone.
#[derive(Clone)]
pub struct Services(Arc<Parts>);

/// The parts of [`Services`].
pub struct Parts {
    /// The database.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and secrets.
    pub random: Arc<dyn Random>,
    /// Makes key pairs of applications.
    pub keys: KeySource,
    /// Where key material from outside is read.
    pub key_reading: KeyReading,
    /// Subjects, event types and rights.
    pub catalogue: Arc<Catalogues>,
    /// Who hears of which events.
    pub subscriptions: Subscriptions,
    /// Which addresses deliveries may reach.
    pub guard: Guard,
    /// The sender.
    pub engine: Handle,
    /// The sender of payloads that are no events.
    pub dispatches: Dispatches,
    /// Where people may sign in besides here.
    pub provider: Option<Provider>,
    /// Who calls.
    pub callers: Callers,
    /// Signs and verifies access tokens.
    pub tokens: Arc<AccessTokens>,
    /// What OAuth runs on besides the keys.
    pub oauth: OAuth,
    /// Computes and checks hashes of passwords.
    pub passwords: Passwords,
    /// Who failed to sign in how often lately.
    pub failed_sign_ins: FailedSignIns,
    /// Sign-ins by client credentials that are not stored yet.
    pub sign_ins: Accesses<ApplicationId>,
    /// When the keys of access tokens change.
    pub key_policy: KeyPolicy,
    /// Uses of stored tokens that are not stored yet.
    pub token_uses: Accesses<TokenId>,
    /// How many requests applications may make, if that is limited.
    pub rate_limit: Option<RateLimit>,
    /// Counts.
    pub metrics: Metrics,
    /// What is configured.
    pub settings: Settings,
    /// The file of master keys.
    pub ring: RingFile,
    /// How long clients may take.
    pub time_limits: TimeLimits,
    /// URL under which applications and people reach this server, without trailing slash.
    pub public_url: String,
}

impl Services {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// For what they hold themselves and must not keep alive.
    pub fn downgrade(&self) -> Weak<Parts> {
        Arc::downgrade(&self.0)
    }

    /// Whether people reach this server through TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// Names of the cookies, which depend on TLS.
    pub fn cookies(&self) -> &'static CookieNames {
        if self.is_https() { &SECURE } else { &PLAIN }
    }
}

impl From<Arc<Parts>> for Services {
    fn from(parts: Arc<Parts>) -> Self {
        Self(parts)
    }
}

impl std::ops::Deref for Services {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
