//! Certificates of authorities: what an administrator pastes is read and judged before endpoints are verified with it.

use aws_lc_rs::digest::{self, Algorithm};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::hex;

/// Largest text of a certificate, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;
const FIELD: &str = "data";

/// A certificate, and what it says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate {
    /// The certificate as DER.
    pub der: Vec<u8>,
    /// Version of X.509, 1 to 3.
    pub version: u32,
    /// Serial number, in hex digits with colons.
    pub serial_number: String,
    /// Who signed it.
    pub issuer: String,
    /// Whom it names.
    pub subject: String,
    /// From when on it is good.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// How it was signed: a name, or else an object identifier.
    pub algorithm: String,
    /// Its digests.
    pub fingerprints: Fingerprints,
}

/// Digests of a certificate, in hex digits with colons.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprints {
    /// MD5: for comparing by eye with old lists, and for nothing else.
    pub md5: String,
    /// SHA-1, of which the same is true.
    pub sha1: String,
    /// SHA-256.
    pub sha256: String,
    /// SHA-384.
    pub sha384: String,
    /// SHA-512.
    pub sha512: String,
}

/// Reads one certificate: PEM, or DER in base64.
///
/// # Errors
/// The field is `data`; says what is missing or broken.
pub fn read(text: &str) -> Result<Certificate, Invalid> {
    if text.len() > MAX_BYTES {
        return Err(Invalid::new(FIELD, format!("must have at most {MAX_BYTES} bytes, has {}", text.len())));
    }
    let der = if text.contains("-----BEGIN") { of_pem(text)? } else { of_base64(text)? };
    let broken = || Invalid::new(FIELD, "must hold a whole X.509 certificate");
    let (rest, certificate) = X509Certificate::from_der(&der).map_err(|_| broken())?;
    if !rest.is_empty() {
        return Err(broken());
    }
    // The same judgement that verification makes: what it refuses would never be trusted.
    let anchor = RootCertStore::empty().add(CertificateDer::from(der.clone()));
    anchor.map_err(|_| Invalid::new(FIELD, "must hold a certificate that TLS can trust; this one cannot be read"))?;
    let moment = |time: x509_parser::time::ASN1Time| Timestamp::from_millis(time.timestamp().saturating_mul(1000));
    let of = |algorithm: &'static Algorithm| hex::with_colons(digest::digest(algorithm, &der).as_ref());
    Ok(Certificate {
        version: certificate.version().0.saturating_add(1),
        serial_number: hex::with_colons(certificate.raw_serial()),
        issuer: name(certificate.issuer()),
        subject: name(certificate.subject()),
        valid_from: moment(certificate.validity().not_before),
        valid_until: moment(certificate.validity().not_after),
        algorithm: algorithm(&certificate.signature_algorithm.algorithm.to_id_string()),
        fingerprints: Fingerprints {
            md5: hex::with_colons(&Md5::digest(&der)),
            sha1: of(&digest::SHA1_FOR_LEGACY_USE_ONLY),
            sha256: of(&digest::SHA256),
            sha384: of(&digest::SHA384),
            sha512: of(&digest::SHA512),
        },
        der: der.clone(),
    })
}

/// SHA-256 of a certificate, in hex digits with colons.
pub fn sha256(der: &[u8]) -> String {
    hex::with_colons(digest::digest(&digest::SHA256, der).as_ref())
}

/// A certificate as PEM (RFC 7468).
pub fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}

fn of_pem(text: &str) -> Result<Vec<u8>, Invalid> {
    if text.contains("PRIVATE KEY-----") {
        return Err(Invalid::new(FIELD, "must hold a certificate only; keep the private key to yourself"));
    }
    let mut found = CertificateDer::pem_slice_iter(text.as_bytes());
    let missing = || Invalid::new(FIELD, "must be PEM: -----BEGIN CERTIFICATE-----, base64, -----END CERTIFICATE-----");
    let first = found.next().ok_or_else(missing)?.map_err(|_| missing())?;
    match found.next() {
        None => Ok(first.to_vec()),
        Some(_) => Err(Invalid::new(FIELD, "must hold one certificate; store each of a bundle by itself")),
    }
}

fn of_base64(text: &str) -> Result<Vec<u8>, Invalid> {
    let packed: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let decoded = STANDARD.decode(packed).ok().filter(|der| !der.is_empty());
    decoded.ok_or_else(|| Invalid::new(FIELD, "must be a certificate in PEM, or its DER in base64"))
}

/// The names that keytool and openssl print.
fn algorithm(identifier: &str) -> String {
    let name = match identifier {
        "1.2.840.113549.1.1.5" => "SHA1withRSA",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.113549.1.1.11" => "SHA256withRSA",
        "1.2.840.113549.1.1.12" => "SHA384withRSA",
        "1.2.840.113549.1.1.13" => "SHA512withRSA",
        "1.2.840.10045.4.3.2" => "SHA256withECDSA",
        "1.2.840.10045.4.3.3" => "SHA384withECDSA",
        "1.2.840.10045.4.3.4" => "SHA512withECDSA",
        "1.3.101.112" => "Ed25519",
        other => other,
    };
    name.to_owned()
}

/// A name as it can be stored and shown, cut where nobody reads on.
fn name(name: &x509_parser::x509::X509Name<'_>) -> String {
    name.to_string().replace('\0', "\u{fffd}").chars().take(1_000).collect()
}
