//! What can be stored and asked: one file per resource.

pub(crate) mod access_record;
pub(crate) mod application;
pub(crate) mod application_list;
pub(crate) mod attachment;
pub(crate) mod attempt;
pub(crate) mod audit;
pub(crate) mod authorization;
pub(crate) mod catalogue;
pub(crate) mod channel;
pub(crate) mod consent;
pub(crate) mod context;
pub(crate) mod custom_header;
pub(crate) mod delegation;
pub(crate) mod delivery;
pub(crate) mod delivery_log;
pub(crate) mod delivery_order;
pub(crate) mod dispatch;
pub(crate) mod dispatch_log;
pub(crate) mod entitlement;
pub(crate) mod event;
pub(crate) mod failing;
pub(crate) mod gpg_key;
pub(crate) mod grant;
pub(crate) mod housekeeping;
pub(crate) mod key;
pub(crate) mod keystore;
pub(crate) mod list;
pub(crate) mod membership;
pub(crate) mod missed;
pub(crate) mod organization;
pub(crate) mod package_repository;
pub(crate) mod parameter;
pub(crate) mod profile;
pub(crate) mod profile_email;
pub(crate) mod project;
pub(crate) mod refresh_token;
pub(crate) mod revision;
pub(crate) mod ring;
pub(crate) mod role;
pub(crate) mod secret;
pub(crate) mod server_key;
pub(crate) mod session;
pub(crate) mod ssh_key;
pub(crate) mod subscription;
pub(crate) mod team;
pub(crate) mod token;
pub(crate) mod trusted_certificate;
mod ui_extension;
mod unfurl_target;
pub(crate) mod webhook;

use crate::engine::Connection;
use crate::error::StoreError;
use crate::seal::Sealer;
use crate::value::{Row, Value};

/// A transaction. Its functions are what the database can do.
pub struct Tx<'a> {
    pub(crate) connection: &'a mut dyn Connection,
    sealer: &'a Sealer,
    /// Id of the key that seals, once asked for; the row that says so stays locked until the end.
    sealing: Option<String>,
    /// Revisions that this transaction has counted up already.
    pub(crate) counted: Vec<revision::Remembered>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(connection: &'a mut dyn Connection, sealer: &'a Sealer) -> Self {
        Self { connection, sealer, sealing: None, counted: Vec::new() }
    }

    /// Rows of `{select} WHERE {column} IN (…)`, however many values there are.
    pub(crate) fn rows_in(&mut self, select: &str, column: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for portion in values.chunks(PORTION) {
            let sql = format!("{select} WHERE {column} IN ({})", placeholders(1, portion.len()));
            rows.append(&mut self.connection.query(&sql, portion)?);
        }
        Ok(rows)
    }

    /// Runs a statement for each set of parameters, in portions that neither engine has to hold at once.
    pub(crate) fn execute_all(&mut self, sql: &str, sets: &[Vec<Value>]) -> Result<u64, StoreError> {
        let mut changed = 0;
        for portion in sets.chunks(PORTION) {
            changed += self.connection.execute_many(sql, portion)?.iter().sum::<u64>();
        }
        Ok(changed)
    }

    /// Inserts rows, many by one statement: `{into} VALUES (…), (…) {tail}`.
    ///
    /// PostgreSQL takes a row of a thousand in a tenth of the time of a statement. No row may collide with another one.
    pub(crate) fn insert_all(&mut self, into: &str, tail: &str, rows: &[Vec<Value>]) -> Result<u64, StoreError> {
        let width = rows.first().map_or(0, Vec::len);
        let list = |count: usize| {
            let row = |row: usize| format!("({})", placeholders(row * width + 1, width));
            (0..count).map(row).collect::<Vec<_>>().join(", ")
        };
        self.together(&[], rows, |count| format!("{into} VALUES {} {tail}", list(count)))
    }

    /// Runs `{begin} IN (…)` for keys, many by one statement. `begin` ends with the column, or the columns in brackets,
    /// that hold the key; a key has a value for each. `leading` are the values in `begin` itself.
    pub(crate) fn execute_for(
        &mut self,
        begin: &str,
        leading: &[Value],
        keys: &[Vec<Value>],
    ) -> Result<u64, StoreError> {
        let (width, from) = (keys.first().map_or(0, Vec::len), leading.len() + 1);
        let list = |count: usize| match width {
            1 => placeholders(from, count),
            _ => {
                let key = |key: usize| format!("({})", placeholders(key * width + from, width));
                format!("VALUES {}", (0..count).map(key).collect::<Vec<_>>().join(", "))
            }
        };
        self.together(leading, keys, |count| format!("{begin} IN ({})", list(count)))
    }

    /// Runs the statement that `sql` makes for a number of rows on all of them. It is made for two numbers only, so that
    /// each connection prepares it twice at most.
    fn together(
        &mut self,
        leading: &[Value],
        rows: &[Vec<Value>],
        sql: impl Fn(usize) -> String,
    ) -> Result<u64, StoreError> {
        let (many, rest) = rows.split_at(rows.len() / TOGETHER * TOGETHER);
        let mut changed = 0;
        for (rows, count) in [(many, TOGETHER), (rest, 1)] {
            if rows.is_empty() {
                continue;
            }
            let set = |rows: &[Vec<Value>]| [leading, rows.concat().as_slice()].concat();
            changed += self.execute_all(&sql(count), &rows.chunks(count).map(set).collect::<Vec<_>>())?;
        }
        Ok(changed)
    }
}

/// Rows of one statement.
const TOGETHER: usize = 100;

/// Values of one list, or sets of parameters, that a statement gets at once.
const PORTION: usize = 1_000;

/// `$from, $from+1, …`: placeholders for a list of `count` values.
pub(crate) fn placeholders(from: usize, count: usize) -> String {
    (from..from + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// A pattern that finds `part` anywhere, for `LIKE … ESCAPE '!'`.
pub(crate) fn containing(part: &str) -> Value {
    let escaped = part.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    Value::Text(format!("%{escaped}%"))
}
