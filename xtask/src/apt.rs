//! Debian packages that tests need, installed where we may.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::command;

/// How we may act on the machine.
pub(crate) enum Privilege {
    /// We are root.
    Root,
    /// `sudo` works without asking.
    Sudo,
}

impl Privilege {
    /// What we may do here; `None` without apt or without the right to use it.
    pub(crate) fn to_install() -> Option<Self> {
        command::answer(Command::new("apt-get").arg("--version"))?;
        if command::answer(Command::new("id").arg("-u"))? == "0" {
            return Some(Self::Root);
        }
        command::answer(Command::new("sudo").args(["-n", "true"])).map(|_| Self::Sudo)
    }

    /// Installs a package; says whether that succeeded.
    pub(crate) fn install(&self, package: &str) -> Result<bool> {
        let install = format!(
            "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
             -o Dpkg::Options::=--force-confold {package}"
        );
        self.run(&install)
    }

    /// Runs a script of the shell; says whether it succeeded.
    pub(crate) fn run(&self, script: &str) -> Result<bool> {
        let mut command = match self {
            Self::Root => Command::new("sh"),
            Self::Sudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "sh"]);
                sudo
            }
        };
        command::succeeds(command.args(["-c", script]).stdin(Stdio::null()))
    }
}
