//! A receiving application on 127.0.0.1: records every request and answers as its script says.
//!
//! It runs on a thread of its own, so neither a stopped test clock nor a blocked test thread holds it up.

mod behaviour;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::http::{HeaderMap, Request, Response};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use behaviour::Closed;
use behaviour::ScriptedBody;
pub use behaviour::{Behaviour, Gate};

use crate::background::Background;

/// After this, [`Receiver::wait_for`] gives up and says what did arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its place among all requests of this receiver, from 0.
    pub order: usize,
    /// When its last byte was read.
    pub at: Instant,
    /// `POST` and the like.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// What follows `?`, if anything does.
    pub query: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Received {
    /// A header's text; empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the request is UTF-8")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the request is JSON")
    }

    /// A request that never was on a wire, for tests of checks.
    #[cfg(test)]
    pub(crate) fn of(body: &str, headers: &[(&str, &str)]) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: ::http::HeaderName = name.parse().expect("a header name");
            map.append(name, value.parse().expect("a header value"));
        }
        let body = Bytes::copy_from_slice(body.as_bytes());
        let (method, path) = ("POST".to_owned(), "/".to_owned());
        Self { order: 0, at: Instant::now(), method, path, query: None, headers: map, body }
    }
}

/// The running application. It stops, and closes all its connections, when dropped.
#[derive(Debug)]
pub struct Receiver {
    state: Arc<State>,
    background: Background,
}

/// What the serving thread and the test share.
#[derive(Debug, Default)]
struct State {
    log: Mutex<Log>,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Log {
    received: Vec<Received>,
    scripts: HashMap<String, Script>,
    connections: usize,
    in_flight: usize,
    most_in_flight: usize,
    huge_bytes_taken: u64,
}

#[derive(Debug)]
struct Script {
    behaviour: Behaviour,
    served: usize,
}

impl Receiver {
    /// Starts on a free port; every path answers 200 with an empty body until told otherwise.
    pub fn start() -> Self {
        let state = Arc::new(State::default());
        let served = Arc::clone(&state);
        let background = Background::start(|listener| accept(listener, served));
        Self { state, background }
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.background.address
    }

    /// The URL of a path, which starts with `/`.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.background.address)
    }

    /// From now on, `path` answers like this. Requests already being answered are not touched.
    pub fn behave(&self, path: &str, behaviour: Behaviour) {
        self.state.log().scripts.insert(path.to_owned(), Script { behaviour, served: 0 });
    }

    /// Every request so far, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.state.log().received.clone()
    }

    /// The requests for one path so far.
    pub fn received_at(&self, path: &str) -> Vec<Received> {
        self.received().into_iter().filter(|request| request.path == path).collect()
    }

    /// How many connections were opened to it so far.
    pub fn connections(&self) -> usize {
        self.state.log().connections
    }

    /// The most requests that were being answered at one moment.
    pub fn most_in_flight(&self) -> usize {
        self.state.log().most_in_flight
    }

    /// How many bytes of [`Behaviour::Huge`] bodies were written before their readers had enough.
    pub fn huge_bytes_taken(&self) -> u64 {
        self.state.log().huge_bytes_taken
    }

    /// Waits until at least `count` requests have arrived, and gives all of them.
    ///
    /// # Panics
    /// After 30 seconds; names what arrived. (Under a paused tokio clock these pass in no time.)
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        self.wait_until(&format!("{count} requests"), |received| received.len() >= count).await
    }

    /// Waits until at least `count` requests for `path` have arrived, and gives those.
    ///
    /// # Panics
    /// As [`Receiver::wait_for`].
    pub async fn wait_for_at(&self, path: &str, count: usize) -> Vec<Received> {
        let enough = |received: &[Received]| received.iter().filter(|request| request.path == path).count() >= count;
        self.wait_until(&format!("{count} requests for {path}"), enough).await;
        self.received_at(path)
    }

    async fn wait_until(&self, what: &str, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let mut count = self.state.count.subscribe();
        let arrived = count.wait_for(|_| enough(&self.state.log().received));
        let in_time = tokio::time::timeout(DEADLINE, arrived).await.is_ok();
        let received = self.received();
        if !in_time {
            let paths: Vec<_> = received.iter().map(|request| format!("{} {}", request.method, request.path)).collect();
            panic!("waited {DEADLINE:?} for {what}; these arrived: {paths:?}");
        }
        received
    }
}

impl State {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// What the next request for `path` gets.
    fn next_behaviour(&mut self, path: &str) -> Behaviour {
        let Some(script) = self.scripts.get_mut(path) else { return Behaviour::ok() };
        let behaviour = script.behaviour.nth(script.served);
        script.served += 1;
        behaviour
    }
}

/// Counts a request as being answered while it lives.
struct InFlight(Arc<State>);

impl InFlight {
    fn of(state: &Arc<State>) -> Self {
        let mut log = state.log();
        log.in_flight += 1;
        log.most_in_flight = log.most_in_flight.max(log.in_flight);
        drop(log);
        Self(Arc::clone(state))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut log = self.0.log();
        log.in_flight = log.in_flight.saturating_sub(1);
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // An error concerns the one connection that did not come about.
                let Ok((stream, _)) = accepted else { continue };
                state.log().connections += 1;
                connections.spawn(serve(stream, Arc::clone(&state)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
    // Errors here are clients that went away or scripts that close: both are what tests are about.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<ScriptedBody>, Closed> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let path = parts.uri.path().to_owned();
    let in_flight = InFlight::of(&state);
    let behaviour = {
        let mut log = state.log();
        let order = log.received.len();
        log.received.push(Received {
            order,
            at: Instant::now(),
            method: parts.method.to_string(),
            path: path.clone(),
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers,
            body,
        });
        log.next_behaviour(&path)
    };
    state.count.send_modify(|count| *count += 1);
    let taken = {
        let state = Arc::clone(&state);
        move |bytes: u64| state.log().huge_bytes_taken += bytes
    };
    behaviour.perform(in_flight, taken).await
}
