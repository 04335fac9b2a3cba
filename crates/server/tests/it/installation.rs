//! Applications from elsewhere: installed, told of a new secret, removed, restored.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::published::{CALLS, Published, Reaction};
use spaceport_testkit::receiver::Gate;
use spaceport_testkit::verify::signing_key_signature;

use crate::harness::{BOTH, Engine, Server};

/// A published application that knows where this server is.
pub(crate) fn reaching(server: &Server) -> Published {
    let published = Published::start();
    published.reach(&format!("http://{}", server.running.address));
    published
}

/// Creates a connected application, as the administrator; answers what the server answered.
pub(crate) async fn connect(server: &Server, published: &Published) -> Value {
    published.reach(&format!("http://{}", server.running.address));
    let body = json!({ "name": "Published", "endpointUri": published.endpoint(), "connectToSpace": true,
        "state": "4e617c52", "clientCredentialsFlowEnabled": false });
    server.client.post("/api/http/applications").bearer(&server.admin).json(&body).send().await.expect(200).json()
}

/// The application as the administrator sees it, once `done` accepts its metadata.
pub(crate) async fn seen(server: &Server, id: &str, done: impl Fn(&Value) -> bool) -> Value {
    // The outcome is stored a moment after the application has answered, and nothing announces it.
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let path = format!("/api/http/applications/id:{id}?$fields=*,metadata,archived,settings");
    let mut application = Value::Null;
    for _ in 0..3_000 {
        ticks.tick().await;
        application = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        if done(&application) {
            return application;
        }
    }
    panic!("it never came: {application}");
}

pub(crate) fn status_is(status: &'static str) -> impl Fn(&Value) -> bool {
    move |application| application["metadata"]["connectionStatus"] == status
}

/// A connected application that has answered.
pub(crate) async fn connected(server: &Server, published: &Published) -> String {
    let id = connect(server, published).await["id"].as_str().unwrap().to_owned();
    seen(server, &id, status_is("CONNECTED")).await;
    id
}

async fn regenerate(server: &Server, id: &str, status: u16) -> Value {
    let path = format!("/api/http/applications/id:{id}/client-secret/regenerate");
    let answer = server.client.post(&path).bearer(&server.admin).send().await.expect(status);
    if status == 200 { Value::Null } else { answer.json() }
}

