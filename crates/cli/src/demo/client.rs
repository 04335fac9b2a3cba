//! The demo's HTTP client: sends a request and can show the `curl` line that does the same.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::say::Narration;
use crate::shell::quoted;

/// Calls one server.
pub(super) struct Client {
    base: String,
    http: Http<HttpConnector, Full<Bytes>>,
    narration: Narration,
}

/// A request that is being put together.
pub(super) struct Call<'a> {
    client: &'a Client,
    method: &'static str,
    path: String,
    authorization: Option<String>,
    content: Option<(&'static str, String)>,
    curl: Option<String>,
}

impl Client {
    pub(super) fn new(base: &str, narration: Narration) -> Self {
        Self { base: base.to_owned(), http: Http::builder(TokioExecutor::new()).build_http(), narration }
    }

    pub(super) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(super) fn post(&self, path: &str, body: Value) -> Call<'_> {
        Call { content: Some(("application/json", body.to_string())), ..self.call("POST", path) }
    }

    pub(super) fn patch(&self, path: &str, body: &Value) -> Call<'_> {
        Call { content: Some(("application/json", body.to_string())), ..self.call("PATCH", path) }
    }

    /// A client-credentials request.
    pub(super) fn token(&self, client_id: &str, secret: &str) -> Call<'_> {
        use base64::Engine as _;
        let credentials = base64::engine::general_purpose::STANDARD.encode(format!("{client_id}:{secret}"));
        Call {
            authorization: Some(format!("Basic {credentials}")),
            content: Some(("application/x-www-form-urlencoded", "grant_type=client_credentials&scope=**".to_owned())),
            curl: Some(format!(
                "curl -u '{client_id}:{secret}' -d 'grant_type=client_credentials&scope=**' {}/oauth/token",
                self.base
            )),
            ..self.call("POST", "/oauth/token")
        }
    }

    fn call(&self, method: &'static str, path: &str) -> Call<'_> {
        Call { client: self, method, path: path.to_owned(), authorization: None, content: None, curl: None }
    }

    /// Reads the webhook's last delivery status until it is a success; the outcome is stored a moment
    /// after the receiver answered.
    pub(super) async fn delivered(&self, webhook: &str, token: &str) -> Result<Value, String> {
        let path = "/api/http/applications/me/webhooks";
        let mut call = Some(self.get(path).bearer(token).show());
        let mut pause = tokio::time::interval(std::time::Duration::from_millis(50));
        for _ in 0..100 {
            pause.tick().await;
            let list = call.take().unwrap_or_else(|| self.get(path).bearer(token)).json().await?;
            let entries = list.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
            let entry =
                entries.iter().find(|entry| entry.pointer("/webhook/id").and_then(Value::as_str) == Some(webhook));
            let status = entry.and_then(|entry| entry.get("status")).cloned().unwrap_or_default();
            if status.get("className").and_then(Value::as_str) == Some("WebhookDeliveryStatusDTO.Successful") {
                return Ok(status);
            }
        }
        Err("the last delivery status did not become a success".to_owned())
    }
}

impl Call<'_> {
    pub(super) fn bearer(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// Prints the `curl` line that does the same.
    pub(super) fn show(self) -> Self {
        let line = self.curl.clone().unwrap_or_else(|| {
            let authorization =
                self.authorization.as_ref().map(|value| format!(" -H 'Authorization: {value}'")).unwrap_or_default();
            let body = self.content.as_ref().map(|(_, body)| format!(" -d {}", quoted(body))).unwrap_or_default();
            format!("curl -X {}{authorization}{body} {}{}", self.method, self.client.base, self.path)
        });
        self.client.narration.tell(&format!("   {line}"));
        self
    }

    /// Sends it and reads the JSON answer; null when there is none.
    pub(super) async fn json(self) -> Result<Value, String> {
        let (method, path) = (self.method, self.path);
        let failed = |why: String| format!("{method} {path} failed: {why}");
        let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.client.base));
        if let Some(authorization) = self.authorization {
            request = request.header("authorization", authorization);
        }
        let (kind, body) = self.content.unwrap_or(("application/json", String::new()));
        let request = request
            .header("content-type", kind)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| failed(error.to_string()))?;
        let response = self.client.http.request(request).await.map_err(|error| failed(error.to_string()))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        if !status.is_success() {
            return Err(failed(format!("{status} {}", String::from_utf8_lossy(&body))));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(|error| failed(error.to_string()))
    }
}
