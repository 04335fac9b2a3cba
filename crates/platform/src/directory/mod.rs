//! The directory: what the host product has, beside people. The host feeds it; identifiers and
//! permission contexts refer to it.
//!
//! | module | holds |
//! | --- | --- |
//! | [`project`], [`channel`], [`package_repository`] | the places in which rights hold |
//! | [`team`], [`membership`] | who belongs together, and where |
//! | [`organization`] | whose server it is |
//! | [`role`] | rights that people and teams are given together |

pub mod channel;
pub mod membership;
pub mod organization;
pub mod package_repository;
pub mod project;
pub mod role;
pub mod team;

use crate::invalid::{Invalid, text_length};

/// Longest id that a host may choose, in characters.
pub const MAX_ID: usize = 128;
/// Longest name, in characters.
pub const MAX_NAME: usize = 200;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 10_000;

/// Checks an id that a host chose: it goes into paths and into compact identifiers such as
/// `project:id:p1`, so it holds none of their signs (wire-protocol 3).
///
/// # Errors
/// Names the field.
pub fn check_id(field: &str, id: &str) -> Result<(), Invalid> {
    text_length(field, id, 1, MAX_ID)?;
    let allowed = id.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !allowed || id == "me" || id.chars().all(|c| c == '.') {
        return Err(Invalid::new(
            field,
            "must hold only letters, digits and `-_.`, and be neither `me` nor dots alone",
        ));
    }
    Ok(())
}

/// Checks a text that is shown in one line.
///
/// # Errors
/// Names the field that is too short, too long or holds control characters.
pub fn check_one_line(field: &str, text: &str, min: usize) -> Result<(), Invalid> {
    text_length(field, text, min, MAX_NAME)?;
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(field, "must not hold line breaks or other control characters"));
    }
    Ok(())
}

/// Checks a name: one line that shows something.
pub(crate) fn check_name(name: &str) -> Result<(), Invalid> {
    check_one_line("name", name, 1)?;
    if name.trim().is_empty() {
        return Err(Invalid::new("name", "must not be blank"));
    }
    Ok(())
}

pub(crate) fn check_description(description: Option<&str>) -> Result<(), Invalid> {
    description.map_or(Ok(()), |text| text_length("description", text, 0, MAX_DESCRIPTION))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_no_sign_of_paths_or_identifiers() {
        for id in ["u1", "550e8400-e29b-41d4-a716-446655440000", "a.b_c", "7"] {
            assert_eq!(check_id("id", id), Ok(()), "{id}");
        }
        for id in ["", "me", ".", "..", "a/b", "a:b", "a,b", "{a}", "a b", "ä", "a~b", &"x".repeat(MAX_ID + 1)] {
            assert!(check_id("id", id).is_err(), "{id}");
        }
    }
}
