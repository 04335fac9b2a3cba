//! The executable `spaceport`: serve, init, admin-link, keys, demo.

mod administrator_link;
mod demo;
mod init;
mod keys;
mod options;
mod say;
mod serve;
mod shell;

use std::process::ExitCode;

use crate::options::{Command, Options};
use crate::say::say;

fn main() -> ExitCode {
    let options = Options::read();
    match work(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            say::complain(&sentence, options.json);
            ExitCode::FAILURE
        }
    }
}

fn work(options: &Options) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("The process cannot start its threads: {error}"))?;
    runtime.block_on(async {
        match &options.command {
            Command::Serve => serve::serve(options).await,
            Command::Init => init::init(options).await,
            Command::AdminLink => administrator_link::administrator_link(options).await,
            Command::Keys { command } => keys::keys(options, command).await,
            Command::Demo(demo) => demo::demo(options, demo).await,
        }
    })
}
