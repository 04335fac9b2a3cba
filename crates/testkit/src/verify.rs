//! Signatures checked the way a receiving application checks them, with libraries the product does not use.
//!
//! Both schemes sign `<X-Space-Timestamp>:<body>`.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::Verifier as _;
use rsa::sha2::{Digest, Sha256, Sha512};
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use serde_json::Value;

use crate::receiver::Received;

/// SHA-256 works on blocks of this many bytes.
const SHA256_BLOCK: usize = 64;

/// Checks `X-Space-Public-Key-Signature` of a request: RSASSA-PKCS1-v1_5 with SHA-512, standard base64.
///
/// `jwks` is the JWKS document itself; the operation that serves it wraps it into a JSON string.
pub fn public_key_signature(request: &Received, jwks: &str) -> Result<(), String> {
    let signature = STANDARD
        .decode(request.header("x-space-public-key-signature"))
        .map_err(|error| format!("the signature is not standard base64 with padding: {error}"))?;
    let digest = Sha512::digest(signed_text(request));
    any_key(jwks, |key| key.verify(Pkcs1v15Sign::new::<Sha512>(), &digest, &signature).is_ok())
}

/// Checks `X-Space-Signature` of a request: HMAC-SHA-256 under the bytes of the key's text, lower-case hex.
pub fn signing_key_signature(request: &Received, key: &str) -> Result<(), String> {
    let expected = hex(&hmac_sha256(key.as_bytes(), &signed_text(request)));
    let found = request.header("x-space-signature");
    if found == expected { Ok(()) } else { Err(format!("the signature is `{found}`, expected `{expected}`")) }
}

/// Checks `X-Space-Previous-Signature` of a request, which is made like `X-Space-Signature` with the key before.
pub fn previous_signing_key_signature(request: &Received, key: &str) -> Result<(), String> {
    let expected = hex(&hmac_sha256(key.as_bytes(), &signed_text(request)));
    let found = request.header("x-space-previous-signature");
    if found == expected { Ok(()) } else { Err(format!("the signature is `{found}`, expected `{expected}`")) }
}

/// Checks a `v1a` signature of Standard Webhooks under a public key in the form `whpk_…`.
pub fn standard_public_key_signature(request: &Received, key: &str) -> Result<(), String> {
    let bytes = STANDARD.decode(key.strip_prefix("whpk_").ok_or("the key begins with whpk_")?);
    let bytes = bytes.map_err(|error| format!("the key is not base64: {error}"))?;
    let bytes = bytes.try_into().map_err(|_| "an Ed25519 key has 32 bytes")?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|error| error.to_string())?;
    let signatures = request.header("webhook-signature");
    let found = signatures.split(' ').find_map(|one| one.strip_prefix("v1a,")).ok_or("there is no v1a signature")?;
    let found = STANDARD.decode(found).map_err(|error| format!("the signature is not base64: {error}"))?;
    let found = ed25519_dalek::Signature::from_slice(&found).map_err(|error| error.to_string())?;
    let head = format!("{}.{}.", request.header("webhook-id"), request.header("webhook-timestamp"));
    let message = [head.as_bytes(), &request.body].concat();
    key.verify_strict(&message, &found).map_err(|error| error.to_string())
}

/// Checks a JWT signed with RS512, ES256 or EdDSA under the key of `jwks` that it names, and gives its claims.
///
/// Times and audience are left to the caller.
pub fn token_claims(token: &str, jwks: &str) -> Result<Value, String> {
    let (signed, signature) = token.rsplit_once('.').ok_or("a token has three parts")?;
    let (header, claims) = signed.split_once('.').ok_or("a token has three parts")?;
    let read = |part: &str| -> Result<Value, String> {
        serde_json::from_slice(&decoded(part)?).map_err(|error| format!("not JSON: {error}"))
    };
    let (header, signature) = (read(header)?, decoded(signature)?);
    let document: Value = serde_json::from_str(jwks).map_err(|error| format!("the JWKS is not JSON: {error}"))?;
    let keys = document["keys"].as_array().ok_or("the JWKS has no list `keys`")?;
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).ok_or("no key has the id that the token names")?;
    if key["alg"] != header["alg"] {
        return Err(format!("the token says {}, its key {}", header["alg"], key["alg"]));
    }
    let member = |name: &str| decoded(key[name].as_str().unwrap_or_default());
    match header["alg"].as_str() {
        Some("RS512") => {
            let digest = Sha512::digest(signed).to_vec();
            let verified = rsa_key(key)?.verify(Pkcs1v15Sign::new::<Sha512>(), &digest, &signature);
            verified.map_err(|error| error.to_string())?;
        }
        Some("ES256") => {
            let point = [vec![4], member("x")?, member("y")?].concat();
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).map_err(|error| error.to_string())?;
            let signature = p256::ecdsa::Signature::from_slice(&signature).map_err(|error| error.to_string())?;
            key.verify(signed.as_bytes(), &signature).map_err(|error| error.to_string())?;
        }
        Some("EdDSA") => {
            let bytes = member("x")?.try_into().map_err(|_| "an Ed25519 key has 32 bytes")?;
            let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).map_err(|error| error.to_string())?;
            let signature = ed25519_dalek::Signature::from_slice(&signature).map_err(|error| error.to_string())?;
            key.verify_strict(signed.as_bytes(), &signature).map_err(|error| error.to_string())?;
        }
        other => return Err(format!("cannot check tokens signed with {other:?}")),
    }
    read(claims)
}

