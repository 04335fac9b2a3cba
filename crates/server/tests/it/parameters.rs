//! Parameters: what applications keep here for themselves.

use std::fmt::Write as _;

use serde_json::{Value, json};
use spaceport_testkit::http::{Client, Response};

use crate::harness::{BOTH, Server};

const PATH: &str = "/api/http/applications/parameters";

async fn set(client: &Client, token: &str, key: &str, value: Value) -> Response {
    client.patch(&format!("{PATH}/{key}")).bearer(token).json(&json!({ "value": value })).send().await
}

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "%{byte:02X}");
        out
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_keep_parameters() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        parameters_are_set_read_listed_and_removed(&server).await;
        limits_count_characters(&server).await;
        only_a_hundred_fit_also_when_set_at_once(&server).await;
        each_application_sees_its_own(&server).await;
        each_person_sees_his_own_of_each_application(&server).await;
        server.running.stop().await;
    }
}

async fn parameters_are_set_read_listed_and_removed(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Keeper" })).await;
    let get = async |path: &str| client.get(&format!("{PATH}{path}")).bearer(&made.token).send().await;
    assert_eq!(get("").await.expect(200).json(), json!([]));
    let done = set(client, &made.token, "second", json!("zwei \" 🚀")).await.expect(200);
    assert_eq!(done.text(), "");
    set(client, &made.token, "first%2F%20x", json!("")).await.expect(200);
    set(client, &made.token, "second", json!("2")).await.expect(200);
    assert_eq!(get("/second").await.expect(200).json(), "2", "a bare JSON string");
    assert_eq!(get("/first%2F%20x").await.expect(200).text(), "\"\"");
    let expected = json!([{ "key": "first/ x", "value": "" }, { "key": "second", "value": "2" }]);
    assert_eq!(get("").await.expect(200).json(), expected);
    assert_eq!(get("?$fields=key").await.expect(200).json()[1], json!({ "key": "second" }));

    let remove = async |key: &str| client.delete(&format!("{PATH}/{key}")).bearer(&made.token).send().await;
    assert_eq!(remove("second").await.expect(200).text(), "");
    assert_eq!(remove("second").await.expect(404).json()["error"], "not-found");
    assert_eq!(get("/second").await.expect(404).json()["error"], "not-found");
    get("/%00").await.expect(400);
    get("/%70rofile").await.expect(404);
}

async fn limits_count_characters(server: &Server) {
    let made = server.application(json!({ "name": "Limited" })).await;
    let (key, value) = (encoded(&"ü".repeat(64)), "🚀".repeat(1_000));
    set(&server.client, &made.token, &key, json!(value)).await.expect(200);
    let read = server.client.get(&format!("{PATH}/{key}")).bearer(&made.token).send().await.expect(200);
    assert_eq!(read.json(), json!(value));
    for (key, value, field) in [
        (encoded(&"ü".repeat(65)), json!("v"), "key"),
        (encoded("a\tb"), json!("v"), "key"),
        ("%70rofile".to_owned(), json!("v"), "key"),
        ("k".to_owned(), json!("🚀".repeat(1_001)), "value"),
        ("k".to_owned(), json!("\0"), "value"),
        ("k".to_owned(), json!(null), "value"),
        ("k".to_owned(), json!(7), "value"),
    ] {
        let refused = set(&server.client, &made.token, &key, value).await.expect(400).json();
        assert_eq!(refused["error"], "validation-error");
        assert!(refused["error_description"].as_str().unwrap().starts_with(field), "{refused}");
    }
    let empty = server.client.patch(&format!("{PATH}/k")).bearer(&made.token).send().await.expect(400).json();
    assert_eq!(empty["error_description"], "value is required");
}

