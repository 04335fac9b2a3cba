//! Permanent tokens of applications: made, used, narrowed, ended. // P2

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::Context;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;
use spaceport_server::run::{Running, Surroundings, run};
use spaceport_store::StoreError;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::{Client, Response};
use spaceport_testkit::postgres::{TestDatabase, database};
use tempfile::TempDir;

use crate::harness::{BOTH, Engine, Made, Server, settings, surroundings};

const TOKENS: &str = "/api/http/applications/me/permanent-tokens";
const ME: &str = "/api/http/applications/me";

/// A new token of the calling application: its id and its text.
async fn make(client: &Client, caller: &str, scope: &str) -> (String, String) {
    let body = json!({ "name": "token", "scope": scope });
    let made = client.post(TOKENS).bearer(caller).json(&body).send().await.expect(200).json();
    (made["first"]["id"].as_str().unwrap().to_owned(), made["second"].as_str().unwrap().to_owned())
}

async fn change(client: &Client, caller: &str, id: &str, body: Value) -> Response {
    client.patch(&format!("{TOKENS}/{id}")).bearer(caller).json(&body).send().await
}

async fn list(client: &Client, caller: &str) -> Vec<Value> {
    let page = client.get(TOKENS).bearer(caller).send().await.expect(200).json();
    page["data"].as_array().unwrap().clone()
}

fn refusal(answer: &Response) -> String {
    answer.json()["error_description"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn permanent_tokens_live_until_they_are_revoked() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        a_token_is_shown_once_and_acts_as_the_application(&server).await;
        changes_keep_what_is_absent_and_clear_what_is_null(&server).await;
        the_scope_is_effective(&server).await;
        a_narrow_token_makes_and_changes_no_wider_one(&server).await;
        rights_count_from_the_call_after_they_are_given(&server).await;
        the_current_token_ends_itself(&server).await;
        tokens_of_others_do_not_exist(&server).await;
        archiving_ends_tokens_for_good(&server).await;
        bad_arguments_name_the_field(&server).await;
        lists_are_walked(&server).await;
        server.running.stop().await;
    }
}

async fn a_token_is_shown_once_and_acts_as_the_application(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Builder" })).await;
    let body = json!({ "name": " nightly ", "scope": "**", "expires": { "iso": "2099-01-01T00:00:00.000Z" } });
    let pair = client.post(TOKENS).bearer(&made.token).json(&body).send().await.expect(200).json();
    let text = pair["second"].as_str().unwrap();
    assert!(text.starts_with("spp_") && text.len() == 50, "{text}");
    let first = &pair["first"];
    assert_eq!((&first["name"], &first["scope"]), (&json!("nightly"), &json!("**")));
    assert_eq!(first["apiScope"], json!({ "className": "XScopeApi.All" }));
    assert_eq!(first["application"], json!({ "id": made.id }));
    assert_eq!(first["expires"]["iso"], "2099-01-01T00:00:00.000Z");
    assert_eq!(first["lastAccess"], Value::Null);
    assert_eq!(client.get(ME).bearer(text).send().await.expect(200).json()["id"], json!(made.id));
    let listed = client.get(TOKENS).bearer(text).send().await.expect(200);
    assert!(!listed.text().contains(text), "never again");
    assert_eq!(listed.json()["totalCount"], 1);
    // Whoever else may edit the application makes tokens for it, not for himself.
    let path = format!("/api/http/applications/id:{}/permanent-tokens", made.id);
    let by_admin = client.post(&path).bearer(&server.admin).json(&json!({ "name": "b", "scope": "**" })).send().await;
    let text = by_admin.expect(200).json()["second"].as_str().unwrap().to_owned();
    assert_eq!(client.get(ME).bearer(&text).send().await.expect(200).json()["id"], json!(made.id));

    let id = first["id"].as_str().unwrap();
    let revoked = client.delete(&format!("{TOKENS}/{id}")).bearer(&made.token).send().await.expect(200);
    assert_eq!(revoked.text(), "");
    let refused = client.get(ME).bearer(pair["second"].as_str().unwrap()).send().await.expect(401);
    assert_eq!(refusal(&refused), "Access token is invalid", "clients renew on the other text");
    assert_eq!(list(client, &made.token).await.len(), 1);
    client.delete(&format!("{TOKENS}/{id}")).bearer(&made.token).send().await.expect(404);
}

