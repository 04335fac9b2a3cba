//! Signatures against published vectors and against an independent implementation.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rsa::sha2::{Digest, Sha512};
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use serde_json::Value;
use spaceport_delivery::sign::{self, KeyError, RsaPublic, RsaSigner};
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;

fn cases(document: &Value) -> Vec<(Timestamp, &[u8], &str)> {
    let text = |case: &'_ Value, name: &str| case[name].as_str().unwrap().to_owned();
    let cases = document["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
        .iter()
        .map(|case| {
            let timestamp = Timestamp::from_millis(text(case, "timestamp").parse().unwrap());
            (timestamp, case["body"].as_str().unwrap().as_bytes(), case["signature"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn the_signing_key_vectors_hold() {
    let document: Value = serde_json::from_str(include_str!("../data/signing-key-signature.json")).unwrap();
    let key = Secret::new(document["key"].as_str().unwrap());
    for (timestamp, body, signature) in cases(&document) {
        assert_eq!(sign::signing_key_signature(&key, timestamp, body), signature);
        assert!(sign::verify_signing_key_signature(&key, timestamp, body, signature));
        assert!(!sign::verify_signing_key_signature(&key, Timestamp::from_millis(1), body, signature));
    }
}

#[test]
fn the_third_partys_public_key_vectors_verify_and_nothing_else_does() {
    let document: Value = serde_json::from_str(include_str!("../data/public-key-signature.json")).unwrap();
    let part = |name: &str| document["jwk"][name].as_str().unwrap().to_owned();
    let key = RsaPublic { n: part("n"), e: part("e") };
    for (timestamp, body, signature) in cases(&document) {
        assert!(sign::verify_public_key_signature(&key, timestamp, body, signature));
        let later = Timestamp::from_millis(timestamp.millis() + 1);
        assert!(!sign::verify_public_key_signature(&key, later, body, signature));
        assert!(!sign::verify_public_key_signature(&key, timestamp, b"{}", signature));
        assert!(!sign::verify_public_key_signature(&key, timestamp, body, "bm9uZQ=="));
    }
}

#[test]
fn an_independent_library_verifies_our_public_key_signature() {
    let signer = RsaSigner::from_pkcs8(&sign::generate_rsa_2048().unwrap()).unwrap();
    let body = "{\"text\":\"Grüße 🎉\"}".as_bytes();
    let signature = sign::public_key_signature(&signer, Timestamp::from_millis(1_700_000_000_123), body).unwrap();
    assert_eq!(signature.len(), 344);

    let RsaPublic { n, e } = signer.public();
    let number = |text: &str| BigUint::from_bytes_be(&URL_SAFE_NO_PAD.decode(text).unwrap());
    let key = RsaPublicKey::new(number(&n), number(&e)).unwrap();
    let digest = Sha512::digest([b"1700000000123:", body].concat());
    key.verify(Pkcs1v15Sign::new::<Sha512>(), &digest, &STANDARD.decode(signature).unwrap()).unwrap();
    assert_eq!(e, "AQAB");
}

#[test]
fn what_is_no_key_is_refused() {
    assert_eq!(RsaSigner::from_pkcs8(b"nothing").unwrap_err(), KeyError::Unreadable);
}

#[test]
fn basic_credentials_are_those_of_the_rfc() {
    // RFC 7617, section 2.1: a password beyond ASCII, as UTF-8.
    assert_eq!(sign::basic("test", &Secret::new("123£")).reveal(), "Basic dGVzdDoxMjPCow==");
    assert_eq!(sign::bearer(&Secret::new("mF_9.B5f-4.1JqM")).reveal(), "Bearer mF_9.B5f-4.1JqM");
}
