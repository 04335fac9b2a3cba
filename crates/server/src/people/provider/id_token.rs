//! ID tokens: whom a provider signed in, for whom, and whether that is really what it said.
//!
//! The key decides the algorithm: RS256 for RSA keys, ES256 for those on P-256. Nothing else in the header is heeded.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use spaceport_platform::time::Timestamp;

/// Longest token that is looked at, in bytes.
const MAX_LENGTH: usize = 32 * 1024;
/// How far the clocks of provider and server may differ, in seconds.
const SKEW: i64 = 60;
/// Longest subject (OpenID Connect Core 1.0, section 2).
const MAX_SUBJECT: usize = 255;

/// A public key of the provider.
#[derive(Clone, Debug)]
pub struct ProviderKey {
    id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The uncompressed point.
    P256(Vec<u8>),
}

/// What must be in the token.
pub struct Expected<'a> {
    /// The provider.
    pub issuer: &'a str,
    /// The name it knows us under.
    pub client_id: &'a str,
    /// What was sent along when the person was sent there.
    pub nonce: &'a str,
    /// The present moment.
    pub now: Timestamp,
}

/// Whom the provider signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Identity {
    /// Never given to anybody else by this provider.
    pub subject: String,
    /// The address, only when the provider has verified it.
    pub verified_email: Option<String>,
    /// Whether it said anything about an address.
    pub says_email: bool,
}

/// Why a token is not believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It may be signed by a key that the provider has made since its keys were read.
    UnknownKey,
    /// It is not what was asked for.
    Wrong(&'static str),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Body {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nbf: Option<i64>,
    nonce: Option<String>,
    #[serde(flatten)]
    person: Person,
}

/// What a provider says of a person, in an ID token or when it is asked.
#[derive(Deserialize)]
pub struct Person {
    email: Option<Value>,
    email_verified: Option<Value>,
}

impl Person {
    /// The identity with this subject.
    pub fn with_subject(self, subject: String) -> Identity {
        // The text "true" is not the truth: a provider that writes it may write anything there.
        let verified = self.email_verified == Some(Value::Bool(true));
        let says_email = self.email.is_some();
        let email = self.email.as_ref().and_then(Value::as_str).filter(|email| email.contains('@')).map(str::to_owned);
        Identity { subject, says_email, verified_email: email.filter(|_| verified) }
    }
}

/// Reads the keys of a JWK set that can sign ID tokens; others are left out.
pub fn keys(document: &Value) -> Vec<ProviderKey> {
    let keys = document["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    keys.iter().filter_map(key).collect()
}

fn key(jwk: &Value) -> Option<ProviderKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let (material, algorithm) = match (text("kty")?, text("crv")) {
        ("RSA", _) => (Material::Rsa { n: bytes("n")?, e: bytes("e")? }, "RS256"),
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            let point = [&[4], x.as_slice(), y.as_slice()].concat();
            (Material::P256(point), "ES256")
        }
        _ => return None,
    };
    let for_this = text("alg").is_none_or(|named| named == algorithm) && text("use").is_none_or(|named| named == "sig");
    for_this.then(|| ProviderKey { id: text("kid").map(str::to_owned), material })
}

impl ProviderKey {
    fn algorithm(&self) -> &'static str {
        match self.material {
            Material::Rsa { .. } => "RS256",
            Material::P256(_) => "ES256",
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Material::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
        }
    }
}

/// Verifies a token (OpenID Connect Core 1.0, section 3.1.3.7).
///
/// # Errors
/// [`Refusal::UnknownKey`] when the keys should be read again, otherwise what is wrong.
pub fn verify(token: &str, keys: &[ProviderKey], expected: &Expected<'_>) -> Result<Identity, Refusal> {
    let wrong = Refusal::Wrong;
    if token.len() > MAX_LENGTH {
        return Err(wrong("it is too long"));
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(wrong("it has no signature"))?;
    let (header, body) = signed.split_once('.').ok_or(wrong("it has no header"))?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong("it is not base64url"));
    let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| wrong("its header cannot be read"))?;
    if header.crit.is_some() {
        return Err(wrong("its header demands what we do not know"));
    }
    let signature = decode(signature)?;
    verify_signature(&header, keys, signed.as_bytes(), &signature)?;
    let body: Body = serde_json::from_slice(&decode(body)?).map_err(|_| wrong("its claims cannot be read"))?;
    check(body, expected).map_err(wrong)
}

fn verify_signature(header: &Header, keys: &[ProviderKey], signed: &[u8], signature: &[u8]) -> Result<(), Refusal> {
    if !matches!(header.alg.as_str(), "RS256" | "ES256") {
        return Err(Refusal::Wrong("its algorithm is neither RS256 nor ES256"));
    }
    // A provider with one key need not name it.
    let mut fitting = keys.iter().filter(|key| header.kid.is_none() || key.id == header.kid).peekable();
    if fitting.peek().is_none() {
        return Err(Refusal::UnknownKey);
    }
    let verified = fitting.any(|key| key.algorithm() == header.alg && key.verifies(signed, signature));
    if verified { Ok(()) } else { Err(Refusal::Wrong("its signature is not the provider's")) }
}

fn check(body: Body, expected: &Expected<'_>) -> Result<Identity, &'static str> {
    let now = expected.now.seconds();
    if body.iss != expected.issuer {
        return Err("it was issued by somebody else");
    }
    let for_us = match &body.aud {
        Audience::One(one) => one == expected.client_id,
        // Others must not be able to use their token here, nor ours there.
        Audience::Several(several) => {
            several.iter().any(|one| one == expected.client_id)
                && (several.len() == 1 || body.azp.as_deref() == Some(expected.client_id))
        }
    };
    if !for_us || body.azp.as_deref().is_some_and(|party| party != expected.client_id) {
        return Err("it is for somebody else");
    }
    if body.exp.saturating_add(SKEW) <= now {
        return Err("it has expired");
    }
    if body.iat > now.saturating_add(SKEW) || body.nbf.is_some_and(|from| from > now.saturating_add(SKEW)) {
        return Err("it is from the future");
    }
    let nonce = body.nonce.unwrap_or_default();
    if verify_slices_are_equal(nonce.as_bytes(), expected.nonce.as_bytes()).is_err() {
        return Err("it answers to another sign-in");
    }
    if body.sub.is_empty() || body.sub.len() > MAX_SUBJECT || body.sub.contains('\0') {
        return Err("its subject is empty or too long");
    }
    Ok(body.person.with_subject(body.sub))
}