async fn changes_keep_what_is_absent_and_clear_what_is_null(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Changed" })).await;
    let (id, text) = make(client, &made.token, "global:Applications.View").await;
    let body = json!({ "expires": "2099-01-01T00:00:00Z", "name": null, "scope": null });
    assert_eq!(change(client, &made.token, &id, body).await.expect(200).text(), "");
    let seen = async || list(client, &made.token).await.remove(0);
    let token = seen().await;
    assert_eq!((&token["name"], &token["scope"]), (&json!("token"), &json!("global:Applications.View")));
    assert_eq!(token["expires"]["iso"], "2099-01-01T00:00:00.000Z");
    let grant = &token["apiScope"]["grants"][0];
    assert_eq!(grant["context"], json!({ "className": "GlobalPermissionContext" }));
    assert_eq!(grant["right"]["rightCode"], json!({ "className": "PermissionIdentifier.ViewApplications" }));
    change(client, &made.token, &id, json!({ "name": "other" })).await.expect(200);
    assert_eq!(seen().await["expires"]["iso"], "2099-01-01T00:00:00.000Z");
    change(client, &made.token, &id, json!({ "expires": null, "scope": "" })).await.expect(200);
    let token = seen().await;
    assert_eq!((&token["name"], &token["expires"]), (&json!("other"), &Value::Null));
    assert_eq!(token["apiScope"], json!({ "className": "XScopeApi.None" }));
    client.get(ME).bearer(&text).send().await.expect(404);
    // The text stays as it was said; taken apart it shows places as the caller sees them.
    crate::authorizations::directory(server).await;
    let scope = "project:key:OPEN:Project.View project:id:open:Project.Issues.View project:key:CLOSED:Project.View \
                 channel:talk:Channel.ViewChannel";
    change(client, &made.token, &id, json!({ "scope": scope })).await.expect(200);
    let token = seen().await;
    assert_eq!(token["scope"], scope.split_ascii_whitespace().collect::<Vec<_>>().join(" "));
    let contexts = |token: &Value| {
        let grants = token["apiScope"]["grants"].as_array().unwrap();
        grants.iter().map(|grant| grant["context"].clone()).collect::<Vec<_>>()
    };
    let hidden = json!({ "className": "PrivateProjectPermissionContext", "projectId": "closed" });
    let seen = contexts(&token);
    for project in &seen[..2] {
        assert_eq!(
            (&project["className"], &project["project"]["id"]),
            (&json!("ProjectPermissionContext"), &json!("open"))
        );
    }
    assert_eq!(seen[2], hidden);
    assert_eq!(seen[3], json!({ "className": "PrivateChannelPermissionContext", "channelId": "talk" }));
    let path = format!(
        "/api/http/applications/id:{}/permanent-tokens?$fields=data(apiScope(grants(context(project(key)))))",
        made.id
    );
    let by_admin = client.get(&path).bearer(&server.admin).send().await.expect(200).json();
    assert_eq!(contexts(&by_admin["data"][0])[2]["project"]["key"], json!({ "key": "CLOSED" }));
}

async fn the_scope_is_effective(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Scoped" })).await;
    let (id, text) = make(client, &made.token, "global:Applications.View").await;
    let status = async |scope_of: &str| {
        let edit = client.patch(ME).bearer(scope_of).json(&json!({ "description": "x" })).send().await.status.as_u16();
        let secret = client.get(&format!("{ME}/client-secret")).bearer(scope_of).send().await.status.as_u16();
        (client.get(ME).bearer(scope_of).send().await.status.as_u16(), edit, secret)
    };
    assert_eq!(status(&text).await, (200, 403, 403));
    change(client, &made.token, &id, json!({ "scope": "global:Applications.View global:Applications.Edit" })).await;
    assert_eq!(status(&text).await, (200, 200, 403), "at once");
    change(client, &made.token, &id, json!({ "scope": "**" })).await.expect(200);
    assert_eq!(status(&text).await, (200, 200, 200));
    change(client, &made.token, &id, json!({ "scope": "project:id:p:Applications.View" })).await.expect(200);
    assert_eq!(status(&text).await, (404, 404, 404), "a context elsewhere gives nothing here");
}

