//! A throw-away PostgreSQL for the tests: found or installed, started, and always taken away again.
//!
//! The server belongs to a *guard*: this program a second time, in a process group of its own. The guard
//! sets the server up, prints its URL, and waits for the end of its standard input. Whatever ends the parent
//! (success, failure, a panic, Ctrl-C, even SIGKILL) closes that pipe, so there is one way out and it is taken
//! in every run.

mod binaries;
mod cluster;

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};

use crate::environment;
use cluster::Cluster;

/// The hidden subcommand that runs as the guard.
pub(crate) const GUARD: &str = "postgres-guard";

/// A server that tests may use.
pub(crate) enum Server {
    /// The caller runs it; it is left alone.
    Given {
        /// Where it listens, as a superuser.
        url: String,
    },
    /// Ours: it ends when this value is dropped.
    Guarded {
        /// The process that owns it.
        guard: Child,
        /// Where it listens, as a superuser.
        url: String,
    },
}

impl Server {
    /// Starts one, installing PostgreSQL first where that is possible.
    pub(crate) fn start() -> Result<Self> {
        let binaries = binaries::find_or_install()?;
        let own = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(own);
        command.arg(GUARD).arg(&binaries).arg(environment::target());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut guard = command.spawn().context("cannot start the guard of the test server")?;
        let output = guard.stdout.take().context("the guard has no output")?;
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url).context("cannot read from the guard")?;
        let url = url.trim().to_owned();
        if url.is_empty() {
            drop(guard.stdin.take());
            guard.wait().context("cannot wait for the guard")?;
            bail!("PostgreSQL did not start; the reason is above");
        }
        Ok(Self::Guarded { guard, url })
    }

    /// Where the server listens, with the name and password of its superuser.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Given { url } | Self::Guarded { url, .. } => url,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Guarded { guard, .. } = self {
            drop(guard.stdin.take());
            if let Err(error) = guard.wait() {
                eprintln!("the test server may still run: {error}");
            }
        }
    }
}

/// `cargo xtask postgres`: keeps a server until Enter is pressed or standard input ends.
pub(crate) fn run_until_input_ends() -> Result<ExitCode> {
    let server = Server::start()?;
    println!("export {}={}", environment::TEST_POSTGRES, server.url());
    eprintln!("PostgreSQL runs until you press Enter here.");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read standard input")?;
    Ok(ExitCode::SUCCESS)
}

/// The guard: `postgres-guard <folder of the binaries> <cargo's target folder>`.
pub(crate) fn guard(arguments: &[String]) -> Result<ExitCode> {
    let [binaries, target] = arguments else {
        bail!("`{GUARD}` is called by `cargo xtask test`; call that instead");
    };
    let cluster = Cluster::start(Path::new(binaries), Path::new(target))?;
    println!("{}", cluster.url());
    std::io::stdout().flush().context("nobody reads the guard's output")?;
    let mut rest = Vec::new();
    // An error here also means that the parent is gone.
    let _ = std::io::stdin().read_to_end(&mut rest);
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_the_caller_is_used_as_it_is() {
        let server = Server::Given { url: "postgres://u@h/d".to_owned() };
        assert_eq!(server.url(), "postgres://u@h/d");
    }
}
