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

/// Checks a text's length in characters, as people count, not in bytes.
pub fn text_length(field: &str, text: &str, min: usize, max: usize) -> Result<(), Invalid> {
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
