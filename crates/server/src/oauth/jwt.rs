//! Access tokens: compact JWTs (wire-protocol 1.5).
//!
//! The algorithm is fixed by the key, never read from the token, and every claim has one type.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use spaceport_platform::id::DelegationId;
use spaceport_platform::time::Timestamp;

use crate::oauth::signing::SigningKey;

/// Longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 32 * 1024;
/// How far the clocks of two nodes may differ, in seconds.
const SKEW: i64 = 60;

/// What a token is issued for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The application it is given to (`aud`).
    pub client_id: String,
    /// Whom it speaks for: a user, or the client id again for an application's own token (`sub`).
    pub subject: String,
    /// What it may be used for.
    pub scope: String,
    /// The application's `tokens_not_before` at the time of issue. Seconds of `iat` are too coarse to
    /// tell a token of just before a revocation from one of just after.
    pub stamp: Timestamp,
    /// The user's delegation it rests on; none for an application's own token.
    pub delegation: Option<DelegationId>,
}

/// What an access token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claims {
    /// What it was issued for.
    pub grant: Grant,
    /// Its own id (`jti`).
    pub token_id: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It was good once.
    Expired,
    /// It is not ours, or not intact.
    Invalid,
    /// It may be signed by a key that we have not heard of yet.
    UnknownKey,
}

/// A header with any other member (`crit`, `jwk`, `jku`, `x5u`, `b64`, …) is not one of ours.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    scope: String,
    jti: String,
    stamp: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegation: Option<String>,
}

/// Writes and signs a token that ends after `lifetime` seconds. `token_id` makes it unique.
///
/// # Errors
/// When signing fails.
pub fn issue(
    key: &SigningKey,
    issuer: &str,
    grant: &Grant,
    token_id: String,
    now: Timestamp,
    lifetime: i64,
) -> Result<String, String> {
    let header = Header { alg: key.algorithm().name().to_owned(), kid: key.id.clone(), typ: "JWT".to_owned() };
    let body = Body {
        iss: issuer.to_owned(),
        sub: grant.subject.clone(),
        aud: grant.client_id.clone(),
        exp: now.seconds().saturating_add(lifetime),
        iat: now.seconds(),
        scope: grant.scope.clone(),
        jti: token_id,
        stamp: grant.stamp.millis(),
        delegation: grant.delegation.as_ref().map(|id| id.as_str().to_owned()),
    };
    let encode = |json: Result<Vec<u8>, serde_json::Error>| {
        json.map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|error| error.to_string())
    };
    let mut token = format!("{}.{}", encode(serde_json::to_vec(&header))?, encode(serde_json::to_vec(&body))?);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(token)
}

/// Verifies a token with whichever of our keys it names.
///
/// # Errors
/// [`Refusal::Expired`] only when everything else about the token is right.
pub fn verify<'k>(
    token: &str,
    issuer: &str,
    now: Timestamp,
    key: impl FnOnce(&str) -> Option<&'k SigningKey>,
) -> Result<Claims, Refusal> {
    if token.len() > MAX_LENGTH {
        return Err(Refusal::Invalid);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Invalid)?;
    let (header, body) = signed.split_once('.').ok_or(Refusal::Invalid)?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Invalid);
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Invalid)?;
    if header.typ != "JWT" {
        return Err(Refusal::Invalid);
    }
    let key = key(&header.kid).ok_or(Refusal::UnknownKey)?;
    if header.alg != key.algorithm().name() || !key.verifies(signed.as_bytes(), &decode(signature)?) {
        return Err(Refusal::Invalid);
    }
    let body: Body = serde_json::from_slice(&decode(body)?).map_err(|_| Refusal::Invalid)?;
    if body.iss != issuer || body.iat > now.seconds().saturating_add(SKEW) {
        return Err(Refusal::Invalid);
    }
    if body.exp <= now.seconds() {
        return Err(Refusal::Expired);
    }
    let of_seconds = |seconds: i64| Timestamp::from_millis(seconds.saturating_mul(1000));
    Ok(Claims {
        grant: Grant {
            client_id: body.aud,
            subject: body.sub,
            scope: body.scope,
            stamp: Timestamp::from_millis(body.stamp),
            delegation: body.delegation.map(DelegationId::new),
        },
        token_id: body.jti,
        issued_at: of_seconds(body.iat),
        expires_at: of_seconds(body.exp),
    })
}
