//! Sign-in at an OpenID Connect provider: what it says about itself, and who came back from it.
//!
//! Calls go through the guarded sender of deliveries, so that a provider in a private network is reached only when the
//! operator lists that network.

pub mod id_token;
pub mod metadata;
pub mod ticket;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use form_urlencoded::byte_serialize;
use http::{HeaderMap, HeaderValue, Method, header};
use serde::Deserialize;
use serde_json::Value;
use spaceport_delivery::http::{HttpSender, Limits, Request, Sender as _, SslVerification};
use spaceport_delivery::outcome::{BodyEnd, Outcome};
use spaceport_platform::time::{Clock, Timestamp};
use tokio::sync::Mutex;

use crate::config::provider::{Matching, ProviderSettings};
use id_token::{Expected, Identity, Person, ProviderKey, Refusal, verify};
use metadata::{Metadata, SecretPlace};

/// How long one call may take; somebody waits for it.
const TIME: Duration = Duration::from_secs(10);
/// Largest answer that is read, in bytes.
const LARGEST: usize = 256 * 1024;
/// How long configuration and keys are kept.
const KEPT: Duration = Duration::from_secs(3600);
/// How long it is left alone after a look, whatever came of it: anybody can ask for one.
const PAUSE: Duration = Duration::from_secs(5);

/// The provider.
pub struct Provider {
    /// What the operator says about it.
    pub settings: ProviderSettings,
    sender: Arc<HttpSender>,
    known: RwLock<Option<Arc<Known>>>,
    looked_at: Mutex<Option<Timestamp>>,
}

/// What it said about itself at one moment.
struct Known {
    metadata: Metadata,
    keys: Vec<ProviderKey>,
    since: Timestamp,
}

/// Why nobody could be signed in. The texts are for the operator's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The provider does not answer, or answers with an error.
    Unavailable(String),
    /// What it answers is not to be believed.
    Untrustworthy(String),
}

/// How a person came back: the code, and what it is bound to.
pub struct Return<'a> {
    /// The code.
    pub code: &'a str,
    /// Where it came.
    pub redirect_uri: &'a str,
    /// Proof that we asked for it (PKCE).
    pub verifier: &'a str,
    /// What the ID token must hold.
    pub nonce: &'a str,
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: String,
    access_token: Option<String>,
}

impl Provider {
    /// Calls nobody until somebody signs in.
    pub fn new(settings: ProviderSettings, sender: Arc<HttpSender>) -> Self {
        Self { settings, sender, known: RwLock::default(), looked_at: Mutex::default() }
    }

    /// Where people are sent, and whether answers name the issuer.
    ///
    /// # Errors
    /// When the provider cannot be asked.
    pub async fn metadata(&self, clock: &dyn Clock) -> Result<Metadata, Fault> {
        Ok(self.known(clock).await?.metadata.clone())
    }

