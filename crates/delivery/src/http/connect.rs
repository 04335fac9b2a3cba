//! One connection: resolve once, judge every address, connect to a judged one, TLS.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower_service::Service;

use crate::guard::{Guard, Refused};
use crate::resolve::Resolve;

/// Bytes of an answer that the system may hold for a connection. Of answers 16 KiB are kept; without a limit an endpoint that
/// pours makes the system take megabytes for each.
const RECEIVE_BUFFER: u32 = 64 * 1024;

/// What is known of a connection beside its bytes.
#[derive(Default)]
pub(super) struct Facts {
    /// How often it has carried a call.
    pub(super) uses: AtomicUsize,
    /// What TLS ended it with. The client tells a call that was not yet sent nothing but that it was cancelled.
    fault: OnceLock<rustls::Error>,
}

impl Facts {
    pub(super) fn fault(&self) -> Option<&rustls::Error> {
        self.fault.get()
    }

    fn note<T>(&self, result: &Poll<io::Result<T>>) {
        if let Poll::Ready(Err(error)) = result
            && let Some(fault) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            // The first one says why; whatever follows is a consequence.
            let _ = self.fault.set(fault.clone());
        }
    }
}

/// Why there is no connection. The failures' words are in `failure.rs`.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("the URL has no usable host")]
    Host,
    #[error("the name {0} could not be resolved: {1}")]
    Dns(String, #[source] io::Error),
    #[error("the name {0} has no address")]
    NoAddress(String),
    #[error(transparent)]
    Refused(Refused),
    #[error("{1} ({0})")]
    Tcp(SocketAddr, #[source] io::Error),
    #[error("{0}")]
    Tls(#[source] io::Error),
    #[error("no connection within {0:?}")]
    Timeout(Duration),
}

/// Opens connections for one pool, all with the same TLS.
#[derive(Clone)]
pub(super) struct Connector {
    tls: TlsConnector,
    rules: Arc<Rules>,
}

struct Rules {
    guard: Guard,
    resolver: Arc<dyn Resolve>,
    limit: Duration,
}

impl Connector {
    pub(super) fn new(tls: Arc<ClientConfig>, guard: Guard, resolver: Arc<dyn Resolve>, limit: Duration) -> Self {
        Self { tls: tls.into(), rules: Arc::new(Rules { guard, resolver, limit }) }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (tls, rules) = (self.tls.clone(), Arc::clone(&self.rules));
        Box::pin(async move {
            let end = Instant::now() + rules.limit;
            let connected = timeout_at(end, connect(&tls, &rules, &uri, end)).await;
            connected.unwrap_or(Err(ConnectError::Timeout(rules.limit)))
        })
    }
}

async fn connect(tls: &TlsConnector, rules: &Rules, uri: &Uri, end: Instant) -> Result<Stream, ConnectError> {
    // An IPv6 literal stands in brackets; a final dot belongs to the name but not to its certificate.
    let host = uri.host().ok_or(ConnectError::Host)?.trim_matches(['[', ']']);
    let encrypted = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    let tcp = reach(&judged(rules, host, port).await?, end).await?;
    let facts = Arc::new(Facts::default());
    if !encrypted {
        return Ok(Stream { inner: Inner::Plain(TokioIo::new(tcp)), facts });
    }
    let name = ServerName::try_from(host.trim_end_matches('.').to_owned()).map_err(|_| ConnectError::Host)?;
    let tls = tls.connect(name, tcp).await.map_err(ConnectError::Tls)?;
    Ok(Stream { inner: Inner::Tls(Box::new(TokioIo::new(tls))), facts })
}

/// The addresses that may be called: of those the name resolves to now, in this one look-up.
async fn judged(rules: &Rules, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    let found = match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => {
            let found = rules.resolver.resolve(host, port).await;
            found.map_err(|error| ConnectError::Dns(host.to_owned(), error))?
        }
    };
    let mut refused = None;
    let mut open = Vec::with_capacity(found.len());
    for address in found {
        match rules.guard.check(address.ip()) {
            Ok(()) => open.push(address),
            Err(reason) => refused = Some(reason),
        }
    }
    match refused {
        Some(reason) if open.is_empty() => Err(ConnectError::Refused(reason)),
        None if open.is_empty() => Err(ConnectError::NoAddress(host.to_owned())),
        _ => Ok(open),
    }
}

/// The first address that answers. Each gets an even part of the time left, so one that swallows packets leaves some for the next.
async fn reach(addresses: &[SocketAddr], end: Instant) -> Result<TcpStream, ConnectError> {
    let mut last = ConnectError::Host;
    for (index, address) in addresses.iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        let share = end.saturating_duration_since(now) / left;
        match timeout_at(now + share, open(*address)).await {
            Ok(Ok(stream)) => {
                // Small requests must not wait for each other's acknowledgements; without it they are only slower.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => last = ConnectError::Tcp(*address, error),
            Err(_) => last = ConnectError::Tcp(*address, io::ErrorKind::TimedOut.into()),
        }
    }
    Err(last)
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.connect(address).await
}

/// A connection, plain or encrypted.
pub(super) struct Stream {
    inner: Inner,
    facts: Arc<Facts>,
}

enum Inner {
    Plain(TokioIo<TcpStream>),
    Tls(Box<TokioIo<TlsStream<TcpStream>>>),
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().extra(Arc::clone(&self.facts))
    }
}

impl Read for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        let read = match &mut stream.inner {
            Inner::Plain(io) => Pin::new(io).poll_read(cx, buffer),
            Inner::Tls(io) => Pin::new(io).poll_read(cx, buffer),
        };
        stream.facts.note(&read);
        read
    }
}

impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().inner {
            Inner::Plain(io) => Pin::new(io).poll_write(cx, bytes),
            Inner::Tls(io) => Pin::new(io).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(io) => Pin::new(io).poll_flush(cx),
            Inner::Tls(io) => Pin::new(io).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Plain(io) => Pin::new(io).poll_shutdown(cx),
            Inner::Tls(io) => Pin::new(io).poll_shutdown(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.inner {
            Inner::Plain(io) => io.is_write_vectored(),
            Inner::Tls(io) => io.is_write_vectored(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().inner {
            Inner::Plain(io) => Pin::new(io).poll_write_vectored(cx, slices),
            Inner::Tls(io) => Pin::new(io).poll_write_vectored(cx, slices),
        }
    }
}