async fn a_narrow_token_makes_and_changes_no_wider_one(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Narrow" })).await;
    let (wide_id, _) = make(client, &made.token, "**").await;
    let scope = "global:Applications.View global:Applications.Edit";
    let (own_id, own) = make(client, &made.token, scope).await;
    for wanted in ["**", "global:Applications.ViewSecrets", "global:Applications.Edit global:Profile.View"] {
        let body = json!({ "name": "wider", "scope": wanted });
        let refused = client.post(TOKENS).bearer(&own).json(&body).send().await.expect(400);
        assert!(refusal(&refused).starts_with("scope"), "{}", refused.text());
        let refused = change(client, &own, &own_id, json!({ "scope": wanted })).await.expect(400);
        assert!(refusal(&refused).starts_with("scope"), "{}", refused.text());
    }
    change(client, &own, &wide_id, json!({ "expires": null, "name": "mine" })).await.expect(400);
    let (narrower, _) = make(client, &own, "project:id:p:Applications.Edit").await;
    change(client, &own, &narrower, json!({ "scope": "global:Applications.Edit" })).await.expect(200);
    change(client, &own, &own_id, json!({ "scope": "global:Applications.Edit" })).await.expect(200);
    let back = change(client, &own, &own_id, json!({ "scope": scope })).await.expect(400);
    assert!(refusal(&back).starts_with("scope"), "what was given away does not come back: {}", back.text());
}

async fn rights_count_from_the_call_after_they_are_given(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Waiting" })).await;
    let (_, text) = make(client, &made.token, "global:Applications.Create").await;
    let (_, other) = make(client, &made.token, "global:Applications.View").await;
    let create = async |token: &str| {
        client.post("/api/http/applications").bearer(token).json(&json!({ "name": "child" })).send().await
    };
    create(&text).await.expect(403);
    let principal = Principal::Application(ApplicationId::new(made.id.as_str()));
    let granted = server.running.store().write(move |tx| {
        let grant = Grant { right: Right::CREATE_APPLICATIONS, context: Context::Global };
        tx.grant(&principal, &grant, Timestamp::from_millis(0))
    });
    granted.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    // Written beside the server, so that it learns of it as from another node.
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    while create(&text).await.status != 200 {
        ticks.tick().await;
    }
    create(&other).await.expect(403);
}

async fn the_current_token_ends_itself(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Quitter" })).await;
    let current = |application: &str| format!("/api/http/applications/{application}/permanent-tokens/current");
    let (_, text) = make(client, &made.token, "").await;
    let end = async |application: &str, token: &str| client.delete(&current(application)).bearer(token).send().await;
    assert!(refusal(&end("me", &made.token).await.expect(400)).contains("permanent token"));
    end(&format!("id:{}", made.id), &server.admin).await.expect(403);
    let other = server.application(json!({ "name": "Other" })).await;
    end(&format!("id:{}", made.id), &other.token).await.expect(404);
    end(&format!("id:{}", other.id), &text).await.expect(404);
    client.delete(&current("me")).send().await.expect(401);
    assert_eq!(list(client, &made.token).await.len(), 1);
    assert_eq!(end(&format!("clientId:{}", made.client_id), &text).await.expect(200).text(), "");
    assert_eq!(refusal(&end("me", &text).await.expect(401)), "Access token is invalid");
    assert_eq!(list(client, &made.token).await.len(), 0);
}

