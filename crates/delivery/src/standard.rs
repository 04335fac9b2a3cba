//! Standard Webhooks (specification 1.0): the signature that its libraries verify, beside those of the original server.
//!
//! Signed is `<webhook-id>.<webhook-timestamp in seconds>.<body>`: with the signing key as `v1`, and with an Ed25519 key as
//! `v1a` where deliveries are signed with a public key anyway (decision 0043).

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spaceport_platform::id::DeliveryId;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;

use crate::sign::KeyError;

/// What the seed of an Ed25519 key is derived with. Another text would be another key.
const SEED_LABEL: &[u8] = b"spaceport standard webhooks v1a";

/// The keys that sign for one target. Without any, the headers that need none are sent alone.
#[derive(Clone, Debug, Default)]
pub struct StandardKeys {
    /// The signing key.
    pub present: Option<Secret>,
    /// The one before, and when it ends.
    pub previous: Option<(Secret, Timestamp)>,
    /// The asymmetric key.
    pub pair: Option<Arc<StandardPair>>,
}

impl StandardKeys {
    /// The value of `webhook-signature`: one signature for each key that is valid `now`; `None` without any.
    pub fn signature(&self, id: &DeliveryId, now: Timestamp, body: &[u8]) -> Option<String> {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until).map(|(key, _)| key);
        let keys = self.present.iter().chain(previous);
        let mut signatures: Vec<String> = keys.map(|key| signature(key, id, now, body)).collect();
        if let Some(pair) = &self.pair {
            signatures.push(pair.signature(id, now, body));
        }
        (!signatures.is_empty()).then(|| signatures.join(" "))
    }
}

/// An Ed25519 key, ready to sign (about 20 µs of CPU).
pub struct StandardPair(Ed25519KeyPair);

impl StandardPair {
    /// The key that belongs to an application's RSA key (PKCS#8 in DER): whoever has not the one cannot have the other,
    /// and both are replaced at the same time.
    ///
    /// # Errors
    /// When the cryptographic library fails.
    pub fn derived(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, pkcs8), SEED_LABEL);
        Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map(Self).map_err(|_| KeyError::Failed)
    }

    /// The public half in the form of the specification: `whpk_` and base64.
    pub fn public(&self) -> String {
        format!("whpk_{}", STANDARD.encode(self.0.public_key().as_ref()))
    }

    fn signature(&self, id: &DeliveryId, now: Timestamp, body: &[u8]) -> String {
        let message = [prefix(id, now).as_bytes(), body].concat();
        format!("v1a,{}", STANDARD.encode(self.0.sign(&message).as_ref()))
    }
}

impl fmt::Debug for StandardPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StandardPair(…)")
    }
}

/// What `webhook-timestamp` says: whole seconds.
pub fn seconds(now: Timestamp) -> i64 {
    now.millis().div_euclid(1000)
}

fn prefix(id: &DeliveryId, now: Timestamp) -> String {
    format!("{}.{}.", id.as_str(), seconds(now))
}

/// The `v1` signature of a message: HMAC-SHA-256 in base64.
///
/// The key is read as libraries read it, with or without `whsec_` in front: base64. The signing keys that this server
/// makes are valid base64 of 48 bytes, so an application hands its key to a library as it is. A text that is no base64
/// counts as its bytes.
pub fn signature(key: &Secret, id: &DeliveryId, now: Timestamp, body: &[u8]) -> String {
    let text = key.reveal().strip_prefix("whsec_").unwrap_or(key.reveal());
    let bytes = zeroize::Zeroizing::new(STANDARD.decode(text).unwrap_or_else(|_| text.as_bytes().to_vec()));
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &bytes));
    context.update(prefix(id, now).as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign().as_ref()))
}

/// Whether `header`, the value of `webhook-signature`, holds the `v1` signature of this key, compared in constant time.
pub fn verify(key: &Secret, id: &DeliveryId, now: Timestamp, body: &[u8], header: &str) -> bool {
    let expected = signature(key, id, now, body);
    let equal = |found: &str| constant_time::verify_slices_are_equal(found.as_bytes(), expected.as_bytes()).is_ok();
    header.split(' ').any(equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    #[test]
    fn the_published_example_is_signed_as_published() {
        // From the test vectors of the specification's reference libraries.
        let key = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = DeliveryId::new("msg_p5jXN8AQM9LWM0D4loKWxJek");
        let now = Timestamp::from_millis(1_614_265_330_000);
        assert_eq!(signature(&key, &id, now, BODY), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn all_valid_keys_sign_and_ended_ones_do_not() {
        let (present, previous) = (Secret::new("cHJlc2VudA=="), Secret::new("cHJldmlvdXM="));
        let (id, end) = (DeliveryId::new("d1"), Timestamp::from_millis(5_000));
        let keys = StandardKeys { present: Some(present.clone()), previous: Some((previous.clone(), end)), pair: None };
        for (millis, both) in [(4_999, true), (5_000, false)] {
            let now = Timestamp::from_millis(millis);
            let header = keys.signature(&id, now, BODY).unwrap();
            assert!(verify(&present, &id, now, BODY, &header));
            assert_eq!(verify(&previous, &id, now, BODY, &header), both);
            assert!(!verify(&present, &DeliveryId::new("d2"), now, BODY, &header));
        }
        assert_eq!(StandardKeys::default().signature(&id, end, BODY), None);
    }

    #[test]
    fn the_asymmetric_key_follows_the_key_it_is_derived_from() {
        let one = StandardPair::derived(b"one key").unwrap();
        assert_eq!(one.public(), StandardPair::derived(b"one key").unwrap().public());
        assert_ne!(one.public(), StandardPair::derived(b"another").unwrap().public());
        assert!(one.public().starts_with("whpk_"));
        assert!(!format!("{one:?}").contains(&one.public()));
    }
}
