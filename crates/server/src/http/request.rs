//! One request as operations see it: who calls, the path variables, the query, the body.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use spaceport_platform::access::Caller;

use crate::http::error::ApiError;
use crate::services::Services;

/// A request whose body has been read and whose caller is known.
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
    /// The whole body.
    pub body: Bytes,
    /// Where the connection comes from, if known.
    pub peer: Option<IpAddr>,
}

impl Request {
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
