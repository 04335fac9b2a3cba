//! Every operation by every kind of caller, as a running server answers: `contract/access.txt`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use spaceport_platform::context::Context;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::time::{Clock as _, SystemClock};
use spaceport_server::oauth::jwt::Grant;
use spaceport_server::operations::described;
use spaceport_testkit::http::Client;
use spaceport_wire::describe::{Method, Operation};

use crate::authorizations::{directory, person_in};
use crate::contract::compare;
use crate::harness::{Engine, Made, Server};

/// The callers, in the order of the columns.
const CALLERS: [(&str, &str); 12] = [
    ("nobody", "no token"),
    ("expired", "the application in question, with a token that has expired"),
    ("itself", "the application in question"),
    ("holder", "another application, with the rights of the operation granted globally"),
    ("other", "another application, with nothing granted"),
    ("maker", "the application that made the one in question"),
    ("agreed", "a person who holds the rights of the operation, through `holder`, having consented to everything"),
    ("silent", "the same person through the same application, having consented to nothing"),
    ("bare", "the same person through `other`, having consented to everything"),
    ("keeper", "a person who administers the project that is asked about"),
    ("host", "the host"),
    ("admin", "an administrator of the whole organization"),
];

/// Those who stay the same for all operations.
struct Callers {
    server: Server,
    other: Made,
    maker: Made,
    keeper: String,
    host: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn access_is_the_table_checked_in() {
    let server = Server::start(Engine::Sqlite).await;
    directory(&server).await;
    let maker = server.application(json!({ "name": "maker" })).await;
    server.grant(&maker.id, "global", &["Applications.Create"]).await;
    let callers = Callers {
        other: server.application(json!({ "name": "other" })).await,
        maker,
        keeper: person_in(&server, "keeper", Context::Project("open".to_owned()), &["Project.Admin", "Project.View"])
            .await,
        host: server.host().await,
        server,
    };
    let mut table = String::from(
        "# Who may call what: + admitted, - refused, as the server answers. Made by `cargo xtask accept`. From left to right:\n",
    );
    for (name, words) in CALLERS {
        let _ = writeln!(table, "# {name}: {words}");
    }
    for operation in described() {
        let row = callers.row(&operation).await;
        let _ = writeln!(table, "{row} {} — {}", operation.name, operation.access);
    }
    compare("access.txt", &table);
    callers.server.running.stop().await;
}

impl Callers {
    async fn row(&self, operation: &Operation) -> String {
        let holder = self.server.application(json!({ "name": "holder" })).await;
        // What belongs to the host cannot be granted to others.
        let rights: Vec<&str> = operation.rights.iter().copied().filter(|code| !code.starts_with("Host.")).collect();
        self.server.grant(&holder.id, "global", &rights).await;
        let user = format!("user of {}", operation.name);
        self.server.person(&user, &operation.rights).await;
        let agreed = self.server.delegated(&holder, &user, "**").await;
        let silent = self.server.delegated(&holder, &user, "").await;
        let bare = self.server.delegated(&self.other, &user, "**").await;
        let (mut row, mut fresh) = (String::new(), None);
        for (name, _) in CALLERS {
            // Many operations change or end the application: whoever comes after somebody admitted gets a fresh one.
            let (asked, expired) = match fresh.take() {
                Some(unchanged) => unchanged,
                None => {
                    let asked = self.asked().await;
                    let expired = self.expired(&asked).await;
                    (asked, expired)
                }
            };
            let token = match name {
                "nobody" => None,
                "expired" => Some(expired.as_str()),
                "itself" => Some(asked.token.as_str()),
                "holder" => Some(holder.token.as_str()),
                "other" => Some(self.other.token.as_str()),
                "maker" => Some(self.maker.token.as_str()),
                "agreed" => Some(agreed.as_str()),
                "silent" => Some(silent.as_str()),
                "bare" => Some(bare.as_str()),
                "keeper" => Some(self.keeper.as_str()),
                "host" => Some(self.host.as_str()),
                _ => Some(self.server.admin.as_str()),
            };
            let path = filled(operation.path, &asked.id);
            let admitted = admitted(&self.server.client, operation.method, &path, token).await;
            row.push(if admitted { '+' } else { '-' });
            if !admitted || operation.method == Method::Get {
                fresh = Some((asked, expired));
            }
        }
        row
    }

    /// A fresh application that asks for a right in the project.
    async fn asked(&self) -> Made {
        let client = &self.server.client;
        let made = client.post("/api/http/applications").bearer(&self.maker.token).json(&json!({ "name": "asked" }));
        let made = made.send().await.expect(200).json();
        let id = made["id"].as_str().unwrap().to_owned();
        let secret = format!("/api/http/applications/id:{id}/client-secret");
        let secret = client.get(&secret).bearer(&self.maker.token).send().await.expect(200).json();
        let (client_id, secret) = (made["clientId"].as_str().unwrap().to_owned(), secret.as_str().unwrap().to_owned());
        let token = self.server.token(&client_id, &secret).await;
        self.server.set_rights(&id, "project:key:OPEN", &["Project.View"], "REQUESTED").await;
        Made { id, client_id, secret, token }
    }

    /// A token of the application that was good an hour ago, signed as all are.
    async fn expired(&self, made: &Made) -> String {
        let id = ApplicationId::new(made.id.as_str());
        let application = self.server.running.store().read(move |tx| tx.application(&id)).await.unwrap().unwrap();
        let grant = Grant {
            client_id: made.client_id.clone(),
            subject: made.client_id.clone(),
            scope: "**".to_owned(),
            stamp: application.tokens_not_before,
            delegation: None,
        };
        let then = spaceport_platform::time::Timestamp::from_millis(SystemClock.now().millis() - 3_600_000);
        self.server.running.services().tokens.issue(grant, "expired".to_owned(), then).await.unwrap()
    }
}

/// The path with the application named, a private project, a private channel, the role of administrators, every other
/// variable naming nothing, and a project where a context is asked for.
fn filled(path: &str, application: &str) -> String {
    let filled = path.split('/').map(|segment| match segment {
        "{application}" => format!("id:{application}"),
        "{project}" => "key:CLOSED".to_owned(),
        "{channel}" => "id:talk".to_owned(),
        "{roleId}" => "SystemAdmin".to_owned(),
        variable if variable.starts_with('{') => "none".to_owned(),
        word => word.to_owned(),
    });
    format!("{}?contextIdentifier=project:key:OPEN", filled.collect::<Vec<_>>().join("/"))
}

/// Whether the call got past the access rule, whatever was wrong with it behind.
async fn admitted(client: &Client, method: Method, path: &str, token: Option<&str>) -> bool {
    let call = match method {
        Method::Get => client.get(path),
        Method::Post => client.post(path),
        Method::Patch => client.patch(path),
        Method::Put => client.put(path),
        Method::Delete => client.delete(path),
    };
    let call = match token {
        Some(token) => call.bearer(token),
        None => call,
    };
    let answer = call.raw_body("{\"name\":7,\"events\":7}").send().await;
    let error = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default()["error_description"].clone();
    let says = |begin: &str| error.as_str().is_some_and(|text| text.starts_with(begin));
    let hidden = answer.status == 404 && ["Application ", "Project ", "Channel ", "Role "].into_iter().any(says);
    let unknown = answer.status == 401 && (says("Sign in") || says("Access token "));
    !(hidden || unknown || answer.status == 403)
}
