//! How many tokens are issued, and how many calls with a token are answered, in a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;

use crate::Tokens;
use crate::client::Connection;
use crate::process::cost;
use crate::report::{percentile, rate};
use crate::setup::{self, Server};

/// What every token request sends.
const GRANT: &[u8] = b"grant_type=client_credentials&scope=%2A%2A";

/// The figures of a run.
#[derive(Serialize)]
pub(crate) struct Figures {
    algorithm: String,
    connections: usize,
    client_credentials: Span,
    applications_me: Span,
}

/// The figures of one kind of request.
#[derive(Serialize)]
struct Span {
    requests: usize,
    per_second: f64,
    latency_ms_p50: f64,
    latency_ms_p99: f64,
    server_cpu_ms_per_request: f64,
}

/// A request that is sent again and again.
struct Kind {
    method: &'static str,
    path: &'static str,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

pub(crate) async fn run(tokens: &Tokens) -> anyhow::Result<Figures> {
    std::fs::create_dir_all(&tokens.folder)?;
    let folder = tempfile::tempdir_in(&tokens.folder)?;
    let algorithm = tokens.algorithm.name();
    let settings = format!("access_token_algorithm = \"{algorithm}\"\n");
    let server = setup::start(&tokens.server, &folder.path().join("data"), &settings).await?;
    let form = ("content-type", "application/x-www-form-urlencoded".to_owned());
    let issue = Kind {
        method: "POST",
        path: "/oauth/token",
        headers: vec![("authorization", server.basic.clone()), form],
        body: Bytes::from_static(GRANT),
    };
    let call = Kind {
        method: "GET",
        path: "/api/http/applications/me",
        headers: vec![("authorization", server.authorization.clone())],
        body: Bytes::new(),
    };
    Ok(Figures {
        algorithm: algorithm.to_owned(),
        connections: tokens.connections,
        client_credentials: span(tokens, &server, Arc::new(issue)).await?,
        applications_me: span(tokens, &server, Arc::new(call)).await?,
    })
}

/// A tenth to warm up, then all that was asked for.
async fn span(tokens: &Tokens, server: &Server, kind: Arc<Kind>) -> anyhow::Result<Span> {
    repeat(tokens.connections, tokens.requests / 10, server, &kind).await?;
    let (before, started) = (cost(&server.process), Instant::now());
    let mut latencies = repeat(tokens.connections, tokens.requests, server, &kind).await?;
    let seconds = started.elapsed().as_secs_f64();
    let spent = cost(&server.process).cpu_seconds - before.cpu_seconds;
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts of a run fit")]
    let each = spent * 1_000.0 / tokens.requests as f64;
    Ok(Span {
        requests: tokens.requests,
        per_second: rate(tokens.requests, seconds),
        latency_ms_p50: percentile(&latencies, 0.5),
        latency_ms_p99: percentile(&latencies, 0.99),
        server_cpu_ms_per_request: (each * 10_000.0).round() / 10_000.0,
    })
}

/// How long each request took, in microseconds. Every answer must be a success.
async fn repeat(connections: usize, requests: usize, server: &Server, kind: &Arc<Kind>) -> anyhow::Result<Vec<u64>> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(&server.host).await?;
        let (next, kind) = (Arc::clone(&next), Arc::clone(kind));
        callers.spawn(async move {
            let headers: Vec<(&str, &str)> = kind.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let mut took = Vec::new();
            while next.fetch_add(1, Ordering::Relaxed) < requests {
                let began = Instant::now();
                connection.send(kind.method, kind.path, &headers, kind.body.clone()).await?;
                took.push(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            anyhow::Ok(took)
        });
    }
    let mut took = Vec::with_capacity(requests);
    while let Some(finished) = callers.join_next().await {
        took.extend(finished??);
    }
    Ok(took)
}
