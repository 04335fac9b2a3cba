//! The listener: HTTP/1.1 and HTTP/2 over TCP, with time limits on headers and a graceful stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use hyper_util::rt::TokioTimer;

/// How long a client may take to send its header (against slow-loris).
const HEADER_TIME: Duration = Duration::from_secs(10);
/// Most requests one HTTP/2 connection may have open.
const STREAMS: u32 = 256;

/// Serves until `handle` says stop, then drains.
///
/// # Errors
/// When the listener fails for good.
pub async fn listen(listener: TcpListener, router: Router, handle: Handle<SocketAddr>) -> io::Result<()> {
    let mut server = axum_server::from_tcp(listener)?.handle(handle);
    let builder = server.http_builder();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIME).keep_alive(true);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS);
    server.serve(router.into_make_service_with_connect_info::<SocketAddr>()).await
}
