//! SSL keystores: client certificates with which deliveries introduce themselves to endpoints.

use std::time::Duration;

use crate::invalid::{Invalid, text_length};
use crate::time::Timestamp;

/// Longest name of a keystore, in characters.
pub const MAX_NAME: usize = 100;
/// Most keystores of an organization.
pub const MAX_KEYSTORES: usize = 1_000;

/// A keystore without its private key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keystore {
    /// By which applications and webhooks name it.
    pub name: String,
    /// Certificates as DER, leaf first.
    pub chain: Vec<Vec<u8>>,
    /// Whom the leaf names.
    pub subject: String,
    /// Who signed the leaf.
    pub issuer: String,
    /// From when on the leaf is good.
    pub valid_from: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// SHA-256 of the leaf in hex digits with colons.
    pub fingerprint: String,
    /// When it was stored first.
    pub created_at: Timestamp,
    /// When its contents were stored.
    pub updated_at: Timestamp,
}

/// Checks a name: it stands in paths and in arguments of applications.
///
/// # Errors
/// When it is empty, too long, or holds other characters than letters, digits, `-`, `_` and `.`.
pub fn check_name(name: &str) -> Result<(), Invalid> {
    text_length("name", name, 1, MAX_NAME)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(plain) || name.starts_with('.') {
        return Err(Invalid::new("name", "must consist of letters, digits, `-`, `_` and `.`, and not begin with `.`"));
    }
    Ok(())
}

/// Refuses a certificate that has ended: endpoints would refuse it too.
///
/// # Errors
/// Says when it ended.
pub fn check_validity(valid_until: Timestamp, now: Timestamp) -> Result<(), Invalid> {
    if valid_until <= now {
        return Err(Invalid::new("certificate", format!("must be valid; this one ended on {valid_until}")));
    }
    Ok(())
}

/// How long before its end a certificate should be replaced.
pub const NOTICE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What somebody should know about the end of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Nothing yet.
    Far,
    /// It ends within [`NOTICE`].
    Soon,
    /// It has ended: endpoints refuse it.
    Over,
}

/// How near the end of a certificate is.
pub fn ending(valid_until: Timestamp, now: Timestamp) -> Ending {
    if valid_until <= now {
        Ending::Over
    } else if valid_until <= now.plus(NOTICE) {
        Ending::Soon
    } else {
        Ending::Far
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_into_a_path() {
        for good in ["partner", "Partner-2026_v1.2"] {
            check_name(good).unwrap();
        }
        for bad in ["", "a b", "a/b", "..", ".hidden", "ü", &"x".repeat(MAX_NAME + 1)] {
            assert!(check_name(bad).unwrap_err().to_string().starts_with("name "), "{bad}");
        }
    }

    #[test]
    fn an_ended_certificate_is_refused() {
        let end = Timestamp::from_millis(1_000);
        check_validity(end, Timestamp::from_millis(999)).unwrap();
        assert!(check_validity(end, end).unwrap_err().to_string().contains("1970-01-01T00:00:01.000Z"));
    }

    #[test]
    fn an_end_is_noticed_a_month_before() {
        let end = Timestamp::from_millis(1_700_000_000_000);
        assert_eq!(ending(end, end.minus(NOTICE + Duration::from_millis(1))), Ending::Far);
        assert_eq!(ending(end, end.minus(NOTICE)), Ending::Soon);
        assert_eq!(ending(end, end.minus(Duration::from_millis(1))), Ending::Soon);
        assert_eq!(ending(end, end), Ending::Over);
    }
}
