//! `cargo xtask ci`: what a change must pass. All steps run, so that one run names all that is wrong.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::command;
use crate::environment;
use crate::test::{self, Contract, Tally};
use crate::tidy;

/// The subcommand: the order lets later steps use what earlier ones built; the sum of the tests is the last line.
pub(crate) fn run() -> Result<ExitCode> {
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
    if let Some(left) = uncommitted() {
        println!("git status:\n{left}");
        wrong.push("the tree is not clean: commit what belongs to the change, write the rest elsewhere");
    }

    println!();
    for step in &wrong {
        println!("FAILED {step}");
    }
    println!("{}", tally.line());
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is not committed, so that a fresh clone would lack it; `None` when nothing is, and outside a repository.
fn uncommitted() -> Option<String> {
    let mut status = Command::new("git");
    status.args(["status", "--porcelain"]).current_dir(environment::root());
    command::answer(&mut status).filter(|listed| !listed.is_empty())
}
