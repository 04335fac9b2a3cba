//! The headers of a request: ours, the proof that it is ours, and what the application asked for.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_CHARSET, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, PROXY_AUTHORIZATION,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use spaceport_platform::id::DeliveryId;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use tokio::sync::Semaphore;

use crate::outbox::{Authentication, Target};
use crate::sign::{self, KeyError, RsaSigner};
use crate::standard;

/// When the request was made, in milliseconds; part of what is signed.
pub const TIMESTAMP: HeaderName = HeaderName::from_static("x-space-timestamp");
/// The RSA signature.
pub const PUBLIC_KEY_SIGNATURE: HeaderName = HeaderName::from_static("x-space-public-key-signature");
/// The HMAC signature.
pub const SIGNATURE: HeaderName = HeaderName::from_static("x-space-signature");
/// The HMAC signature with the key before, while two are valid. Ours alone: the original server has no such header.
pub const PREVIOUS_SIGNATURE: HeaderName = HeaderName::from_static("x-space-previous-signature");
/// The delivery, the same over all its attempts. Ours alone: the original server has no such header.
pub const DELIVERY_ID: HeaderName = HeaderName::from_static("x-space-delivery-id");
/// The delivery once more, as Standard Webhooks calls it.
pub const STANDARD_ID: HeaderName = HeaderName::from_static("webhook-id");
/// When the request was made, in seconds.
pub const STANDARD_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// The signatures of Standard Webhooks, one for each valid key.
pub const STANDARD_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// Applications look for the beginning `Space (` (wire-protocol 4.1).
const AGENT: HeaderValue = HeaderValue::from_static(concat!("Space (spaceport/", env!("CARGO_PKG_VERSION"), ")"));

/// Custom headers that would change how the message is framed or routed (RFC 9110, section 7.6.1; RFC 9112, section 6).
const FRAMING: [HeaderName; 9] =
    [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION, TE, TRAILER, UPGRADE, EXPECT, PROXY_AUTHORIZATION];
/// Headers that every request has from us.
const OURS: [HeaderName; 4] = [CONTENT_TYPE, ACCEPT, ACCEPT_CHARSET, USER_AGENT];
/// The longest value of a custom header, in bytes; together with the others it must fit what servers read.
const LONGEST_VALUE: usize = 8 * 1024;
/// What the log shows in place of a secret.
const MASK: &str = "***";

/// Why a custom header cannot be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderRefused {
    /// Not a token of RFC 9110, section 5.6.2.
    #[error("this is no valid header name")]
    Name,
    /// Control characters, or too long.
    #[error("a header value must have at most 8192 bytes and no control characters")]
    Value,
    /// The server sets this one itself.
    #[error("this header is set by the server and cannot be replaced")]
    Reserved,
}

/// Whether a header may be added to requests. Ask when somebody enters one: what is refused here is not sent.
///
/// `Authorization` is fine here; it is left out when the target authenticates by that header itself.
pub fn check_header(name: &str, value: &str) -> Result<(), HeaderRefused> {
    parse_header(name, value).map(drop)
}

fn parse_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderRefused> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| HeaderRefused::Name)?;
    let text = name.as_str();
    let hop_by_hop = matches!(text, "keep-alive" | "proxy-connection" | "proxy-authenticate");
    if hop_by_hop
        || text.starts_with("x-space-")
        || text.starts_with("webhook-")
        || FRAMING.contains(&name)
        || OURS.contains(&name)
    {
        return Err(HeaderRefused::Reserved);
    }
    if value.len() > LONGEST_VALUE {
        return Err(HeaderRefused::Value);
    }
    let value = HeaderValue::from_str(value).map_err(|_| HeaderRefused::Value)?;
    Ok((name, value))
}

/// Signs with RSA beside the async threads, at most as many at a time as there are cores.
#[derive(Clone, Debug)]
pub struct Signing {
    cores: Arc<Semaphore>,
}

impl Default for Signing {
    fn default() -> Self {
        Self::new(std::thread::available_parallelism().map_or(1, Into::into))
    }
}

impl Signing {
    /// At most `at_once` signatures at the same time.
    pub fn new(at_once: usize) -> Self {
        Self { cores: Arc::new(Semaphore::new(at_once.max(1))) }
    }

