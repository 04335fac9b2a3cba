//! Permanent tokens at their bounds: many nodes, many tokens, connected applications. // P2

use std::fs;
use std::time::Duration;

use serde_json::json;
use spaceport_platform::access::Principal;
use spaceport_platform::connection::Connection;
use spaceport_platform::id::{ApplicationId, TokenId};
use spaceport_platform::time::Timestamp;
use spaceport_server::run::run;
use spaceport_store::{NewToken, StoreError};
use spaceport_testkit::http::Client;
use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::harness::{BOTH, Server, settings, surroundings};

const TOKENS: &str = "/api/http/applications/me/permanent-tokens";
const ME: &str = "/api/http/applications/me";

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_ends_on_other_nodes_too() {
    let database = database();
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let one = run(&settings(&first, Some(&database)), surroundings()).await.unwrap();
    fs::create_dir(second.path().join("data")).unwrap();
    fs::copy(first.path().join("data/master.key"), second.path().join("data/master.key")).unwrap();
    let other = run(&settings(&second, Some(&database)), surroundings()).await.unwrap();
    let admin = one.first.as_ref().unwrap().admin_token.clone();
    let (here, there) =
        (Client::new(format!("http://{}", one.address)), Client::new(format!("http://{}", other.address)));
    let made = here.post("/api/http/applications").bearer(&admin).json(&json!({ "name": "Spread" })).send().await;
    let path =
        format!("/api/http/applications/id:{}/permanent-tokens", made.expect(200).json()["id"].as_str().unwrap());
    let body = json!({ "name": "t", "scope": "**" });
    let pair = here.post(&path).bearer(&admin).json(&body).send().await.expect(200).json();
    let (id, text) = (pair["first"]["id"].as_str().unwrap(), pair["second"].as_str().unwrap());
    for client in [&here, &there, &there] {
        client.get(ME).bearer(text).send().await.expect(200);
    }
    here.delete(&format!("{path}/{id}")).bearer(&admin).send().await.expect(200);
    here.get(ME).bearer(text).send().await.expect(401);
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    while there.get(ME).bearer(text).send().await.status != 401 {
        ticks.tick().await;
    }
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_has_so_many_tokens_and_a_connected_one_makes_its_own_alone() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        there_is_a_limit(&server).await;
        a_connected_application_makes_its_own(&server).await;
        server.running.stop().await;
    }
}

async fn there_is_a_limit(server: &Server) {
    let made = server.application(json!({ "name": "Full" })).await;
    let principal = Principal::Application(ApplicationId::new(made.id.as_str()));
    let stored = server.running.store().write(move |tx| {
        (0..1_000).try_for_each(|number| {
            let token = NewToken {
                hash: format!("full-{number}"),
                id: TokenId::new(format!("full-{number:04}")),
                name: "t".to_owned(),
                scope: "**".to_owned(),
                created_at: Timestamp::from_millis(0),
                expires_at: None,
            };
            tx.insert_token(&token, &principal)
        })
    });
    stored.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let body = json!({ "name": "t", "scope": "**" });
    let make = async || server.client.post(TOKENS).bearer(&made.token).json(&body).send().await;
    assert!(make().await.expect(400).text().contains("1000"));
    server.client.delete(&format!("{TOKENS}/full-0500")).bearer(&made.token).send().await.expect(200);
    make().await.expect(200);
}

async fn a_connected_application_makes_its_own(server: &Server) {
    let made = server.application(json!({ "name": "Connected" })).await;
    let id = ApplicationId::new(made.id.as_str());
    let connected = server.running.store().write(move |tx| {
        let mut application = tx.application(&id)?.unwrap();
        application.connection = Some(Connection::default());
        tx.update_application(&application)
    });
    connected.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let body = json!({ "name": "t", "scope": "**" });
    let pair = server.client.post(TOKENS).bearer(&made.token).json(&body).send().await.expect(200).json();
    let id = pair["first"]["id"].as_str().unwrap();
    let path = format!("/api/http/applications/id:{}/permanent-tokens", made.id);
    server.client.post(&path).bearer(&server.admin).json(&body).send().await.expect(403);
    let one = format!("{path}/{id}");
    server.client.patch(&one).bearer(&server.admin).json(&json!({ "scope": "**" })).send().await.expect(403);
    // To end one is safe in any hands that may edit the application.
    server.client.delete(&one).bearer(&server.admin).send().await.expect(200);
}
