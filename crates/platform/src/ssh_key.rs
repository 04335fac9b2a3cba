//! SSH keys of applications: what they sign in to repositories with.

use crate::id::ApplicationId;
use crate::time::Timestamp;

/// An SSH key that an application has added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SshKey {
    /// Whose.
    pub application: ApplicationId,
    /// MD5 in hex digits with colons: the name that clients use in paths.
    pub md5_fingerprint: String,
    /// As OpenSSH prints it, `SHA256:…`. Belongs to one application.
    pub sha256_fingerprint: String,
    /// Algorithm and key in base64, without a comment.
    pub public_key: String,
    /// What somebody wrote about it.
    pub comment: String,
    /// When it was added.
    pub added_at: Timestamp,
}