async fn tokens_of_others_do_not_exist(server: &Server) {
    let client = &server.client;
    let (one, other) =
        (server.application(json!({ "name": "One" })).await, server.application(json!({ "name": "Two" })).await);
    let (id, text) = make(client, &one.token, "**").await;
    let mine = make(client, &other.token, "**").await.0;
    change(client, &other.token, &id, json!({ "name": "stolen" })).await.expect(404);
    client.delete(&format!("{TOKENS}/{id}")).bearer(&other.token).send().await.expect(404);
    // Also for somebody who may edit both applications.
    let path = format!("/api/http/applications/id:{}/permanent-tokens/{id}", other.id);
    client.delete(&path).bearer(&server.admin).send().await.expect(404);
    client.get(ME).bearer(&text).send().await.expect(200);
    let listed = list(client, &other.token).await;
    assert_eq!(listed.iter().map(|token| token["id"].clone()).collect::<Vec<_>>(), [json!(mine)]);
}

async fn archiving_ends_tokens_for_good(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Gone" })).await;
    let (_, text) = make(client, &made.token, "**").await;
    let path = format!("/api/http/applications/id:{}", made.id);
    client.delete(&path).bearer(&server.admin).send().await.expect(200);
    client.get(ME).bearer(&text).send().await.expect(401);
    let body = json!({ "name": "late", "scope": "**" });
    let late = client.post(&format!("{path}/permanent-tokens")).bearer(&server.admin).json(&body).send().await;
    assert!(refusal(&late.expect(400)).contains("archived"));
    client.post(&format!("{path}/restore")).bearer(&server.admin).send().await.expect(200);
    assert_eq!(refusal(&client.get(ME).bearer(&text).send().await.expect(401)), "Access token is invalid");
}

async fn bad_arguments_name_the_field(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Careless" })).await;
    let (id, _) = make(client, &made.token, "**").await;
    for (body, field) in [
        (json!({ "name": " ", "scope": "**" }), "name"),
        (json!({ "name": "ü".repeat(201), "scope": "**" }), "name"),
        (json!({ "name": "a\nb", "scope": "**" }), "name"),
        (json!({ "name": "n", "scope": "nonsense" }), "scope"),
        (json!({ "name": "n", "scope": "global:No.Such.Right" }), "scope"),
        (json!({ "name": "n", "scope": "**", "expires": "2001-01-01T00:00:00Z" }), "expires"),
        (json!({ "name": "n", "scope": "**", "expires": "soon" }), "expires"),
    ] {
        let refused = client.post(TOKENS).bearer(&made.token).json(&body).send().await.expect(400);
        assert!(refusal(&refused).starts_with(field), "{body}: {}", refused.text());
        let refused = change(client, &made.token, &id, body.clone()).await.expect(400);
        assert!(refusal(&refused).starts_with(field), "{body}: {}", refused.text());
    }
    let longest = json!({ "name": "ü".repeat(200), "scope": "**" });
    client.post(TOKENS).bearer(&made.token).json(&longest).send().await.expect(200);
    let missing = client.post(TOKENS).bearer(&made.token).json(&json!({ "name": "n" })).send().await.expect(400);
    assert_eq!(refusal(&missing), "scope is required");
}

async fn lists_are_walked(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Many" })).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(make(client, &made.token, "**").await.0);
    }
    let (mut skip, mut walked) = (String::new(), Vec::new());
    loop {
        let path = format!("{TOKENS}?$top=2&$skip={skip}&$fields=next,totalCount,data(id)");
        let page = client.get(&path).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(page["totalCount"].as_u64().unwrap() as usize, 5 - walked.len().min(2) / 2);
        let data = page["data"].as_array().unwrap();
        if data.is_empty() {
            break;
        }
        walked.extend(data.iter().map(|token| token["id"].as_str().unwrap().to_owned()));
        page["next"].as_str().unwrap().clone_into(&mut skip);
        if walked.len() == 2 {
            // What goes meanwhile hides nothing behind it.
            client.delete(&format!("{TOKENS}/{}", walked[0])).bearer(&made.token).send().await.expect(200);
        }
    }
    walked.sort();
    expected.sort();
    assert_eq!(walked, expected);
}

struct Frozen {
    folder: TempDir,
    database: Option<TestDatabase>,
    clock: FrozenClock,
}

