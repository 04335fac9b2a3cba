//! Secrets at rest: sealed with a key that is not in the database.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::StoreError;

/// The key that all keys at rest come from: 32 random bytes in a file of its own.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// Takes random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base64url without padding.
    ///
    /// # Errors
    /// When the text is not 32 bytes in base64url.
    pub fn from_text(text: &str) -> Result<Self, StoreError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| StoreError::corrupt("the master key is not 32 bytes in base64url"))
    }

    /// The form that [`Self::from_text`] reads.
    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

/// Seals secrets with AES-256-GCM and makes tags that they can be compared by.
///
/// A sealed text is `v1.<key id>.<base64url(nonce, ciphertext, tag)>`, bound to the place it is stored
/// in, so that a row copied elsewhere cannot be opened.
#[derive(Clone)]
pub struct Sealer(Arc<Keys>);

struct Keys {
    id: String,
    seal: Option<LessSafeKey>,
    tag: hmac::Key,
}

struct Length(usize);

impl aws_lc_rs::hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(master: &MasterKey, purpose: &[u8]) -> [u8; 32] {
    let mut key = [0_u8; 32];
    let pseudorandom = Salt::new(HKDF_SHA256, b"spaceport").extract(&master.0);
    let purposes = [purpose];
    // 32 bytes are far below the limit of HKDF, so this cannot fail; a key of zeroes would fail to
    // open anything and be noticed by the check constant.
    let _ = pseudorandom.expand(&purposes, Length(32)).and_then(|output| output.fill(&mut key));
    key
}

impl Sealer {
    /// With keys derived from `master`.
    pub fn new(master: MasterKey) -> Self {
        let id = digest::digest(&digest::SHA256, &derive(&master, b"key id"));
        let id = id.as_ref().iter().take(4).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        let seal = UnboundKey::new(&AES_256_GCM, &derive(&master, b"seal")).ok().map(LessSafeKey::new);
        let tag = hmac::Key::new(hmac::HMAC_SHA256, &derive(&master, b"tag"));
        Self(Arc::new(Keys { id, seal, tag }))
    }

    /// Seals `plain` for `place`, such as `secret|<owner>|<kind>`.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<String, StoreError> {
        let failed = || StoreError::Database("a secret cannot be sealed".to_owned());
        let mut nonce = [0_u8; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| failed())?;
        let mut sealed = plain.to_vec();
        let key = self.0.seal.as_ref().ok_or_else(failed)?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut sealed)
            .map_err(|_| failed())?;
        let bytes = [nonce.as_slice(), &sealed].concat();
        Ok(format!("v1.{}.{}", self.0.id, URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] for another key, [`StoreError::Corrupt`] for damaged text.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>, StoreError> {
        let damaged = || StoreError::corrupt(format!("a sealed secret ({place})"));
        let mut parts = sealed.splitn(3, '.');
        let (Some("v1"), Some(id), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(damaged());
        };
        if id != self.0.id {
            return Err(StoreError::WrongMasterKey);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged())?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut plain = ciphertext.to_vec();
        let key = self.0.seal.as_ref().ok_or_else(damaged)?;
        let length = key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut plain).map_err(|_| damaged())?.len();
        plain.truncate(length);
        Ok(plain)
    }

    /// A keyed digest of a secret, to compare candidates with.
    pub fn tag(&self, secret: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0.tag, secret.as_bytes()))
    }

    /// Whether `candidate` has this tag; in constant time.
    pub fn matches(&self, candidate: &str, tag: &str) -> bool {
        let tag = URL_SAFE_NO_PAD.decode(tag).unwrap_or_default();
        hmac::verify(&self.0.tag, candidate.as_bytes(), &tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_in_its_place_and_with_its_key() {
        let sealer = Sealer::new(MasterKey::new([7; 32]));
        let sealed = sealer.seal("secret|a|client", b"hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(sealer.open("secret|a|client", &sealed).unwrap(), b"hunter2");
        assert!(sealer.open("secret|b|client", &sealed).is_err());
        let other = Sealer::new(MasterKey::new([8; 32]));
        assert!(matches!(other.open("secret|a|client", &sealed), Err(StoreError::WrongMasterKey)));
    }

    #[test]
    fn tags_tell_secrets_apart() {
        let sealer = Sealer::new(MasterKey::new([7; 32]));
        let tag = sealer.tag("hunter2");
        assert!(sealer.matches("hunter2", &tag));
        assert!(!sealer.matches("hunter3", &tag));
        assert!(!sealer.matches("", ""));
    }

    #[test]
    fn master_keys_survive_a_round_trip_as_text() {
        let key = MasterKey::new([9; 32]);
        assert_eq!(MasterKey::from_text(&key.to_text()).unwrap().0, key.0);
        assert!(MasterKey::from_text("short").is_err());
    }
}
