//! What real programs made is read as they read it themselves; what is hostile is refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod certificate;
mod hostile;
mod keystore;
mod openpgp;
mod ssh;

use std::fs;
use std::path::PathBuf;

/// Bytes of a fixture.
fn bytes(path: &str) -> Vec<u8> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path);
    fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Text of a fixture.
fn text(path: &str) -> String {
    String::from_utf8(bytes(path)).unwrap()
}
