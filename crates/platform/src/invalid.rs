//! The one shape of "this input is wrong".

use std::fmt;

/// An input that breaks a rule: which field, and what was expected of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invalid {
    /// Path of the field as the caller wrote it, such as `subscriptions[0].name`; empty for the whole.
    pub field: String,
    /// What was expected, as a clause that can follow the field name.
    pub expected: String,
}

impl Invalid {
    /// `field` breaks a rule; `expected` says which, e.g. `must not be empty`.
    pub fn new(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field: field.into(), expected: expected.into() }
    }

    /// The same fault seen from one level up.
    #[must_use]
    pub fn within(mut self, parent: &str) -> Self {
        self.field = match (parent.is_empty(), self.field.is_empty()) {
            (_, true) => parent.to_owned(),
            (true, _) => self.field,
            _ => format!("{parent}.{}", self.field),
        };
        self
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() { f.write_str(&self.expected) } else { write!(f, "{} {}", self.field, self.expected) }
    }
}

impl std::error::Error for Invalid {}

/// Refuses the one character that no text may hold, wherever it comes from: U+0000, which PostgreSQL does
/// not store (decision 0010).
///
/// # Errors
/// Names the field.
pub fn storable(field: &str, text: &str) -> Result<(), Invalid> {
    if text.contains('\0') {
        return Err(Invalid::new(field, "must not hold the character U+0000"));
    }
    Ok(())
}

/// Checks a text's length in characters, as people count, not in bytes; and that it is [`storable`].
///
/// # Errors
/// Names the field and the limit.
pub fn text_length(field: &str, text: &str, min: usize, max: usize) -> Result<(), Invalid> {
    storable(field, text)?;
    let length = text.chars().count();
    if length < min {
        let expected = if min == 1 {
            "must not be empty".to_owned()
        } else {
            format!("must have at least {min} characters, has {length}")
        };
        return Err(Invalid::new(field, expected));
    }
    if length > max {
        return Err(Invalid::new(field, format!("must have at most {max} characters, has {length}")));
    }
    Ok(())
}

/// Checks a name that people decide by: one line that shows something, in the order in which it was written.
///
/// # Errors
/// Names the field.
pub fn shown_name(field: &str, text: &str) -> Result<(), Invalid> {
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(field, "must not hold control characters"));
    }
    // Embeddings, overrides and isolates (Unicode UAX 9) let a name look like another one. What a script needs, the
    // marks U+200E, U+200F and U+061C, may stay.
    if text.chars().any(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')) {
        return Err(Invalid::new(field, "must not hold characters that change the direction of writing"));
    }
    if text.chars().all(is_invisible) {
        return Err(Invalid::new(field, "must hold something that can be seen"));
    }
    Ok(())
}

/// Whether a character alone shows nothing: spaces, and what Unicode calls default ignorable.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_show_something_in_the_order_of_writing() {
        for name in ["Tracker", "می\u{200c}خواهم", "שלום\u{200f}", "❤\u{fe0f}", " x "] {
            assert_eq!(shown_name("name", name), Ok(()), "{name}");
        }
        for (name, expected) in [
            ("\u{200b}", "must hold something that can be seen"),
            (" \u{feff}\u{2060}\u{3164}", "must hold something that can be seen"),
            ("Bank\u{202e}gpj", "must not hold characters that change the direction of writing"),
            ("\u{2067}Bank\u{2069}", "must not hold characters that change the direction of writing"),
            ("a\nb", "must not hold control characters"),
        ] {
            assert_eq!(shown_name("name", name).unwrap_err().expected, expected, "{name:?}");
        }
    }

    #[test]
    fn lengths_count_characters() {
        assert_eq!(text_length("name", "ää", 1, 2), Ok(()));
        assert_eq!(text_length("name", "", 1, 2).unwrap_err().to_string(), "name must not be empty");
        assert_eq!(text_length("name", "äää", 1, 2).unwrap_err().expected, "must have at most 2 characters, has 3");
    }

    #[test]
    fn no_text_holds_the_character_that_postgresql_refuses() {
        let refused = text_length("name", "a\0b", 0, 9).unwrap_err().to_string();
        assert_eq!(refused, "name must not hold the character U+0000");
        assert_eq!(storable("name", "\u{1}\u{fffd}"), Ok(()));
    }
}
