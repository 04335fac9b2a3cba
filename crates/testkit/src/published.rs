//! An application that behaves like the published ones: it verifies the body as JavaScript prints it, calls back many
//! times before it answers its installation, answers 204, and can change its mind, hang or die.
//!
//! It runs on a thread of its own and survives the server, so that a test can kill the server at any moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::http::{Request, Response, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::background::Background;
use crate::http::Client;
use crate::javascript::restringified;
use crate::receiver::{Closed, Gate, Received};
use crate::verify::public_key_signature;

/// Webhooks that it makes while its installation is pending, all at once.
pub const WEBHOOKS: usize = 13;
/// Calls that it makes in all before it answers its installation.
pub const CALLS: usize = WEBHOOKS + 6;
/// After this, waiting gives up and says what there is.
const DEADLINE: Duration = Duration::from_secs(60);

/// What it does with the next payload of a class.
#[derive(Clone, Debug)]
pub enum Reaction {
    /// Verifies it, does what it says, answers 204.
    Accept,
    /// Answers with this status, and does nothing.
    Refuse(u16),
    /// Never answers.
    Hang,
    /// Closes the connection.
    Die,
    /// Accepts, but not before the gate is opened.
    AcceptAfter(Gate),
    /// Accepts, but dies instead of answering.
    AcceptAndDie,
}

/// What the application knows.
#[derive(Clone, Default, Debug)]
pub struct Memory {
    /// From its installation.
    pub client_id: String,
    /// The newest that it was told.
    pub client_secret: String,
    /// The newest that it was told.
    pub server_url: String,
    /// From its installation.
    pub state: Option<String>,
    /// Who installed it.
    pub user_id: Option<String>,
    /// Whether it was told that it is removed.
    pub uninstalled: bool,
    /// Calls that it made while its installation was pending, and that were answered well.
    pub calls: usize,
    /// What it could not verify or do, in words.
    pub complaints: Vec<String>,
    /// Every payload: class, id of the delivery, and when it was made.
    pub payloads: Vec<Payload>,
}

/// A payload that came.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Its class.
    pub class: String,
    /// The same for every attempt of one delivery.
    pub delivery: String,
    /// `X-Space-Timestamp`.
    pub timestamp: String,
    /// Its headers and its body.
    pub received: Received,
}

/// The running application. It stops when dropped.
pub struct Published {
    state: Arc<State>,
    background: Background,
}

#[derive(Default)]
struct State {
    memory: Mutex<Memory>,
    reactions: Mutex<HashMap<String, Vec<Reaction>>>,
    /// Where the server really is, whatever URL it tells.
    server: Mutex<String>,
    changed: watch::Sender<usize>,
}

