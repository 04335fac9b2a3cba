//! Publishing over many connections, and waiting for what it causes.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::client::Connection;
use crate::receiver::Arrivals;
use crate::setup::Server;

/// How long deliveries may stand still before the rest counts as lost.
const STANDSTILL: Duration = Duration::from_secs(15);

/// How events are published.
pub(crate) struct Flow {
    /// Connections, each with one request under way.
    pub(crate) connections: usize,
    /// Events a second; as many as possible without it.
    pub(crate) rate: Option<u32>,
    /// What times count from.
    pub(crate) begun: Instant,
    /// Makes the request for an event from its number.
    pub(crate) body: fn(usize) -> Bytes,
}

/// Publishes the events of a range; answers when each was sent, in microseconds since `begun`.
pub(crate) async fn publish(flow: &Flow, server: &Server, events: Range<usize>) -> anyhow::Result<Vec<(usize, u64)>> {
    let next = Arc::new(AtomicUsize::new(events.start));
    let mut publishers = tokio::task::JoinSet::new();
    let &Flow { connections, rate, begun, body } = flow;
    for _ in 0..connections {
        let mut connection = Connection::open(&server.host).await?;
        let (next, authorization, Range { start, end }) =
            (Arc::clone(&next), server.authorization.clone(), events.clone());
        publishers.spawn(async move {
            let mut sent = Vec::new();
            let origin = Instant::now();
            loop {
                let event = next.fetch_add(1, Ordering::Relaxed);
                if event >= end {
                    return anyhow::Ok(sent);
                }
                if let Some(rate) = rate {
                    let due = Duration::from_secs_f64((event - start) as f64 / f64::from(rate));
                    tokio::time::sleep_until((origin + due).into()).await;
                }
                let at = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                connection
                    .send("POST", "/api/host/v1/events", &[("authorization", &authorization)], body(event))
                    .await?;
                sent.push((event, at));
            }
        });
    }
    let mut sent = Vec::new();
    while let Some(finished) = publishers.join_next().await {
        sent.extend(finished??);
    }
    Ok(sent)
}

/// Waits until this many deliveries arrived, or nothing moves any more.
pub(crate) async fn drain(arrivals: &Arrivals, expected: usize) {
    let (mut seen, mut moved) = (arrivals.total(), Instant::now());
    while arrivals.total() < expected && moved.elapsed() < STANDSTILL {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if arrivals.total() > seen {
            (seen, moved) = (arrivals.total(), Instant::now());
        }
    }
}
