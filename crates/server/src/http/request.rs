//! One request as operations see it: who calls, the path variables, the query, the body.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use spaceport_platform::access::Caller;

use crate::http::error::ApiError;
use crate::people::session::Session;
use crate::services::Services;

/// Largest body that is let pass unread when its caller is refused, in bytes. Behind larger ones the connection ends.
const DISCARDED: usize = 4 * 1024 * 1024;

/// A request whose caller is known.
pub struct Request {
    /// What the server runs on.
    pub services: Services,
    /// Name of the operation.
    pub operation: &'static str,
    /// Id of the request, as the log and the answer's header show it.
    pub id: Arc<str>,
    /// Who calls.
    pub caller: Arc<Caller>,
    /// Path variables, decoded once.
    pub path: Vec<(String, String)>,
    /// Raw query text, without `?`.
    pub query: String,
    /// Header fields.
    pub headers: HeaderMap,
    /// The whole body; empty until the caller was admitted, so that strangers cannot make us buffer.
    pub body: Bytes,
    /// The browser session, on pages.
    pub session: Option<Arc<Session>>,
    /// Where the connection comes from, if known.
    pub peer: Option<IpAddr>,
    pub(crate) incoming: Incoming,
}

/// A body on its way. Behind a lock only because requests are shared between threads and bodies are not.
pub(crate) struct Incoming {
    body: Mutex<Body>,
    limit: usize,
    time: Duration,
}

impl Incoming {
    /// A body of which at most `limit` bytes are read, and which may take `time` to arrive.
    pub(crate) fn new(body: Body, limit: usize, time: Duration) -> Self {
        Self { body: Mutex::new(body), limit, time }
    }

    async fn read(self) -> Result<Bytes, ApiError> {
        let body = self.body.into_inner().unwrap_or_else(PoisonError::into_inner);
        match tokio::time::timeout(self.time, Limited::new(body, self.limit).collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
                Err(ApiError::too_large(self.limit))
            }
            Ok(Err(_)) => Err(ApiError::request("The request body broke off")),
            Err(_) => Err(ApiError::too_slow()),
        }
    }

    /// Lets a body pass without keeping it, so that a client that sends before it listens gets its answer.
    pub(crate) async fn discard(self) {
        let body = self.body.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut body = Limited::new(body, DISCARDED);
        let passing = async { while let Some(Ok(_)) = body.frame().await {} };
        // Whether all of it came makes no difference to the refusal.
        let _ = tokio::time::timeout(self.time, passing).await;
    }
}

impl Request {
    /// The same, its body read.
    ///
    /// # Errors
    /// When the body is too large, breaks off or takes too long.
    pub(crate) async fn read(mut self) -> Result<Self, ApiError> {
        let incoming = std::mem::replace(&mut self.incoming, Incoming::new(Body::empty(), 0, Duration::ZERO));
        self.body = incoming.read().await?;
        Ok(self)
    }

    /// Ends a request that is refused before its body was read.
    pub(crate) async fn discard(self) {
        self.incoming.discard().await;
    }

    /// The path variable `name`.
    ///
    /// # Errors
    /// Fails when the route has no such variable, which is a fault of ours.
    pub fn variable(&self, name: &str) -> Result<&str, ApiError> {
        self.path
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| ApiError::internal(format!("the route has no variable {name}")))
    }
}

/// The `Authorization` header.
///
/// # Errors
/// A sentence for the caller when there are several: which one counts would be anybody's guess (security T4).
pub fn single_authorization(headers: &HeaderMap) -> Result<Option<&[u8]>, &'static str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err("The Authorization header must occur once");
    }
    Ok(first.map(HeaderValue::as_bytes))
}
