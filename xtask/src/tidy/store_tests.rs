//! Every store function is run by a test: each `pub fn` of `impl Tx` is named in `crates/store/tests`.

use std::collections::BTreeSet;

use super::Finding;
use super::source::{Source, block_of, find_word, words};

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let tested: BTreeSet<&str> = sources
        .iter()
        .filter(|source| source.path.starts_with("crates/store/tests/"))
        .flat_map(|source| words(&source.code))
        .collect();
    let mut findings = Vec::new();
    for source in sources.iter().filter(|source| source.path.starts_with("crates/store/src/")) {
        for name in store_functions(&source.code) {
            if !tested.contains(name) {
                findings.push(Finding::new(
                    &source.path,
                    format!("`Tx::{name}` is not named in crates/store/tests; add a test that runs it on both engines"),
                ));
            }
        }
    }
    findings
}

/// The names of the public functions in the `impl Tx` blocks of blanked code.
fn store_functions(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = code;
    while let Some(at) = find_word(rest, "impl") {
        rest = rest.get(at + "impl".len()..).unwrap_or("");
        let Some(open) = rest.find('{') else { break };
        let (head, block) = rest.split_at_checked(open).unwrap_or((rest, ""));
        let block = block_of(block);
        if is_tx(head) {
            names.extend(public_functions(block));
        }
        rest = rest.get(open + block.len()..).unwrap_or("");
    }
    names
}

/// Whether the words between `impl` and `{` say that this is `Tx`'s own block and not a trait's.
fn is_tx(head: &str) -> bool {
    let head = head.trim_start();
    let subject = if head.starts_with('<') { head.split_once('>').map_or("", |(_, subject)| subject) } else { head };
    words(subject).next() == Some("Tx") && !words(subject).any(|word| word == "for")
}

/// The names after `pub fn`, `pub async fn` and the like.
fn public_functions(block: &str) -> Vec<&str> {
    let all: Vec<&str> = words(block).collect();
    let mut names = Vec::new();
    let mut public = false;
    for pair in all.windows(2) {
        let [word, next] = pair else { continue };
        match *word {
            "pub" => public = true,
            "async" | "const" | "unsafe" => {}
            "fn" => {
                if public {
                    names.push(*next);
                }
                public = false;
            }
            // `pub(crate)` and `pub(super)` are not for other crates.
            _ => public = false,
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: &str = "
        impl<'a> Tx<'a> {
            /// Reads one.
            pub fn webhook(&mut self) { if x { } }
            pub async fn listing(&self) {}
            pub(crate) fn internal(&self) {}
            fn private(&self) {}
        }
        impl Tx { pub fn enqueue(&mut self) {} }
        impl Drop for Tx { fn drop(&mut self) {} }
        impl Store { pub fn write(&self) {} }
    ";

    #[test]
    fn public_functions_of_tx_are_found_and_no_others() {
        assert_eq!(store_functions(STORE), ["webhook", "listing", "enqueue"]);
        assert_eq!(store_functions("impl Tx<'_> { pub fn one(&mut self) {} }"), ["one"]);
        assert_eq!(store_functions("impl TxPool { pub fn two(&mut self) {} }"), [] as [&str; 0]);
    }

    #[test]
    fn a_function_that_no_test_names_is_found() {
        let sources = [
            Source::new("crates/store/src/webhook.rs", STORE),
            Source::new("crates/store/tests/it/webhook.rs", "fn t() { tx.webhook(); tx.listing(); } // enqueue"),
        ];
        let findings = check(&sources);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].advice.contains("Tx::enqueue"));
    }
}
