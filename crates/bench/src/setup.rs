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
    /// The host's access token, as a header has it.
    pub(crate) authorization: String,
    /// The host's credentials, as a header has them.
    pub(crate) basic: String,
    /// An administrator's token, as a header has it.
    admin: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts `executable` with its data in `folder` and these settings.
pub(crate) async fn start(executable: &Path, folder: &Path, settings: &str) -> anyhow::Result<Server> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let host = format!("127.0.0.1:{port}");
    let file = folder.with_extension("toml");
    std::fs::write(&file, settings)?;
    let command = |name: &str| {
        let mut command = Command::new(executable);
        command.args([name, "--json", "--listen", &host, "--data"]).arg(folder).arg("--config").arg(&file);
        command
    };
    let made = command("init")
        .output()
        .with_context(|| format!("running {}; build it with cargo build --release", executable.display()))?;
    let made: Value = serde_json::from_slice(&made.stdout).context("spaceport init printed no JSON")?;
    let process = command("serve")
        .args(["--allow-network", "127.0.0.0/8"])
        .env("RUST_LOG", "warn")
        .stdout(Stdio::null())
        .spawn()?;
    let credentials = format!("{}:{}", text(&made, "hostClientId")?, text(&made, "hostClientSecret")?);
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials));
    let admin = format!("Bearer {}", text(&made, "adminToken")?);
    let mut server = Server { process, host, authorization: String::new(), basic, admin };
    let mut connection = ready(&server.host).await?;
    let headers = [("authorization", server.basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let token =
        connection.send("POST", "/oauth/token", &headers, Bytes::from_static(b"grant_type=client_credentials")).await?;
    server.authorization = format!("Bearer {}", text(&serde_json::from_slice(&token)?, "access_token")?);
    Ok(server)
}

/// Registers an application with a webhook for each endpoint.
pub(crate) async fn register(server: &Server, endpoints: &[String], signature: Signature) -> anyhow::Result<()> {
    let mut registry = Registry::open(server).await?;
    let subscription = json!({ "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["Issue.Created"] });
    for endpoint in endpoints {
        let application = registry.application(endpoint, signature, "Project.Issues.View").await?;
        registry.webhook(&application, &subscription).await?;
    }
    Ok(())
}

/// Registers applications and webhooks, as an administrator.
pub(crate) struct Registry<'a> {
    admin: &'a str,
    connection: Connection,
}

impl<'a> Registry<'a> {
    pub(crate) async fn open(server: &'a Server) -> anyhow::Result<Self> {
        Ok(Self { admin: &server.admin, connection: Connection::open(&server.host).await? })
    }

    /// An application that holds a right everywhere; answers its path.
    pub(crate) async fn application(
        &mut self,
        endpoint: &str,
        signature: Signature,
        right: &str,
    ) -> anyhow::Result<String> {
        let auth = match signature {
            Signature::Hmac => "EndpointAuthCreate.SigningKey",
            Signature::Rsa => "EndpointAuthCreate.PublicKeySignature",
        };
        let application = json!({ "name": "bench", "endpointUri": endpoint, "appLevelAuth": { "className": auth } });
        let made = call(&mut self.connection, "/api/http/applications", self.admin, &application).await?;
        let application = format!("/api/http/applications/id:{}", text(&made, "id")?);
        let rights = json!({ "contextIdentifier": "global", "updates": [{ "rightCode": right, "status": "GRANTED" }] });
        let path = format!("{application}/authorizations/authorized-rights");
        let headers = [("authorization", self.admin)];
        self.connection.send("PATCH", &path, &headers, Bytes::from(rights.to_string())).await?;
        Ok(application)
    }

    /// A webhook with one subscription.
    pub(crate) async fn webhook(&mut self, application: &str, subscription: &Value) -> anyhow::Result<()> {
        let webhook = json!({ "name": "bench", "subscriptions": [{ "name": "all", "subscription": subscription }] });
        call(&mut self.connection, &format!("{application}/webhooks"), self.admin, &webhook).await?;
        Ok(())
    }
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
