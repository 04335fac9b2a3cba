//! What the tools take from their surroundings: folders, the cargo to call, variables.
#![expect(
    clippy::disallowed_methods,
    reason = "the tools have no settings file; this module is where they look around"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Names a running PostgreSQL server to the tests.
pub(crate) const TEST_POSTGRES: &str = "SPACEPORT_TEST_POSTGRES";
/// Names a browser to the tests.
pub(crate) const TEST_CHROMIUM: &str = "SPACEPORT_TEST_CHROMIUM";
/// Tells contract tests to rewrite what is checked in instead of comparing with it.
pub(crate) const ACCEPT: &str = "SPACEPORT_ACCEPT";

/// The folder that holds the workspace.
///
/// `cargo run` names it. What was compiled in may be another checkout that shares our target folder, so it is
/// only the fallback for whoever starts the program by hand.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let own =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        own.parent().unwrap_or(&own).to_owned()
    });
    &ROOT
}

/// Cargo's output folder, where things may be left that nobody misses.
pub(crate) fn target() -> PathBuf {
    let chosen = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    chosen.map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// The cargo that runs us, so that tests are built by the same toolchain.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"))
}

/// The server the caller already runs for the tests, if any.
pub(crate) fn given_postgres() -> Option<String> {
    std::env::var(TEST_POSTGRES).ok().filter(|url| !url.is_empty())
}

/// The browser the caller wants the tests to use, if any.
pub(crate) fn given_chromium() -> Option<PathBuf> {
    std::env::var_os(TEST_CHROMIUM).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The folders in which the shell looks for programs.
pub(crate) fn search_path() -> Vec<PathBuf> {
    std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}
