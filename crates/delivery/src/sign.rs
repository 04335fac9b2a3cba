//! One function for each way in which a request proves that it is ours (wire-protocol 4.2).
//!
//! Both signatures are over the same message: `<timestamp in milliseconds>:<body>`.

use std::fmt;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{self, KeyPair, RsaKeyPair};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use zeroize::Zeroizing;

/// Why a key cannot be used or a signature cannot be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The bytes are no RSA private key in PKCS#8, or its size is outside 2048 to 8192 bits.
    #[error("this is no RSA private key of 2048 bits or more in PKCS#8")]
    Unreadable,
    /// A token, name or password holds characters that no header can carry.
    #[error("the credential holds characters that cannot be sent in a header")]
    Unsendable,
    /// The machine's cryptography failed; there is nothing a caller could do.
    #[error("the cryptographic library failed")]
    Failed,
}

/// An RSA private key, ready to sign. Making one parses and checks the key (about 0.1 ms), so keep it.
pub struct RsaSigner {
    pair: RsaKeyPair,
    random: SystemRandom,
}

impl RsaSigner {
    /// Reads a private key in PKCS#8 DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Unreadable)?;
        Ok(Self { pair, random: SystemRandom::new() })
    }

    /// The public half, for a JWKS document.
    pub fn public(&self) -> RsaPublic {
        let parts = PublicKeyComponents::<Vec<u8>>::from(self.pair.public_key());
        RsaPublic { n: URL_SAFE_NO_PAD.encode(parts.n), e: URL_SAFE_NO_PAD.encode(parts.e) }
    }

    /// RSASSA-PKCS1-v1_5 with SHA-512 over the message. About 0.4 ms of CPU: not for an async thread.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut bytes = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&signature::RSA_PKCS1_SHA512, &self.random, message, &mut bytes)
            .map_err(|_| KeyError::Failed)?;
        Ok(bytes)
    }
}

impl fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaSigner(…)")
    }
}

/// An RSA public key as the members of a JSON Web Key: unsigned big-endian, base64url without padding (RFC 7518, 6.3.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RsaPublic {
    /// The modulus.
    pub n: String,
    /// The exponent.
    pub e: String,
}

/// Makes a fresh RSA key of 2048 bits and returns its PKCS#8 DER. Takes 0.1 to 0.4 s of CPU: not for an async thread.
pub fn generate_rsa_2048() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Failed)?;
    let der = pair.as_der().map_err(|_| KeyError::Failed)?;
    Ok(Zeroizing::new(der.as_ref().to_vec()))
}

/// The bytes that are signed.
fn message(timestamp: Timestamp, body: &[u8]) -> Vec<u8> {
    let mut message = timestamp.millis().to_string().into_bytes();
    message.push(b':');
    message.extend_from_slice(body);
    message
}

/// The value of `X-Space-Public-Key-Signature`: standard base64 with padding. See [`RsaSigner`] for its cost.
pub fn public_key_signature(signer: &RsaSigner, timestamp: Timestamp, body: &[u8]) -> Result<String, KeyError> {
    signer.sign(&message(timestamp, body)).map(|bytes| STANDARD.encode(bytes))
}

/// Whether `signature` is the value of `X-Space-Public-Key-Signature` for this key, timestamp and body.
pub fn verify_public_key_signature(key: &RsaPublic, timestamp: Timestamp, body: &[u8], signature: &str) -> bool {
    let (Ok(n), Ok(e), Ok(signature)) =
        (URL_SAFE_NO_PAD.decode(&key.n), URL_SAFE_NO_PAD.decode(&key.e), STANDARD.decode(signature))
    else {
        return false;
    };
    PublicKeyComponents { n, e }
        .verify(&signature::RSA_PKCS1_2048_8192_SHA512, &message(timestamp, body), &signature)
        .is_ok()
}

/// The value of `X-Space-Signature`: HMAC-SHA-256 in lower-case hex. The key is the text's bytes, even when it looks like hex.
pub fn signing_key_signature(key: &Secret, timestamp: Timestamp, body: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let tag = signing_key_tag(key, timestamp, body);
    let digit = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'0'));
    tag.as_ref().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Whether `signature` is the value of `X-Space-Signature` for this key, timestamp and body, compared in constant time.
pub fn verify_signing_key_signature(key: &Secret, timestamp: Timestamp, body: &[u8], signature: &str) -> bool {
    let expected = signing_key_signature(key, timestamp, body);
    constant_time::verify_slices_are_equal(expected.as_bytes(), signature.as_bytes()).is_ok()
}

/// The timestamp and the body are fed one after the other: no copy of the body.
fn signing_key_tag(key: &Secret, timestamp: Timestamp, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes()));
    context.update(timestamp.millis().to_string().as_bytes());
    context.update(b":");
    context.update(body);
    context.sign()
}

/// The value of `Authorization` for a bearer token (RFC 6750, section 2.1).
pub fn bearer(token: &Secret) -> Secret {
    Secret::new(format!("Bearer {}", token.reveal()))
}

/// The value of `Authorization` for a name and a password, both as UTF-8 (RFC 7617).
pub fn basic(username: &str, password: &Secret) -> Secret {
    let pair = Zeroizing::new(format!("{username}:{}", password.reveal()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}
