//! `cargo xtask test`: every test on both engines, ended by one line that sums them up.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result};

use crate::chromium::Chromium;
use crate::command;
use crate::environment::{self, ACCEPT, TEST_POSTGRES};
use crate::foreign::Foreign;
use crate::postgres;

/// Whether contract tests compare with the files under `contract/` or rewrite them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Contract {
    /// A difference fails the test.
    Compare,
    /// A difference is written down.
    Rewrite,
}

/// How many tests ended how.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// The last line of a run.
    pub(crate) fn line(self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }

    /// Success when nothing failed.
    pub(crate) fn exit_code(self) -> ExitCode {
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The subcommand: runs, prints the sum as the last line.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let tally = tally(arguments, Contract::Compare)?;
    println!("{}", tally.line());
    Ok(tally.exit_code())
}

/// Runs `cargo test` with a PostgreSQL server beside it and counts.
pub(crate) fn tally(arguments: &[String], contract: Contract) -> Result<Tally> {
    let server = match environment::given_postgres() {
        Some(url) => postgres::Server::Given { url },
        None => postgres::Server::start()?,
    };
    let foreign = Foreign::prepare()?;
    let chromium = Chromium::prepare()?;
    let mut command = command::cargo(&["test", "--locked", "--no-fail-fast"]);
    foreign.tell(&mut command);
    chromium.tell(&mut command);
    if !chooses_packages(arguments) {
        command.arg("--workspace");
    }
    command.args(arguments).env(TEST_POSTGRES, server.url()).env_remove(ACCEPT).stdout(Stdio::piped());
    if contract == Contract::Rewrite {
        command.env(ACCEPT, "1");
    }
    println!("$ {}", command::shown(&command));
    let mut child = command.spawn().context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output to read")?;
    let mut tally = pass_on(output, std::io::stdout())?;
    let succeeded = child.wait().context("cannot wait for cargo")?.success();
    if tally.ignored > 0 {
        println!("{} ignored", tally.ignored);
    }
    if !succeeded && tally.failed == 0 {
        println!("a build failed or a test program died before it could report; the reason is above");
        tally.failed = 1;
    }
    Ok(tally)
}

/// Shows cargo's output as it comes and adds up the result lines in it.
fn pass_on(output: impl Read, mut shown: impl Write) -> Result<Tally> {
    let mut output = BufReader::new(output);
    let mut tally = Tally::default();
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).context("cannot read cargo's output")? > 0 {
        shown.write_all(&line).context("cannot write to the terminal")?;
        if let Some(result) = result_line(&String::from_utf8_lossy(&line)) {
            tally.add(result);
        }
        line.clear();
    }
    Ok(tally)
}

/// Reads `test result: ok. 5 passed; 0 failed; 1 ignored; …`, the last line of each test program.
fn result_line(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count =
        |label: &str| counts.split(';').find_map(|part| part.trim().strip_suffix(label)?.trim().parse::<u64>().ok());
    Some(Tally { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
}

/// Whether cargo's own arguments (those before `--`) already say which packages to test.
fn chooses_packages(arguments: &[String]) -> bool {
    arguments.iter().take_while(|argument| *argument != "--").any(|argument| {
        let exact = matches!(argument.as_str(), "-p" | "--package" | "--workspace" | "--all" | "--manifest-path");
        exact || argument.starts_with("--package=") || (argument.starts_with("-p") && !argument.starts_with("--"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_line_is_counted() {
        let line =
            "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.31s\n";
        assert_eq!(result_line(line), Some(Tally { passed: 12, failed: 3, ignored: 1 }));
    }

    #[test]
    fn other_lines_are_not_counted() {
        assert_eq!(result_line("test store::keeps_a_webhook ... ok"), None);
        assert_eq!(result_line("running 5 tests"), None);
        assert_eq!(result_line("error: test failed, to rerun pass `-p x`"), None);
    }

    #[test]
    fn the_lines_of_several_programs_are_summed_and_shown() {
        let output = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\nnoise\n\
                      test result: ok. 3 passed; 1 failed; 0 ignored; 0 measured\n";
        let mut shown = Vec::new();
        assert_eq!(pass_on(output.as_bytes(), &mut shown).unwrap(), Tally { passed: 5, failed: 1, ignored: 0 });
        assert_eq!(shown, output.as_bytes());
    }

    #[test]
    fn the_last_line_names_both_counts() {
        assert_eq!(Tally { passed: 5, failed: 1, ignored: 2 }.line(), "5 passed, 1 failed");
    }

    #[test]
    fn a_package_argument_replaces_the_workspace() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert!(chooses_packages(&words("-p spaceport-store -- name")));
        assert!(chooses_packages(&words("--package=spaceport-store")));
        assert!(!chooses_packages(&words("--test it -- -p")));
    }
}
