//! The executable as its users run it: as a process that can be killed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test reports what went wrong by panicking"
)]

mod administrator;
mod commands;
mod install_kill;
mod keys;
mod kill;
mod leaks;
mod process;
mod settings;
mod tour;