fn decoded(part: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(part).map_err(|error| format!("not base64url: {error}"))
}

fn signed_text(request: &Received) -> Vec<u8> {
    [request.header("x-space-timestamp").as_bytes(), b":", &request.body].concat()
}

/// Whether one of the RSA keys in a JWKS document accepts.
fn any_key(jwks: &str, accepts: impl Fn(&RsaPublicKey) -> bool) -> Result<(), String> {
    let document: Value = serde_json::from_str(jwks).map_err(|error| format!("the JWKS is not JSON: {error}"))?;
    let keys = document["keys"].as_array().ok_or("the JWKS has no list `keys`")?;
    for key in keys {
        if accepts(&rsa_key(key)?) {
            return Ok(());
        }
    }
    Err(format!("none of the {} keys made this signature", keys.len()))
}

fn rsa_key(jwk: &Value) -> Result<RsaPublicKey, String> {
    let number = |name: &str| {
        let text = jwk[name].as_str().ok_or(format!("a key lacks `{name}`"))?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| format!("`{name}` is not base64url: {error}"))?;
        Ok::<_, String>(BigUint::from_bytes_be(&bytes))
    };
    RsaPublicKey::new(number("n")?, number("e")?).map_err(|error| format!("not an RSA key: {error}"))
}

/// RFC 2104, written out so that it shares nothing with the product.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0_u8; SHA256_BLOCK];
    let hashed = Sha256::digest(key);
    let short: &[u8] = if key.len() > SHA256_BLOCK { &hashed } else { key };
    for (target, byte) in block.iter_mut().zip(short) {
        *target = *byte;
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rsa::traits::PublicKeyParts;

    #[test]
    fn hmac_gives_the_published_results() {
        // RFC 4231, test cases 2 and 6.
        let result = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(hex(&result), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let result = hmac_sha256(&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First");
        assert_eq!(hex(&result), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_signing_key_signature_covers_time_and_body() {
        let key = "6f1d8a4c2b9e407356e2c1f0a9b8d7e64c3f2a1b0d9e8f7766554433221100ff";
        let body = r#"{"className":"PingWebhookEvent","webhookName":"Grüße 🎉 </x>"}"#;
        let signature = "3fcfe05ffd36ab699ec69c0a211b219fa19ec110a91415870bd317624ec3003a";
        let request = |time: &str, body: &str| {
            Received::of(body, &[("x-space-timestamp", time), ("x-space-signature", signature)])
        };
        assert_eq!(signing_key_signature(&request("1700000000123", body), key), Ok(()));
        assert!(signing_key_signature(&request("1700000000124", body), key).is_err());
        assert!(signing_key_signature(&request("1700000000123", "{}"), key).is_err());
    }

    #[test]
    fn a_public_key_signature_is_found_among_several_keys() {
        let mut random = rsa::rand_core::OsRng;
        let signer = rsa::RsaPrivateKey::new(&mut random, 1024).unwrap();
        let stranger = rsa::RsaPrivateKey::new(&mut random, 1024).unwrap();
        let digest = Sha512::digest(b"12345:{}");
        let signature = STANDARD.encode(signer.sign(Pkcs1v15Sign::new::<Sha512>(), &digest).unwrap());
        let request = |body: &str| {
            Received::of(body, &[("x-space-timestamp", "12345"), ("x-space-public-key-signature", &signature)])
        };
        let jwk = |key: &rsa::RsaPrivateKey| {
            let encode = |number: &BigUint| URL_SAFE_NO_PAD.encode(number.to_bytes_be());
            serde_json::json!({"kty": "RSA", "n": encode(key.n()), "e": encode(key.e())})
        };
        let both = serde_json::json!({"keys": [jwk(&stranger), jwk(&signer)]}).to_string();
        let wrong = serde_json::json!({"keys": [jwk(&stranger)]}).to_string();
        assert_eq!(public_key_signature(&request("{}"), &both), Ok(()));
        assert!(public_key_signature(&request("{} "), &both).is_err());
        assert!(public_key_signature(&request("{}"), &wrong).is_err());
    }
}
