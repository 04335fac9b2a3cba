//! Fresh PostgreSQL databases on the server that `cargo xtask test` starts.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_postgres::NoTls;

/// Names the server on which databases are made.
const SERVER: &str = "SPACEPORT_TEST_POSTGRES";

/// A database of one test. It is dropped with this value, with whatever is still connected to it.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where it is: `postgres://user:password@host:port/name`.
    pub url: String,
    server: String,
    name: String,
}

/// Makes an empty database (UTF-8, sorted by byte values) that no other test uses.
///
/// Works inside and outside of an async runtime; takes about 0.1 s, mostly the server's.
///
/// # Panics
/// When no server is named, or it refuses.
pub fn database() -> TestDatabase {
    let server = server();
    // Each hasher of std starts from fresh random keys.
    let name = format!("test_{:016x}", RandomState::new().hash_one(std::process::id()));
    let create = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
    execute(&server, create).unwrap_or_else(|error| panic!("cannot make a test database: {error}"));
    TestDatabase { url: with_database(&server, &name), server, name }
}

/// Everything that stands in a database, table by table, each row as PostgreSQL prints it.
///
/// # Panics
/// When the database cannot be read.
pub fn dump(url: &str) -> String {
    let url = url.to_owned();
    let work = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
            tokio::select! {
                text = print_all(&client) => text,
                ended = connection => Err(ended.expect_err("the connection lasts while it is used")),
            }
        })
    });
    work.join().expect("the thread that reads the database does not panic").expect("the database can be read")
}

async fn print_all(client: &tokio_postgres::Client) -> Result<String, tokio_postgres::Error> {
    let mut text = String::new();
    let tables = "SELECT CAST(quote_ident(tablename) AS TEXT) FROM pg_tables WHERE schemaname = 'public' ORDER BY 1";
    for table in client.query(tables, &[]).await? {
        let table: String = table.get(0);
        for row in client.query(&format!("SELECT CAST(t.* AS TEXT) FROM {table} t"), &[]).await? {
            text.push_str(&table);
            text.push_str(row.get(0));
            text.push('\n');
        }
    }
    Ok(text)
}

impl TestDatabase {
    /// Runs one statement, for what only time or an accident would do to a database.
    ///
    /// # Panics
    /// When the server refuses it.
    pub fn execute(&self, statement: &str) {
        execute(&self.url, statement.to_owned()).expect("the statement can be run");
    }

    /// Keeps everybody from changing `table` until the lock is dropped. Reading goes on.
    ///
    /// # Panics
    /// When the server cannot be reached or has no such table.
    pub async fn lock(&self, table: &str) -> TableLock {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.expect("the database is there");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It ends with the client.
            let _ = connection.await;
        });
        let sql = format!("BEGIN; LOCK TABLE {table} IN SHARE MODE");
        client.batch_execute(&sql).await.expect("the table can be locked");
        TableLock { client, _tasks: tasks }
    }
}

/// A table nobody may change.
#[derive(Debug)]
pub struct TableLock {
    client: tokio_postgres::Client,
    _tasks: JoinSet<()>,
}

impl TableLock {
    /// Returns once somebody else waits for a lock in this database.
    ///
    /// # Panics
    /// When the connection breaks.
    pub async fn somebody_waits(&self) {
        self.so_many_wait(1).await;
    }

    /// Returns once so many others wait for a lock in this database.
    ///
    /// # Panics
    /// When the connection breaks.
    pub async fn so_many_wait(&self, count: i64) {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            // Within a transaction the server shows the same statistics again unless it is told to look anew.
            self.client.batch_execute("SELECT pg_stat_clear_snapshot()").await.expect("the connection lasts");
            let row = self.client.query_one(sql, &[]).await.expect("the connection lasts");
            if row.get::<_, i64>(0) >= count {
                return;
            }
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // Best effort: the server of a test run is thrown away as a whole.
        let _ = execute(&self.server, format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' only setting; the product's own settings are not involved")]
fn server() -> String {
    std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("run the tests with `cargo xtask test`, which starts PostgreSQL ({SERVER} is not set)")
    })
}

/// Runs one statement on a connection, runtime and thread of its own, and waits for it.
fn execute(server: &str, statement: String) -> Result<(), tokio_postgres::Error> {
    let server = server.to_owned();
    let work = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime can be built").block_on(async {
            let (client, connection) = tokio_postgres::connect(&server, NoTls).await?;
            let served = connection;
            let run = client.batch_execute(&statement);
            tokio::select! {
                outcome = run => outcome,
                ended = served => ended,
            }
        })
    });
    work.join().expect("the thread that talks to the database does not panic")
}

/// The same server and account, another database.
fn with_database(server: &str, name: &str) -> String {
    let (address, query) = match server.split_once('?') {
        Some((address, query)) => (address, format!("?{query}")),
        None => (server, String::new()),
    };
    let authority_start = address.find("://").map_or(0, |at| at + 3);
    let end = address.get(authority_start..).and_then(|rest| rest.find('/')).map(|at| authority_start + at);
    let base = end.and_then(|end| address.get(..end)).unwrap_or(address);
    format!("{base}/{name}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_is_replaced() {
        assert_eq!(with_database("postgres://u:p@h:5432/postgres", "x"), "postgres://u:p@h:5432/x");
        assert_eq!(with_database("postgres://u:p@h:5432", "x"), "postgres://u:p@h:5432/x");
        assert_eq!(with_database("postgres://u@h/a?sslmode=disable", "x"), "postgres://u@h/x?sslmode=disable");
    }

    #[tokio::test]
    async fn each_call_makes_another_database_sorted_by_bytes() {
        let (one, other) = (database(), database());
        assert_ne!(one.url, other.url);
        let (client, connection) = tokio_postgres::connect(&one.url, NoTls).await.unwrap();
        let query = "SELECT datcollate FROM pg_database WHERE datname = current_database()";
        let row = tokio::select! {
            row = client.query_one(query, &[]) => row.unwrap(),
            ended = connection => panic!("the connection ended: {ended:?}"),
        };
        assert_eq!(row.get::<_, String>(0), "C");
    }

    #[tokio::test]
    async fn a_database_is_gone_when_dropped() {
        let database = database();
        let url = database.url.clone();
        drop(database);
        assert!(tokio_postgres::connect(&url, NoTls).await.is_err());
    }
}
