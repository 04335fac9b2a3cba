//! What we promise is generated, checked in and compared: `contract/`.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use spaceport_server::operations::described;
use spaceport_testkit::http::Client;
use spaceport_wire::describe::{Method, api_model, openapi};

use crate::harness::{Engine, Server};

/// Compares with the file in `contract/`; `cargo xtask accept` rewrites it instead.
fn compare(name: &str, generated: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract").join(name);
    #[expect(clippy::disallowed_methods, reason = "the switch of `cargo xtask accept`, not a setting of the server")]
    let accepts = std::env::var_os("SPACEPORT_ACCEPT").is_some();
    if accepts {
        std::fs::write(&file, generated).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == generated, "contract/{name} differs from the code; run `cargo xtask accept` and read its diff");
}

#[test]
fn the_openapi_document_is_the_one_checked_in() {
    let document = openapi(&described(), "http://localhost:8080", "0");
    compare("openapi.json", &format!("{}\n", serde_json::to_string_pretty(&document).unwrap()));
}

#[test]
fn the_http_api_model_is_the_one_checked_in() {
    let model = api_model(&described());
    compare("http-api-model.json", &format!("{}\n", serde_json::to_string_pretty(&model).unwrap()));
}

#[test]
fn names_and_paths_of_operations_are_unique() {
    let operations = described();
    let mut names: Vec<_> = operations.iter().map(|operation| operation.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), operations.len());
}

/// Every operation by every kind of caller, as really answered.
#[tokio::test(flavor = "multi_thread")]
async fn access_is_the_table_checked_in() {
    let server = Server::start(Engine::Sqlite).await;
    let other = server.application(json!({ "name": "other" })).await;
    let host = server.host().await;
    let callers = [
        ("nobody", None),
        ("the application", None),
        ("another application", Some(other.token.as_str())),
        ("host", Some(host.as_str())),
        ("administrator", Some(server.admin.as_str())),
    ];
    let mut table = String::from(
        "# Who may call what: + admitted, - refused, as the server answers. Made by `cargo xtask accept`.\n",
    );
    let _ = writeln!(table, "# {}", callers.map(|(name, _)| name).join(" | "));
    for operation in described() {
        // Many operations change or end the application: each caller gets a fresh one.
        let mut row = String::new();
        for (name, token) in callers {
            let asked = server.application(json!({ "name": "asked" })).await;
            let token = if name == "the application" { Some(asked.token.as_str()) } else { token };
            let path = filled(operation.path, &asked.id);
            row.push(if admitted(&server.client, operation.method, &path, token).await { '+' } else { '-' });
        }
        let _ = writeln!(table, "{row} {} — {}", operation.name, operation.access);
    }
    compare("access.txt", &table);
    server.running.stop().await;
}

/// The path with the application named and every other variable naming nothing.
fn filled(path: &str, application: &str) -> String {
    let filled = path.split('/').map(|segment| match segment {
        "{application}" => format!("id:{application}"),
        variable if variable.starts_with('{') => "none".to_owned(),
        word => word.to_owned(),
    });
    filled.collect::<Vec<_>>().join("/")
}

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
    let hidden = answer.status == 404 && error.as_str().is_some_and(|text| text.starts_with("Application "));
    !(hidden
        || answer.status == 403
        || (answer.status == 401 && error.as_str().is_some_and(|text| text.starts_with("Sign in"))))
}
