//! A Rust file as the checks see it: its text, and the same text with comments and literals blanked out.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// One `.rs` file.
pub(super) struct Source {
    /// Relative to the workspace, with `/`.
    pub(super) path: String,
    /// As it is.
    pub(super) text: String,
    /// As long and with the same lines, but comments, strings and characters are spaces.
    pub(super) code: String,
}

impl Source {
    pub(super) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { path: path.into(), code: code_of(&text), text }
    }

    /// Adds every `.rs` file below `folder`, in order of their names.
    pub(super) fn read_all(root: &Path, folder: &Path, sources: &mut Vec<Self>) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        paths.sort();
        for path in paths {
            if path.is_dir() {
                if path.file_name().is_none_or(|name| name != "target") {
                    Self::read_all(root, &path, sources)?;
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
                let relative = path.strip_prefix(root).unwrap_or(&path);
                sources.push(Self::new(relative.to_string_lossy().replace('\\', "/"), text));
            }
        }
        Ok(())
    }

    /// Whether the file belongs to the crate in `crates/<name>`.
    pub(super) fn is_of(&self, name: &str) -> bool {
        self.path.strip_prefix("crates/").and_then(|rest| rest.strip_prefix(name)).is_some_and(|r| r.starts_with('/'))
    }

    /// Every identifier and keyword of the code with its line, counted from 1.
    pub(super) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.lines().enumerate().flat_map(|(index, line)| words(line).map(move |word| (index + 1, word)))
    }
}

/// The identifiers and keywords of blanked code.
pub(super) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !is_word(c)).filter(|word| word.chars().next().is_some_and(|c| !c.is_ascii_digit()))
}

/// From the first character, which is `{`, to the brace that closes it.
pub(super) fn block_of(text: &str) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return text.get(..=at).unwrap_or(text);
                }
            }
            _ => {}
        }
    }
    text
}

/// Where `word` stands in blanked code as a whole word.
pub(super) fn find_word(code: &str, word: &str) -> Option<usize> {
    code.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = code.get(..*at).and_then(|text| text.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Blanks comments and literals; line breaks stay.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, kept) = match literal_length(rest) {
            Some(length) => (length, false),
            None => (rest.find(|c| !is_word(c)).filter(|length| *length > 0).unwrap_or(first.len_utf8()), true),
        };
        // A word at the very end has no character after it.
        let length = if kept && is_word(first) && !rest.contains(|c| !is_word(c)) { rest.len() } else { length };
        let (piece, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        code.extend(piece.chars().map(|c| if c == '\n' || (kept && c.is_ascii()) { c } else { ' ' }));
        rest = after;
    }
    code
}

/// The bytes of the comment or literal that `rest` starts with, if it does.
fn literal_length(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment_length(rest));
    }
    let prefix = ["br", "cr", "r", "b", "c"].into_iter().find(|prefix| starts_literal(rest, prefix)).unwrap_or("");
    let body = rest.strip_prefix(prefix)?;
    if prefix.ends_with('r') {
        return Some(prefix.len() + raw_string_length(body));
    }
    match body.chars().next()? {
        '"' => Some(prefix.len() + quoted_length(body, '"')),
        '\'' => character_length(body).map(|length| prefix.len() + length),
        _ => None,
    }
}

/// Whether `prefix` here really introduces a literal and is not the beginning of a name (or a raw name, `r#type`).
fn starts_literal(rest: &str, prefix: &str) -> bool {
    rest.strip_prefix(prefix).is_some_and(|body| {
        if prefix.ends_with('r') {
            body.trim_start_matches('#').starts_with('"')
        } else {
            body.starts_with('"') || (prefix == "b" && body.starts_with('\''))
        }
    })
}

/// Block comments nest.
fn block_comment_length(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(here) = rest.get(at..).filter(|here| !here.is_empty()) {
        if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// From the first `#` or `"` to the quote followed by as many `#`.
fn raw_string_length(body: &str) -> usize {
    let hashes = body.len() - body.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = body.get(hashes + 1..).unwrap_or("");
    inside.find(&end).map_or(body.len(), |at| hashes + 1 + at + end.len())
}

/// From the opening to the closing quote; a backslash takes the next character with it.
fn quoted_length(body: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    body.len()
}

/// A character literal; `None` for a lifetime.
fn character_length(body: &str) -> Option<usize> {
    let mut characters = body.chars().skip(1);
    let first = characters.next()?;
    if first == '\\' {
        return Some(quoted_length(body, '\''));
    }
    (characters.next() == Some('\'')).then(|| 2 + first.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        words(&code_of(text)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_are_not_code() {
        assert_eq!(kept("let a = 1; // let b\n/* x /* y */ z */ let c;"), "let a let c");
    }

    #[test]
    fn strings_are_not_code() {
        assert_eq!(kept(r##"f("a \" b", r#"c " d"#, b"e", br"f", c"g") + h"##), "f h");
    }

    #[test]
    fn characters_are_not_code_but_lifetimes_are() {
        assert_eq!(kept(r"fn f<'a>(x: &'a str) { '\'' 'q' b'z' '\u{1F600}' 'ä' }"), "fn f a x a str");
    }

    #[test]
    fn raw_names_and_names_before_quotes_are_code() {
        assert_eq!(kept("r#type for_br bar"), "r type for_br bar");
    }

    #[test]
    fn line_breaks_and_lengths_stay() {
        let text = "a /* \n */ \"x\ny\" b\n";
        let code = code_of(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert_eq!(code.len(), text.len());
    }

    #[test]
    fn unfinished_text_ends_the_file() {
        assert_eq!(kept("a \"never closed"), "a");
        assert_eq!(kept("a /* never closed"), "a");
        assert_eq!(kept("a r#\"never closed\""), "a");
    }

    #[test]
    fn words_know_their_lines() {
        let source = Source::new("x.rs", "//! x\nfn a() {}\n\nfn b() {}");
        assert_eq!(source.words().collect::<Vec<_>>(), [(2, "fn"), (2, "a"), (4, "fn"), (4, "b")]);
    }
}