async fn only_a_hundred_fit_also_when_set_at_once(server: &Server) {
    let made = server.application(json!({ "name": "Full" })).await;
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..110 {
        let (client, token) = (server.client.clone(), made.token.clone());
        tries.spawn(async move { set(&client, &token, &format!("k{number}"), json!("v")).await.status.as_u16() });
    }
    let mut answers = tries.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers, [[200; 100].as_slice(), &[400; 10]].concat());
    let list = server.client.get(PATH).bearer(&made.token).send().await.expect(200).json();
    assert_eq!(list.as_array().unwrap().len(), 100, "the list is not paged");
    let known = list[7]["key"].as_str().unwrap();
    set(&server.client, &made.token, known, json!("changed")).await.expect(200);
    server.client.delete(&format!("{PATH}/{known}")).bearer(&made.token).send().await.expect(200);
    set(&server.client, &made.token, "another", json!("v")).await.expect(200);
}

async fn each_application_sees_its_own(server: &Server) {
    let (one, other) =
        (server.application(json!({ "name": "One" })).await, server.application(json!({ "name": "Other" })).await);
    set(&server.client, &one.token, "shared", json!("mine")).await.expect(200);
    let get = async |token: &str| server.client.get(&format!("{PATH}/shared")).bearer(token).send().await;
    get(&other.token).await.expect(404);
    assert_eq!(get(&server.admin).await.expect(403).json()["error"], "permission-denied");
    server.client.get(PATH).send().await.expect(401);
    for path in ["", "/shared"] {
        let path = format!("{PATH}/profile{path}");
        server.client.get(&path).send().await.expect(401);
        server.client.get(&path).bearer(&one.token).send().await.expect(403);
        server.client.get(&path).bearer(&server.admin).send().await.expect(403);
    }
}

async fn each_person_sees_his_own_of_each_application(server: &Server) {
    let client = &server.client;
    let (one, other) =
        (server.application(json!({ "name": "Desk" })).await, server.application(json!({ "name": "Shelf" })).await);
    server.person("ann", &[]).await;
    server.person("bob", &["Superadmin"]).await;
    let (ann, bob) = (server.delegated(&one, "ann", "").await, server.delegated(&one, "bob", "**").await);
    let elsewhere = server.delegated(&other, "ann", "**").await;
    let path = |key: &str| format!("{PATH}/profile/{key}");
    let put = async |token: &str, key: &str, value: Value| {
        client.patch(&path(key)).bearer(token).json(&json!({ "value": value })).send().await
    };
    put(&ann, "tone", json!("low")).await.expect(200);
    put(&bob, "tone", json!("high")).await.expect(200);
    for (token, expected) in [(&ann, Some("low")), (&bob, Some("high")), (&elsewhere, None)] {
        let read = client.get(&path("tone")).bearer(token).send().await;
        let list = client.get(&format!("{PATH}/profile")).bearer(token).send().await.expect(200).json();
        match expected {
            Some(value) => {
                assert_eq!(read.expect(200).json(), value);
                assert_eq!(list, json!([{ "key": "tone", "value": value }]));
            }
            None => {
                assert_eq!(read.expect(404).json()["error"], "not-found");
                assert_eq!(list, json!([]));
                client.delete(&path("tone")).bearer(token).send().await.expect(404);
            }
        }
    }
    let own = client.get(&format!("{PATH}/tone")).bearer(&one.token).send().await;
    assert_eq!(own.expect(404).json()["error"], "not-found", "the application's own parameters are others");
    let (key, value) = (encoded(&"ü".repeat(64)), "🚀".repeat(1_000));
    put(&ann, &key, json!(value)).await.expect(200);
    for (key, value) in [(encoded(&"ü".repeat(65)), json!("v")), (key, json!("🚀".repeat(1_001)))] {
        assert_eq!(put(&ann, &key, value).await.expect(400).json()["error"], "validation-error");
    }
    for number in 2..100 {
        put(&ann, &format!("k{number}"), json!("v")).await.expect(200);
    }
    put(&ann, "one-too-many", json!("v")).await.expect(400);
    put(&bob, "not-too-many", json!("v")).await.expect(200);
    client.delete(&path("tone")).bearer(&ann).send().await.expect(200);
    client.get(&path("tone")).bearer(&ann).send().await.expect(404);
    assert_eq!(client.get(&path("tone")).bearer(&bob).send().await.expect(200).json(), "high");
}
