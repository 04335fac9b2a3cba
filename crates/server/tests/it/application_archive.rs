//! What archiving an application ends, what it keeps, and what restoring brings back: one table.

use std::fmt::Write as _;

use serde_json::{Value, json};
use spaceport_platform::access::Principal;
use spaceport_platform::id::{ApplicationId, TokenId};
use spaceport_platform::parameter::ParameterOwner;
use spaceport_platform::time::Timestamp;
use spaceport_server::http::caller::token_hash;
use spaceport_store::{NewToken, StoreError};
use spaceport_testkit::receiver::{Behaviour, Gate, Receiver};

use crate::harness::{BOTH, Made, Server, issue};

/// The decision table.
const TABLE: &str = "\
what                                active     archived   restored
access token from before            works      dead       dead
permanent token from before         works      dead       dead
signing in with the client secret   works      refused    works
delivery that waits                 waits      dropped    dropped
new event                           delivered  nobody     delivered
settings                            change     refused    change
secrets                             renewed    refused    renewed
archiving                           -          refused    -
restoring                           refused    -          refused
reading it                          open       open       open
the list                            shows it   hides it   shows it
the list with archived ones         shows it   shows it   shows it
its client secret                   kept       kept       kept
its verification token              kept       kept       kept
its public key                      kept       kept       kept
its webhooks                        kept       kept       kept
its parameters                      kept       kept       kept
its error message                   kept       kept       kept
its UI extensions                   shown      hidden     shown
its UI extensions everywhere        shown      hidden     shown
";

#[tokio::test(flavor = "multi_thread")]
async fn archiving_and_restoring_follow_the_decision_table() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let gate = Gate::new();
        receiver.behave("/held", Behaviour::ok().held_by(&gate));
        let scene = Scene::begin(&server, &receiver).await;
        let path = scene.path("");
        let active = scene.column(Stage::Active).await;
        server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
        let archived = scene.column(Stage::Archived).await;
        server.client.post(&scene.path("/restore")).bearer(&server.admin).send().await.expect(200);
        let restored = scene.column(Stage::Restored).await;
        let mut table = format!("{:36}{:11}{:11}restored\n", "what", "active", "archived");
        for ((row, first), ((_, second), (_, third))) in active.iter().zip(archived.iter().zip(&restored)) {
            let _ = writeln!(table, "{row:36}{first:11}{second:11}{third}");
        }
        assert_eq!(table, TABLE, "{table}");
        gate.open();
        server.running.stop().await;
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Active,
    Archived,
    Restored,
}

/// An application with something of everything.
struct Scene<'a> {
    server: &'a Server,
    made: Made,
    permanent: String,
    verification_token: Value,
    public_keys: Value,
}

type Column = Vec<(&'static str, &'static str)>;

impl<'a> Scene<'a> {
    async fn begin(server: &'a Server, receiver: &Receiver) -> Self {
        let made = server.application(json!({ "name": "Tabled", "endpointUri": receiver.url("/held") })).await;
        server.webhook(&made.token, json!({})).await;
        let as_itself = |path: &str| server.client.patch(path).bearer(&made.token);
        let token = json!({ "hasVerificationToken": true });
        as_itself("/api/http/applications/me").json(&token).send().await.expect(200);
        as_itself("/api/http/applications/parameters/k").json(&json!({ "value": "v" })).send().await.expect(200);
        let message = server.client.post("/api/http/applications/error-message").bearer(&made.token);
        message.json(&json!({ "message": "No disk" })).send().await.expect(200);
        let page = json!({ "className": "ChatBotUiExtensionIn" });
        let extensions = json!({ "contextIdentifier": "global", "extensions": [page] });
        as_itself("/api/http/applications/ui-extensions").json(&extensions).send().await.expect(200);
        let permanent = "permanent-token-of-the-application".to_owned();
        let stored = NewToken {
            hash: token_hash(&permanent),
            id: TokenId::new("tabled"),
            name: "tabled".to_owned(),
            scope: "**".to_owned(),
            created_at: Timestamp::from_millis(0),
            expires_at: None,
        };
        let principal = Principal::Application(ApplicationId::new(made.id.as_str()));
        let written = server.running.store().write(move |tx| tx.insert_token(&stored, &principal)).await;
        written.map_err(|error: StoreError| error.to_string()).unwrap();
        let mut scene = Self { server, made, permanent, verification_token: Value::Null, public_keys: Value::Null };
        scene.verification_token = scene.read("/verification-token").await;
        scene.public_keys = scene.read("/public-keys").await;
        server.publish(json!([issue("waits")])).await;
        receiver.wait_for(1).await;
        scene
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/http/applications/id:{}{rest}", self.made.id)
    }

    /// As the administrator sees it.
    async fn read(&self, rest: &str) -> Value {
        self.server.client.get(&self.path(rest)).bearer(&self.server.admin).send().await.expect(200).json()
    }

