//! Secrets at rest: sealed with keys that are not in the database.

use std::fmt::Write as _;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::StoreError;

/// A key that keys at rest come from: 32 random bytes in a file of their own.
#[derive(Clone, PartialEq, Eq)]
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

    /// Eight hex digits that name the key without telling anything about it; what it seals carries them.
    pub fn id(&self) -> String {
        let id = digest::digest(&digest::SHA256, &derive(self, b"key id"));
        id.as_ref().iter().take(4).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MasterKey({})", self.id())
    }
}

/// Seals secrets with AES-256-GCM and makes tags that they can be compared by.
///
/// A sealed text is `v1.<key id>.<base64url(nonce, ciphertext, tag)>`, bound to the place it is stored
/// in, so that a row copied elsewhere cannot be opened. A tag is `<key id>.<base64url(HMAC)>`. Every key of the
/// ring opens; which one seals is said by the database ([`crate::Tx::sealing_key`]), the same for all nodes.
///
/// Clones share one ring, which can be exchanged while the store is open.
#[derive(Clone)]
pub struct Sealer(Arc<Shared>);

struct Shared {
    ring: RwLock<Arc<Vec<Keys>>>,
    source: Option<Source>,
}

/// Reads the ring anew; `None` when it cannot be read now.
type Source = Box<dyn Fn() -> Option<Vec<MasterKey>> + Send + Sync>;

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

fn expand(masters: &[MasterKey]) -> Arc<Vec<Keys>> {
    let keys = |master: &MasterKey| Keys {
        id: master.id(),
        seal: UnboundKey::new(&AES_256_GCM, &derive(master, b"seal")).ok().map(LessSafeKey::new),
        tag: hmac::Key::new(hmac::HMAC_SHA256, &derive(master, b"tag")),
    };
    Arc::new(masters.iter().map(keys).collect())
}

impl Sealer {
    /// With a single key.
    pub fn new(master: MasterKey) -> Self {
        Self::of_ring(&[master])
    }

    /// With a ring of keys, the newest first.
    pub fn of_ring(masters: &[MasterKey]) -> Self {
        Self(Arc::new(Shared { ring: RwLock::new(expand(masters)), source: None }))
    }

    /// With a ring of keys, the newest first, and where to read the ring anew when something is met that was sealed
    /// with a key it lacks. `source` may block for as long as reading a small file takes.
    pub fn watching(
        masters: &[MasterKey],
        source: impl Fn() -> Option<Vec<MasterKey>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared { ring: RwLock::new(expand(masters)), source: Some(Box::new(source)) }))
    }

    /// Exchanges the ring, for all clones.
    pub fn replace(&self, masters: &[MasterKey]) {
        *self.0.ring.write().unwrap_or_else(PoisonError::into_inner) = expand(masters);
    }

    /// Ids of the keys, the newest first.
    pub fn key_ids(&self) -> Vec<String> {
        self.ring().iter().map(|keys| keys.id.clone()).collect()
    }

    fn ring(&self) -> Arc<Vec<Keys>> {
        Arc::clone(&self.0.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Does `work` with the key `id`; `None` when the ring lacks it, also after it was read anew.
    fn with_key<T>(&self, id: &str, work: impl Fn(&Keys) -> T) -> Option<T> {
        let find = || self.ring().iter().find(|keys| keys.id == id).map(&work);
        let found = find();
        if found.is_some() {
            return found;
        }
        let masters = self.0.source.as_ref().and_then(|source| source())?;
        self.replace(&masters);
        let found = find();
        if found.is_none() {
            tracing::error!(key = id, "a sealed value needs a master key that master.key does not hold");
        }
        found
    }

    /// Seals `plain` with the key `id` for `place`, such as `secret|<owner>|<kind>`.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] when the ring lacks the key, or when the operating system gives no random bytes.
    pub(crate) fn seal_with(&self, id: &str, place: &str, plain: &[u8]) -> Result<String, StoreError> {
        let failed = || StoreError::Database("a secret cannot be sealed".to_owned());
        let mut nonce = [0_u8; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(|_| failed())?;
        let sealed = self.with_key(id, |keys| {
            let mut sealed = plain.to_vec();
            let key = keys.seal.as_ref().ok_or_else(failed)?;
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut sealed)
                .map_err(|_| failed())?;
            Ok::<_, StoreError>(sealed)
        });
        let bytes = [nonce.as_slice(), &sealed.ok_or(StoreError::WrongMasterKey)??].concat();
        Ok(format!("v1.{id}.{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] when the ring lacks the key, [`StoreError::Corrupt`] for damaged text.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Result<Vec<u8>, StoreError> {
        let damaged = || StoreError::corrupt(format!("a sealed secret ({place})"));
        let id = key_id(sealed).ok_or_else(damaged)?;
        let text = sealed.splitn(3, '.').nth(2).ok_or_else(damaged)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| damaged())?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        let opened = self.with_key(id, |keys| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
            let mut plain = ciphertext.to_vec();
            let key = keys.seal.as_ref().ok_or_else(damaged)?;
            let length =
                key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut plain).map_err(|_| damaged())?.len();
            plain.truncate(length);
            Ok::<_, StoreError>(plain)
        });
        opened.ok_or(StoreError::WrongMasterKey)?
    }

    /// A keyed digest of a secret, made with the key `id`, to compare candidates with.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] when the ring lacks the key.
    pub(crate) fn tag_with(&self, id: &str, secret: &str) -> Result<String, StoreError> {
        let tag = self.with_key(id, |keys| URL_SAFE_NO_PAD.encode(hmac::sign(&keys.tag, secret.as_bytes())));
        tag.map(|tag| format!("{id}.{tag}")).ok_or(StoreError::WrongMasterKey)
    }

    /// Whether `candidate` has this tag; in constant time. Without a tag the same work is done for nothing.
    ///
    /// # Errors
    /// [`StoreError::WrongMasterKey`] when the ring lacks the key that made the tag.
    pub(crate) fn matches(&self, candidate: &str, tag: Option<&str>) -> Result<bool, StoreError> {
        let compare = |keys: &Keys, tag: &str| {
            let tag = URL_SAFE_NO_PAD.decode(tag).unwrap_or_default();
            hmac::verify(&keys.tag, candidate.as_bytes(), &tag).is_ok()
        };
        let Some(tag) = tag else {
            let ring = self.ring();
            let _ = ring.first().map(|keys| compare(keys, NO_TAG));
            return Ok(false);
        };
        // The empty text stands for "no secret" and is none itself.
        let meant = !candidate.is_empty();
        match tag.split_once('.') {
            Some((id, tag)) => {
                self.with_key(id, |keys| compare(keys, tag)).map(|same| same && meant).ok_or(StoreError::WrongMasterKey)
            }
            // Tags of the first version did not name their key.
            None => Ok(self.ring().iter().fold(false, |same, keys| compare(keys, tag) | same) && meant),
        }
    }
}

