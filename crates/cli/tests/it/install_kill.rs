//! A server that is killed at every step of an application's life goes on where it was.

use serde_json::{Value, json};
use spaceport_testkit::http::Client;
use spaceport_testkit::postgres::database;
use spaceport_testkit::published::{Published, Reaction};
use spaceport_testkit::receiver::Gate;
use tempfile::TempDir;

use crate::process::{Process, init_with};

const ONE: &str = "http://one.test";
const TWO: &str = "http://two.test";

/// A server that is killed again and again, and an application that outlives it.
struct Life<'a> {
    folder: TempDir,
    flags: &'a [&'a str],
    /// What happens between a kill and the next start.
    time_passes: &'a dyn Fn(),
    admin: String,
    published: Published,
    process: Option<Process>,
    /// Where the server is, every time: the application calls back as soon as it is sent something, which may be before
    /// this test could tell it of another port.
    listen: Option<String>,
    id: String,
}

impl Life<'_> {
    fn serve(&mut self, public_url: &str) -> Client {
        (self.time_passes)();
        let data = self.folder.path().join("data");
        let process = Process::serve_at(&data, self.listen.as_deref(), public_url, self.flags);
        self.published.reach(&process.url);
        self.listen = process.url.strip_prefix("http://").map(str::to_owned);
        let client = Client::new(process.url.clone());
        self.process = Some(process);
        client
    }

    fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    async fn application(&self, client: &Client) -> Value {
        let path = format!("/api/http/applications/id:{}?$fields=*,metadata,archived", self.id);
        client.get(&path).bearer(&self.admin).send().await.expect(200).json()
    }

    /// Waits until the application is as `done` wants it.
    async fn until(&self, client: &Client, done: impl Fn(&Value) -> bool) -> Value {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
        let mut seen = Value::Null;
        for _ in 0..3_000 {
            ticks.tick().await;
            seen = self.application(client).await;
            if done(&seen) {
                return seen;
            }
        }
        panic!("it never came: {seen}");
    }

    /// Kills the server twice: while the application thinks about its answer, and just after it has accepted. `cause`
    /// makes the server send a payload of this class, `accepted` says that the application took it.
    async fn killed_during(
        &mut self,
        class: &str,
        public_url: &str,
        cause: impl AsyncFn(&Self, &Client),
        accepted: impl Fn(&spaceport_testkit::published::Memory) -> bool,
    ) -> Client {
        let gate = Gate::new();
        let before = self.published.payloads(class).len();
        self.published.react(class, [Reaction::AcceptAfter(gate.clone())]);
        let client = self.serve(public_url);
        cause(self, &client).await;
        self.published.wait_for(class, before + 1).await;
        self.kill();
        gate.open();
        self.serve(public_url);
        self.published.wait("its acceptance", accepted).await;
        self.kill();
        self.serve(public_url)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_every_step_leaves_no_application_behind() {
    survives(&[], &|| ()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_leave_no_application_behind_on_postgres_either() {
    let database = database();
    // Other nodes may live on, so a start does not end leases there; time does, and this is its place.
    let time_passes = || database.execute("UPDATE dispatch SET due_at = 0 WHERE state = 'sending'");
    survives(&["--database-url", &database.url], &time_passes).await;
}

async fn survives(flags: &[&str], time_passes: &dyn Fn()) {
    let folder = TempDir::new().unwrap();
    let made = init_with(&folder.path().join("data"), flags);
    let admin = made["adminToken"].as_str().unwrap().to_owned();
    let (published, id) = (Published::start(), String::new());
    let mut life = Life { folder, flags, time_passes, admin, published, process: None, listen: None, id };

    // The id is known only after the call that makes the application, which cannot be repeated.
    let gate = Gate::new();
    life.published.react("InitPayload", [Reaction::AcceptAfter(gate.clone())]);
    let client = life.serve(ONE);
    let body = json!({ "name": "App", "endpointUri": life.published.endpoint(), "connectToSpace": true, "state": "s" });
    let created = client.post("/api/http/applications").bearer(&life.admin).json(&body).send().await.expect(200).json();
    created["id"].as_str().unwrap().clone_into(&mut life.id);
    life.published.wait_for("InitPayload", 1).await;
    life.kill();
    gate.open();
    life.serve(ONE);
    life.published.wait("its installation", |memory| memory.calls > 0).await;
    life.kill();
    let client = life.serve(ONE);
    let connected = |seen: &Value| seen["metadata"]["connectionStatus"] == "CONNECTED";
    life.until(&client, connected).await;
    assert_eq!(life.published.memory().state.as_deref(), Some("s"));
    let first = life.published.payloads("InitPayload");
    assert!(first.iter().all(|payload| payload.delivery == first[0].delivery), "one delivery, however often it came");
    life.kill();

    let old = life.published.memory().client_secret;
    let regenerate = async |life: &Life<'_>, client: &Client| {
        let path = format!("/api/http/applications/id:{}/client-secret/regenerate", life.id);
        client.post(&path).bearer(&life.admin).send().await.expect(200);
    };
    let changed = old.clone();
    let class = "ChangeClientSecretPayload";
    let client = life.killed_during(class, ONE, regenerate, move |memory| memory.client_secret != changed).await;
    life.published.token().await.unwrap();
    let form = [("grant_type", "client_credentials")];
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let memory = life.published.memory();
        let call = client.post("/oauth/token").basic(&memory.client_id, &old).form(&form);
        if call.send().await.status == 401 {
            break;
        }
    }
    life.kill();

    let moved = async |_: &Life<'_>, _: &Client| {};
    let class = "ChangeServerUrlPayload";
    let client = life.killed_during(class, TWO, moved, |memory| memory.server_url == TWO).await;
    let told = life.until(&client, connected).await;
    assert_eq!(told["metadata"]["lastSentServerUrl"], TWO);
    life.kill();

    let delete = async |life: &Life<'_>, client: &Client| {
        client.delete(&format!("/api/http/applications/id:{}", life.id)).bearer(&life.admin).send().await.expect(200);
    };
    let class = "ApplicationUninstalledPayload";
    let client = life.killed_during(class, TWO, delete, |memory| memory.uninstalled).await;
    let gone = life.until(&client, |seen| seen["archived"] == true).await;
    let ended = gone["metadata"]["uninstallationStatus"].as_str().unwrap();
    assert!(["UNINSTALLED", "FAILED"].contains(&ended), "{ended}");
    life.published.token().await.unwrap_err();
}
