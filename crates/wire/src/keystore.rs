//! SSL keystores as administrators store and see them. What goes in holds private keys, so it has no debug output.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scalar::DateTime;

/// A keystore, without its private key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SslKeystoreRecord {
    /// By which applications and webhooks name it.
    pub name: String,
    /// Whom its certificate names.
    pub subject: String,
    /// Who signed the certificate.
    pub issuer: String,
    /// From when on the certificate is good.
    pub valid_from: DateTime,
    /// Until when.
    pub valid_until: DateTime,
    /// SHA-256 of the certificate, in hex digits with colons.
    pub fingerprint: String,
    /// How many certificates the chain has.
    pub certificates: usize,
    /// When it was stored first.
    pub created: DateTime,
    /// When its contents were stored.
    pub updated: DateTime,
}

/// Arguments of `POST /api/host/v1/ssl-keystores`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateSslKeystore {
    /// Letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Certificates in PEM.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The private key in PEM, without a password.
    #[serde(default)]
    pub private_key: Option<String>,
    /// A PKCS #12 file in base64.
    #[serde(default)]
    pub pkcs12: Option<String>,
    /// The password of the PKCS #12 file.
    #[serde(default)]
    pub password: Option<String>,
}

/// Contents of a keystore: a pair of PEM texts, or a PKCS #12 file.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SslKeystoreContents {
    /// Certificates in PEM.
    #[serde(default)]
    pub certificate: Option<String>,
    /// The private key in PEM, without a password.
    #[serde(default)]
    pub private_key: Option<String>,
    /// A PKCS #12 file in base64.
    #[serde(default)]
    pub pkcs12: Option<String>,
    /// The password of the PKCS #12 file.
    #[serde(default)]
    pub password: Option<String>,
}
