//! The project's own tools: `cargo xtask test`, `ci`, `tidy`, `accept` and `postgres`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool for the terminal talks to the terminal")]

mod accept;
mod apt;
mod chromium;
mod ci;
mod command;
mod environment;
mod foreign;
mod postgres;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  test [cargo test arguments]    every test on SQLite and PostgreSQL; ends with `N passed, N failed`
  ci                             formatting, lints, tidy, every test, clean tree: what a change must pass
  tidy                           the rules of STYLE.md that a program can check
  accept [cargo test arguments]  runs the tests so that they rewrite the files under contract/; read the diff
  postgres                       starts a throw-away PostgreSQL for `cargo test` until this command ends
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = arguments.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match command.as_str() {
        "test" => test::run(rest),
        "ci" => ci::run(),
        "tidy" => tidy::run(),
        "accept" => accept::run(rest),
        "postgres" => postgres::run_until_input_ends(),
        postgres::GUARD => postgres::guard(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        unknown => {
            eprintln!("unknown command `{unknown}`\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
