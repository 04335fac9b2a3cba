//! The receiving side: answers at once and notes when which event arrived.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where an event's number stands in a payload: `"n":"<number>"`, see `load`.
const MARK: &[u8] = b"\"run\":\"";

/// What has arrived.
pub(crate) struct Arrivals {
    begun: Instant,
    /// Microseconds from begin to first arrival, by event number times endpoints.
    first: Vec<AtomicU64>,
    counts: Vec<AtomicU32>,
    total: AtomicUsize,
}

impl Arrivals {
    pub(crate) fn new(events: usize, begun: Instant) -> Self {
        Self {
            begun,
            first: (0..events).map(|_| AtomicU64::new(0)).collect(),
            counts: (0..events).map(|_| AtomicU32::new(0)).collect(),
            total: AtomicUsize::new(0),
        }
    }

    pub(crate) fn total(&self) -> usize {
        self.total.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self, event: usize) -> u32 {
        self.counts.get(event).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Microseconds from the begin of the run to the first arrival of an event.
    pub(crate) fn first(&self, event: usize) -> Option<u64> {
        self.first.get(event).map(|micros| micros.load(Ordering::Relaxed)).filter(|micros| *micros > 0)
    }

    fn note(&self, body: &[u8]) {
        let Some(event) = number(body) else { return };
        let Some(count) = self.counts.get(event) else { return };
        if count.fetch_add(1, Ordering::Relaxed) == 0
            && let Some(first) = self.first.get(event)
        {
            let micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            first.store(micros.max(1), Ordering::Relaxed);
        }
        self.total.fetch_add(1, Ordering::Relaxed);
    }
}

fn number(body: &[u8]) -> Option<usize> {
    let at = body.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let digits = body.get(at..)?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(digits.get(..end)?).ok()?.parse().ok()
}

/// A running receiver.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start(arrivals: Arc<Arrivals>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        #[expect(clippy::disallowed_methods, reason = "the receiver plays another process; it ends with the run")]
        let serving = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let arrivals = Arc::clone(&arrivals);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(Arc::clone(&arrivals), request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(Self { address, serving })
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    arrivals: Arc<Arrivals>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    if let Ok(body) = request.into_body().collect().await {
        arrivals.note(&body.to_bytes());
    }
    Ok(http::Response::new(Full::new(Bytes::new())))
}
