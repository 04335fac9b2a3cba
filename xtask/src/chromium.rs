//! The browser in which tests look at pages: Debian's Chromium, or one that the caller names.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::apt::Privilege;
use crate::environment::{self, TEST_CHROMIUM};

/// Names under which packages install it.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/// The browser, if there is one.
pub(crate) struct Chromium(Option<PathBuf>);

impl Chromium {
    /// Looks for it and installs it with apt where we may. Without one the tests that need it fail and say so; the others
    /// run.
    pub(crate) fn prepare() -> Result<Self> {
        if let Some(found) = environment::given_chromium().or_else(find) {
            return Ok(Self(Some(found)));
        }
        println!("Chromium is missing; installing it");
        let installed = match Privilege::to_install() {
            Some(privilege) => privilege.install("chromium fonts-dejavu-core")?,
            None => false,
        };
        if !installed {
            println!("Chromium cannot be installed; install it, or name a browser in {TEST_CHROMIUM}");
        }
        Ok(Self(find()))
    }

    /// Tells a test run where the browser is.
    pub(crate) fn tell(&self, command: &mut Command) {
        match &self.0 {
            Some(path) => command.env(TEST_CHROMIUM, path),
            None => command.env_remove(TEST_CHROMIUM),
        };
    }
}

fn find() -> Option<PathBuf> {
    let mut folders = environment::search_path();
    folders.extend(["/usr/bin", "/usr/local/bin", "/opt/google/chrome"].map(PathBuf::from));
    let candidates = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    candidates.into_iter().find(|path| path.is_file())
}
