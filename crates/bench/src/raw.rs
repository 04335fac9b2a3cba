//! What the machine could do at best: HTTP alone, durable inserts alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;

use crate::Raw;
use crate::client::Connection;
use crate::receiver::{Arrivals, Receiver};
use crate::report::rate;

/// Bytes of a request and of a row.
const SIZE: usize = 512;

/// The limits of the machine.
#[derive(Serialize)]
pub(crate) struct Limits {
    connections: usize,
    http_posts_per_second: f64,
    durable_rows_per_second: f64,
    /// Accepting over HTTP, one durable row each, sending over HTTP, one after the other on the same
    /// cores: the harmonic sum of the three.
    combined_per_second: f64,
}

pub(crate) async fn run(raw: &Raw) -> anyhow::Result<Limits> {
    let posts = posts(raw).await?;
    let rows = rows(raw)?;
    let combined = 1.0 / (2.0 / posts + 1.0 / rows);
    Ok(Limits {
        connections: raw.connections,
        http_posts_per_second: posts,
        durable_rows_per_second: rows,
        combined_per_second: (combined * 10.0).round() / 10.0,
    })
}

async fn posts(raw: &Raw) -> anyhow::Result<f64> {
    let receiver = Receiver::start(Arc::new(Arrivals::new(0, Instant::now()))).await?;
    let host = receiver.address.to_string();
    let next = Arc::new(AtomicUsize::new(0));
    let body = Bytes::from(vec![b'x'; SIZE]);
    let mut senders = tokio::task::JoinSet::new();
    let started = Instant::now();
    for _ in 0..raw.connections {
        let mut connection = Connection::open(&host).await?;
        let (next, body, events) = (Arc::clone(&next), body.clone(), raw.events);
        senders.spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < events {
                connection.send("POST", "/", &[], body.clone()).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(finished) = senders.join_next().await {
        finished??;
    }
    Ok(rate(raw.events, started.elapsed().as_secs_f64()))
}

fn rows(raw: &Raw) -> anyhow::Result<f64> {
    std::fs::create_dir_all(&raw.folder)?;
    let folder = tempfile::tempdir_in(&raw.folder)?;
    let mut database = rusqlite::Connection::open(folder.path().join("raw.db"))?;
    database.pragma_update(None, "journal_mode", "WAL")?;
    database.pragma_update(None, "synchronous", "FULL")?;
    database.execute_batch("CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")?;
    let body = "x".repeat(SIZE);
    let started = Instant::now();
    let mut left = raw.events;
    while left > 0 {
        let transaction = database.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO row (body) VALUES (?1)")?;
            for _ in 0..left.min(raw.connections) {
                insert.execute([&body])?;
            }
        }
        transaction.commit()?;
        left = left.saturating_sub(raw.connections);
    }
    Ok(rate(raw.events, started.elapsed().as_secs_f64()))
}
