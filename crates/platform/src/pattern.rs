//! Patterns that texts of events are compared with: wildcards, and regular expressions whose work is bounded.

use fancy_regex::{Regex, RegexBuilder};

use crate::invalid::Invalid;

/// Most wildcards of a pattern.
const MAX_WILDCARDS: usize = 50;
/// Longest text that a regular expression is tried on, in bytes; longer ones do not match.
const MAX_TEXT: usize = 10_000;
/// Most steps back while an expression is tried on a text; one that needs more does not match.
const MAX_STEPS: usize = 20_000;
/// Most bytes of a compiled expression.
const MAX_SIZE: usize = 256 * 1024;

/// A text in which `*` stands for anything and `?` for one character.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wildcard {
    pattern: Vec<char>,
}

impl Wildcard {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says when it is empty or holds too many wildcards.
    pub fn new(pattern: &str) -> Result<Self, Invalid> {
        if pattern.is_empty() {
            return Err(Invalid::new("", "must not be an empty pattern"));
        }
        let mut kept: Vec<char> = Vec::new();
        for letter in pattern.chars() {
            // Two that stand for anything are one.
            if letter != '*' || kept.last() != Some(&'*') {
                kept.push(letter);
            }
        }
        if kept.iter().filter(|letter| **letter == '*').count() > MAX_WILDCARDS {
            return Err(Invalid::new("", format!("must hold at most {MAX_WILDCARDS} wildcards")));
        }
        Ok(Self { pattern: kept })
    }

    /// Whether it fits the whole of `text`.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut at, mut here) = (0, 0);
        // Where the last `*` stands, and how far it reaches.
        let mut star: Option<(usize, usize)> = None;
        while let Some(letter) = text.get(here) {
            match self.pattern.get(at) {
                Some('*') => {
                    star = Some((at, here));
                    at += 1;
                }
                Some(wanted) if *wanted == '?' || wanted == letter => {
                    at += 1;
                    here += 1;
                }
                _ => match star {
                    Some((place, reach)) => {
                        star = Some((place, reach + 1));
                        at = place + 1;
                        here = reach + 1;
                    }
                    None => return false,
                },
            }
        }
        self.pattern.get(at..).is_some_and(|rest| rest.iter().all(|letter| *letter == '*'))
    }
}

/// A regular expression that matches the whole text, as Java's `matches` does.
#[derive(Clone, Debug)]
pub struct Expression {
    regex: Regex,
}

impl Expression {
    /// Reads an expression. Look-around and back-references are understood.
    ///
    /// # Errors
    /// Says what is not understood and, where known, at which character.
    pub fn new(text: &str) -> Result<Self, Invalid> {
        // By itself first: what is around it must not complete it.
        Regex::new(text).map_err(|fault| explain(text, &fault))?;
        let built = RegexBuilder::new(&format!("\\A(?:{text})\\z"))
            .backtrack_limit(MAX_STEPS)
            .delegate_size_limit(MAX_SIZE)
            .delegate_dfa_size_limit(MAX_SIZE)
            .build();
        built.map(|regex| Self { regex }).map_err(|fault| explain(text, &fault))
    }

    /// Whether it matches the whole of `text`. Not, when trying takes too long.
    pub fn matches(&self, text: &str) -> bool {
        text.len() <= MAX_TEXT && self.regex.is_match(text).unwrap_or(false)
    }
}

fn explain(text: &str, fault: &fancy_regex::Error) -> Invalid {
    let why = match fault {
        fancy_regex::Error::ParseError(at, kind) => {
            let letters = text.get(..*at).map_or(0, |before| before.chars().count());
            format!("{kind} at character {}", letters + 1)
        }
        other => {
            let all = other.to_string();
            all.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
        }
    };
    let why: String = why.chars().take(300).collect();
    Invalid::new("", format!("must be a regular expression: {why}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wild(pattern: &str, text: &str) -> bool {
        Wildcard::new(pattern).unwrap().matches(text)
    }

    #[test]
    fn wildcards_stand_for_anything() {
        for (pattern, text, fits) in [
            ("main", "main", true),
            ("main", "mains", false),
            ("*", "", true),
            ("*", "ä/b", true),
            ("release/*", "release/1.2/x", true),
            ("release/*", "releases", false),
            ("*/x", "a/b/x", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("v?.?", "v1.2", true),
            ("v?", "v", false),
            ("**", "x", true),
        ] {
            assert_eq!(wild(pattern, text), fits, "{pattern} {text}");
        }
        assert!(Wildcard::new("").is_err());
        assert!(Wildcard::new(&"*a".repeat(51)).is_err());
    }

    #[test]
    fn expressions_match_the_whole_text() {
        let matches = |expression: &str, text: &str| Expression::new(expression).unwrap().matches(text);
        assert!(matches("Fix.*", "Fix it") && !matches("Fix", "Fix it") && !matches("it", "Fix it"));
        assert!(matches("a|b", "b") && !matches("a|b", "ab"));
        assert!(
            !matches("(?!WIP).+", "WIP: x") && matches("(?!WIP).+", "Done"),
            "look-ahead, as published settings use it"
        );
        assert!(matches("(?i)fix", "FIX") && matches("(a)\\1", "aa") && !matches("(a)\\1", "ab"));
    }

    #[test]
    fn what_is_no_expression_is_refused_with_the_place() {
        for (wrong, place) in [
            ("a(b", "character"),
            ("a)b", "character"),
            ("ä[b", "character"),
            ("[z-a]", ""),
            ("*", "character"),
            ("\\p{Nope}", ""),
        ] {
            let refusal = Expression::new(wrong).unwrap_err().to_string();
            assert!(refusal.contains("regular expression") && refusal.contains(place), "{wrong}: {refusal}");
        }
        assert!(Expression::new("(a{100}){100}{100}").is_err(), "too large");
    }

    #[test]
    fn an_expression_that_explodes_ends_soon_and_does_not_match() {
        let evil = Expression::new("(?=(a+)+$)(a|aa)+\\1b").unwrap();
        assert!(!evil.matches(&"a".repeat(5_000)));
        assert!(!Expression::new("a*").unwrap().matches(&"a".repeat(MAX_TEXT + 1)));
    }

    proptest! {
        #[test]
        fn wildcards_agree_with_an_expression(pattern in "[ab*?]{1,8}", text in "[ab]{0,10}") {
            let expression: String = pattern.chars().map(|letter| match letter {
                '*' => ".*".to_owned(),
                '?' => ".".to_owned(),
                other => other.to_string(),
            }).collect();
            prop_assert_eq!(wild(&pattern, &text), Expression::new(&expression).unwrap().matches(&text));
        }
    }
}