fn open<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Published {
    /// Starts on a free port, and accepts everything until told otherwise.
    pub fn start() -> Self {
        let state = Arc::new(State::default());
        let served = Arc::clone(&state);
        let background = Background::start(|listener| accept(listener, served));
        Self { state, background }
    }

    /// Its endpoint.
    pub fn endpoint(&self) -> String {
        format!("http://{}/api", self.background.address)
    }

    /// Where it reaches the server from now on, whatever URL payloads tell.
    pub fn reach(&self, server: &str) {
        server.clone_into(&mut open(&self.state.server));
    }

    /// How it reacts to the next payloads of a class, one after the other; afterwards it accepts.
    pub fn react(&self, class: &str, reactions: impl IntoIterator<Item = Reaction>) {
        open(&self.state.reactions).insert(class.to_owned(), reactions.into_iter().collect());
    }

    /// What it knows now.
    pub fn memory(&self) -> Memory {
        open(&self.state.memory).clone()
    }

    /// The payloads of a class so far.
    pub fn payloads(&self, class: &str) -> Vec<Payload> {
        self.memory().payloads.into_iter().filter(|payload| payload.class == class).collect()
    }

    /// Waits until `done` is true of what it knows.
    ///
    /// # Panics
    /// After a minute; says what it knows.
    pub async fn wait(&self, what: &str, done: impl Fn(&Memory) -> bool) -> Memory {
        let mut changed = self.state.changed.subscribe();
        let waited = changed.wait_for(|_| done(&open(&self.state.memory)));
        let in_time = tokio::time::timeout(DEADLINE, waited).await.is_ok();
        let memory = self.memory();
        if !in_time {
            let classes: Vec<_> = memory.payloads.iter().map(|payload| payload.class.as_str()).collect();
            panic!("waited {DEADLINE:?} for {what}; {classes:?} came, complaints: {:?}", memory.complaints);
        }
        memory
    }

    /// Waits until so many payloads of a class have come.
    ///
    /// # Panics
    /// As [`Published::wait`].
    pub async fn wait_for(&self, class: &str, count: usize) -> Vec<Payload> {
        let of_class = |memory: &Memory| memory.payloads.iter().filter(|payload| payload.class == class).count();
        self.wait(&format!("{count} of {class}"), |memory| of_class(memory) >= count).await;
        self.payloads(class)
    }

    /// An access token, with the newest secret that it knows.
    ///
    /// # Errors
    /// What the server said.
    pub async fn token(&self) -> Result<String, String> {
        let memory = self.memory();
        token(&self.state.client(), &memory.client_id, &memory.client_secret).await
    }
}

impl State {
    fn client(&self) -> Client {
        Client::new(open(&self.server).clone())
    }

    fn tell(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn next_reaction(&self, class: &str) -> Reaction {
        let mut reactions = open(&self.reactions);
        match reactions.get_mut(class) {
            Some(list) if !list.is_empty() => list.remove(0),
            _ => Reaction::Accept,
        }
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&state)));
                    // A server that was killed leaves its connections open-ended.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(request: Request<Incoming>, state: Arc<State>) -> Result<Response<Full<Bytes>>, Closed> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Closed)?.to_bytes();
    let received = Received {
        order: open(&state.memory).payloads.len(),
        at: Instant::now(),
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body,
    };
    let payload = received.json();
    let class = payload["className"].as_str().unwrap_or_default().to_owned();
    open(&state.memory).payloads.push(Payload {
        class: class.clone(),
        delivery: received.header("x-space-delivery-id").to_owned(),
        timestamp: received.header("x-space-timestamp").to_owned(),
        received: received.clone(),
    });
    state.tell();
    let status = |status: u16| {
        let mut response = Response::new(Full::new(Bytes::new()));
        *response.status_mut() = StatusCode::from_u16(status).expect("a test names a status");
        response
    };
    let reaction = state.next_reaction(&class);
    match &reaction {
        Reaction::Refuse(refused) => return Ok(status(*refused)),
        Reaction::Hang => std::future::pending().await,
        Reaction::Die => return Err(Closed),
        Reaction::AcceptAfter(gate) => gate.opened().await,
        Reaction::Accept | Reaction::AcceptAndDie => {}
    }
    let done = process(&state, &class, &payload, &received).await;
    let answered = match done {
        Ok(()) => status(204),
        Err(complaint) => {
            open(&state.memory).complaints.push(format!("{class}: {complaint}"));
            status(401)
        }
    };
    state.tell();
    if matches!(reaction, Reaction::AcceptAndDie) { Err(Closed) } else { Ok(answered) }
}

