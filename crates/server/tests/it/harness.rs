//! A running server with its callers.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_delivery::sign::generate_rsa_2048;
use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::Context;
use spaceport_platform::delegation::{ClientKind, Delegation};
use spaceport_platform::id::{ApplicationId, Id, ProfileId, TokenId};
use spaceport_platform::profile::Profile;
use spaceport_platform::right::Right;
use spaceport_platform::scope::Scope;
use spaceport_platform::time::Timestamp;
use spaceport_server::config::{Settings, Source};
use spaceport_server::http::caller::token_hash;
use spaceport_server::oauth::delegated;
use spaceport_server::run::{Running, Surroundings, run};
use spaceport_store::{NewToken, StoreError};
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::Client;
use spaceport_testkit::postgres::{TestDatabase, database};
use tempfile::TempDir;

/// Making a key pair takes long; one serves all tests.
pub(crate) static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| generate_rsa_2048().unwrap().to_vec());

/// Which engine a test runs on.
#[derive(Clone, Copy)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

/// Both, for tests that go through them.
pub(crate) const BOTH: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

/// A running server.
pub(crate) struct Server {
    pub(crate) running: Running,
    pub(crate) client: Client,
    pub(crate) admin: String,
    pub(crate) folder: TempDir,
    pub(crate) database: Option<TestDatabase>,
}

/// An application that was made by [`Server::application`].
pub(crate) struct Made {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

/// Settings of a server on a fresh database, with fast resends.
pub(crate) fn settings(folder: &TempDir, database: Option<&TestDatabase>) -> Settings {
    Settings::merge(vec![Source {
        data: Some(folder.path().join("data")),
        listen: Some("127.0.0.1:0".to_owned()),
        database_url: database.map(|database| database.url.clone()),
        allow_network: Some(vec!["127.0.0.0/8".to_owned()]),
        retry_schedule: Some(vec!["10ms".to_owned(), "20ms".to_owned(), "30ms".to_owned()]),
        ..Source::default()
    }])
    .unwrap()
}

pub(crate) fn surroundings() -> Surroundings {
    Surroundings { keys: Arc::new(|| Ok(KEY.clone())), ..Surroundings::default() }
}

impl Server {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::start_with(engine, surroundings(), |_| {}).await
    }

    /// A server whose clock stands still, with other settings.
    pub(crate) async fn start_at(engine: Engine, clock: &FrozenClock, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_with(engine, Surroundings { clock: Arc::new(clock.clone()), ..surroundings() }, change).await
    }

    /// A server with other settings.
    pub(crate) async fn start_changed(engine: Engine, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_with(engine, surroundings(), change).await
    }

    /// A server in other surroundings, with other settings.
    pub(crate) async fn start_with(
        engine: Engine,
        surroundings: Surroundings,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let database = matches!(engine, Engine::Postgres).then(database);
        let folder = TempDir::new().unwrap();
        let mut settings = settings(&folder, database.as_ref());
        change(&mut settings);
        let running = run(&settings, surroundings).await.unwrap();
        let client = Client::new(format!("http://{}", running.address));
        let admin = running.first.as_ref().unwrap().admin_token.clone();
        Self { running, client, admin, folder, database }
    }

