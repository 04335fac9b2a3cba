//! SQLite: one writer thread that commits many transactions as one group, and a few readers.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, params_from_iter};
use tokio::sync::{Semaphore, oneshot};

use crate::engine::{Connection, Dialect};
use crate::error::StoreError;
use crate::seal::Sealer;
use crate::tx::Tx;
use crate::value::{Row, Value};

/// Reading connections.
const READERS: usize = 4;
/// Most transactions of a group.
const GROUP: usize = 256;
/// How long a group may collect before it commits.
const GROUP_TIME: Duration = Duration::from_millis(10);
/// Prepared statements a connection keeps.
const STATEMENTS: usize = 256;

/// A SQLite database that this process alone writes to.
pub(crate) struct Sqlite {
    jobs: Mutex<Option<Sender<Box<dyn Job>>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    readers: Arc<Mutex<Vec<rusqlite::Connection>>>,
    free: Arc<Semaphore>,
    sealer: Sealer,
}

/// A transaction that waits for the writer.
trait Job: Send {
    /// Does the work; says whether to keep it.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Answers, after the group's commit.
    fn finish(self: Box<Self>, committed: Result<(), &StoreError>);
}

struct Work<T, E, F> {
    work: F,
    result: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Work<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let result = (self.work)(tx);
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn finish(self: Box<Self>, committed: Result<(), &StoreError>) {
        let result = match (committed, self.result) {
            (Ok(()), Some(result)) | (Err(_), Some(result @ Err(_))) => result,
            (Ok(()), None) => Err(StoreError::Database("the work panicked; it was rolled back".to_owned()).into()),
            (Err(fault), _) => Err(StoreError::Database(fault.to_string()).into()),
        };
        // Whoever asked may have gone away; the transaction counts all the same.
        let _ = self.answer.send(result);
    }
}

