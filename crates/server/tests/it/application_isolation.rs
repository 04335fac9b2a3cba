//! One application can neither see nor touch what belongs to another, by any spelling of its name.

use serde_json::{Value, json};
use spaceport_platform::access::Owner;
use spaceport_platform::application::Application;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::time::Timestamp;
use spaceport_server::operations::described;
use spaceport_store::StoreError;
use spaceport_wire::describe::{Method, Operation, Surface};

use crate::harness::{BOTH, Made, Server};

/// Ways to write an application's name in a path. `{id}` and `{client}` are the victim's.
const SPELLINGS: [&str; 36] = [
    "id:{id}",
    "id%3A{id}",
    "id%3a{id}",
    "%69%64:{id}",
    "{id}",
    "clientId:{client}",
    "clientId%3A{client}",
    "%63lientId%3A{client}",
    "ID:{id}",
    "Id:{id}",
    "clientid:{client}",
    "CLIENTID:{client}",
    "%20id:{id}",
    "id:{id}%20",
    "id:%20{id}",
    "id%20:{id}",
    "+id:{id}",
    "id:{id}%00",
    "id:{id}%0A",
    "id:{id}%2F",
    "id:{id};x=1",
    "id:{id},me",
    "me,id:{id}",
    "me:{id}",
    "me;id:{id}",
    "me%20id:{id}",
    "id:id:{id}",
    "id%253A{id}",
    "me%2F..%2Fid:{id}",
    "me/../id:{id}",
    "%2e%2e/id:{id}",
    "name:Victim",
    "{{id:{id}}}",
    "%7Bid:{id}%7D",
    "%7B%22className%22%3A%22ApplicationIdentifier.Id%22%2C%22id%22%3A%22{id}%22%7D",
    "%7B%22className%22%3A%22ApplicationIdentifier.ClientId%22%2C%22clientId%22%3A%22{client}%22%7D",
];

/// An application with every kind of secret.
struct Victim {
    made: Made,
    variables: Vec<(&'static str, String)>,
    secrets: Vec<String>,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_a_name_opens_another_application() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let victim = victim(&server).await;
        let other = server.application(json!({ "name": "Attacker" })).await;
        let child = child(&server, &victim.made.id).await;
        let stranger = server.person("stranger", &[]).await;
        for token in [&other.token, &child, &stranger] {
            for operation in of_applications() {
                for spelling in SPELLINGS {
                    attack(&server, &victim, &operation, spelling, token).await;
                }
                beside_the_path(&server, &victim, &operation, token).await;
            }
        }
        assert_eq!(secrets(&server, &victim.made).await, victim.secrets, "nothing was touched");
        let alive = server.client.get("/api/http/applications/me").bearer(&victim.made.token).send().await.expect(200);
        assert_eq!(alive.json()["name"], "Victim");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_may_only_look_sees_no_secret() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let victim = victim(&server).await;
        let viewer = server.person("viewer", &["Applications.View"]).await;
        for operation in of_applications() {
            let name = format!("id:{}", victim.made.id);
            let path = filled(&operation, &name, &victim.variables);
            let answer = call(&server, operation.method, &path, &viewer, "{}").await;
            let shown = operation.rights == ["Applications.View"];
            assert!(shown || answer.0 == 403 || answer.0 == 400, "{}: {}", operation.name, answer.1);
            reveals_nothing(&victim, &operation, &name, &answer.1);
        }
        let list = server.client.get("/api/http/applications/paged?$fields=**").bearer(&viewer).send().await;
        assert!(victim.secrets.iter().all(|secret| !list.text().contains(secret)));
        assert_eq!(secrets(&server, &victim.made).await, victim.secrets);
        server.running.stop().await;
    }
}

fn of_applications() -> Vec<Operation> {
    let space = described().into_iter().filter(|operation| operation.surface == Surface::Space);
    space.filter(|operation| operation.path.contains("{application}")).collect()
}

