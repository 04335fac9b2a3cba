//! The server as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub(crate) const SPACEPORT: &str = env!("CARGO_BIN_EXE_spaceport");

/// What `spaceport init --json` prints.
pub(crate) fn init(data: &Path) -> Value {
    init_with(data, &[])
}

/// The same with further flags.
pub(crate) fn init_with(data: &Path, flags: &[&str]) -> Value {
    let made = Command::new(SPACEPORT).args(["init", "--json", "--data"]).arg(data).args(flags).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    serde_json::from_slice(&made.stdout).unwrap()
}

/// A running `spaceport serve`, killed when it goes out of scope.
pub(crate) struct Process {
    child: Child,
    pub(crate) url: String,
}

/// Any free port.
const ANYWHERE: &str = "127.0.0.1:0";
/// What clients are told, where nobody looks it up.
const NOWHERE: &str = "http://spaceport.test";

impl Process {
    pub(crate) fn serve(data: &Path) -> Self {
        Self::serve_with(data, &[])
    }

    /// With further flags.
    pub(crate) fn serve_with(data: &Path, flags: &[&str]) -> Self {
        Self::start(data, (ANYWHERE, NOWHERE), flags, "error", Stdio::inherit())
    }

    /// At an address of before, reached under another URL.
    pub(crate) fn serve_at(data: &Path, listen: Option<&str>, public_url: &str, flags: &[&str]) -> Self {
        Self::start(data, (listen.unwrap_or(ANYWHERE), public_url), flags, "error", Stdio::inherit())
    }

    /// With further flags, and everything there is to log in a file.
    pub(crate) fn serve_logged(data: &Path, flags: &[&str], log: &Path) -> Self {
        Self::start(data, (ANYWHERE, NOWHERE), flags, "trace", std::fs::File::create(log).unwrap().into())
    }

    fn start(data: &Path, (listen, public_url): (&str, &str), flags: &[&str], level: &str, log: Stdio) -> Self {
        let mut child = Command::new(SPACEPORT)
            .args(["serve", "--json", "--listen", listen, "--public-url", public_url])
            .args(["--allow-network", "127.0.0.0/8", "--retry-schedule", "50ms,50ms,50ms", "--data"])
            .arg(data)
            .args(flags)
            .env("RUST_LOG", level)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        // The line comes once the server listens.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        let url = format!("http://{}", line["listen"].as_str().unwrap());
        Self { child, url }
    }

    /// SIGKILL: the process gets no chance to do anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
