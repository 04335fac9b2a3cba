//! SSH keys of applications as the API takes and shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scalar::DateTime;

/// An SSH key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SshKeyData {
    /// MD5 in hex digits with colons.
    pub fingerprint: String,
    /// As OpenSSH prints it, `SHA256:…`.
    #[serde(rename = "sha256fingerprint")]
    pub sha256_fingerprint: Option<String>,
    /// Algorithm and key in base64.
    pub public_key: String,
    /// What somebody wrote about it.
    pub comment: String,
    /// When it was added.
    pub created_at: Option<DateTime>,
    /// When it was used last.
    pub last_used: Option<DateTime>,
    /// What it was used for last.
    pub last_resource: Option<String>,
}

/// Arguments of `POST /applications/{application}/ssh-keys`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApplicationsForApplicationSshKeysPostRequest")]
pub struct AddSshKey {
    /// A public key in the form of OpenSSH; its own comment may be left out.
    pub public_key: String,
    /// Words about it; where empty, the key's own comment is taken.
    pub comment: String,
}
