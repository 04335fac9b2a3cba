//! Why the database could not do what was asked.

use thiserror::Error;

/// A failure of the database.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The driver or the database reported a fault.
    #[error("the database failed: {0}")]
    Database(String),
    /// No connection to the database: a sentence with its address, the cause and what to do.
    #[error("{0}")]
    Unreachable(String),
    /// The database will never take this: a value breaks a constraint or cannot be stored at all.
    #[error("the database refused a value: {0}")]
    Refused(String),
    /// Another transaction was in the way; the work can be tried again.
    #[error("another transaction was in the way: {0}")]
    Conflict(String),
    /// The master key is not the one the database was made with.
    #[error("the master key does not belong to this database")]
    WrongMasterKey,
    /// Something stored cannot be read back.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
    /// The schema is not one this version can work on.
    #[error("{0}")]
    Schema(String),
    /// Another process uses the database file.
    #[error("{0}")]
    InUse(String),
    /// The store is being closed.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Something stored cannot be read back.
    pub fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
        let value = matches!(error, rusqlite::Error::ToSqlConversionFailure(_))
            || matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch));
        let text = error.to_string();
        if value { Self::Refused(text) } else { Self::Database(text) }
    }
}

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let conflict = [&SqlState::T_R_SERIALIZATION_FAILURE, &SqlState::T_R_DEADLOCK_DETECTED];
        let text = error.as_db_error().map_or_else(|| error.to_string(), |fault| fault.message().to_owned());
        // Classes 22 and 23 are faults of the values themselves: repeating the statement changes nothing.
        let value = |code: &SqlState| ["22", "23"].iter().any(|class| code.code().starts_with(class));
        if error.code().is_some_and(|code| conflict.contains(&code)) {
            Self::Conflict(text)
        } else if error.code().is_some_and(value) {
            Self::Refused(text)
        } else {
            Self::Database(text)
        }
    }
}
