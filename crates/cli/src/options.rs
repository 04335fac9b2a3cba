//! Flags and variables, the same for every command.

#[cfg(test)]
mod contract;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use spaceport_server::config::{Settings, Source};

/// An application platform: registers applications, signs them in, delivers signed events to them.
#[derive(Parser)]
#[command(name = "spaceport", version)]
pub(crate) struct Options {
    /// Folder for the database and the master key.
    #[arg(long, global = true, env = "SPACEPORT_DATA", value_name = "DIR")]
    data: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, global = true, env = "SPACEPORT_LISTEN", value_name = "HOST:PORT")]
    listen: Option<String>,
    /// URL under which applications and people reach the server.
    #[arg(long, global = true, env = "SPACEPORT_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Database: sqlite:FILE or postgres://user@host/database.
    #[arg(long, global = true, env = "SPACEPORT_DATABASE_URL", value_name = "URL")]
    database_url: Option<String>,
    /// Network that deliveries may reach although it is private; may be repeated.
    #[arg(long, global = true, env = "SPACEPORT_ALLOW_NETWORK", value_name = "CIDR", value_delimiter = ',')]
    allow_network: Vec<String>,
    /// Name server that is asked for the addresses of endpoints; may be repeated.
    #[arg(long, global = true, env = "SPACEPORT_NAME_SERVER", value_name = "IP[:PORT]", value_delimiter = ',')]
    name_server: Vec<String>,
    /// Delays between the resends of a failed delivery, such as 1s,2s,3s.
    #[arg(long, global = true, env = "SPACEPORT_RETRY_SCHEDULE", value_name = "DELAYS", value_delimiter = ',')]
    retry_schedule: Vec<String>,
    /// Settings file in TOML.
    #[arg(long, global = true, env = "SPACEPORT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON for scripts instead of text for people.
    #[arg(long, global = true, env = "SPACEPORT_JSON")]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the server until it is stopped.
    Serve,
    /// Make the data folder, database, administrator and host, and print their credentials once.
    Init,
    /// See and change the master keys that everything secret in the database is sealed with.
    Keys {
        /// What to do with them.
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Go through the main job over real HTTP, on a fresh database.
    Demo(Demo),
}

/// What to do with the master keys.
#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Show the keys and how many values each has sealed.
    List,
    /// Make a new key and put it into master.key, to be copied to every node before it is used.
    Add,
    /// Seal everything anew with the newest key, made now unless one was added, and retire the others.
    Rotate,
}

/// Flags of the demo.
#[derive(Args)]
pub(crate) struct Demo {
    /// JSON file with the event's payload (or a whole event of the host API) to publish.
    #[arg(long, value_name = "FILE")]
    pub(crate) event: Option<PathBuf>,
    /// End when the tour is over instead of leaving the server running.
    #[arg(long)]
    pub(crate) once: bool,
}

impl Options {
    /// The settings, merged and checked.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub(crate) fn settings(&self) -> Result<Settings, String> {
        let flags = Source {
            data: self.data.clone(),
            listen: self.listen.clone(),
            public_url: self.public_url.clone(),
            database_url: self.database_url.clone(),
            allow_network: some(&self.allow_network),
            name_server: some(&self.name_server),
            retry_schedule: some(&self.retry_schedule),
            ..Source::default()
        };
        let file = self.config.as_deref().map(Source::read).transpose()?;
        Settings::merge(std::iter::once(flags).chain(file).collect())
    }

    /// Whether the data folder was named, rather than left to its default.
    pub(crate) fn names_data(&self) -> bool {
        self.data.is_some()
    }

    /// Whether the database was named, rather than left to be a file in the data folder.
    pub(crate) fn names_database(&self) -> bool {
        self.database_url.is_some()
    }

    /// Whether the address was named, rather than left to its default.
    pub(crate) fn names_listen(&self) -> bool {
        self.listen.is_some()
    }
}

fn some(list: &[String]) -> Option<Vec<String>> {
    (!list.is_empty()).then(|| list.to_vec())
}
