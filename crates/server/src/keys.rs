//! Key material: fresh key pairs of applications, client ids, and the place where keys from outside are read.

use std::sync::Arc;

use spaceport_delivery::sign::RsaSigner;
use spaceport_platform::id::{ApplicationId, Id, KeyId};
use spaceport_platform::random::Random;
use spaceport_platform::time::Timestamp;
use spaceport_store::{PublicKey, StoreError, Tx};
use tokio::sync::Semaphore;

use crate::http::error::ApiError;
use crate::services::{KeySource, Services};

/// A key pair that waits to be stored.
pub struct NewKey {
    /// Its public half.
    pub public: PublicKey,
    /// The private key, PKCS #8 in DER.
    pub pkcs8: Vec<u8>,
}

impl NewKey {
    /// Makes a key pair off the async threads, which signs at once.
    ///
    /// # Errors
    /// When key generation fails.
    pub async fn generate(services: &Services, now: Timestamp) -> Result<Self, ApiError> {
        let source = Arc::clone(&services.keys);
        let id = Id::generate(now, services.random.as_ref());
        tokio::task::spawn_blocking(move || Self::make(id, &source, now))
            .await
            .map_err(ApiError::internal)?
            .map_err(ApiError::internal)
    }

    /// Makes a key pair on this thread.
    ///
    /// # Errors
    /// When key generation fails.
    pub fn make(id: KeyId, source: &KeySource, now: Timestamp) -> Result<Self, String> {
        let pkcs8 = source()?;
        let (n, e) = public(&pkcs8)?;
        // From the beginning of time, so that a node whose clock is behind has a key to sign with.
        let signs_from = Timestamp::from_millis(0);
        Ok(Self { public: PublicKey { id, n, e, created_at: now, signs_from, retires_at: None }, pkcs8 })
    }

    /// Stores it as the newest key of an application.
    ///
    /// # Errors
    /// When the database fails.
    pub fn insert(&self, tx: &mut Tx<'_>, application: &ApplicationId) -> Result<(), StoreError> {
        tx.insert_application_key(application, &self.public, &self.pkcs8)
    }
}

fn public(pkcs8: &[u8]) -> Result<(String, String), String> {
    let public = RsaSigner::from_pkcs8(pkcs8).map_err(|error| error.to_string())?.public();
    Ok((public.n, public.e))
}

/// Reads key material from outside beside the async threads, on half of the cores at most: a hostile key
/// can cost half a second of CPU, and whoever sends many of them waits for himself.
#[derive(Clone)]
pub struct KeyReading(Arc<Semaphore>);

impl Default for KeyReading {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new((cores / 2).max(1))))
    }
}

impl KeyReading {
    /// Waits for its turn, then runs `work`.
    ///
    /// # Errors
    /// When the work panicked or the process ends.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.0).acquire_owned().await.map_err(ApiError::internal)?;
        let done = tokio::task::spawn_blocking(move || {
            // Held here, not by the caller: a caller that gives up does not make the work disappear.
            let _turn = turn;
            work()
        });
        done.await.map_err(ApiError::internal)
    }
}

/// A random UUID (version 4, RFC 9562), the form client ids have.
pub fn uuid(random: &dyn Random) -> String {
    let mut bytes = [0_u8; 16];
    random.fill(&mut bytes);
    let number = u128::from_be_bytes(bytes);
    let number = (number & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{number:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use spaceport_platform::random::Counting;

    #[test]
    fn client_ids_are_version_4_uuids() {
        let id = uuid(&Counting::default());
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
    }
}