impl Sqlite {
    pub(crate) fn open(file: &Path, sealer: Sealer) -> Result<Self, StoreError> {
        let lock = lock(file)?;
        make_private(file)?;
        let connection = writer_connection(file)?;
        let readers = (0..READERS).map(|_| reader_connection(file)).collect::<Result<Vec<_>, _>>()?;
        let (jobs, queue) = channel();
        let thread_sealer = sealer.clone();
        let writer = std::thread::Builder::new()
            .name("spaceport-writer".to_owned())
            .spawn(move || {
                write_groups(connection, &queue, &thread_sealer);
                // Held until the last commit: another process must not begin before.
                drop(lock);
            })
            .map_err(|error| StoreError::Database(error.to_string()))?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            readers: Arc::new(Mutex::new(readers)),
            free: Arc::new(Semaphore::new(READERS)),
            sealer,
        })
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
        let (answer, answered) = oneshot::channel();
        let job = Box::new(Work { work, result: None, answer });
        let sent = match &*self.jobs.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(jobs) => jobs.send(job).is_ok(),
            None => false,
        };
        if !sent {
            return Err(StoreError::Closed.into());
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    pub(crate) async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + Sync + 'static,
    {
        let Ok(permit) = Arc::clone(&self.free).acquire_owned().await else { return Err(StoreError::Closed.into()) };
        let (readers, sealer) = (Arc::clone(&self.readers), self.sealer.clone());
        let worked = tokio::task::spawn_blocking(move || {
            let taken = readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut connection) = taken else { return Err(StoreError::Closed.into()) };
            let result = catch_unwind(AssertUnwindSafe(|| read_snapshot(&mut connection, &sealer, &work)));
            readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            // Goes with the connection, not with whoever asked and may have gone away meanwhile.
            drop(permit);
            result.unwrap_or_else(|_| Err(StoreError::Database("the work panicked".to_owned()).into()))
        });
        worked.await.unwrap_or_else(|error| Err(StoreError::Database(error.to_string()).into()))
    }

    /// Finishes what was asked, checkpoints and closes.
    pub(crate) async fn close(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer {
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

fn read_snapshot<T, E, F>(connection: &mut rusqlite::Connection, sealer: &Sealer, work: &F) -> Result<T, E>
where
    E: From<StoreError>,
    F: Fn(&mut Tx<'_>) -> Result<T, E>,
{
    // One snapshot for the whole of the work; dropping the transaction ends it.
    let transaction = connection.transaction().map_err(StoreError::from)?;
    work(&mut Tx::new(&mut Session(&transaction), sealer))
}

/// For files that are nobody else's business: mode 0600 when they are made here.
fn private() -> OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the file before SQLite would, whose own would be readable as the process's umask says. The `-wal`
/// and `-shm` files beside it get the same mode from SQLite.
fn make_private(file: &Path) -> Result<(), StoreError> {
    match private().create_new(true).open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(StoreError::Database(format!("{} cannot be made: {error}", file.display())))
        }
        _ => Ok(()),
    }
}

/// A second process on the same file would lose the group's guarantees: it is refused.
fn lock(file: &Path) -> Result<File, StoreError> {
    let path = PathBuf::from(format!("{}.lock", file.display()));
    let failed = |error: std::io::Error| StoreError::Database(format!("{} cannot be made: {error}", path.display()));
    let lock = private().create(true).truncate(false).open(&path).map_err(failed)?;
    lock.try_lock().map_err(|_| {
        StoreError::InUse(format!(
            "another process uses {}; stop it, or use PostgreSQL for several nodes",
            file.display()
        ))
    })?;
    Ok(lock)
}

fn writer_connection(file: &Path) -> Result<rusqlite::Connection, StoreError> {
    let connection = rusqlite::Connection::open(file)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An acknowledged event survives a power cut; with group commit that costs little (decision 1).
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.pragma_update(None, "cache_size", -32_000)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

fn reader_connection(file: &Path) -> Result<rusqlite::Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = rusqlite::Connection::open_with_flags(file, flags)?;
    connection.pragma_update(None, "query_only", "ON")?;
    connection.pragma_update(None, "cache_size", -8_000)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}

/// Runs on the writer's thread until the store is closed.
fn write_groups(connection: rusqlite::Connection, queue: &Receiver<Box<dyn Job>>, sealer: &Sealer) {
    while let Ok(first) = queue.recv() {
        let mut jobs = Vec::new();
        let committed = write_group(&connection, queue, sealer, first, &mut jobs);
        if let Err(error) = &committed {
            tracing::error!(%error, jobs = jobs.len(), "a group of transactions failed");
            let _ = connection.execute_batch("ROLLBACK");
        }
        for job in jobs {
            job.finish(committed.as_ref().copied());
        }
    }
    let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
}

fn write_group(
    connection: &rusqlite::Connection,
    queue: &Receiver<Box<dyn Job>>,
    sealer: &Sealer,
    first: Box<dyn Job>,
    jobs: &mut Vec<Box<dyn Job>>,
) -> Result<(), StoreError> {
    let run = |sql: &str| -> Result<(), StoreError> {
        connection.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    let begun = Instant::now();
    let mut next = Some(first);
    let started = run("BEGIN IMMEDIATE");
    while let Some(mut job) = next.take() {
        let isolated = if started.is_ok() { run_job(&run, connection, sealer, job.as_mut()) } else { Ok(()) };
        // Before the fault ends the group, so that this one is answered like the others.
        jobs.push(job);
        isolated?;
        if started.is_ok() && jobs.len() < GROUP && begun.elapsed() < GROUP_TIME {
            next = queue.try_recv().ok();
        }
    }
    started?;
    run("COMMIT")
}

/// Runs a transaction inside the group's, so that it can be undone alone.
fn run_job(
    run: &dyn Fn(&str) -> Result<(), StoreError>,
    connection: &rusqlite::Connection,
    sealer: &Sealer,
    job: &mut dyn Job,
) -> Result<(), StoreError> {
    run("SAVEPOINT job")?;
    let worked = catch_unwind(AssertUnwindSafe(|| job.run(&mut Tx::new(&mut Session(connection), sealer))));
    if !worked.unwrap_or(false) {
        run("ROLLBACK TO job")?;
    }
    run("RELEASE job")
}

struct Session<'a>(&'a rusqlite::Connection);

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            // PostgreSQL refuses it as well; SQLite would cut such a text in some of its functions.
            Self::Text(text) if text.contains('\0') => {
                return Err(rusqlite::Error::ToSqlConversionFailure("a text holds U+0000".into()));
            }
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Differs because SQLite takes `$2` for a name and counts names as they occur, while `?2` is the second value wherever
/// it stands.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

impl Connection for Session<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn held_for_update(&self) -> &'static str {
        ""
    }

    fn held_for_share(&self) -> &'static str {
        ""
    }

    fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        let changed = self.0.prepare_cached(&numbered(sql))?.execute(params_from_iter(parameters))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn query(&mut self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, StoreError> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        let width = statement.column_count();
        let mut rows = statement.query(params_from_iter(parameters))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut columns = Vec::with_capacity(width);
            for index in 0..width {
                columns.push(match row.get_ref(index)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => Value::Int(number),
                    ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                    ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                    other @ ValueRef::Real(_) => {
                        return Err(StoreError::corrupt(format!("a column of type {}", other.data_type())));
                    }
                });
            }
            found.push(Row::new(columns));
        }
        Ok(found)
    }

    fn execute_many(&mut self, sql: &str, sets: &[Vec<Value>]) -> Result<Vec<u64>, StoreError> {
        let mut statement = self.0.prepare_cached(&numbered(sql))?;
        sets.iter()
            .map(|set| Ok(u64::try_from(statement.execute(params_from_iter(set))?).unwrap_or(u64::MAX)))
            .collect()
    }
}
