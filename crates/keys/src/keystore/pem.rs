//! A keystore as a pair of PEM texts (RFC 7468): certificates, and a private key.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use spaceport_platform::invalid::Invalid;

use super::{Keystore, MAX_BYTES, assemble};

/// Reads a pair: `chain` with the certificates in any order, `key` with one private key that is not encrypted.
///
/// # Errors
/// The field is `certificate` or `privateKey`; says what is missing, broken or does not belong together.
pub fn from_pem(chain: &str, key: &str) -> Result<Keystore, Invalid> {
    const CHAIN: &str = "certificate";
    const KEY: &str = "privateKey";
    for (field, text) in [(CHAIN, chain), (KEY, key)] {
        if text.len() > MAX_BYTES {
            return Err(Invalid::new(field, format!("must have at most {MAX_BYTES} bytes, has {}", text.len())));
        }
    }
    if chain.contains("PRIVATE KEY-----") {
        return Err(Invalid::new(CHAIN, "must hold certificates only; the private key is an argument of its own"));
    }
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(chain.as_bytes()) {
        let broken =
            |_| Invalid::new(CHAIN, "must be PEM: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----");
        certificates.push(certificate.map_err(broken)?.to_vec());
    }
    if certificates.is_empty() {
        return Err(Invalid::new(CHAIN, "must hold a certificate in PEM: -----BEGIN CERTIFICATE-----"));
    }
    if key.contains("BEGIN ENCRYPTED PRIVATE KEY") || key.contains("Proc-Type: 4,ENCRYPTED") {
        let expected =
            "must be a private key without a password; `openssl pkey` takes it off, or send PKCS #12 instead";
        return Err(Invalid::new(KEY, expected));
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(key.as_bytes());
    let missing = || Invalid::new(KEY, "must hold a private key in PEM: -----BEGIN PRIVATE KEY-----");
    let found = keys.next().ok_or_else(missing)?.map_err(|_| missing())?;
    if keys.next().is_some() {
        return Err(Invalid::new(KEY, "must hold one private key"));
    }
    assemble(certificates, found, CHAIN, KEY)
}
