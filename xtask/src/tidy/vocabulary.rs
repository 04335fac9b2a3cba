//! One word per thing: names in the code use the words of ARCHITECTURE.md.
//!
//! Only names are looked at, never comments or texts, and only whole words of a name: `append` is not `app`.
//! `wire` is free, because the words of the API are given.

use super::Finding;
use super::source::Source;

/// Words that no name may contain, and what to say instead.
const BANNED: [(&str, &str); 14] = [
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
    ("cfg", "settings"),
];

/// Last words that no type may have: they say nothing about what it is.
const EMPTY_ENDINGS: [&str; 5] = ["Manager", "Helper", "Util", "Utils", "Data"];

/// Keywords that introduce a type.
const TYPE_KEYWORDS: [&str; 4] = ["struct", "enum", "trait", "type"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    if source.is_of("wire") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut previous = "";
    for (line, name) in source.words() {
        let place = || format!("{}:{line}", source.path);
        // `#[cfg(…)]`, `cfg!(…)` and `cfg_attr` are the language's own words.
        if !matches!(name, "cfg" | "cfg_attr") {
            for word in parts(name) {
                let word = word.to_ascii_lowercase();
                if let Some((banned, better)) = BANNED.iter().find(|(banned, _)| *banned == word) {
                    findings.push(Finding::new(place(), format!("`{name}`: say `{better}` instead of `{banned}`")));
                }
            }
        }
        if TYPE_KEYWORDS.contains(&previous)
            && let Some(ending) = EMPTY_ENDINGS.iter().find(|ending| parts(name).last() == Some(*ending))
        {
            findings.push(Finding::new(place(), format!("`{name}`: `{ending}` says nothing; name what the type is")));
        }
        previous = name;
    }
    findings
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
        assert_eq!(findings("crates/store/src/a.rs", "const MAX_APPS: u8 = 1;"), 1);
    }

    #[test]
    fn words_that_only_contain_a_banned_one_pass() {
        let code = "fn append(mapped: u8) { apply(application, requested, appended, happens) }";
        assert_eq!(findings("crates/store/src/a.rs", code), 0);
    }

    #[test]
    fn comments_texts_and_wire_are_free() {
        assert_eq!(findings("crates/server/src/a.rs", "// the app\nlet text = \"app\";"), 0);
        assert_eq!(findings("crates/wire/src/a.rs", "struct ESApp { app: u8 }"), 0);
    }

    #[test]
    fn conditional_compilation_is_not_a_name() {
        assert_eq!(findings("crates/store/src/a.rs", "#[cfg(test)] mod tests {}"), 0);
        assert_eq!(findings("crates/store/src/a.rs", "let server_cfg = 1;"), 1);
    }

    #[test]
    fn types_say_what_they_are() {
        assert_eq!(findings("crates/store/src/a.rs", "struct WebhookManager;"), 1);
        assert_eq!(findings("crates/store/src/a.rs", "fn f(hook: &PhantomData<u8>) {}"), 0);
    }
}
