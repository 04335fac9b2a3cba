//! The receiving side: answers at once and notes when which event arrived; under some paths it is broken.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where an event's number stands in a payload: `"run":"<number>"`, see `load`.
const MARK: &[u8] = b"\"run\":\"";
/// Between the bytes of an endpoint that drips.
const DRIP: Duration = Duration::from_secs(3);

/// What has arrived.
pub(crate) struct Arrivals {
    begun: Instant,
    /// Microseconds from begin to first arrival, by event number.
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

/// How an endpoint answers, by the path it is called under.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// 200 at once, and what came is counted. Any path that is none of the others'.
    Healthy,
    /// `/hang`: never.
    Hang,
    /// `/drip`: 200, then a byte every three seconds.
    Drip,
    /// `/fail`: 500.
    Fail,
    /// `/pour`: 200 and 512 MiB, as fast as they are taken.
    Pour,
}

impl Manner {
    fn of(path: &str) -> Self {
        match path {
            "/hang" => Self::Hang,
            "/drip" => Self::Drip,
            "/fail" => Self::Fail,
            "/pour" => Self::Pour,
            _ => Self::Healthy,
        }
    }
}

/// The paths of endpoints that are broken.
pub(crate) const BROKEN: [&str; 4] = ["hang", "drip", "fail", "pour"];

/// The body of an answer.
enum Answer {
    Done,
    Drip(tokio::time::Interval),
    Pour(usize),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        const CHUNK: &[u8] = &[b'x'; 64 * 1024];
        match &mut *self {
            Self::Done | Self::Pour(0) => Poll::Ready(None),
            Self::Drip(interval) => interval.poll_tick(cx).map(|_| Some(Ok(Frame::data(Bytes::from_static(b"x"))))),
            Self::Pour(left) => {
                let chunk = CHUNK.get(..(*left).min(CHUNK.len())).unwrap_or_default();
                *left -= chunk.len();
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(chunk)))))
            }
        }
    }
}

async fn answer(
    arrivals: Arc<Arrivals>,
    request: http::Request<Incoming>,
) -> Result<http::Response<Answer>, Infallible> {
    let manner = Manner::of(request.uri().path());
    if let Ok(body) = request.into_body().collect().await
        && manner == Manner::Healthy
    {
        arrivals.note(&body.to_bytes());
    }
    let body = match manner {
        Manner::Hang => std::future::pending().await,
        Manner::Drip => Answer::Drip(tokio::time::interval(DRIP)),
        Manner::Pour => Answer::Pour(512 << 20),
        Manner::Healthy | Manner::Fail => Answer::Done,
    };
    let mut response = http::Response::new(body);
    if manner == Manner::Fail {
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    }
    Ok(response)
}
