//! Certificates of authorities that endpoints are verified with, beside those that the machine trusts.

use crate::invalid::{Invalid, text_length};
use crate::time::Timestamp;

/// Most of them; every one is looked at when a connection is opened.
pub const MAX_TRUSTED_CERTIFICATES: usize = 1_000;
/// Longest alias, in characters.
const MAX_ALIAS: usize = 200;

/// A certificate that endpoints are verified with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrustedCertificate {
    /// Its id.
    pub id: String,
    /// What people call it; unique.
    pub alias: String,
    /// The certificate as DER.
    pub der: Vec<u8>,
    /// Whether it is kept without being trusted.
    pub archived: bool,
    /// When it was stored first.
    pub created_at: Timestamp,
}

/// Checks what people want to call one.
///
/// # Errors
/// The field is `alias`; says what is accepted.
pub fn check_alias(alias: &str) -> Result<(), Invalid> {
    text_length("alias", alias.trim(), 1, MAX_ALIAS)?;
    if alias.chars().any(char::is_control) {
        return Err(Invalid::new("alias", "must not hold control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_line_of_text() {
        assert_eq!(check_alias("Firmen-CA 2024"), Ok(()));
        for alias in ["", "  ", "a\nb", "x".repeat(201).as_str()] {
            assert_eq!(check_alias(alias).unwrap_err().field, "alias");
        }
    }
}
