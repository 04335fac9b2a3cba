//! PostgreSQL: a pool of connections; the work runs on a blocking thread that drives one of them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod};
use futures_util::future::try_join_all;
use tokio::runtime::Handle;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{IsNull, ToSql, Type, private::BytesMut};
use tokio_postgres::{Config, NoTls};

use crate::engine::{Connection, Dialect, connecting};
use crate::error::StoreError;
use crate::seal::Sealer;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// Connections of a node.
const CONNECTIONS: usize = 16;
/// How often work is tried when other transactions are in the way.
const TRIES: usize = 10;

/// What a transaction is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Read,
    Write,
}

impl Mode {
    fn begin(self) -> &'static str {
        match self {
            // One snapshot for all statements, as on SQLite.
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::Write => "BEGIN",
        }
    }
}

/// A PostgreSQL database.
pub(crate) struct Postgres {
    pool: Pool,
    sealer: Sealer,
    /// Where it is, in words.
    place: String,
}

impl Postgres {
    pub(crate) fn open(url: &str, sealer: Sealer) -> Result<Self, StoreError> {
        let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
            let causes = connecting::causes(&error);
            StoreError::Unreachable(format!(
                "The database URL is wrong: {causes}. It must be like postgres://user@host/database."
            ))
        })?;
        let place = connecting::place(&config);
        if config.get_application_name().is_none() {
            config.application_name("spaceport");
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match config.get_ssl_mode() {
            SslMode::Disable => Manager::from_config(config, NoTls, recycling),
            _ => Manager::from_config(config, tls()?, recycling),
        };
        let pool = Pool::builder(manager).max_size(CONNECTIONS).build().map_err(failed)?;
        Ok(Self { pool, sealer, place })
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(crate) async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        self.transaction(Mode::Write, work).await
    }

    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        self.transaction(Mode::Read, work).await
    }

    async fn transaction<T, E, F>(&self, mode: Mode, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let mut tries = 0;
        loop {
            tries += 1;
            let client = self.pool.get().await.map_err(|error| match error {
                PoolError::Closed => StoreError::Closed,
                PoolError::Backend(error) => connecting::refusal(&error, &self.place),
                other => failed(other),
            })?;
            let (work, sealer) = (Arc::clone(&work), self.sealer.clone());
            let worked = tokio::task::spawn_blocking(move || transact(client, mode, &sealer, work.as_ref())).await;
            match worked.map_err(|error| StoreError::Database(error.to_string()))? {
                Worked::Done(result) => return result,
                Worked::Conflict(_) if tries < TRIES => {}
                Worked::Conflict(fault) => return Err(fault.into()),
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.pool.close();
    }
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Database(error.to_string())
}

fn tls() -> Result<tokio_postgres_rustls::MakeRustlsConnect, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(tokio_postgres_rustls::MakeRustlsConnect::new(config))
}

enum Worked<T, E> {
    Done(Result<T, E>),
    Conflict(StoreError),
}

/// Runs on a blocking thread. The connection goes back to the pool with the transaction ended.
fn transact<T, E, F>(client: Object, mode: Mode, sealer: &Sealer, work: &F) -> Worked<T, E>
where
    E: From<StoreError>,
    F: Fn(&mut Tx<'_>) -> Result<T, E>,
{
    let mut session = Session { client, mode, handle: Handle::current(), conflict: None };
    if let Err(fault) = session.batch(mode.begin()) {
        return Worked::Done(Err(fault.into()));
    }
    let worked = catch_unwind(AssertUnwindSafe(|| work(&mut Tx::new(&mut session, sealer))));
    let result =
        worked.unwrap_or_else(|_| Err(StoreError::Database("the work panicked; it was rolled back".to_owned()).into()));
    let ended = session.batch(if result.is_ok() { "COMMIT" } else { "ROLLBACK" });
    if let Some(fault) = session.conflict.take() {
        return Worked::Conflict(StoreError::Conflict(fault));
    }
    match (result, ended) {
        (Ok(value), Ok(())) => Worked::Done(Ok(value)),
        (Ok(_), Err(fault)) => Worked::Done(Err(fault.into())),
        (Err(refusal), _) => Worked::Done(Err(refusal)),
    }
}

struct Session {
    client: Object,
    mode: Mode,
    handle: Handle,
    /// The work may hide a conflict in an error of its own, so it is remembered here.
    conflict: Option<String>,
}

impl Session {
    fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = self.handle.block_on(self.client.batch_execute(sql));
        self.noticed(done.map_err(StoreError::from))
    }

    fn noticed<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Conflict(fault)) = &result {
            self.conflict = Some(fault.clone());
        }
        result
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Text(text) => text.as_str().to_sql(kind, out),
            Self::Bytes(bytes) => bytes.as_slice().to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INT8 || *kind == Type::TEXT || *kind == Type::BYTEA
    }

    tokio_postgres::types::to_sql_checked!();
}

fn references(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

impl Connection for Session {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn held_for_update(&self) -> &'static str {
        match self.mode {
            Mode::Read => "",
            // The weakest lock that keeps other changes away; rows that only refer to it may still be added.
            Mode::Write => "FOR NO KEY UPDATE",
        }
    }

    fn held_for_share(&self) -> &'static str {
        match self.mode {
            Mode::Read => "",
            Mode::Write => "FOR SHARE",
        }
    }

    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let client = &self.client;
        let done = self.handle.block_on(async {
            let statement = client.prepare_cached(sql).await?;
            client.execute(&statement, &references(parameters)).await
        });
        self.noticed(done.map_err(StoreError::from))
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let client = &self.client;
        let done = self.handle.block_on(async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, &references(parameters)).await
        });
        let rows = self.noticed(done.map_err(StoreError::from))?;
        rows.iter().map(read).collect()
    }

    fn execute_many(&mut self, sql: &str, sets: &[Vec<Value>]) -> Result<Vec<u64>, StoreError> {
        let client = &self.client;
        let done = self.handle.block_on(async {
            let statement = client.prepare_cached(sql).await?;
            let references: Vec<_> = sets.iter().map(|set| references(set)).collect();
            // Polled together, the requests leave in order before the first answer comes.
            try_join_all(references.iter().map(|set| client.execute(&statement, set))).await
        });
        self.noticed(done.map_err(StoreError::from))
    }
}

fn read(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let mut columns = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        columns.push(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.into(),
            Type::BYTEA => row.try_get::<_, Option<&[u8]>>(index)?.into(),
            _ => row.try_get::<_, Option<String>>(index)?.into(),
        });
    }
    Ok(Row::new(columns))
}