/// As long as a tag, so that comparing with it takes as long.
const NO_TAG: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Which key sealed a text; `None` when it is no sealed text.
pub(crate) fn key_id(sealed: &str) -> Option<&str> {
    let mut parts = sealed.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("v1"), Some(id), Some(_)) => Some(id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey::new([byte; 32])
    }

    #[test]
    fn a_secret_opens_only_in_its_place_and_with_its_key() {
        let sealer = Sealer::new(key(7));
        let sealed = sealer.seal_with(&key(7).id(), "secret|a|client", b"hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(sealer.open("secret|a|client", &sealed).unwrap(), b"hunter2");
        assert!(sealer.open("secret|b|client", &sealed).is_err());
        let other = Sealer::new(key(8));
        assert!(matches!(other.open("secret|a|client", &sealed), Err(StoreError::WrongMasterKey)));
        assert!(matches!(other.seal_with(&key(7).id(), "p", b""), Err(StoreError::WrongMasterKey)));
    }

    #[test]
    fn every_key_of_a_ring_opens_and_compares() {
        let sealed = Sealer::new(key(7)).seal_with(&key(7).id(), "p", b"old").unwrap();
        let tag = Sealer::new(key(7)).tag_with(&key(7).id(), "old").unwrap();
        let ring = Sealer::of_ring(&[key(8), key(7)]);
        assert_eq!(ring.open("p", &sealed).unwrap(), b"old");
        assert!(ring.matches("old", Some(&tag)).unwrap());
        assert_eq!(ring.key_ids(), [key(8).id(), key(7).id()]);
        ring.replace(&[key(8)]);
        assert!(ring.open("p", &sealed).is_err());
        assert!(ring.matches("old", Some(&tag)).is_err());
    }

    #[test]
    fn a_ring_that_lacks_a_key_is_read_anew() {
        let sealed = Sealer::new(key(8)).seal_with(&key(8).id(), "p", b"new").unwrap();
        let sealer = Sealer::watching(&[key(7)], || Some(vec![key(8), key(7)]));
        assert_eq!(sealer.open("p", &sealed).unwrap(), b"new");
    }

    #[test]
    fn tags_tell_secrets_apart() {
        let sealer = Sealer::new(key(7));
        let tag = sealer.tag_with(&key(7).id(), "hunter2").unwrap();
        let matches = |candidate: &str, tag: Option<&str>| sealer.matches(candidate, tag).unwrap();
        assert!(matches("hunter2", Some(&tag)));
        assert!(!matches("hunter3", Some(&tag)));
        assert!(!matches("", Some(&sealer.tag_with(&key(7).id(), "").unwrap())));
        assert!(!matches("hunter2", None));
        let first_version = tag.split_once('.').unwrap().1;
        assert!(matches("hunter2", Some(first_version)));
        assert!(!matches("hunter3", Some(first_version)));
    }

    #[test]
    fn master_keys_survive_a_round_trip_as_text() {
        let key = key(9);
        assert_eq!(MasterKey::from_text(&key.to_text()).unwrap(), key);
        assert!(MasterKey::from_text("short").is_err());
        assert!(!format!("{key:?}").contains(&key.to_text()));
    }
}
