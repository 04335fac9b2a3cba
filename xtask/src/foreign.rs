//! Libraries in other languages, which tests hold our answers and deliveries against: installed once under the target
//! folder, found by the tests through variables.
//!
//! A package is one more line in [`PYTHON`] or [`NODE`]; the next run installs it. A test calls it through
//! `spaceport_testkit::foreign`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::environment;

/// Names the Python program that sees the packages in [`PYTHON`].
pub(crate) const TEST_PYTHON: &str = "SPACEPORT_TEST_PYTHON";
/// Names the folder in which `node` finds the packages in [`NODE`].
pub(crate) const TEST_NODE: &str = "SPACEPORT_TEST_NODE";

/// Packages for `pip`, with their versions: another version is another test.
const PYTHON: &[&str] = &["standardwebhooks==1.1.0", "authlib==1.9.10", "requests==2.34.2", "requests-oauthlib==2.0.0"];
/// Packages for `npm`, with their versions.
const NODE: &[&str] = &[
    "standardwebhooks@1.1.1",
    "openid-client@6.9.0",
    "oauth4webapi@3.8.8",
    "simple-oauth2@5.1.0",
    "playwright-core@1.65.1",
    "axe-core@4.14.1",
];
/// Written last into a finished folder: the packages in it.
const DONE: &str = "installed.txt";

/// Where a run finds the libraries.
pub(crate) struct Foreign {
    python: PathBuf,
    node: PathBuf,
}

impl Foreign {
    /// Installs what is missing. What an earlier run has installed is used as it is.
    pub(crate) fn prepare() -> Result<Self> {
        let folder = environment::target().join("foreign");
        let (python, node) = (folder.join("python"), folder.join("node"));
        install(&python, PYTHON, |folder| {
            steps(&mut [
                Command::new("python3").args(["-m", "venv"]).arg(folder),
                Command::new(folder.join("bin/pip"))
                    .args(["install", "--quiet", "--disable-pip-version-check"])
                    .args(PYTHON),
            ])
        })?;
        install(&node, NODE, |folder| {
            // Without a file of its own npm would look for one in the folders above.
            fs::write(folder.join("package.json"), "{\"private\":true}\n").context("cannot write package.json")?;
            let npm = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"];
            steps(&mut [Command::new("npm").args(npm).args(NODE).current_dir(folder)])
        })?;
        Ok(Self { python: python.join("bin/python3"), node })
    }

    /// Tells a test run where the libraries are.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env(TEST_PYTHON, &self.python).env(TEST_NODE, &self.node);
    }
}

/// Fills a folder by `fill`, unless it holds just these packages already.
fn install(folder: &Path, packages: &[&str], fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let wanted = packages.join("\n");
    if fs::read_to_string(folder.join(DONE)).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fill(folder)?;
    fs::write(folder.join(DONE), wanted).with_context(|| format!("cannot write into {}", folder.display()))
}

fn steps(commands: &mut [&mut Command]) -> Result<()> {
    for step in commands {
        if !command::succeeds(step)? {
            bail!("`{}` failed; tests need Python 3 with venv, Node.js and npm", command::shown(step));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_filled_once_for_each_list_of_packages() {
        let folder = std::env::temp_dir().join(format!("spaceport-foreign-{}", std::process::id()));
        let mut filled = 0;
        for packages in [["a==1"], ["a==1"], ["a==2"]] {
            install(&folder, &packages, |_| {
                filled += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(filled, 2);
        assert!(install(&folder, &["b"], |_| bail!("no network")).is_err());
        assert!(!folder.join(DONE).exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
