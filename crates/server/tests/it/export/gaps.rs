//! `contract/known-gaps.txt`: differences under the reasons for them. A `*` stands for any text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

/// Heading of differences that nobody has given a reason for.
const UNEXPLAINED: &str = "Not explained yet";
const BEGINNING: &str = "\
# Where our description differs from that of a real server (crates/server/tests/data/export), under the reason for it.
# `cargo xtask accept` takes away what no longer differs and puts new differences at the end, where the test fails on them until they stand
# under a reason. A `*` stands for any text.
";

struct Section {
    reason: String,
    patterns: Vec<String>,
}

/// Fails when a difference is not in the file, or when the file names one that does not exist.
pub(super) fn require(found: &BTreeSet<String>) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/known-gaps.txt");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let mut sections = read(&text);
    let gone = |pattern: &String| !found.iter().any(|difference| matches(pattern, difference));
    let stale: Vec<String> =
        sections.iter().flat_map(|section| &section.patterns).filter(|pattern| gone(pattern)).cloned().collect();
    for section in &mut sections {
        section.patterns.retain(|pattern| !gone(pattern));
    }
    sections.retain(|section| !section.patterns.is_empty() && section.reason != UNEXPLAINED);
    let known = |difference: &&String| {
        sections.iter().flat_map(|section| &section.patterns).any(|pattern| matches(pattern, difference))
    };
    let new: Vec<String> = found.iter().filter(|difference| !known(difference)).cloned().collect();
    #[expect(clippy::disallowed_methods, reason = "the switch of `cargo xtask accept`, not a setting of the server")]
    let accepts = std::env::var_os("SPACEPORT_ACCEPT").is_some();
    if accepts {
        if !new.is_empty() {
            sections.push(Section { reason: UNEXPLAINED.to_owned(), patterns: new.clone() });
        }
        std::fs::write(&file, write(&sections)).unwrap();
    } else {
        assert!(stale.is_empty(), "no longer true, run `cargo xtask accept`:\n{}", stale.join("\n"));
    }
    assert!(new.is_empty(), "give a reason in contract/known-gaps.txt for:\n{}", new.join("\n"));
}

fn read(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("# ")) {
        match (line.strip_prefix("## "), sections.last_mut()) {
            (Some(reason), _) => sections.push(Section { reason: reason.to_owned(), patterns: Vec::new() }),
            (None, Some(section)) => section.patterns.push(line.to_owned()),
            (None, None) => panic!("contract/known-gaps.txt: `{line}` stands under no reason"),
        }
    }
    sections
}

fn write(sections: &[Section]) -> String {
    let mut text = BEGINNING.to_owned();
    for section in sections {
        let _ = write!(text, "\n## {}\n{}\n", section.reason, section.patterns.join("\n"));
    }
    text
}

/// Whether `text` is `pattern`, with any text in place of each `*`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some("") => true,
        Some(part) => rest.is_empty() || text.ends_with(part),
    }
}

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, text, expected) in [
        ("a b", "a b", true),
        ("a b", "a bc", false),
        ("a *", "a b c", true),
        ("* c", "a b c", true),
        ("a * c", "a b c", true),
        ("a * c", "a b d", false),
        ("a*b*c", "a1b2c", true),
        ("x*", "a", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}