async fn delete(server: &Server, id: &str) {
    server.client.delete(&format!("/api/http/applications/id:{id}")).bearer(&server.admin).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_calls_back_many_times_before_it_answers_its_installation() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        let gate = Gate::new();
        published.react("InitPayload", [Reaction::AcceptAfter(gate.clone())]);
        let created = connect(&server, &published).await;
        assert_eq!(created["metadata"]["className"], "AdHocConnectedAppMetadata");
        assert_eq!(created["metadata"]["connectionStatus"], "CONNECTING");
        assert_eq!(created["clientCredentialsFlowEnabled"], true, "a connected application needs it");
        let id = created["id"].as_str().unwrap();
        published.wait_for("InitPayload", 1).await;
        gate.open();
        let connected = seen(&server, id, status_is("CONNECTED")).await;
        assert_eq!(connected["metadata"]["lastSentServerUrl"], server.running.public_url.as_str());
        let memory = published.memory();
        assert_eq!((memory.calls, memory.complaints), (CALLS, Vec::<String>::new()));
        assert_eq!(memory.client_id, created["clientId"].as_str().unwrap());
        assert_eq!(memory.server_url, server.running.public_url);
        assert_eq!(memory.state.as_deref(), Some("4e617c52"));
        assert!(memory.user_id.is_some());
        let init = &memory.payloads[0].received;
        for (header, expected) in [
            ("content-type", "application/json"),
            ("accept", "*/*"),
            ("accept-charset", "UTF-8"),
            ("authorization", ""),
        ] {
            assert_eq!(init.header(header), expected, "{header}");
        }
        assert!(init.header("user-agent").starts_with("Space ("));
        assert!(init.text().starts_with("{\"className\":\"InitPayload\","), "{}", init.text());
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_installation_is_tried_again_by_its_owner() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        published.react("InitPayload", [Reaction::Refuse(400), Reaction::Die, Reaction::Die]);
        let id = connect(&server, &published).await["id"].as_str().unwrap().to_owned();
        seen(&server, &id, status_is("FAILED_TO_CONNECT")).await;
        assert_eq!(published.payloads("InitPayload").len(), 1, "a person waits, so it is sent once");
        let again = format!("/api/host/v1/applications/id:{id}/connect");
        let stranger = server.person("stranger", &["Applications.View"]).await;
        server.client.post(&again).bearer(&stranger).send().await.expect(403);
        server.client.post(&again).bearer(&server.admin).send().await.expect(200);
        // A kept connection that ends is tried again at once, on a fresh one.
        published.wait_for("InitPayload", 3).await;
        seen(&server, &id, status_is("FAILED_TO_CONNECT")).await;
        server.client.post(&again).bearer(&server.admin).send().await.expect(200);
        seen(&server, &id, status_is("CONNECTED")).await;
        assert_eq!(published.memory().state.as_deref(), Some("4e617c52"), "the state is the same every time");
        server.client.post(&again).bearer(&server.admin).send().await.expect(400);
        let path = format!("/api/host/v1/applications/id:{id}/payloads");
        let told = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        let shown: Vec<_> = told["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                (
                    one["className"].as_str().unwrap(),
                    one["state"].as_str().unwrap(),
                    one["lastAttempt"]["status"].clone(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("InitPayload", "delivered", json!(204)),
                ("InitPayload", "given_up", Value::Null),
                ("InitPayload", "given_up", json!(400)),
            ]
        );
        assert_eq!(told["data"][1]["lastAttempt"]["error"], "protocol");
        assert!(!told.to_string().contains("4e617c52"), "what payloads say is nobody's business");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_application_itself_changes_its_settings_and_sees_its_secrets() {
    let server = Server::start(Engine::Sqlite).await;
    let published = Published::start();
    let id = connected(&server, &published).await;
    let path = format!("/api/http/applications/id:{id}");
    let change = json!({ "name": "Renamed" });
    server.client.patch(&path).bearer(&server.admin).json(&change).send().await.expect(403);
    for secret in ["client-secret", "signing-key"] {
        let path = format!("{path}/{secret}");
        server.client.get(&path).bearer(&server.admin).send().await.expect(403);
    }
    let regenerate = format!("{path}/signing-key/regenerate");
    server.client.post(&regenerate).bearer(&server.admin).send().await.expect(403);
    let own = published.token().await.unwrap();
    server.client.patch(&path).bearer(&own).json(&change).send().await.expect(200);
    let secret = server.client.get(&format!("{path}/client-secret")).bearer(&own).send().await.expect(200).json();
    assert_eq!(secret, published.memory().client_secret.as_str());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_secret_works_until_the_application_has_accepted_the_new_one() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        let id = connected(&server, &published).await;
        let old = published.memory().client_secret;
        let gate = Gate::new();
        published.react("ChangeClientSecretPayload", [Reaction::Refuse(503), Reaction::AcceptAfter(gate.clone())]);
        let old_token = published.token().await.unwrap();
        regenerate(&server, &id, 200).await;
        published.wait_for("ChangeClientSecretPayload", 2).await;
        assert_eq!(published.memory().client_secret, old);
        published.token().await.unwrap();
        let refused = regenerate(&server, &id, 400).await;
        assert!(refused["error_description"].as_str().unwrap().contains("on its way"), "{refused}");
        gate.open();
        published.wait("the new secret", |memory| memory.client_secret != old).await;
        let memory = published.memory();
        assert_eq!(memory.complaints, Vec::<String>::new(), "it verified with the old secret");
        let payloads = published.payloads("ChangeClientSecretPayload");
        assert_eq!(payloads[0].delivery, payloads[1].delivery);
        assert_ne!(payloads[0].timestamp, payloads[1].timestamp, "every attempt is signed anew");
        published.token().await.unwrap();
        // The old one ends with the commit that records the answer.
        let form = [("grant_type", "client_credentials")];
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            let call = server.client.post("/oauth/token").basic(&memory.client_id, &old).form(&form);
            if call.send().await.status == 401 {
                break;
            }
        }
        server.client.get("/api/http/applications/me").bearer(&old_token).send().await.expect(401);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_the_application_never_accepted_is_forgotten() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        let id = connected(&server, &published).await;
        let old_token = published.token().await.unwrap();
        published.react("ChangeClientSecretPayload", vec![Reaction::Refuse(500); 9]);
        regenerate(&server, &id, 200).await;
        let given_up = |told: &Value| told["data"][0]["state"] == "given_up";
        let told = payloads(&server, &id, given_up).await;
        assert_eq!(told["data"][0]["className"], "ChangeClientSecretPayload");
        assert_eq!(told["data"][0]["attempts"], 4, "the first, and one for each delay of this server's schedule");
        published.token().await.unwrap();
        server.client.get("/api/http/applications/me").bearer(&old_token).send().await.expect(200);
        let new = published.payloads("ChangeClientSecretPayload")[0].received.json()["newClientSecret"].clone();
        let form = [("grant_type", "client_credentials")];
        let client_id = published.memory().client_id;
        let call = server.client.post("/oauth/token").basic(&client_id, new.as_str().unwrap()).form(&form);
        call.send().await.expect(401);
        published.react("ChangeClientSecretPayload", []);
        regenerate(&server, &id, 200).await;
        payloads(&server, &id, |told| told["data"][0]["state"] == "delivered").await;
        published.token().await.unwrap();
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_secret_ends_after_a_day_when_the_server_cannot_tell_the_new_one() {
    let clock = FrozenClock::default();
    let server = Server::start_at(Engine::Sqlite, &clock, |_| {}).await;
    let published = Published::start();
    let id = connected(&server, &published).await;
    let memory = published.memory();
    published.react("ChangeClientSecretPayload", [Reaction::Hang]);
    regenerate(&server, &id, 200).await;
    published.wait_for("ChangeClientSecretPayload", 1).await;
    let form = [("grant_type", "client_credentials")];
    let sign_in = async || {
        server
            .client
            .post("/oauth/token")
            .basic(&memory.client_id, &memory.client_secret)
            .form(&form)
            .send()
            .await
            .status
    };
    clock.advance(Duration::from_secs(24 * 3600 - 1));
    assert_eq!(sign_in().await, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(sign_in().await, 401);
    server.running.abandon();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_chooses_a_secret_while_another_is_on_its_way_keeps_the_one_it_knew() {
    const CHOSEN: &str = "a-secret-of-at-least-thirty-two-characters";
    let day = Duration::from_secs(24 * 3600);
    let server = Server::start_changed(Engine::Sqlite, |settings| settings.overlap.client_secret = day).await;
    let published = Published::start();
    let id = connected(&server, &published).await;
    let memory = published.memory();
    published.react("ChangeClientSecretPayload", [Reaction::Hang]);
    regenerate(&server, &id, 200).await;
    published.wait_for("ChangeClientSecretPayload", 1).await;
    let token = server.token(&memory.client_id, &memory.client_secret).await;
    let body = json!({ "clientSecret": CHOSEN });
    let me = "/api/http/applications/me";
    server.client.patch(me).bearer(&token).json(&body).send().await.expect(200);
    server.client.get(me).bearer(&token).send().await.expect(200);
    server.token(&memory.client_id, &memory.client_secret).await;
    server.token(&memory.client_id, CHOSEN).await;
    server.running.abandon();
}

/// The payloads of an application, once `done` accepts them.
pub(crate) async fn payloads(server: &Server, id: &str, done: impl Fn(&Value) -> bool) -> Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let path = format!("/api/host/v1/applications/id:{id}/payloads");
    let mut told = Value::Null;
    for _ in 0..3_000 {
        ticks.tick().await;
        told = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        if done(&told) {
            return told;
        }
    }
    panic!("it never came: {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_application_is_told_and_keeps_its_credentials_until_it_has_answered() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        let id = connected(&server, &published).await;
        let gate = Gate::new();
        published.react("ApplicationUninstalledPayload", [Reaction::Refuse(500), Reaction::AcceptAfter(gate.clone())]);
        delete(&server, &id).await;
        published.wait_for("ApplicationUninstalledPayload", 2).await;
        let pending = seen(&server, &id, |_| true).await;
        assert_eq!(pending["archived"], false);
        assert_eq!(pending["metadata"]["uninstallationStatus"], "RETRYING_SENDING_UNINSTALL_PAYLOAD");
        assert!(pending["metadata"]["uninstallationStartedAt"]["timestamp"].is_i64());
        let token = published.token().await.unwrap();
        delete(&server, &id).await;
        gate.open();
        let ended = seen(&server, &id, |application| application["archived"] == true).await;
        assert_eq!(ended["metadata"]["uninstallationStatus"], "UNINSTALLED");
        assert_eq!(published.payloads("ApplicationUninstalledPayload").len(), 2, "the second call changed nothing");
        assert!(published.memory().uninstalled && published.memory().complaints.is_empty());
        published.token().await.unwrap_err();
        server.client.get("/api/http/applications/me").bearer(&token).send().await.expect(401);

        let restore = format!("/api/http/applications/id:{id}/restore");
        server.client.post(&restore).bearer(&server.admin).send().await.expect(200);
        let back = seen(&server, &id, status_is("CONNECTED")).await;
        assert_eq!((&back["archived"], &back["metadata"]["uninstallationStatus"]), (&json!(false), &Value::Null));
        assert!(!published.memory().uninstalled);
        published.token().await.unwrap();
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_never_answers_is_archived_in_the_end_or_by_force() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        let id = connected(&server, &published).await;
        published.react("ApplicationUninstalledPayload", vec![Reaction::Die; 9]);
        delete(&server, &id).await;
        let ended = seen(&server, &id, |application| application["archived"] == true).await;
        assert_eq!(ended["metadata"]["uninstallationStatus"], "FAILED");
        published.token().await.unwrap_err();

        let patient = Published::start();
        let id = connected(&server, &patient).await;
        let force = format!("/api/http/applications/id:{id}/force-remove");
        server.client.post(&force).bearer(&server.admin).send().await.expect(400);
        let gate = Gate::new();
        patient.react("ApplicationUninstalledPayload", [Reaction::Refuse(500), Reaction::AcceptAfter(gate.clone())]);
        delete(&server, &id).await;
        patient.wait_for("ApplicationUninstalledPayload", 2).await;
        server.client.post(&force).bearer(&server.admin).send().await.expect(200);
        let forced = seen(&server, &id, |application| application["archived"] == true).await;
        assert_eq!(forced["metadata"]["uninstallationStatus"], "FAILED");
        gate.open();
        patient.wait("its complaint", |memory| !memory.complaints.is_empty()).await;
        let told = payloads(&server, &id, |_| true).await;
        assert_eq!(told["data"][0]["state"], "cancelled", "what it answered decides nothing any more");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_never_connected_is_removed_without_being_told() {
    let server = Server::start(Engine::Sqlite).await;
    let published = Published::start();
    published.react("InitPayload", [Reaction::Refuse(500)]);
    let id = connect(&server, &published).await["id"].as_str().unwrap().to_owned();
    seen(&server, &id, status_is("FAILED_TO_CONNECT")).await;
    delete(&server, &id).await;
    assert_eq!(seen(&server, &id, |_| true).await["archived"], true);
    assert!(published.payloads("ApplicationUninstalledPayload").is_empty());
    let body = json!({ "name": "Deaf", "connectToSpace": true });
    let refused =
        server.client.post("/api/http/applications").bearer(&server.admin).json(&body).send().await.expect(400);
    assert!(refused.json()["error_description"].as_str().unwrap().contains("endpointUri"));
    server.running.stop().await;
}

/// Verifies as the published applications do, with Node's own cryptography.
const IN_NODE: &str = r#"
const crypto = require('crypto');
const { keys, payloads } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const all = JSON.parse(keys).keys.map((jwk) => crypto.createPublicKey({ key: jwk, format: 'jwk' }));
const verified = payloads.filter(({ timestamp, body, signature }) => {
  const message = Buffer.from(`${timestamp}:${JSON.stringify(JSON.parse(body))}`);
  return all.some((key) => crypto.verify('RSA-SHA512', message, key, Buffer.from(signature, 'base64')));
});
console.log(verified.length);
"#;

#[tokio::test(flavor = "multi_thread")]
async fn every_payload_verifies_in_javascript_too() {
    let server = Server::start(Engine::Sqlite).await;
    let published = Published::start();
    let id = connected(&server, &published).await;
    regenerate(&server, &id, 200).await;
    payloads(&server, &id, |told| told["data"][0]["state"] == "delivered").await;
    let path = format!("/api/host/v1/applications/id:{id}/check");
    server.client.post(&path).bearer(&server.admin).send().await.expect(200);
    let token = published.token().await.unwrap();
    let keys =
        server.client.get("/api/http/applications/me/public-keys").bearer(&token).send().await.expect(200).json();
    delete(&server, &id).await;
    published.wait("the removal", |memory| memory.uninstalled).await;
    let told: Vec<_> = published.memory().payloads.iter().map(|payload| {
        let received = &payload.received;
        json!({ "timestamp": payload.timestamp, "body": received.text(), "signature": received.header("x-space-public-key-signature") })
    }).collect();
    assert_eq!(told.len(), 4);
    let input = json!({ "keys": keys, "payloads": told }).to_string();
    let verified =
        tokio::task::spawn_blocking(move || spaceport_testkit::foreign::node(IN_NODE, &input)).await.unwrap();
    assert_eq!(verified.trim(), "4");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connected_application_with_a_signing_key_gets_both_signatures() {
    let server = Server::start(Engine::Sqlite).await;
    let published = reaching(&server);
    let body = json!({ "name": "Published", "endpointUri": published.endpoint(), "connectToSpace": true, "hasSigningKey": true });
    let made =
        server.client.post("/api/http/applications").bearer(&server.admin).json(&body).send().await.expect(200).json();
    seen(&server, made["id"].as_str().unwrap(), status_is("CONNECTED")).await;
    let token = published.token().await.unwrap();
    let key = server.client.get("/api/http/applications/me/signing-key").bearer(&token).send().await.expect(200).json();
    let init = &published.payloads("InitPayload")[0].received;
    signing_key_signature(init, key.as_str().unwrap()).unwrap();
    assert!(published.memory().complaints.is_empty(), "and it verified the other one");
    server.running.stop().await;
}
