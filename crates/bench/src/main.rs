//! The load generator and receiver behind the figures of `docs/performance.md`.
//!
//! `bench load` starts a release build of the server on a fresh SQLite file, sets up endpoints, publishes
//! events over `c` connections and counts what arrives. `bench raw` measures what the machine could do
//! at best with the same client, so that a figure can be given as a share of the limit in the same run. `bench tokens`
//! asks for tokens and calls with them. `bench subscriptions` compares events that few subscriptions could hear with events
//! that many could, and `bench faults` what a healthy endpoint notices of broken ones.

mod client;
mod faults;
mod load;
mod process;
mod publish;
mod raw;
mod receiver;
mod report;
mod setup;
mod subscriptions;
mod tokens;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Measures Spaceport.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish events and count deliveries.
    Load(Load),
    /// Get tokens by client credentials, then call with one.
    Tokens(Tokens),
    /// Publish events that some of few, and the same number of many subscriptions hear, in turns.
    Subscriptions(Subscriptions),
    /// Publish to five healthy endpoints, then to one that is and four that are broken.
    Faults(Faults),
    /// Measure the machine: HTTP alone, durable inserts alone.
    Raw(Raw),
}

/// What to load the server with.
#[derive(clap::Args, Clone)]
pub(crate) struct Load {
    /// Executable of the server; a release build.
    #[arg(long, default_value = "target/release/spaceport")]
    pub(crate) server: PathBuf,
    /// Events to publish, after a warm-up of a tenth.
    #[arg(long, default_value_t = 20_000)]
    pub(crate) events: usize,
    /// Publishing connections, each with one request under way.
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: usize,
    /// Endpoints, each with an application and a webhook of its own.
    #[arg(long, default_value_t = 1)]
    pub(crate) endpoints: usize,
    /// How deliveries are signed.
    #[arg(long, value_enum, default_value_t = Signature::Hmac)]
    pub(crate) signature: Signature,
    /// Publish at this steady rate instead of as fast as possible, in events a second.
    #[arg(long)]
    pub(crate) rate: Option<u32>,
    /// Folder for the database; the disk it is on is part of what is measured.
    #[arg(long, default_value = "target")]
    pub(crate) folder: PathBuf,
    /// Repeat this many times and report each run.
    #[arg(long, default_value_t = 1)]
    pub(crate) runs: usize,
}

/// How deliveries are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Signature {
    /// HMAC-SHA-256 with a signing key.
    Hmac,
    /// RSA-2048 with SHA-512.
    Rsa,
}

/// What to ask for tokens with.
#[derive(clap::Args, Clone)]
pub(crate) struct Tokens {
    /// Executable of the server; a release build.
    #[arg(long, default_value = "target/release/spaceport")]
    pub(crate) server: PathBuf,
    /// Requests of each kind, after a warm-up of a tenth.
    #[arg(long, default_value_t = 50_000)]
    pub(crate) requests: usize,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: usize,
    /// How access tokens are signed.
    #[arg(long, value_enum, default_value_t = TokenAlgorithm::Rs512)]
    pub(crate) algorithm: TokenAlgorithm,
    /// Folder for the database.
    #[arg(long, default_value = "target")]
    pub(crate) folder: PathBuf,
    /// Repeat this many times and report each run.
    #[arg(long, default_value_t = 1)]
    pub(crate) runs: usize,
}

/// How access tokens are signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum TokenAlgorithm {
    /// RSA-2048 with SHA-512.
    Rs512,
    /// ECDSA on P-256.
    Es256,
    /// Ed25519.
    Eddsa,
}

impl TokenAlgorithm {
    /// As the settings have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Eddsa => "EdDSA",
        }
    }
}

/// How many subscriptions to compare.
#[derive(clap::Args, Clone)]
pub(crate) struct Subscriptions {
    /// Executable of the server; a release build.
    #[arg(long, default_value = "target/release/spaceport")]
    pub(crate) server: PathBuf,
    /// The fewer subscriptions, each of a webhook of its own.
    #[arg(long, default_value_t = 200)]
    pub(crate) few: usize,
    /// The more.
    #[arg(long, default_value_t = 10_000)]
    pub(crate) many: usize,
    /// How many of either hear of each event.
    #[arg(long, default_value_t = 100)]
    pub(crate) matching: usize,
    /// Events to publish, after a warm-up of a tenth.
    #[arg(long, default_value_t = 500)]
    pub(crate) events: usize,
    /// Publishing connections, each with one request under way.
    #[arg(long, default_value_t = 8)]
    pub(crate) connections: usize,
    /// Folder for the database.
    #[arg(long, default_value = "target")]
    pub(crate) folder: PathBuf,
    /// Measure both this many times, in turns.
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
}

/// What to publish to broken endpoints.
#[derive(clap::Args, Clone)]
pub(crate) struct Faults {
    /// Executable of the server; a release build.
    #[arg(long, default_value = "target/release/spaceport")]
    pub(crate) server: PathBuf,
    /// Events to publish, after a warm-up of a tenth.
    #[arg(long, default_value_t = 4_000)]
    pub(crate) events: usize,
    /// Events a second; each goes to all five endpoints.
    #[arg(long, default_value_t = 200)]
    pub(crate) rate: u32,
    /// Folder for the database.
    #[arg(long, default_value = "target")]
    pub(crate) folder: PathBuf,
    /// Measure both this many times, in turns.
    #[arg(long, default_value_t = 3)]
    pub(crate) runs: usize,
}

/// What to measure the machine with.
#[derive(clap::Args, Clone)]
pub(crate) struct Raw {
    /// Requests, and rows.
    #[arg(long, default_value_t = 50_000)]
    pub(crate) events: usize,
    /// Connections, and rows a commit.
    #[arg(long, default_value_t = 32)]
    pub(crate) connections: usize,
    /// Folder for the database file.
    #[arg(long, default_value = "target")]
    pub(crate) folder: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match options.command {
            Command::Load(load) => {
                for _ in 0..load.runs {
                    report::print(&load::run(&load).await?);
                }
                Ok(())
            }
            Command::Tokens(tokens) => {
                for _ in 0..tokens.runs {
                    report::print(&tokens::run(&tokens).await?);
                }
                Ok(())
            }
            Command::Subscriptions(wanted) => {
                report::print(&subscriptions::run(&wanted).await?);
                Ok(())
            }
            Command::Faults(wanted) => {
                report::print(&faults::run(&wanted).await?);
                Ok(())
            }
            Command::Raw(raw) => {
                report::print(&raw::run(&raw).await?);
                Ok(())
            }
        }
    })
}