/// Does what a payload says, after it was verified with keys fetched by the credentials at hand.
async fn process(state: &State, class: &str, payload: &Value, received: &Received) -> Result<(), String> {
    let text = |key: &str| payload[key].as_str().unwrap_or_default().to_owned();
    let client = state.client();
    match class {
        "AppPublicationCheckPayload" => Ok(()),
        "InitPayload" => {
            let token = token(&client, &text("clientId"), &text("clientSecret")).await?;
            verify(&client, &token, received).await?;
            let calls = set_up(&client, &token).await?;
            let mut memory = open(&state.memory);
            memory.client_id = text("clientId");
            memory.client_secret = text("clientSecret");
            memory.server_url = text("serverUrl");
            memory.state = payload["state"].as_str().map(str::to_owned);
            memory.user_id = payload["userId"].as_str().map(str::to_owned);
            memory.uninstalled = false;
            // With those two that verifying took.
            memory.calls = calls + 2;
            Ok(())
        }
        _ => {
            let (client_id, secret) = {
                let memory = open(&state.memory);
                (memory.client_id.clone(), memory.client_secret.clone())
            };
            if text("clientId") != client_id {
                return Err(format!("no installation has the client id {}", text("clientId")));
            }
            let token = token(&client, &client_id, &secret).await?;
            verify(&client, &token, received).await?;
            let mut memory = open(&state.memory);
            match class {
                "ChangeClientSecretPayload" => memory.client_secret = text("newClientSecret"),
                "ChangeServerUrlPayload" => memory.server_url = text("newServerUrl"),
                "ApplicationUninstalledPayload" => memory.uninstalled = true,
                _ => {}
            }
            Ok(())
        }
    }
}

async fn token(client: &Client, client_id: &str, secret: &str) -> Result<String, String> {
    let form = [("grant_type", "client_credentials"), ("scope", "**")];
    let answer = client.post("/oauth/token").basic(client_id, secret).form(&form).try_send().await?;
    if answer.status != 200 {
        return Err(format!("no token: {}", answer.text()));
    }
    Ok(answer.json()["access_token"].as_str().unwrap_or_default().to_owned())
}

/// Verifies the body as JavaScript prints it.
async fn verify(client: &Client, token: &str, received: &Received) -> Result<(), String> {
    let keys = client.get("/api/http/applications/me/public-keys").bearer(token).try_send().await?;
    if keys.status != 200 {
        return Err(format!("no keys: {}", keys.text()));
    }
    let printed = restringified(received.text());
    let as_printed = Received { body: Bytes::from(printed), ..received.clone() };
    // The answer is a JSON string that holds JSON.
    public_key_signature(&as_printed, keys.json().as_str().unwrap_or_default())
}

/// What published applications do before they answer their installation.
async fn set_up(client: &Client, token: &str) -> Result<usize, String> {
    let me = client.get("/api/http/applications/me").bearer(token);
    let rights = client
        .patch("/api/http/applications/me/authorizations/authorized-rights/request-rights")
        .bearer(token)
        .json(&json!({ "contextIdentifier": "global", "rightCodes": ["Project.Issues.View", "Profile.View"] }));
    let healthy = client.post("/api/http/applications/report-application-as-healthy").bearer(token);
    let extensions = client.patch("/api/http/applications/ui-extensions").bearer(token).json(&json!({
        "contextIdentifier": "global", "extensions": [{ "className": "ChatBotUiExtensionIn" },
            { "className": "ApplicationHomepageUiExtensionIn", "iframeUrl": "/space-iframe" }] }));
    let mut calls = JoinSet::new();
    for call in [me, rights, healthy, extensions] {
        calls.spawn(call.try_send());
    }
    for number in 0..WEBHOOKS {
        let body = json!({ "name": format!("hook {number}"), "subscriptions": [{ "name": "issues", "subscription": {
            "subjectCode": "Issue", "filters": [], "eventTypeCodes": "Issue.Created" } }] });
        calls.spawn(client.post("/api/http/applications/me/webhooks").bearer(token).json(&body).try_send());
    }
    let mut done = 0;
    while let Some(answer) = calls.join_next().await {
        let answer = answer.map_err(|error| error.to_string())??;
        if answer.status != 200 {
            return Err(format!("a call was answered with {}: {}", answer.status, answer.text()));
        }
        done += 1;
    }
    Ok(done)
}
