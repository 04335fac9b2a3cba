//! Access tokens: compact JWTs signed with RS512 (wire-protocol 1.5).
//!
//! The algorithm is fixed by the key, never read from the token, and every claim has one type.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA512, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use spaceport_platform::time::Timestamp;

/// Longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// How far the clocks of two nodes may differ, in seconds.
const SKEW: i64 = 60;

/// Signs and verifies access tokens.
pub struct AccessTokens {
    issuer: String,
    key_id: String,
    key: RsaKeyPair,
    n: Vec<u8>,
    e: Vec<u8>,
    lifetime: i64,
}

/// What an access token says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claims {
    /// The application it was given to (`aud`).
    pub client_id: String,
    /// Whom it speaks for: the client id again for an application's own token (`sub`).
    pub subject: String,
    /// What it may be used for.
    pub scope: String,
    /// The application's `tokens_not_before` at the time of issue. Seconds of `iat` are too coarse to
    /// tell a token of just before a revocation from one of just after.
    pub stamp: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// What a token is issued for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The application it is given to.
    pub client_id: String,
    /// Whom it speaks for.
    pub subject: String,
    /// What it may be used for.
    pub scope: String,
    /// The application's `tokens_not_before`.
    pub stamp: Timestamp,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It was good once.
    Expired,
    /// It is not ours, or not intact.
    Invalid,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

#[derive(Serialize, Deserialize)]
struct Body {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    scope: String,
    jti: String,
    stamp: i64,
}

impl AccessTokens {
    /// With the key `key_id` (PKCS #8 in DER); tokens live `lifetime` seconds.
    ///
    /// # Errors
    /// When the key cannot be read.
    pub fn new(issuer: String, key_id: String, pkcs8: &[u8], lifetime: i64) -> Result<Self, String> {
        let key = RsaKeyPair::from_pkcs8(pkcs8).map_err(|error| format!("the signing key cannot be read: {error}"))?;
        let components: RsaPublicKeyComponents<Vec<u8>> = key.public_key().into();
        Ok(Self { issuer, key_id, key, n: components.n, e: components.e, lifetime })
    }

    /// How long tokens live, in seconds.
    pub fn lifetime(&self) -> i64 {
        self.lifetime
    }

    /// Issues a token. `token_id` makes it unique.
    ///
    /// # Errors
    /// When signing fails.
    pub fn issue(&self, grant: &Grant, token_id: String, now: Timestamp) -> Result<String, String> {
        let header = Header { alg: "RS512".to_owned(), kid: self.key_id.clone(), typ: "JWT".to_owned() };
        let body = Body {
            iss: self.issuer.clone(),
            sub: grant.subject.clone(),
            aud: grant.client_id.clone(),
            exp: now.seconds().saturating_add(self.lifetime),
            iat: now.seconds(),
            scope: grant.scope.clone(),
            jti: token_id,
            stamp: grant.stamp.millis(),
        };
        let encode = |json: Result<Vec<u8>, serde_json::Error>| {
            json.map(|json| URL_SAFE_NO_PAD.encode(json)).map_err(|error| error.to_string())
        };
        let mut token = format!("{}.{}", encode(serde_json::to_vec(&header))?, encode(serde_json::to_vec(&body))?);
        let mut signature = vec![0_u8; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), token.as_bytes(), &mut signature)
            .map_err(|_| "signing the access token failed".to_owned())?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }

    /// Verifies a token.
    ///
    /// # Errors
    /// [`Refusal::Expired`] only when everything else about the token is right.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, Refusal> {
        if token.len() > MAX_LENGTH {
            return Err(Refusal::Invalid);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Invalid)?;
        let (header, body) = signed.split_once('.').ok_or(Refusal::Invalid)?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Invalid);
        let header: StrictHeader = serde_json::from_slice(&decode(header)?).map_err(|_| Refusal::Invalid)?;
        if header.alg != "RS512" || header.kid != self.key_id || header.typ != "JWT" {
            return Err(Refusal::Invalid);
        }
        RsaPublicKeyComponents { n: &self.n, e: &self.e }
            .verify(&RSA_PKCS1_2048_8192_SHA512, signed.as_bytes(), &decode(signature)?)
            .map_err(|_| Refusal::Invalid)?;
        let body: Body = serde_json::from_slice(&decode(body)?).map_err(|_| Refusal::Invalid)?;
        if body.iss != self.issuer || body.iat > now.seconds().saturating_add(SKEW) {
            return Err(Refusal::Invalid);
        }
        if body.exp <= now.seconds() {
            return Err(Refusal::Expired);
        }
        Ok(Claims {
            client_id: body.aud,
            subject: body.sub,
            scope: body.scope,
            stamp: Timestamp::from_millis(body.stamp),
            expires_at: Timestamp::from_millis(body.exp.saturating_mul(1000)),
        })
    }

    /// The public half as a JWK set (RFC 7517).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({ "keys": [{
            "kty": "RSA",
            "e": URL_SAFE_NO_PAD.encode(&self.e),
            "use": "sig",
            "kid": self.key_id,
            "alg": "RS512",
            "n": URL_SAFE_NO_PAD.encode(&self.n),
        }] })
    }
}

/// A header with any other member (`crit`, `jwk`, `jku`, `x5u`, `b64`, …) is not one of ours.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    kid: String,
    typ: String,
}
