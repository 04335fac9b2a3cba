//! Rules about single files: their opening sentence, their length, their name.

use super::Finding;
use super::source::{Source, words};

/// Above this, a file holds more than one thing.
const LONGEST: usize = 500;
/// Names that gather what has no place.
const BAGS: [&str; 6] = ["utils", "util", "common", "helpers", "helper", "misc"];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !source.text.trim_start().starts_with("//!") {
        findings.push(Finding::new(&source.path, "open the file with a `//!` sentence that says what it is for"));
    }
    let lines = source.text.lines().count();
    if lines > LONGEST {
        findings.push(Finding::new(
            &source.path,
            format!("has {lines} lines, at most {LONGEST} are allowed; split it by meaning"),
        ));
    }
    let path = source.path.trim_end_matches(".rs");
    for name in path.split('/').chain(declared_modules(&source.code)) {
        if BAGS.contains(&name) {
            findings.push(Finding::new(
                &source.path,
                format!("`{name}` gathers what has no place; name the file or module after the thing it holds"),
            ));
        }
    }
    findings
}

/// The names after `mod`.
fn declared_modules(code: &str) -> impl Iterator<Item = &str> {
    let following = words(code).skip(1);
    words(code).zip(following).filter(|(word, _)| *word == "mod").map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Source::new(path, text)).len()
    }

    #[test]
    fn a_file_needs_an_opening_sentence() {
        assert_eq!(findings("crates/x/src/a.rs", "//! The a.\nfn a() {}"), 0);
        assert_eq!(findings("crates/x/src/a.rs", "fn a() {}"), 1);
        assert_eq!(findings("crates/x/src/a.rs", "// An ordinary comment.\nfn a() {}"), 1);
    }

    #[test]
    fn a_file_of_five_hundred_lines_is_the_longest() {
        let file = |lines: usize| format!("//! x\n{}", "\n".repeat(lines - 1));
        assert_eq!(findings("crates/x/src/a.rs", &file(500)), 0);
        assert_eq!(findings("crates/x/src/a.rs", &file(501)), 1);
    }

    #[test]
    fn bags_are_refused_as_file_folder_and_module() {
        assert_eq!(findings("crates/x/src/utils.rs", "//! x"), 1);
        assert_eq!(findings("crates/x/tests/common/mod.rs", "//! x"), 1);
        assert_eq!(findings("crates/x/src/a.rs", "//! x\nmod helpers { }"), 1);
        assert_eq!(findings("crates/x/src/a.rs", "//! x\n// mod helpers\nmod commonplace;"), 0);
    }
}
