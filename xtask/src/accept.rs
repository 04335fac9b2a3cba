//! `cargo xtask accept`: lets the contract tests rewrite what they compare with.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::command;
use crate::environment;
use crate::test::{self, Contract};

/// The subcommand: runs the tests in rewriting mode, then lists what changed.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let tally = test::tally(arguments, Contract::Rewrite)?;
    let mut status = Command::new("git");
    status.args(["status", "--porcelain", "--", "contract"]).current_dir(environment::root());
    match command::answer(&mut status).as_deref() {
        Some("") => println!("contract/ is as it was"),
        Some(changed) => println!("changed; read the difference before you commit it:\n{changed}"),
        None => println!("contract/ may have changed; git could not be asked"),
    }
    println!("{}", tally.line());
    Ok(tally.exit_code())
}
