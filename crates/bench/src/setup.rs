//! A fresh server with its applications and webhooks.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::Signature;
use crate::client::Connection;

/// A running server and what is needed to publish to it.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) host: String,
    pub(crate) authorization: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts `executable` with its data in `folder` and registers an application for each endpoint.
pub(crate) async fn start(
    executable: &Path,
    folder: &Path,
    endpoints: &[String],
    signature: Signature,
) -> anyhow::Result<Server> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let host = format!("127.0.0.1:{port}");
    let made = Command::new(executable)
        .args(["init", "--json", "--listen", &host, "--data"])
        .arg(folder)
        .output()
        .with_context(|| format!("running {}; build it with cargo build --release", executable.display()))?;
    let made: Value = serde_json::from_slice(&made.stdout).context("spaceport init printed no JSON")?;
    let process = Command::new(executable)
        .args(["serve", "--json", "--listen", &host, "--allow-network", "127.0.0.0/8", "--data"])
        .arg(folder)
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()?;
    let mut server = Server { process, host: host.clone(), authorization: String::new() };
    let mut connection = ready(&host).await?;
    let admin = format!("Bearer {}", text(&made, "adminToken")?);
    for endpoint in endpoints {
        let auth = match signature {
            Signature::Hmac => "EndpointAuthCreate.SigningKey",
            Signature::Rsa => "EndpointAuthCreate.PublicKeySignature",
        };
        let application = json!({ "name": "bench", "endpointUri": endpoint, "appLevelAuth": { "className": auth } });
        let made = call(&mut connection, "/api/http/applications", &admin, &application).await?;
        let application = format!("/api/http/applications/id:{}", text(&made, "id")?);
        let rights = json!({ "contextIdentifier": "global", "updates": [{ "rightCode": "Project.Issues.View", "status": "GRANTED" }] });
        let path = format!("{application}/authorizations/authorized-rights");
        connection.send("PATCH", &path, &[("authorization", admin.as_str())], Bytes::from(rights.to_string())).await?;
        let path = format!("{application}/webhooks");
        let webhook = json!({ "name": "bench", "subscriptions": [{ "name": "all", "subscription": {
            "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["Issue.Created"] } }] });
        call(&mut connection, &path, &admin, &webhook).await?;
    }
    let credentials = format!("{}:{}", text(&made, "hostClientId")?, text(&made, "hostClientSecret")?);
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials));
    let headers = [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let token =
        connection.send("POST", "/oauth/token", &headers, Bytes::from_static(b"grant_type=client_credentials")).await?;
    server.authorization = format!("Bearer {}", text(&serde_json::from_slice(&token)?, "access_token")?);
    Ok(server)
}

async fn call(connection: &mut Connection, path: &str, authorization: &str, body: &Value) -> anyhow::Result<Value> {
    let answer =
        connection.send("POST", path, &[("authorization", authorization)], Bytes::from(body.to_string())).await?;
    Ok(serde_json::from_slice(&answer)?)
}

async fn ready(host: &str) -> anyhow::Result<Connection> {
    for _ in 0..200 {
        if let Ok(mut connection) = Connection::open(host).await
            && connection.send("GET", "/health/ready", &[], Bytes::new()).await.is_ok()
        {
            return Ok(connection);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    bail!("the server did not become ready on {host}")
}

fn text(value: &Value, key: &str) -> anyhow::Result<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {key} in {value}"))
}
