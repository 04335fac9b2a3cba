//! Running other programs: announced, without standard input, with a clear error.

use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::environment;

/// Cargo in the workspace's folder.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(environment::cargo());
    command.args(arguments).current_dir(environment::root()).stdin(Stdio::null());
    command
}

/// Runs to the end with our output; says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    println!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    Ok(status.success())
}

/// Runs to the end without output; `None` when it cannot be started or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// The command as a person would type it; quoting is left out.
pub(crate) fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}
