//! Fresh key material: key pairs of applications, client ids.

use std::sync::Arc;

use spaceport_delivery::sign::RsaSigner;
use spaceport_platform::id::{ApplicationId, Id, KeyId};
use spaceport_platform::random::Random;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::http::error::ApiError;
use crate::services::{KeySource, Services};

/// A key pair that waits to be stored.
pub struct NewKey {
    /// Its id (`kid`).
    pub id: KeyId,
    /// The private key, PKCS #8 in DER.
    pub pkcs8: Vec<u8>,
    /// Modulus, base64url.
    pub n: String,
    /// Exponent, base64url.
    pub e: String,
    created_at: Timestamp,
}

impl NewKey {
    /// Makes a key pair off the async threads.
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
        Ok(Self { id, pkcs8, n, e, created_at: now })
    }

    /// Stores it as the newest key of an application.
    ///
    /// # Errors
    /// When the database fails.
    pub fn insert(&self, tx: &mut Tx<'_>, application: &ApplicationId) -> Result<(), StoreError> {
        tx.insert_application_key(&self.id, application, &self.pkcs8, &self.n, &self.e, self.created_at)
    }
}

fn public(pkcs8: &[u8]) -> Result<(String, String), String> {
    let public = RsaSigner::from_pkcs8(pkcs8).map_err(|error| error.to_string())?.public();
    Ok((public.n, public.e))
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
