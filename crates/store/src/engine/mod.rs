//! The two engines behind one connection.

mod connecting;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use crate::error::StoreError;
use crate::value::{Row, Value};

/// Which engine a statement runs on, for the few that differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// Ends a query that takes rows for itself.
    ///
    /// Differs because PostgreSQL has many writers, which must pass over what another one is taking;
    /// SQLite has one, so there is nothing to pass over.
    pub(crate) fn for_update_skip_locked(self) -> &'static str {
        match self {
            Self::Sqlite => "",
            Self::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }
}

/// A connection inside a transaction. Parameters are `$1`, `$2`, … and must appear in this order for
/// the first time, because SQLite numbers them by appearance.
pub(crate) trait Connection {
    fn dialect(&self) -> Dialect;

    /// Ends a query for a row that may be changed in the same transaction.
    ///
    /// Differs because PostgreSQL has many writers: without the lock, of two that read a row and write it
    /// back one loses its change. SQLite has one writer, and reading transactions never need it.
    fn held_for_update(&self) -> &'static str;

    /// Ends a query for a row that must not change until the transaction ends.
    ///
    /// Differs for the same reason; any number of transactions can hold a row this way at once.
    fn held_for_share(&self) -> &'static str;

    /// Runs a statement; answers how many rows it changed.
    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError>;

    /// Runs a query.
    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs a statement for each set of parameters, in order; answers the changed rows of each.
    ///
    /// Differs because PostgreSQL is a network away: it gets all sets before the first answer is read.
    fn execute_many(&mut self, sql: &str, sets: &[Vec<Value>]) -> Result<Vec<u64>, StoreError>;
}