    /// Turns a code into the identity of whoever came back.
    ///
    /// # Errors
    /// When the provider cannot be asked, or its answer is not to be believed.
    pub async fn identify(&self, back: &Return<'_>, clock: &dyn Clock) -> Result<Identity, Fault> {
        let known = self.known(clock).await?;
        let answer = self.redeem(&known.metadata, back).await?;
        let expected = |now| Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: back.nonce,
            now,
        };
        let mut verified = verify(&answer.id_token, &known.keys, &expected(clock.now()));
        if verified == Err(Refusal::UnknownKey) {
            let newer = self.look(clock, known.since).await?;
            verified = verify(&answer.id_token, &newer.keys, &expected(clock.now()));
        }
        let identity = verified.map_err(|refusal| match refusal {
            Refusal::UnknownKey => Fault::Untrustworthy("the ID token names a key that there is not".to_owned()),
            Refusal::Wrong(why) => Fault::Untrustworthy(format!("the ID token is refused: {why}")),
        })?;
        match (&known.metadata.userinfo_endpoint, answer.access_token) {
            // Many providers tell addresses only when asked (OpenID Connect Core 1.0, section 5.4).
            (Some(url), Some(token)) if self.settings.matching == Matching::Email && !identity.says_email => {
                self.ask(url, &token, identity.subject).await
            }
            _ => Ok(identity),
        }
    }

    async fn redeem(&self, metadata: &Metadata, back: &Return<'_>) -> Result<TokenAnswer, Fault> {
        let (headers, form) = self.token_request(metadata, back)?;
        let answer = self.call(Method::POST, &metadata.token_endpoint, headers, form.into()).await?;
        serde_json::from_slice(&answer)
            .map_err(|error| Fault::Untrustworthy(format!("its tokens cannot be read: {error}")))
    }

    /// Headers and form of a token request.
    fn token_request(&self, metadata: &Metadata, back: &Return<'_>) -> Result<(HeaderMap, String), Fault> {
        let (id, secret) = (self.settings.client_id.as_str(), self.settings.client_secret.reveal());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", back.code)
            .append_pair("redirect_uri", back.redirect_uri)
            .append_pair("code_verifier", back.verifier);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        match metadata.secret_place() {
            SecretPlace::Header => {
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let basic = format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))));
                headers.insert(header::AUTHORIZATION, sensitive(&basic)?);
            }
            SecretPlace::Body => {
                form.append_pair("client_id", id).append_pair("client_secret", secret);
            }
        }
        Ok((headers, form.finish()))
    }

    /// What the provider tells about the person, who must be the one of the ID token (section 5.3.2).
    async fn ask(&self, url: &str, token: &str, subject: String) -> Result<Identity, Fault> {
        #[derive(Deserialize)]
        struct UserInfo {
            sub: String,
            #[serde(flatten)]
            person: Person,
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, sensitive(&format!("Bearer {token}"))?);
        let answer = self.call(Method::GET, url, headers, Bytes::new()).await?;
        let told: UserInfo = serde_json::from_slice(&answer)
            .map_err(|error| Fault::Untrustworthy(format!("what it tells of a person cannot be read: {error}")))?;
        if told.sub != subject {
            return Err(Fault::Untrustworthy("it tells of another person than it signed in".to_owned()));
        }
        Ok(told.person.with_subject(subject))
    }

    async fn known(&self, clock: &dyn Clock) -> Result<Arc<Known>, Fault> {
        let present = self.present();
        match present.filter(|known| clock.now() < known.since.plus(KEPT)) {
            Some(known) => Ok(known),
            None => self.look(clock, Timestamp::from_millis(i64::MIN)).await,
        }
    }

    fn present(&self) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads configuration and keys anew, unless somebody else has since `since` or a moment ago. What was known before
    /// serves on when the provider does not answer.
    async fn look(&self, clock: &dyn Clock, since: Timestamp) -> Result<Arc<Known>, Fault> {
        let mut looked_at = self.looked_at.lock().await;
        let now = clock.now();
        let present = self.present();
        if let Some(newer) = present.clone().filter(|known| known.since > since && now < known.since.plus(KEPT)) {
            return Ok(newer);
        }
        if looked_at.is_some_and(|at| now < at.plus(PAUSE)) {
            return present.ok_or_else(|| Fault::Unavailable("it did not answer a moment ago".to_owned()));
        }
        *looked_at = Some(now);
        match self.read(now).await {
            Ok(read) => {
                let read = Arc::new(read);
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&read));
                Ok(read)
            }
            Err(fault) => present.ok_or(fault),
        }
    }

    async fn read(&self, now: Timestamp) -> Result<Known, Fault> {
        let issuer = &self.settings.issuer;
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document = self.call(Method::GET, &url, HeaderMap::new(), Bytes::new()).await?;
        let metadata = Metadata::read(&document, issuer).map_err(Fault::Untrustworthy)?;
        let document = self.call(Method::GET, &metadata.jwks_uri, HeaderMap::new(), Bytes::new()).await?;
        let document: Value = serde_json::from_slice(&document)
            .map_err(|error| Fault::Untrustworthy(format!("its keys cannot be read: {error}")))?;
        Ok(Known { metadata, keys: id_token::keys(&document), since: now })
    }

    async fn call(&self, method: Method, url: &str, mut headers: HeaderMap, body: Bytes) -> Result<Bytes, Fault> {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let limits = Limits { body_kept: LARGEST, body_read: LARGEST, ..Limits::within(TIME) };
        let (url, ssl_verification) = (url.to_owned(), SslVerification::Verify);
        let request = Request { method, url, ssl_verification, identity: None, headers, body, limits };
        let what = request.url.split('?').next().unwrap_or_default().to_owned();
        match self.sender.send(request).await {
            Outcome::Answered(answer) if answer.status == 200 && answer.end == BodyEnd::Complete => Ok(answer.body),
            Outcome::Answered(answer) if answer.status == 200 => {
                Err(Fault::Unavailable(format!("{what}: the answer is longer than {LARGEST} bytes or broke off")))
            }
            Outcome::Answered(answer) => Err(Fault::Unavailable(format!("{what}: status {}", answer.status))),
            Outcome::Failed { message, .. } => Err(Fault::Unavailable(format!("{what}: {message}"))),
        }
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Fault::Untrustworthy("a credential cannot be sent in a header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}
