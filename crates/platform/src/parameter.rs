//! Parameters: small texts that an application keeps here, for itself or for itself and one person.

use crate::id::{ApplicationId, ProfileId};
use crate::invalid::{Invalid, text_length};

/// Longest key, in characters (reference page).
pub const MAX_KEY: usize = 64;
/// Longest value, in characters (reference page).
pub const MAX_VALUE: usize = 1_000;
/// Most parameters of an application, and most of an application for one person (reference page).
pub const MOST: i64 = 100;

/// The key no parameter of an application can have: its path is that of the profile parameters.
const TAKEN: &str = "profile";

/// Whose parameters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParameterOwner {
    /// The application that keeps them.
    pub application: ApplicationId,
    /// The person they are about; `None` for the application's own.
    pub profile: Option<ProfileId>,
}

/// A text under a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// The key, unique for its owner.
    pub key: String,
    /// The text.
    pub value: String,
}

/// Checks a parameter that is about to be set.
///
/// # Errors
/// Names `key` or `value` and what was expected.
pub fn check(owner: &ParameterOwner, parameter: &Parameter) -> Result<(), Invalid> {
    text_length("key", &parameter.key, 1, MAX_KEY)?;
    if parameter.key.chars().any(char::is_control) {
        return Err(Invalid::new("key", "must not hold control characters"));
    }
    if owner.profile.is_none() && parameter.key == TAKEN {
        return Err(Invalid::new("key", format!("must not be `{TAKEN}`, whose path leads to the profile parameters")));
    }
    text_length("value", &parameter.value, 0, MAX_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(profile: Option<&str>) -> ParameterOwner {
        ParameterOwner { application: ApplicationId::new("a"), profile: profile.map(ProfileId::new) }
    }

    fn checked(profile: Option<&str>, key: &str, value: &str) -> Result<(), String> {
        let parameter = Parameter { key: key.to_owned(), value: value.to_owned() };
        check(&owner(profile), &parameter).map_err(|fault| fault.field)
    }

    #[test]
    fn limits_count_characters_not_bytes() {
        assert_eq!(checked(None, &"ü".repeat(MAX_KEY), &"🚀".repeat(MAX_VALUE)), Ok(()));
        assert_eq!(checked(None, &"ü".repeat(MAX_KEY + 1), ""), Err("key".to_owned()));
        assert_eq!(checked(None, "k", &"🚀".repeat(MAX_VALUE + 1)), Err("value".to_owned()));
    }

    #[test]
    fn keys_that_no_path_can_name_are_refused() {
        assert_eq!(checked(None, "", ""), Err("key".to_owned()));
        assert_eq!(checked(None, "a\nb", ""), Err("key".to_owned()));
        assert_eq!(checked(None, "profile", ""), Err("key".to_owned()));
        assert_eq!(checked(Some("u"), "profile", ""), Ok(()));
    }
}
