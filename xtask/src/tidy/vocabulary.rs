//! One word per thing: names that we give use the words of ARCHITECTURE.md.
//!
//! Looked at are definitions: types, functions, constants, modules, variables, fields. Never comments, texts or
//! the use of a name defined elsewhere, and only whole words of a name: `append` is not `app`. `wire` is free,
//! because the words of the API are given.

use super::Finding;
use super::source::{Source, block_of, find_word, words};

/// Words that no name may contain, and what to say instead.
const BANNED: [(&str, &str); 13] = [
    ("app", "application"),
    ("apps", "applications"),
    ("ctx", "cx"),
    ("txn", "tx"),
    ("trx", "tx"),
    ("perm", "right"),
    ("perms", "rights"),
    ("authz", "authorization"),
    ("evt", "event"),
    ("msg", "message"),
    ("req", "request"),
    ("resp", "response"),
    ("usr", "user"),
];

/// Last words that no type may have: they say nothing about what it is.
const EMPTY_ENDINGS: [&str; 5] = ["Manager", "Helper", "Util", "Utils", "Data"];

/// Keywords after which we give a name.
const DEFINITIONS: [&str; 9] = ["struct", "enum", "trait", "type", "fn", "const", "static", "mod", "let"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    if source.is_of("wire") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (line, kind, name) in definitions(source) {
        let place = || format!("{}:{line}", source.path);
        for word in parts(name) {
            let word = word.to_ascii_lowercase();
            if let Some((banned, better)) = BANNED.iter().find(|(banned, _)| *banned == word) {
                findings.push(Finding::new(place(), format!("`{name}`: say `{better}` instead of `{banned}`")));
            }
        }
        if matches!(kind, "struct" | "enum" | "trait")
            && let Some(ending) = EMPTY_ENDINGS.iter().find(|ending| parts(name).last() == Some(*ending))
        {
            findings.push(Finding::new(place(), format!("`{name}`: `{ending}` says nothing; name what the type is")));
        }
    }
    findings
}

/// Every name that is given, with its line and the keyword before it (`field` for fields).
fn definitions(source: &Source) -> Vec<(usize, &str, &str)> {
    let mut found = Vec::new();
    let mut previous = "";
    for (line, name) in source.words() {
        // After `let`, a capital begins a pattern, which uses a name.
        let given = DEFINITIONS.contains(&previous)
            && (previous != "let" || name.starts_with(|c: char| c.is_ascii_lowercase()));
        if given {
            found.push((line, previous, name));
        }
        if !(previous == "let" && name == "mut") {
            previous = name;
        }
    }
    let mut offset = 0;
    while let Some(rest) = source.code.get(offset..)
        && let Some(at) = find_word(rest, "struct")
    {
        offset += at + "struct".len();
        let Some(rest) = source.code.get(offset..) else { break };
        let Some(open) =
            rest.find(['{', ';', '(']).filter(|open| rest.get(*open..).is_some_and(|r| r.starts_with('{')))
        else {
            continue;
        };
        let line = source.code.get(..offset + open).map_or(0, |before| before.matches('\n').count());
        for (index, text) in block_of(rest.get(open..).unwrap_or("")).lines().enumerate() {
            found.extend(fields(text).into_iter().map(|name| (line + index + 1, "field", name)));
        }
    }
    found
}

/// The names in a line that a single colon follows.
fn fields(line: &str) -> Vec<&str> {
    let pieces: Vec<&str> = line.split(':').collect();
    let mut names = Vec::new();
    for pair in pieces.windows(2) {
        let [before, after] = pair else { continue };
        if !before.is_empty() && !after.is_empty() {
            names.extend(words(before).last());
        }
    }
    names
}

/// The words of a name: split at `_` and where a capital begins a word (`ESApp` is `ES`, `App`).
fn parts(name: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for piece in name.split('_') {
        let letters: Vec<(usize, char)> = piece.char_indices().collect();
        let mut start = 0;
        for window in letters.windows(2) {
            let [(at, one), (next, two)] = window else { continue };
            let after_two = piece.get(next + two.len_utf8()..).and_then(|rest| rest.chars().next());
            let begins_word = if one.is_ascii_uppercase() {
                two.is_ascii_uppercase() && after_two.is_some_and(|c| c.is_ascii_lowercase())
            } else {
                two.is_ascii_uppercase()
            };
            if begins_word {
                parts.extend(piece.get(start..*at + one.len_utf8()));
                start = *next;
            }
        }
        parts.extend(piece.get(start..).filter(|rest| !rest.is_empty()));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, code: &str) -> usize {
        check(&Source::new(path, code)).len()
    }

    #[test]
    fn names_are_split_into_words() {
        assert_eq!(parts("ESAppSettings"), ["ES", "App", "Settings"]);
        assert_eq!(parts("app_id"), ["app", "id"]);
        assert_eq!(parts("APP_ID"), ["APP", "ID"]);
        assert_eq!(parts("lastSentServerUrl"), ["last", "Sent", "Server", "Url"]);
    }

    #[test]
    fn a_banned_word_is_found_in_each_style_of_name() {
        assert_eq!(findings("crates/store/src/a.rs", "struct AppRow { app_id: String }"), 2);
        assert_eq!(findings("crates/store/src/a.rs", "pub struct Row {\n    pub(crate) app_id: String,\n}"), 1);
        assert_eq!(findings("crates/store/src/a.rs", "const MAX_APPS: u8 = 1;"), 1);
        assert_eq!(findings("crates/store/src/a.rs", "let mut app = 1;"), 1);
    }

    #[test]
    fn words_that_only_contain_a_banned_one_pass() {
        let code = "fn append() {} struct Mapped { applied: u8 } enum Happening {} let requested = appended;";
        assert_eq!(findings("crates/store/src/a.rs", code), 0);
    }

    #[test]
    fn comments_texts_and_wire_are_free() {
        assert_eq!(findings("crates/server/src/a.rs", "// struct App\nlet text = \"let app\";"), 0);
        assert_eq!(findings("crates/wire/src/a.rs", "struct ESApp { app: u8 }"), 0);
    }

    #[test]
    fn names_defined_elsewhere_may_be_used() {
        let code = "use wire::EsApp; fn one() -> EsApp { let EsApp { app_id } = two(); EsApp { app_id: three } }";
        assert_eq!(findings("crates/server/src/a.rs", code), 0);
    }

    #[test]
    fn types_say_what_they_are() {
        assert_eq!(findings("crates/store/src/a.rs", "struct WebhookManager;"), 1);
        assert_eq!(findings("crates/store/src/a.rs", "impl Body for A { type Data = u8; }"), 0);
    }
}
