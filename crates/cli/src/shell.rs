//! Lines for people to type: what a shell would read differently is quoted.

/// A word as a POSIX shell reads it back.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_change_is_quoted() {
        assert_eq!(quoted("sqlite:/x/other.db"), "sqlite:/x/other.db");
        for (word, expected) in
            [("", "''"), ("my data", "'my data'"), ("it's", "'it'\\''s'"), ("$HOME", "'$HOME'"), ("~", "'~'")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