impl Frozen {
    fn new(engine: Engine) -> Self {
        let database = matches!(engine, Engine::Postgres).then(database);
        Self { folder: TempDir::new().unwrap(), database, clock: FrozenClock::default() }
    }

    async fn start(&self) -> (Running, Client) {
        let surroundings = Surroundings { clock: Arc::new(self.clock.clone()), ..surroundings() };
        let running = run(&settings(&self.folder, self.database.as_ref()), surroundings).await.unwrap();
        let client = Client::new(format!("http://{}", running.address));
        (running, client)
    }
}

async fn application(client: &Client, admin: &str) -> Made {
    let made = client.post("/api/http/applications").bearer(admin).json(&json!({ "name": "Frozen" })).send().await;
    let id = made.expect(200).json()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/http/applications/id:{id}/permanent-tokens");
    let body = json!({ "name": "token", "scope": "**" });
    let token = client.post(&path).bearer(admin).json(&body).send().await.expect(200).json();
    let token = token["second"].as_str().unwrap().to_owned();
    Made { id, client_id: String::new(), secret: String::new(), token }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_token_is_honoured_and_named_only_when_it_is_true() {
    for engine in BOTH {
        let frozen = Frozen::new(engine);
        let (running, client) = frozen.start().await;
        let admin = running.first.as_ref().unwrap().admin_token.clone();
        let made = application(&client, &admin).await;
        let body = json!({ "name": "short", "scope": "**", "expires": { "timestamp": 1_700_000_060_000_i64 } });
        let pair = client.post(TOKENS).bearer(&made.token).json(&body).send().await.expect(200).json();
        let (id, short) = (pair["first"]["id"].as_str().unwrap(), pair["second"].as_str().unwrap());
        client.get(ME).bearer(short).send().await.expect(200);
        frozen.clock.advance(Duration::from_millis(59_999));
        client.get(ME).bearer(short).send().await.expect(200);
        frozen.clock.advance(Duration::from_millis(1));
        let refused = client.get(ME).bearer(short).send().await.expect(401);
        assert_eq!(refusal(&refused), "Access token has expired");
        assert!(refused.header("www-authenticate").contains("invalid_token"));
        let late = change(&client, &made.token, id, json!({ "expires": null })).await.expect(400);
        assert!(refusal(&late).contains("expired"));
        assert_eq!(list(&client, &made.token).await.len(), 2, "an expired token is still listed");
        client.delete(&format!("{TOKENS}/{id}")).bearer(&made.token).send().await.expect(200);
        let refused = client.get(ME).bearer(short).send().await.expect(401);
        assert_eq!(refusal(&refused), "Access token is invalid");
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_is_kept_over_a_restart() {
    for engine in BOTH {
        let frozen = Frozen::new(engine);
        let (running, client) = frozen.start().await;
        let admin = running.first.as_ref().unwrap().admin_token.clone();
        let made = application(&client, &admin).await;
        let path = format!("/api/http/applications/id:{}/permanent-tokens", made.id);
        let last = async |client: &Client| {
            client.get(&path).bearer(&admin).send().await.expect(200).json()["data"][0]["lastAccess"].clone()
        };
        assert_eq!(last(&client).await, Value::Null);
        client.get(ME).bearer(&made.token).header("user-agent", "first").send().await.expect(200);
        frozen.clock.advance(Duration::from_secs(1));
        client.get(ME).bearer(&made.token).header("user-agent", "build\t/1").send().await.expect(200);
        let expected = json!({
            "time": { "iso": "2023-11-14T22:13:21.000Z", "timestamp": 1_700_000_001_000_i64 },
            "address": "127.0.0.1",
            "userAgent": "build/1",
        });
        assert_eq!(last(&client).await, expected, "at once");
        running.stop().await;
        let (running, client) = frozen.start().await;
        assert_eq!(last(&client).await, expected);
        running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_hash_of_a_token_is_stored() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Hashed" })).await;
    let (_, text) = make(&server.client, &made.token, "**").await;
    let admin = server.admin.clone();
    let folder = server.folder.path().join("data");
    server.running.stop().await;
    for file in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for token in [&text, &admin] {
            assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()), "a token in clear");
        }
    }
}
