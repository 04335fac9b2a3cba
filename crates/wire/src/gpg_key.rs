//! OpenPGP keys of applications as the API takes and shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scalar::DateTime;

/// An OpenPGP key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GpgKeyData {
    /// Upper-case hex digits: 40 for keys of version 4, 64 for version 6.
    pub fingerprint: String,
    /// The armored key as it was given.
    pub public_key: String,
    /// User ids that the key has signed.
    pub user_ids: Vec<GpgKeyUserId>,
    /// What somebody wrote about it.
    pub comment: String,
    /// When the key was made.
    pub created: DateTime,
    /// When it was added.
    pub added: DateTime,
    /// When it ends by itself; null for never.
    pub expires: Option<DateTime>,
    /// Whether it was taken back.
    pub revoked: bool,
    /// When it was taken back.
    pub revoked_at: Option<DateTime>,
    /// Why it was taken back.
    pub revoke_comment: Option<String>,
}

/// A user id of an OpenPGP key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "GpgKeyData.KeyUserId")]
pub struct GpgKeyUserId {
    /// The user id, such as `Ann <ann@example.com>`.
    pub id: String,
    /// Whether its address is that of the key's owner.
    pub verified: bool,
}

/// Arguments of `POST /applications/{application}/gpg-keys`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApplicationsForApplicationGpgKeysPostRequest")]
pub struct AddGpgKey {
    /// An armored public key.
    pub public_key: String,
    /// Words about it.
    #[serde(default)]
    pub comment: String,
}

/// Arguments of `PATCH /applications/{application}/gpg-keys/{fingerprint}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ApplicationsForApplicationGpgKeysForFingerprintPatchRequest")]
pub struct RevokeGpgKey {
    /// Why the key is taken back.
    #[serde(default)]
    pub comment: String,
}
