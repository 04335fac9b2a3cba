//! Programs in other languages, with the libraries that `cargo xtask test` installs for them.
//!
//! They are as much part of a test as the server is: without them it fails.

use std::env;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Runs a Python program that gets `input` on its standard input; answers what it printed.
///
/// Panics with what it said when it fails. Blocks: not for an async thread.
pub fn python(program: &str, input: &str) -> String {
    let mut command = Command::new(named("SPACEPORT_TEST_PYTHON"));
    command.arg("-I").arg("-c").arg(program);
    run(command, input)
}

/// Runs a JavaScript program of Node (CommonJS: `require`) that gets `input` on its standard input; answers what it
/// printed.
///
/// Panics with what it said when it fails. Blocks: not for an async thread.
pub fn node(program: &str, input: &str) -> String {
    let folder = PathBuf::from(named("SPACEPORT_TEST_NODE"));
    let mut command = Command::new("node");
    command.arg("-e").arg(program).current_dir(&folder).env("NODE_PATH", folder.join("node_modules"));
    run(command, input)
}

/// A Python interpreter, or a folder for Node, for tests that start programs themselves.
#[expect(clippy::disallowed_methods, reason = "the test runner hands folders over in variables")]
pub fn named(variable: &str) -> OsString {
    env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run this test with `cargo xtask test`, which installs it"))
}

fn run(mut command: Command, input: &str) -> String {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the interpreter is installed");
    let mut stdin = child.stdin.take().expect("it was asked for");
    // A program that does not read is judged by what it prints.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "the program failed: {said}\n{printed}");
    printed.into_owned()
}
