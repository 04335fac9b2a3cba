//! Certificates of authorities that endpoints are verified with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scalar::{DateTime, Patch};

/// A certificate that endpoints are verified with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrustedCertificate {
    /// Its id.
    pub id: String,
    /// What people call it; unique.
    pub alias: String,
    /// The certificate in PEM.
    pub data: String,
    /// What it says.
    pub info: CertificateInfo,
    /// Whether it is kept without being trusted.
    pub archived: bool,
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateInfo {
    /// `X.509`.
    pub certificate_type: String,
    /// Version of X.509, 1 to 3.
    pub version: i32,
    /// Serial number, in hex digits with colons.
    pub serial_number: String,
    /// Who signed it.
    pub issued_by: String,
    /// Whom it names.
    pub issued_to: String,
    /// From when on it is good.
    pub valid_from: DateTime,
    /// Until when.
    pub valid_to: DateTime,
    /// How it was signed.
    pub algorithm: String,
    /// Its digests.
    pub fingerprint: Fingerprint,
}

/// Digests of a certificate, in hex digits with colons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fingerprint {
    /// MD5.
    pub md5: String,
    /// SHA-1.
    pub sha1: String,
    /// SHA-256.
    pub sha256: String,
    /// SHA-384.
    pub sha384: String,
    /// SHA-512.
    pub sha512: String,
}

/// A new trusted certificate.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct CreateTrustedCertificate {
    /// What people call it.
    pub alias: String,
    /// One certificate: PEM, or DER in base64.
    pub data: String,
    /// Whether it is kept without being trusted.
    pub archived: bool,
}

/// A change of a trusted certificate: absent keeps.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UpdateTrustedCertificate {
    /// What people call it; null keeps it.
    pub alias: Patch<String>,
    /// One certificate: PEM, or DER in base64; null keeps it.
    pub data: Patch<String>,
    /// Whether it is kept without being trusted; null keeps it.
    pub archived: Patch<bool>,
}