async fn victim(server: &Server) -> Victim {
    let body = json!({ "name": "Victim", "appLevelAuth": { "className": "EndpointAuthCreate.Bearer", "token": "bearer-of-the-victim" } });
    let made = server.application(body).await;
    let patch = json!({ "hasVerificationToken": true });
    server.client.patch("/api/http/applications/me").bearer(&made.token).json(&patch).send().await.expect(200);
    let webhook = server.webhook(&made.token, json!({})).await;
    let list = format!("/api/http/applications/me/webhooks/{webhook}/subscriptions");
    let subscriptions = server.client.get(&list).bearer(&made.token).send().await.expect(200).json();
    let subscription = subscriptions[0]["id"].as_str().unwrap().to_owned();
    let secrets = secrets(server, &made).await;
    Victim { made, variables: vec![("webhookId", webhook), ("subscriptionId", subscription)], secrets }
}

/// Every secret of the application, as its owner reads them.
async fn secrets(server: &Server, made: &Made) -> Vec<String> {
    let mut found = Vec::new();
    for name in ["client-secret", "signing-key", "verification-token", "bearer-token"] {
        let path = format!("/api/http/applications/me/{name}");
        let secret = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
        found.push(secret.as_str().unwrap().to_owned());
    }
    found
}

/// An application made by another; it holds nothing on its maker. Answers a token of it.
async fn child(server: &Server, maker: &str) -> String {
    let owner = Owner::Application(ApplicationId::new(maker));
    let secret = "secret-of-the-child-0123456789abcdef";
    let child = Application::new(ApplicationId::new("child"), "child", "Child", owner, Timestamp::from_millis(1));
    let stored = server.running.store().write(move |tx| {
        tx.insert_application(&child)?;
        let kind = spaceport_platform::application::SecretKind::ClientSecret;
        tx.set_secret("child", kind, &spaceport_platform::secret::Secret::new(secret))
    });
    stored.await.map_err(|error: StoreError| error.to_string()).unwrap();
    server.token("child", secret).await
}

/// The operation's path; variables that the victim has no value for name nothing.
fn filled(operation: &Operation, application: &str, variables: &[(&'static str, String)]) -> String {
    let segments = operation.path.split('/').map(|segment| {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return segment.to_owned();
        };
        if name == "application" {
            return application.to_owned();
        }
        variables.iter().find(|(known, _)| *known == name).map_or("x".to_owned(), |(_, value)| value.clone())
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn call(server: &Server, method: Method, path: &str, token: &str, body: &str) -> (u16, String) {
    let client = &server.client;
    let call = match method {
        Method::Get => client.get(path),
        Method::Post => client.post(path),
        Method::Patch => client.patch(path),
        Method::Put => client.put(path),
        Method::Delete => client.delete(path),
    };
    let answer = call.bearer(token).raw_body(body.to_owned()).send().await;
    (answer.status.as_u16(), String::from_utf8_lossy(&answer.body).into_owned())
}

fn reveals_nothing(victim: &Victim, operation: &Operation, name: &str, text: &str) {
    for secret in &victim.secrets {
        assert!(!text.contains(secret), "{} of {name} shows a secret: {text}", operation.name);
    }
}

async fn attack(server: &Server, victim: &Victim, operation: &Operation, spelling: &str, token: &str) {
    let name = spelling.replace("{id}", &victim.made.id).replace("{client}", &victim.made.client_id);
    let name = name.replace("{{", "{").replace("}}", "}");
    let path = filled(operation, &name, &victim.variables);
    let (status, text) = call(server, operation.method, &path, token, r#"{"name":"stolen"}"#).await;
    assert!(matches!(status, 400 | 403 | 404 | 405), "{} of {name}: {status} {text}", operation.name);
    reveals_nothing(victim, operation, &name, &text);
}

/// The victim named in query and body, beside `me` in the path.
async fn beside_the_path(server: &Server, victim: &Victim, operation: &Operation, token: &str) {
    if operation.method != Method::Get {
        // Would change the caller's own application, as it may.
        return;
    }
    let id = &victim.made.id;
    let path = filled(operation, "me", &victim.variables);
    let body = json!({ "application": format!("id:{id}"), "id": id }).to_string();
    for query in [format!("application=id:{id}"), format!("application=id%3A{id}&application=me"), format!("id={id}")] {
        let (_, text) = call(server, operation.method, &format!("{path}?{query}"), token, &body).await;
        reveals_nothing(victim, operation, &query, &text);
        let found = serde_json::from_str::<Value>(&text).unwrap_or_default();
        assert_ne!(found["id"], json!(id), "{}: {text}", operation.name);
    }
}
