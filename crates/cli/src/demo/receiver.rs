//! The demo's receiving application: records what arrives and refuses as often as it is told.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// How long an arrival is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request that arrived.
#[derive(Clone)]
pub(super) struct Arrival {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) answered: u16,
    pub(super) at: Instant,
}

#[derive(Default)]
struct Book {
    arrivals: Mutex<(Vec<Arrival>, usize)>,
    arrived: Notify,
}

/// A running receiver.
pub(super) struct Receiver {
    address: SocketAddr,
    book: Arc<Book>,
    serving: JoinHandle<()>,
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, (Vec<Arrival>, usize)> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, request: http::Request<Incoming>) -> Result<http::Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map(|collected| collected.to_bytes()).unwrap_or_default();
        let answered = {
            let mut book = self.lock();
            let answered = if book.1 > 0 { 500 } else { 200 };
            book.1 = book.1.saturating_sub(1);
            book.0.push(Arrival { headers: parts.headers, body, answered, at: Instant::now() });
            answered
        };
        self.arrived.notify_waiters();
        let mut response = http::Response::new(Full::new(Bytes::new()));
        *response.status_mut() = http::StatusCode::from_u16(answered).unwrap_or_default();
        Ok(response)
    }
}

impl Receiver {
    pub(super) async fn start() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("the receiver cannot listen: {error}");
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let book = Arc::new(Book::default());
        #[expect(clippy::disallowed_methods, reason = "the receiver plays another process; it ends with the demo")]
        let serving = tokio::spawn(serve(listener, Arc::clone(&book)));
        Ok(Self { address, book, serving })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/space", self.address)
    }

    /// Answers 500 this many times from now on.
    pub(super) fn refuse_next(&self, times: usize) {
        self.book.lock().1 = times;
    }

    /// The arrivals, once there are this many.
    pub(super) async fn wait_for(&self, count: usize) -> Result<Vec<Arrival>, String> {
        let enough = async {
            loop {
                let arrived = self.book.arrived.notified();
                tokio::pin!(arrived);
                // Registered before the look, so that nothing arrives unseen between the two.
                arrived.as_mut().enable();
                let arrivals = self.book.lock().0.clone();
                if arrivals.len() >= count {
                    return arrivals;
                }
                arrived.await;
            }
        };
        let late = |_| format!("only {} of {count} attempts arrived", self.book.lock().0.len());
        tokio::time::timeout(PATIENCE, enough).await.map_err(late)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, book: Arc<Book>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let book = Arc::clone(&book);
        connections.spawn(async move {
            let service = service_fn(|request| book.take(request));
            // A connection that breaks is the sender's concern.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
