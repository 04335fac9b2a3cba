//! What can be stored and asked: one file per resource.

pub(crate) mod application;
pub(crate) mod audit;
pub(crate) mod delivery;
pub(crate) mod event;
pub(crate) mod key;
pub(crate) mod parameter;
pub(crate) mod profile;
pub(crate) mod secret;
pub(crate) mod token;
pub(crate) mod webhook;

use crate::engine::Connection;
use crate::seal::Sealer;
use crate::value::Value;

/// A transaction. Its functions are what the database can do.
pub struct Tx<'a> {
    pub(crate) connection: &'a mut dyn Connection,
    pub(crate) sealer: &'a Sealer,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: &'a mut dyn Connection, sealer: &'a Sealer) -> Self {
        Self { connection, sealer }
    }
}

/// `$from, $from+1, …`: placeholders for a list of `count` values.
pub(crate) fn placeholders(from: usize, count: usize) -> String {
    (from..from + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// A pattern that finds `part` anywhere, for `LIKE … ESCAPE '!'`.
pub(crate) fn containing(part: &str) -> Value {
    let escaped = part.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    Value::Text(format!("%{escaped}%"))
}