    async fn alive(&self, token: &str) -> &'static str {
        let answer = self.server.client.get("/api/http/applications/me").bearer(token).send().await;
        if answer.status == 200 { "works" } else { "dead" }
    }

    async fn listed(&self, query: &str) -> &'static str {
        let path = format!("/api/http/applications/paged?name=Tabled&{query}");
        let page = self.server.client.get(&path).bearer(&self.server.admin).send().await.expect(200).json();
        if page["totalCount"] == 1 { "shows it" } else { "hides it" }
    }

    async fn signs_in(&self) -> &'static str {
        let form = [("grant_type", "client_credentials")];
        let call = self.server.client.post("/oauth/token").basic(&self.made.client_id, &self.made.secret).form(&form);
        if call.send().await.status == 200 { "works" } else { "refused" }
    }

    async fn waits(&self) -> &'static str {
        let id = ApplicationId::new(self.made.id.as_str());
        let far = Timestamp::from_millis(i64::MAX / 2);
        let due = self.server.running.store().read(move |tx| tx.due(far, 1_000)).await;
        let (due, _) = due.map_err(|error: StoreError| error.to_string()).unwrap();
        if due.contains(&id) { "waits" } else { "dropped" }
    }

    async fn event(&self, stage: Stage) -> &'static str {
        let id = match stage {
            Stage::Active => "while active",
            Stage::Archived => "while archived",
            Stage::Restored => "after it was restored",
        };
        let published = self.server.publish(json!([issue(id)])).await;
        if published["results"][0]["deliveries"] == 1 { "delivered" } else { "nobody" }
    }

    async fn allowed(&self, method: &str, rest: &str, yes: &'static str) -> &'static str {
        let path = self.path(rest);
        let client = &self.server.client;
        let call = match method {
            "PATCH" => client.patch(&path).json(&json!({ "description": "changed" })),
            "DELETE" => client.delete(&path),
            _ => client.post(&path),
        };
        let answer = call.bearer(&self.server.admin).send().await;
        match answer.status.as_u16() {
            200 => yes,
            400 => "refused",
            other => panic!("{method} {path}: {other} {}", answer.text()),
        }
    }

    async fn kept(&self, rest: &str, expected: &Value, found: impl Fn(&Value) -> Value) -> &'static str {
        if found(&self.read(rest).await) == *expected { "kept" } else { "gone" }
    }

    async fn extensions(&self, query: &str) -> &'static str {
        match self.read(&format!("/ui-extensions{query}")).await.as_array().unwrap().len() {
            1 => "shown",
            _ => "hidden",
        }
    }

    async fn parameters(&self) -> &'static str {
        let application = ApplicationId::new(self.made.id.as_str());
        let owner = ParameterOwner { application, profile: None };
        let found = self.server.running.store().read(move |tx| tx.parameters(&owner)).await;
        let found = found.map_err(|error: StoreError| error.to_string()).unwrap();
        if found.len() == 1 { "kept" } else { "gone" }
    }

    async fn column(&self, stage: Stage) -> Column {
        let whole = |value: &Value| value.clone();
        let mut column = vec![
            ("access token from before", self.alive(&self.made.token).await),
            ("permanent token from before", self.alive(&self.permanent).await),
            ("signing in with the client secret", self.signs_in().await),
            ("delivery that waits", self.waits().await),
            ("new event", self.event(stage).await),
            ("settings", self.allowed("PATCH", "", "change").await),
            ("secrets", self.allowed("POST", "/signing-key/regenerate", "renewed").await),
        ];
        // Each of the two is shown where it has to be refused; where it works, it leads to the next column.
        column.push(match stage {
            Stage::Archived => ("archiving", self.allowed("DELETE", "", "works").await),
            Stage::Active | Stage::Restored => ("archiving", "-"),
        });
        column.push(match stage {
            Stage::Archived => ("restoring", "-"),
            Stage::Active | Stage::Restored => ("restoring", self.allowed("POST", "/restore", "works").await),
        });
        let message = json!("No disk");
        column.extend([
            ("reading it", if self.read("").await["id"] == json!(self.made.id) { "open" } else { "closed" }),
            ("the list", self.listed("").await),
            ("the list with archived ones", self.listed("withArchived=true").await),
            ("its client secret", self.kept("/client-secret", &json!(self.made.secret), whole).await),
            ("its verification token", self.kept("/verification-token", &self.verification_token, whole).await),
            ("its public key", self.kept("/public-keys", &self.public_keys, whole).await),
            ("its webhooks", self.kept("/webhooks", &json!(1), |page| page["totalCount"].clone()).await),
            ("its parameters", self.parameters().await),
            ("its error message", self.kept("", &message, |found| found["errorMessage"].clone()).await),
            ("its UI extensions", self.extensions("?contextIdentifier=global").await),
            ("its UI extensions everywhere", self.extensions("").await),
        ]);
        column
    }
}