    async fn public_key(&self, signer: &Arc<RsaSigner>, now: Timestamp, body: &Bytes) -> Result<String, KeyError> {
        let permit = Arc::clone(&self.cores).acquire_owned().await.map_err(|_| KeyError::Failed)?;
        let (signer, body) = (Arc::clone(signer), body.clone());
        let signed = tokio::task::spawn_blocking(move || {
            // Held here, not by the caller: a caller that gives up does not make the work disappear.
            let _permit = permit;
            sign::public_key_signature(&signer, now, &body)
        });
        signed.await.map_err(|_| KeyError::Failed)?
    }
}

/// Puts together all headers of one attempt made `now`. The order of precedence: ours, the proof, the application's.
///
/// Values nobody may read are marked as sensitive; [`masked`] hides them. A custom header that
/// [`check_header`] refuses is left out. Fails only when the key cannot sign or a credential cannot be a header value.
pub async fn headers(
    target: &Target,
    id: &DeliveryId,
    body: &Bytes,
    now: Timestamp,
    signing: &Signing,
) -> Result<HeaderMap, KeyError> {
    let mut headers = HeaderMap::with_capacity(11 + target.headers.len());
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    headers.insert(ACCEPT_CHARSET, HeaderValue::from_static("UTF-8"));
    headers.insert(USER_AGENT, AGENT);
    headers.insert(TIMESTAMP, HeaderValue::from(now.millis()));
    // An identifier from outside may hold what a header cannot; then the application does without.
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(STANDARD_ID, id.clone());
        headers.insert(DELIVERY_ID, id);
    }
    headers.insert(STANDARD_TIMESTAMP, HeaderValue::from(standard::seconds(now)));
    if let Some(signatures) = target.standard.signature(id, now, body) {
        headers.insert(STANDARD_SIGNATURE, sensitive(&signatures)?);
    }
    let mut method = &target.authentication;
    if let Authentication::WithPublicKey { method: own, signer } = method {
        headers.insert(PUBLIC_KEY_SIGNATURE, sensitive(&signing.public_key(signer, now, body).await?)?);
        method = own;
    }
    match method {
        Authentication::PublicKey(signer) => {
            headers.insert(PUBLIC_KEY_SIGNATURE, sensitive(&signing.public_key(signer, now, body).await?)?);
        }
        Authentication::SigningKey(key) => {
            headers.insert(SIGNATURE, sensitive(&sign::signing_key_signature(key, now, body))?);
        }
        Authentication::SigningKeys { present, previous, until } => {
            headers.insert(SIGNATURE, sensitive(&sign::signing_key_signature(present, now, body))?);
            if now < *until {
                headers.insert(PREVIOUS_SIGNATURE, sensitive(&sign::signing_key_signature(previous, now, body))?);
            }
        }
        Authentication::Bearer(token) => {
            headers.insert(AUTHORIZATION, secret(&sign::bearer(token))?);
        }
        Authentication::Basic { username, password } => {
            headers.insert(AUTHORIZATION, secret(&sign::basic(username, password))?);
        }
        // One inside another says nothing new.
        Authentication::WithPublicKey { .. } | Authentication::None => {}
    }
    let authorized = headers.contains_key(AUTHORIZATION);
    for (name, value) in &target.headers {
        if let Ok((name, mut value)) = parse_header(name, value)
            && !(authorized && name == AUTHORIZATION)
        {
            value.set_sensitive(true);
            headers.append(name, value);
        }
    }
    Ok(headers)
}

fn secret(text: &Secret) -> Result<HeaderValue, KeyError> {
    sensitive(text.reveal())
}

fn sensitive(text: &str) -> Result<HeaderValue, KeyError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| KeyError::Unsendable)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The headers as the delivery log shows them: signatures, credentials and custom values hidden.
pub fn masked(headers: &HeaderMap) -> Vec<(String, String)> {
    let show = |value: &HeaderValue| {
        if value.is_sensitive() { MASK.to_owned() } else { String::from_utf8_lossy(value.as_bytes()).into_owned() }
    };
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), show(value))).collect()
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
