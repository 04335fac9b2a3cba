//! Permanent tokens: what they may be called, when they may end, and who may give which scope.

use crate::invalid::{Invalid, text_length};
use crate::scope::Scope;
use crate::time::Timestamp;

/// Longest name, in characters.
pub const MAX_NAME: usize = 200;
/// Most tokens of an application that are not revoked.
pub const MOST: i64 = 1_000;

/// Checks a name.
///
/// # Errors
/// When it is empty, too long or holds control characters.
pub fn check_name(name: &str) -> Result<(), Invalid> {
    text_length("name", name, 1, MAX_NAME)?;
    if name.chars().any(char::is_control) {
        return Err(Invalid::new("name", "must not hold control characters"));
    }
    Ok(())
}

/// Checks when a token shall end.
///
/// # Errors
/// When that is not in the future.
pub fn check_end(expires_at: Option<Timestamp>, now: Timestamp) -> Result<(), Invalid> {
    match expires_at {
        Some(end) if end <= now => Err(Invalid::new("expires", format!("must be later than now, {now}"))),
        _ => Ok(()),
    }
}

/// Checks that whoever holds a token of scope `own` may have one of scope `wanted` made or changed for the same
/// application (security P2): a token that is given away for little cannot be turned into one for more.
///
/// # Errors
/// When the wanted scope lets through what the own one does not.
pub fn check_within(own: &Scope, wanted: &Scope) -> Result<(), Invalid> {
    if own.covers(wanted) {
        return Ok(());
    }
    Err(Invalid::new("scope", format!("must stay within the scope of the token that calls, `{own}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_in_the_future_or_never() {
        let at = Timestamp::from_millis;
        assert_eq!(check_end(None, at(5)), Ok(()));
        assert_eq!(check_end(Some(at(6)), at(5)), Ok(()));
        assert!(check_end(Some(at(5)), at(5)).is_err());
    }

    #[test]
    fn a_narrow_token_makes_no_wider_one() {
        let check = |own: &str, wanted: &str| check_within(&Scope::parse(own).unwrap(), &Scope::parse(wanted).unwrap());
        assert_eq!(check("**", "**"), Ok(()));
        assert_eq!(check("global:Applications.Edit", "global:Applications.Edit"), Ok(()));
        assert_eq!(check("global:Applications.Edit", ""), Ok(()));
        assert!(check("global:Applications.Edit", "**").is_err());
        assert!(check("global:Applications.Edit", "global:Applications.Edit global:Profile.View").is_err());
    }
}
