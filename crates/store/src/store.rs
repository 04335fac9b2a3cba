//! The store: opened once, asked by closures.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::engine::postgres::Postgres;
use crate::engine::sqlite::Sqlite;
use crate::error::StoreError;
use crate::migrate;
use crate::seal::Sealer;
use crate::tx::Tx;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Opened>);

struct Opened {
    engine: Engine,
    transactions: AtomicU64,
}

enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

impl Store {
    /// Opens `sqlite:FILE` or `postgres://…`, brings the schema up to date and checks that `sealer`
    /// has the master key the database was made with.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Schema`], [`StoreError::WrongMasterKey`], or that the database
    /// cannot be reached.
    pub async fn open(url: &str, sealer: Sealer) -> Result<Self, StoreError> {
        let engine = match url.strip_prefix("sqlite:") {
            Some(file) => Engine::Sqlite(Sqlite::open(Path::new(file), sealer)?),
            None => Engine::Postgres(Postgres::open(url, sealer)?),
        };
        let store = Self(Arc::new(Opened { engine, transactions: AtomicU64::new(0) }));
        // Together: of several nodes that begin at once one makes the schema and the check, and with a
        // wrong key nothing is changed.
        let begun: Result<(), StoreError> = store
            .write(|tx| {
                migrate::migrate(tx)?;
                tx.check_master_key()
            })
            .await;
        if let Err(fault) = begun {
            // So that the file is free again as soon as the caller hears of it.
            store.close().await;
            return Err(fault);
        }
        Ok(store)
    }

    /// Runs `work` in a transaction that commits when it returns `Ok` and leaves nothing behind when it
    /// returns `Err` or panics. It may run again when other transactions were in the way.
    ///
    /// # Errors
    /// What `work` refused with, or that the database failed; then nothing was changed.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        self.0.transactions.fetch_add(1, Ordering::Relaxed);
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.write(work).await,
            Engine::Postgres(engine) => engine.write(work).await,
        }
    }

    /// Runs `work` on a reading connection, on one snapshot.
    ///
    /// # Errors
    /// What `work` refused with, or that the database failed.
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        self.0.transactions.fetch_add(1, Ordering::Relaxed);
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.read(work).await,
            Engine::Postgres(engine) => engine.read(work).await,
        }
    }

    /// What seals and opens secrets; its ring can be exchanged while the store is open.
    pub fn sealer(&self) -> &Sealer {
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.sealer(),
            Engine::Postgres(engine) => engine.sealer(),
        }
    }

    /// How many transactions were begun since the store was opened. What begins none runs no SQL.
    pub fn transactions(&self) -> u64 {
        self.0.transactions.load(Ordering::Relaxed)
    }

    /// Finishes what was asked and closes.
    pub async fn close(&self) {
        match &self.0.engine {
            Engine::Sqlite(engine) => engine.close().await,
            Engine::Postgres(engine) => engine.close().await,
        }
    }
}
