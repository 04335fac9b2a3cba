//! Keystores: a private key with the certificates that speak for it, for TLS client authentication.
//!
//! They come as a pair of PEM texts or as PKCS #12. Either way the result is what TLS needs: the chain in
//! order, leaf first, and a key that belongs to the leaf.

mod pem;
mod pkcs12;

use std::fmt;

use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::hex;

pub use pem::from_pem;
pub use pkcs12::from_pkcs12;

/// Largest PEM text and largest PKCS #12 file, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
/// Most certificates of a keystore.
const MAX_CERTIFICATES: usize = 10;

/// A private key with its certificates, found to belong together.
pub struct Keystore {
    /// The certificates as DER, each followed by the one that signed it, as far as they were given.
    pub chain: Vec<Vec<u8>>,
    /// The private key as DER: PKCS #8, PKCS #1 or SEC1. Secret.
    pub key: PrivateKeyDer<'static>,
    /// What the leaf says.
    pub leaf: Leaf,
}

/// What the certificate of a keystore says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Whom it names, such as `CN=client, O=Example`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// From when on it is good.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// Its fingerprint with SHA-256, in lower-case hex digits with colons.
    pub fingerprint: String,
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keystore").field("leaf", &self.leaf).finish_non_exhaustive()
    }
}

/// Puts a keystore together.
///
/// `chain_field` and `key_field` name what to blame: where the certificates and the key came from.
fn assemble(
    certificates: Vec<Vec<u8>>,
    key: PrivateKeyDer<'static>,
    chain_field: &str,
    key_field: &str,
) -> Result<Keystore, Invalid> {
    if certificates.is_empty() {
        return Err(Invalid::new(chain_field, "must hold the certificate of the private key"));
    }
    if certificates.len() > MAX_CERTIFICATES {
        return Err(Invalid::new(chain_field, format!("must hold at most {MAX_CERTIFICATES} certificates")));
    }
    let signing = any_supported_type(&key).map_err(|_| {
        Invalid::new(
            key_field,
            "must hold a private key of the kind RSA (2048 to 8192 bits), ECDSA (P-256, P-384, P-521) or Ed25519",
        )
    })?;
    let speaks_for_key = |der: &Vec<u8>| {
        let chain = vec![CertificateDer::from(der.clone())];
        CertifiedKey::new(chain, signing.clone()).keys_match().is_ok()
    };
    let mut parsed = Vec::with_capacity(certificates.len());
    for (index, der) in certificates.iter().enumerate() {
        let broken =
            || Invalid::new(chain_field, format!("must hold whole X.509 certificates; number {} is broken", index + 1));
        let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| broken())?;
        if !rest.is_empty() {
            return Err(broken());
        }
        parsed.push(certificate);
    }
    let leaf = certificates.iter().position(speaks_for_key).and_then(|index| Some((index, parsed.get(index)?)));
    let (index, leaf) = leaf.ok_or_else(|| {
        Invalid::new(
            chain_field,
            "must hold the certificate of the private key; this key belongs to none of those given",
        )
    })?;
    let order = ordered(index, &parsed);
    if order.len() < parsed.len() {
        return Err(Invalid::new(chain_field, "must hold one chain; a certificate has signed none of the others"));
    }
    let chain = order.into_iter().filter_map(|index| certificates.get(index).cloned()).collect::<Vec<_>>();
    let leaf = described(leaf, chain.first().map(Vec::as_slice).unwrap_or_default());
    Ok(Keystore { chain, key, leaf })
}

/// The leaf, who signed it, who signed that one, and so on: by name, as TLS servers look for them.
fn ordered(leaf: usize, certificates: &[X509Certificate<'_>]) -> Vec<usize> {
    let mut order = vec![leaf];
    let mut last = certificates.get(leaf);
    while let Some(signed) = last {
        let next = certificates.iter().enumerate().find(|(index, candidate)| {
            !order.contains(index) && candidate.subject().as_raw() == signed.issuer().as_raw()
        });
        last = next.map(|(_, certificate)| certificate);
        order.extend(next.map(|(index, _)| index));
    }
    order
}

fn described(certificate: &X509Certificate<'_>, der: &[u8]) -> Leaf {
    let moment = |time: x509_parser::time::ASN1Time| Timestamp::from_millis(time.timestamp().saturating_mul(1000));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der);
    Leaf {
        subject: name(certificate.subject()),
        issuer: name(certificate.issuer()),
        valid_from: moment(certificate.validity().not_before),
        valid_until: moment(certificate.validity().not_after),
        fingerprint: hex::with_colons(digest.as_ref()),
    }
}

/// A name as it can be stored and shown, cut where nobody reads on.
fn name(name: &x509_parser::x509::X509Name<'_>) -> String {
    name.to_string().replace('\0', "\u{fffd}").chars().take(1_000).collect()
}
