//! An endpoint on this machine, written by hand so that it can misbehave in every way.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderMap;
use spaceport_delivery::Outcome;
use spaceport_delivery::guard::Guard;
use spaceport_delivery::http::{HttpSender, HttpSettings, Limits, Request, Sender, SslVerification};
use spaceport_delivery::resolve::SystemResolver;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What an endpoint does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Manner {
    /// Sends these bytes and keeps the connection.
    Answer(&'static str),
    /// Answers the first request of each connection and closes it when it sees the second.
    CloseOnSecond,
    /// Closes without a word.
    Close,
    /// Speaks first, whatever is said.
    Greet(&'static str),
    /// Never answers.
    Hang,
    /// Says 200, then sends a byte of the body now and then, for ever.
    Drip,
    /// Says 200 and sends 512 MiB, as fast as they are taken.
    Huge,
    /// The same without announcing how much it is.
    HugeChunked,
    /// A head without end.
    EndlessHead,
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-answer: yes\r\n\r\nok";

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: AtomicUsize,
    pub(crate) requests: Mutex<Vec<String>>,
    /// Bytes of bodies that could be written.
    pub(crate) written: AtomicUsize,
}

pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Seen>,
    scheme: &'static str,
    _task: JoinSet<()>,
}

impl Endpoint {
    pub(crate) async fn start(manner: Manner) -> Self {
        Self::listen(manner, None).await
    }

    pub(crate) async fn start_tls(manner: Manner, tls: TlsAcceptor) -> Self {
        Self::listen(manner, Some(tls)).await
    }

    async fn listen(manner: Manner, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen: Arc<Seen> = Arc::default();
        let (mut task, theirs) = (JoinSet::new(), Arc::clone(&seen));
        let scheme = if tls.is_some() { "https" } else { "http" };
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, tls) = (Arc::clone(&theirs), tls.clone());
                connections.spawn(async move {
                    seen.connections.fetch_add(1, Ordering::SeqCst);
                    match tls {
                        None => serve(stream, manner, &seen).await,
                        Some(tls) => {
                            match tls.accept(stream).into_fallible().await {
                                Ok(stream) => serve(stream, manner, &seen).await,
                                // Until the other side has read why: closing now could overtake the alert.
                                Err((_, mut stream)) => while read_request(&mut stream).await.is_some() {},
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, scheme, _task: task }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://{}/hook?a=b#part", self.scheme, self.address)
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }
}

/// Serves one connection until either side ends it; errors are the other side's way of ending.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, manner: Manner, seen: &Seen) {
    let mut served = 0;
    if let Manner::Greet(text) = manner {
        let _ = stream.write_all(text.as_bytes()).await;
    }
    while let Some(request) = read_request(&mut stream).await {
        seen.requests.lock().unwrap().push(request);
        served += 1;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 536870912\r\n\r\n";
        let sent = match manner {
            Manner::Answer(answer) => stream.write_all(answer.as_bytes()).await,
            Manner::CloseOnSecond if served == 1 => stream.write_all(OK.as_bytes()).await,
            Manner::CloseOnSecond | Manner::Close | Manner::Greet(_) => return,
            Manner::Hang => std::future::pending().await,
            Manner::Drip => {
                let _ = stream.write_all(head.as_bytes()).await;
                pour(&mut stream, b"x", Some(Duration::from_millis(10)), seen).await;
                return;
            }
            Manner::Huge => {
                let _ = stream.write_all(head.as_bytes()).await;
                pour(&mut stream, &[b'x'; 65_536], None, seen).await;
                return;
            }
            Manner::HugeChunked => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await;
                let chunk = [b"10000\r\n".as_slice(), &[b'x'; 65_536], b"\r\n"].concat();
                pour(&mut stream, &chunk, None, seen).await;
                return;
            }
            Manner::EndlessHead => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
                pour(&mut stream, b"x-more: and more and more and more and more\r\n", None, seen).await;
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Writes up to 512 MiB, until the other side has had enough.
async fn pour(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8], every: Option<Duration>, seen: &Seen) {
    let mut pace = every.map(tokio::time::interval);
    while seen.written.load(Ordering::SeqCst) < 512 << 20 {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        if stream.write_all(bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        seen.written.fetch_add(bytes.len(), Ordering::SeqCst);
    }
}

/// One request, head and body, as text.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(String::from_utf8_lossy(&bytes).into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// A port that refuses connections for as long as the socket is held: bound, but nobody listens. A port
/// that was merely given up could be given to the endpoint of another test.
pub(crate) fn refusing_port() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Lets deliveries go to this machine, as an operator would.
pub(crate) fn local_guard() -> Guard {
    Guard::new(vec!["127.0.0.0/8".parse().unwrap()])
}

pub(crate) fn sender() -> HttpSender {
    HttpSender::new(&HttpSettings::default(), local_guard(), Arc::new(SystemResolver::default())).unwrap()
}

pub(crate) fn request(url: &str) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("x-space-timestamp", "1700000000123".parse().unwrap());
    Request {
        method: http::Method::POST,
        url: url.to_owned(),
        ssl_verification: SslVerification::Verify,
        identity: None,
        headers,
        body: "{\"className\":\"X\"}".into(),
        limits: Limits::within(Duration::from_secs(20)),
    }
}

/// Sends with a limit short enough to wait for.
pub(crate) async fn send_briefly(sender: &HttpSender, url: &str) -> Outcome {
    let limits = Limits::within(Duration::from_millis(300));
    sender.send(Request { limits, ..request(url) }).await
}

/// The class and the words of a failure.
pub(crate) fn failure(outcome: Outcome) -> (spaceport_delivery::ErrorKind, String) {
    match outcome {
        Outcome::Failed { kind, message } => (kind, message),
        Outcome::Answered(answer) => panic!("answered: {answer:?}"),
    }
}

pub(crate) fn answer(outcome: Outcome) -> spaceport_delivery::Answer {
    match outcome {
        Outcome::Answered(answer) => answer,
        Outcome::Failed { kind, message } => panic!("{kind:?}: {message}"),
    }
}