    /// The server after an orderly stop and a new start on the same database.
    pub(crate) async fn restarted(self) -> Self {
        self.restarted_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn restarted_with(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.running.stop().await;
        let mut settings = settings(&self.folder, self.database.as_ref());
        change(&mut settings);
        let running = run(&settings, surroundings()).await.unwrap();
        let client = Client::new(format!("http://{}", running.address));
        Self { running, client, ..self }
    }

    /// Registers an application by the administrator and signs it in.
    pub(crate) async fn application(&self, body: Value) -> Made {
        let made =
            self.client.post("/api/http/applications").bearer(&self.admin).json(&body).send().await.expect(200).json();
        let id = made["id"].as_str().unwrap().to_owned();
        let path = format!("/api/http/applications/id:{id}/client-secret");
        let secret = self.client.get(&path).bearer(&self.admin).send().await.expect(200).json();
        let (client_id, secret) = (made["clientId"].as_str().unwrap().to_owned(), secret.as_str().unwrap().to_owned());
        let token = self.token(&client_id, &secret).await;
        Made { id, client_id, secret, token }
    }

    pub(crate) async fn token(&self, client_id: &str, secret: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", "**")];
        let answer =
            self.client.post("/oauth/token").basic(client_id, secret).form(&form).send().await.expect(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    /// A new person who holds these rights everywhere and nothing else; answers a token of his.
    pub(crate) async fn person(&self, username: &str, rights: &[&str]) -> String {
        let token = format!("token-of-{username}");
        let rights: Vec<Right> = rights.iter().copied().map(Right::from_code).collect();
        let profile = Profile::new(ProfileId::new(format!("profile-{username}")), username, Timestamp::from_millis(0));
        let stored = NewToken {
            hash: token_hash(&token),
            id: TokenId::new(format!("token-{username}")),
            name: "test".to_owned(),
            scope: "**".to_owned(),
            created_at: Timestamp::from_millis(0),
            expires_at: None,
        };
        let made = self.running.store().write(move |tx| {
            let principal = Principal::User(profile.id.clone());
            tx.insert_profile(&profile)?;
            for right in &rights {
                let grant = Grant { right: right.clone(), context: Context::Global };
                tx.grant(&principal, &grant, Timestamp::from_millis(0))?;
            }
            tx.insert_token(&stored, &principal)
        });
        made.await.map_err(|error: StoreError| error.to_string()).unwrap();
        token
    }

    /// An access token by which this application acts for a person of [`Self::person`], who consented to `scope`.
    pub(crate) async fn delegated(&self, to: &Made, username: &str, scope: &str) -> String {
        let (services, now) = (self.running.services(), self.running.services().clock.now());
        let (id, parsed) = (ApplicationId::new(to.id.as_str()), Scope::parse(scope).unwrap());
        let delegation = Delegation {
            id: Id::generate(now, services.random.as_ref()),
            application: id.clone(),
            profile: ProfileId::new(format!("profile-{username}")),
            scope: parsed.clone(),
            client: ClientKind::Confidential,
            created_at: now,
            expires_at: now.plus(Duration::from_secs(3600)),
            revoked_at: None,
        };
        let stored = delegation.clone();
        let application = services.store.write(move |tx| {
            tx.insert_delegation(&stored)?;
            tx.application(&id)
        });
        let application = application.await.map_err(|error: StoreError| error.to_string()).unwrap().unwrap();
        let client = (to.client_id.as_str(), application.tokens_not_before);
        delegated::issue(services, client, &delegation, parsed, None, now).await.unwrap().access_token
    }

    pub(crate) async fn host(&self) -> String {
        let first = self.running.first.as_ref().unwrap();
        self.token(&first.host_client_id, &first.host_client_secret).await
    }

    /// Creates a webhook that hears of created issues, as the application, which may see issues from then on.
    pub(crate) async fn webhook(&self, token: &str, extra: Value) -> String {
        let mut body = json!({ "name": "hook", "subscriptions": [issues()] });
        for (key, value) in extra.as_object().cloned().unwrap_or_default() {
            body[key] = value;
        }
        let me = self.client.get("/api/http/applications/me").bearer(token).send().await.expect(200).json();
        self.grant(me["id"].as_str().unwrap(), "global", &["Project.Issues.View"]).await;
        let made =
            self.client.post("/api/http/applications/me/webhooks").bearer(token).json(&body).send().await.expect(200);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// Grants rights to an application, as the administrator.
    pub(crate) async fn grant(&self, application: &str, context: &str, codes: &[&str]) {
        self.set_rights(application, context, codes, "GRANTED").await;
    }

    /// Sets the status of rights of an application, as the administrator.
    pub(crate) async fn set_rights(&self, application: &str, context: &str, codes: &[&str], status: &str) {
        let updates: Vec<_> = codes.iter().map(|code| json!({ "rightCode": code, "status": status })).collect();
        let body = json!({ "contextIdentifier": context, "updates": updates });
        let path = format!("/api/http/applications/id:{application}/authorizations/authorized-rights");
        self.client.patch(&path).bearer(&self.admin).json(&body).send().await.expect(200);
    }

    pub(crate) async fn publish(&self, events: Value) -> Value {
        let host = self.host().await;
        let body = json!({ "events": events });
        self.client.post("/api/host/v1/events").bearer(&host).json(&body).send().await.expect(202).json()
    }

    /// The last delivery status of an application's only webhook, once `done` accepts it.
    pub(crate) async fn status(&self, token: &str, done: impl Fn(&Value) -> bool) -> Value {
        // The outcome is stored a moment after the endpoint has answered, and nothing announces it.
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        for _ in 0..2_000 {
            ticks.tick().await;
            let list =
                self.client.get("/api/http/applications/me/webhooks").bearer(token).send().await.expect(200).json();
            let status = list["data"][0]["status"].clone();
            if done(&status) {
                return status;
            }
        }
        panic!("the status never came");
    }
}

/// A subscription to created issues.
pub(crate) fn issues() -> Value {
    json!({ "name": "issues", "subscription": { "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["Issue.Created"] } })
}

/// An event about a created issue.
pub(crate) fn issue(id: &str) -> Value {
    json!({ "id": id, "subject": "Issue", "type": "Issue.Created", "payload": { "className": "IssueWebhookEvent", "n": id } })
}
