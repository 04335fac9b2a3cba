//! `cargo xtask ci`: what a change must pass. All steps run, so that one run names all that is wrong.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::command;
use crate::environment;
use crate::test::{self, Contract, Tally};
use crate::tidy;

/// The subcommand: the order lets later steps use what earlier ones built; the sum of the tests is the last line.
pub(crate) fn run() -> Result<ExitCode> {
    let before = tree();
    let mut wrong = Vec::new();

    if !command::succeeds(&mut command::cargo(&["fmt", "--all", "--check"]))? {
        wrong.push("formatting: run `cargo fmt --all`");
    }
    if !tidy::is_clean()? {
        wrong.push("tidy: run `cargo xtask tidy`, each finding says what to do");
    }
    let clippy = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    if !command::succeeds(&mut command::cargo(&clippy))? {
        wrong.push("lints: run `cargo clippy --workspace --all-targets`");
    }
    let tally = match test::tally(&[], Contract::Compare) {
        Ok(tally) => tally,
        Err(error) => {
            println!("error: {error:#}");
            Tally { failed: 1, ..Tally::default() }
        }
    };
    if tally.failed > 0 {
        wrong.push("tests: run `cargo xtask test`");
    }
    if let Some(changes) = changes(before.as_deref(), tree().as_deref()) {
        println!("these differ from the tree the run began with:\n{changes}");
        wrong.push("the run changed files of the repository: commit what is generated, write the rest elsewhere");
    }

    println!();
    for step in &wrong {
        println!("FAILED {step}");
    }
    println!("{}", tally.line());
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What git sees as changed, with the changes themselves; `None` outside a repository.
fn tree() -> Option<String> {
    let git =
        |arguments: &[&str]| command::answer(Command::new("git").args(arguments).current_dir(environment::root()));
    let listed = git(&["status", "--porcelain", "--untracked-files=all"])?;
    Some(format!("{listed}\n{}", git(&["diff", "HEAD"])?))
}

/// The lines of `after` that `before` lacks, or a word about those that vanished; `None` when both are the same.
fn changes(before: Option<&str>, after: Option<&str>) -> Option<String> {
    let (before, after) = (before?, after?);
    if before == after {
        return None;
    }
    let known: std::collections::HashSet<&str> = before.lines().collect();
    let fresh: Vec<&str> = after.lines().filter(|line| !known.contains(line)).take(40).collect();
    Some(if fresh.is_empty() { "changes present before are gone".to_owned() } else { fresh.join("\n") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_tree_is_clean_even_with_work_in_progress() {
        assert_eq!(changes(Some(" M README.md\n"), Some(" M README.md\n")), None);
    }

    #[test]
    fn what_a_run_leaves_behind_is_named() {
        assert_eq!(changes(Some(""), Some("?? left.txt\n")).as_deref(), Some("?? left.txt"));
    }

    #[test]
    fn without_git_there_is_nothing_to_compare() {
        assert_eq!(changes(None, Some("x")), None);
    }
}
