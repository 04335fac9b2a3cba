//! OpenPGP keys of applications: what their signatures on commits are checked with.

use crate::id::ApplicationId;
use crate::invalid::{Invalid, text_length};
use crate::time::Timestamp;

/// Most keys of an application, of each kind: OpenPGP and SSH.
pub const MAX_KEYS: usize = 100;
/// Longest comment on a key, in characters.
pub const MAX_COMMENT: usize = 1_000;

/// An OpenPGP key that an application has added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GpgKey {
    /// Whose.
    pub application: ApplicationId,
    /// Upper-case hex digits: 40 for keys of version 4, 64 for version 6. Belongs to one application.
    pub fingerprint: String,
    /// The armored key as it was given.
    pub public_key: String,
    /// User ids of the key, such as `Ann <ann@example.com>`.
    pub user_ids: Vec<String>,
    /// What somebody wrote about it.
    pub comment: String,
    /// When the key was made.
    pub created_at: Timestamp,
    /// When it was added here.
    pub added_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether it was taken back. Such a key stays, so that older signatures can be judged by their date.
    pub revocation: Option<Revocation>,
}

/// That a key was taken back, by its owner here or by a certificate inside the key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub comment: String,
}

impl GpgKey {
    /// Takes the key back. What is revoked stays so, with its first date.
    ///
    /// # Errors
    /// When it was taken back before, or the comment is too long.
    pub fn revoke(&mut self, revocation: Revocation) -> Result<(), Invalid> {
        check_comment(&revocation.comment)?;
        if self.revocation.is_some() {
            return Err(Invalid::new("", "The key is revoked already"));
        }
        self.revocation = Some(revocation);
        Ok(())
    }
}

/// Checks a comment on a key.
///
/// # Errors
/// When it is too long.
pub fn check_comment(comment: &str) -> Result<(), Invalid> {
    text_length("comment", comment, 0, MAX_COMMENT)
}

/// Whether a user id names this address, as in `Ann <ann@example.com>` or bare. Case does not matter.
pub fn names_address(user_id: &str, address: &str) -> bool {
    let inside = user_id.rsplit_once('<').and_then(|(_, rest)| rest.trim_end().strip_suffix('>'));
    let named = inside.unwrap_or(user_id).trim();
    !address.trim().is_empty() && named.to_lowercase() == address.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_revoked_once() {
        let mut key = GpgKey {
            application: ApplicationId::new("a"),
            fingerprint: "F".to_owned(),
            public_key: String::new(),
            user_ids: Vec::new(),
            comment: String::new(),
            created_at: Timestamp::from_millis(0),
            added_at: Timestamp::from_millis(1),
            expires_at: None,
            revocation: None,
        };
        let first = Revocation { at: Timestamp::from_millis(2), comment: "lost".to_owned() };
        key.revoke(first.clone()).unwrap();
        let again = Revocation { at: Timestamp::from_millis(3), comment: String::new() };
        assert_eq!(key.revoke(again).unwrap_err().to_string(), "The key is revoked already");
        assert_eq!(key.revocation, Some(first));
        key.revocation = None;
        let long = Revocation { at: Timestamp::from_millis(3), comment: "x".repeat(MAX_COMMENT + 1) };
        assert!(key.revoke(long).unwrap_err().to_string().starts_with("comment "));
    }

    #[test]
    fn user_ids_name_addresses() {
        assert!(names_address("Ann (work) <Ann@Example.com>", "ann@example.com"));
        assert!(names_address("ann@example.com", "ann@example.com"));
        assert!(!names_address("Ann <ann@example.com.evil>", "ann@example.com"));
        assert!(!names_address("ann@example.com <evil@example.net>", "ann@example.com"));
        assert!(!names_address("Ann <>", ""));
    }
}
