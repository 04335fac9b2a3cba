//! The listener: HTTP/1.1 and HTTP/2 over TCP, with time limits on headers and a graceful stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use hyper_util::rt::TokioTimer;

/// How long clients may take. Beyond it the connection ends, or the request is answered with 408 or 503.
#[derive(Clone, Copy, Debug)]
pub struct TimeLimits {
    /// From the connection to the end of its first header (against slow-loris).
    pub first_header: Duration,
    /// From an answer to the end of the next header: how long a connection may be idle. Longer than what
    /// proxies keep idle connections for (60 s), so that it is they who close.
    pub next_header: Duration,
    /// For a body to arrive.
    pub body: Duration,
    /// For an operation, after its body arrived.
    pub operation: Duration,
}

impl Default for TimeLimits {
    fn default() -> Self {
        let [first_header, next_header, body, operation] = [10, 75, 30, 60].map(Duration::from_secs);
        Self { first_header, next_header, body, operation }
    }
}

/// How often an HTTP/2 client that is silent is asked for a sign of life, and how long it may take.
const PING: Duration = Duration::from_secs(20);
/// Most requests one HTTP/2 connection may have open.
const STREAMS: u32 = 256;

/// Serves until `handle` says stop, then drains.
///
/// # Errors
/// When the listener fails for good.
pub async fn listen(
    listener: TcpListener,
    router: Router,
    handle: Handle<SocketAddr>,
    limits: TimeLimits,
) -> io::Result<()> {
    // hyper's own limit does not count before it knows which version the client speaks.
    let mut server = axum_server::from_tcp(listener)?.handle(handle).first_request_timeout(limits.first_header);
    let builder = server.http_builder();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.next_header).keep_alive(true);
    let http2 = &mut builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(STREAMS).keep_alive_interval(PING).keep_alive_timeout(PING);
    server.serve(router.into_make_service_with_connect_info::<SocketAddr>()).await
}
