//! Keys that sign access tokens, one kind for each algorithm; the algorithm belongs to the key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA512, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use spaceport_platform::server_key::Algorithm;

use crate::services::KeySource;

/// A private key together with its public half.
pub struct SigningKey {
    /// Its id (`kid`).
    pub id: String,
    pair: Pair,
    public: ParsedPublicKey,
}

enum Pair {
    Rsa(Box<RsaKeyPair>),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Reads a private key (PKCS #8 in DER).
    ///
    /// # Errors
    /// When the key is none of that algorithm.
    pub fn read(id: String, algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, String> {
        let unreadable = |error: aws_lc_rs::error::KeyRejected| format!("the signing key {id} cannot be read: {error}");
        let (pair, public) = match algorithm {
            Algorithm::Rs512 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(unreadable)?;
                let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, pair.public_key().as_ref());
                (Pair::Rsa(Box::new(pair)), public)
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(unreadable)?;
                let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
                (Pair::Ecdsa(pair), public)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(unreadable)?;
                let public = ParsedPublicKey::new(&ED25519, pair.public_key().as_ref());
                (Pair::Ed25519(pair), public)
            }
        };
        let public = public.map_err(unreadable)?;
        Ok(Self { id, pair, public })
    }

    /// How this key signs.
    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rs512,
            Pair::Ecdsa(_) => Algorithm::Es256,
            Pair::Ed25519(_) => Algorithm::EdDsa,
        }
    }

    /// Signs. RSA takes about 0.4 ms of CPU: not for an async thread.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let failed = |_| "signing the access token failed".to_owned();
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0_u8; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA512, &SystemRandom::new(), message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Pair::Ecdsa(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|signature| signature.as_ref().to_vec()).map_err(failed)
            }
            Pair::Ed25519(pair) => pair.try_sign(message).map(|signature| signature.as_ref().to_vec()).map_err(failed),
        }
    }

    /// Whether this key made the signature.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.public.verify_sig(message, signature).is_ok()
    }

    /// The public half as a JWK (RFC 7517, RFC 8037); never a private member (security J1).
    pub fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match &self.pair {
            Pair::Rsa(pair) => {
                let parts: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
                json!({ "kty": "RSA", "n": encode(&parts.n), "e": encode(&parts.e) })
            }
            Pair::Ecdsa(pair) => {
                // An uncompressed point: 4, then both coordinates of 32 bytes (SEC 1, 2.3.3).
                let point = pair.public_key().as_ref();
                let (x, y) = (point.get(1..33).unwrap_or_default(), point.get(33..65).unwrap_or_default());
                json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
            }
        };
        for (member, value) in [("use", "sig"), ("alg", self.algorithm().name()), ("kid", &self.id)] {
            if let Some(key) = key.as_object_mut() {
                key.insert(member.to_owned(), Value::from(value));
            }
        }
        key
    }
}

/// Makes a private key, PKCS #8 in DER. RSA takes about 0.2 s of CPU: not for an async thread.
///
/// # Errors
/// When key generation fails.
pub fn generate(algorithm: Algorithm, rsa: &KeySource) -> Result<Vec<u8>, String> {
    let failed = |_| "making a signing key failed".to_owned();
    let random = SystemRandom::new();
    match algorithm {
        Algorithm::Rs512 => rsa(),
        Algorithm::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
            .map(|key| key.as_ref().to_vec())
            .map_err(failed),
        Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random).map(|key| key.as_ref().to_vec()).map_err(failed),
    }
}
