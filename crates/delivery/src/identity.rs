//! Who we are in a TLS handshake: a client certificate with its private key.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

/// A certificate that is shown to endpoints that ask for one. Making it parses and checks the key, so keep it.
pub struct ClientIdentity {
    id: String,
    key: Arc<SingleCertAndKey>,
}

/// Why a client identity cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum IdentityError {
    /// No form that TLS knows.
    #[error("the private key is not one that TLS can use")]
    Key,
    /// The first certificate is another one's, or there is none.
    #[error("the first certificate does not belong to the private key")]
    Certificate,
}

impl ClientIdentity {
    /// From certificates as DER, leaf first, and a private key as DER: PKCS #8, PKCS #1 or SEC1.
    ///
    /// `id` must change whenever one of them does: connections that were opened with one identity serve no other.
    pub fn new(id: impl Into<String>, chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Self, IdentityError> {
        let key = PrivateKeyDer::try_from(key).map_err(|_| IdentityError::Key)?;
        let key = any_supported_type(&key).map_err(|_| IdentityError::Key)?;
        let certified = CertifiedKey::new(chain.into_iter().map(CertificateDer::from).collect(), key);
        certified.keys_match().map_err(|_| IdentityError::Certificate)?;
        Ok(Self { id: id.into(), key: Arc::new(certified.into()) })
    }

    /// The name under which connections are kept.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::clone(&self.key)
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientIdentity({})", self.id)
    }
}
