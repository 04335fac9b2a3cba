//! What every operation has in common: errors, limits, browsers.

use serde_json::json;

use crate::browser::Browser;
use crate::harness::{Engine, Server};

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_json_with_both_keys() {
    let server = Server::start(Engine::Sqlite).await;
    for path in [
        "/planets",
        "/api/http/planets",
        "/api;x/http/applications/me",
        "//api/http/applications/me",
        "/api/http/applications/%ff",
    ] {
        let answer = server.client.get(path).send().await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
        let body = answer.json();
        assert!(body["error"].is_string() && body["error_description"].is_string(), "{path}: {body}");
        assert_eq!(answer.content_type(), "application/json");
        assert_eq!(answer.header("x-request-id").len(), 12, "{path}");
    }
    let wrong = server.client.put("/api/http/applications/me").send().await.expect(405);
    assert_eq!(wrong.header("x-request-id").len(), 12);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_bodies_never_make_the_server_fail() {
    let server = Server::start(Engine::Sqlite).await;
    let host = server.host().await;
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"7".to_vec(),
        b"\"x\"".to_vec(),
        b"{".to_vec(),
        b"{\"events\":".to_vec(),
        b"{\"events\":{}}".to_vec(),
        b"{\"events\":[null]}".to_vec(),
        b"{\"name\":1e999}".to_vec(),
        b"{\"name\":\"\\ud800\"}".to_vec(),
        vec![0xff, 0xfe],
        vec![0; 100],
        "[".repeat(100_000).into_bytes(),
        "{\"a\":".repeat(100_000).into_bytes(),
        format!(
            "{{\"events\":[{{\"subject\":\"Issue\",\"type\":\"Issue.Created\",\"payload\":{}}}]}}",
            "[".repeat(1_000)
        )
        .into_bytes(),
    ];
    for body in bodies {
        for (path, token) in [("/api/http/applications", &server.admin), ("/api/host/v1/events", &host)] {
            let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
            let answer = server.client.post(path).bearer(token).raw_body(body.clone()).send().await;
            assert_eq!(answer.status, 400, "{path} {shown}: {}", answer.text());
        }
        let token = server.client.post("/oauth/token").raw_body(body.clone()).send().await;
        assert!(token.status.is_client_error());
    }
    let huge = vec![b' '; 2 * 1024 * 1024];
    let refused =
        server.client.post("/api/http/applications").bearer(&server.admin).raw_body(huge).send().await.expect(413);
    assert_eq!(refused.json()["error"], "payload-too-large");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_content_type_of_a_body_does_not_matter() {
    let server = Server::start(Engine::Sqlite).await;
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-8"] {
        let body = json!({ "name": "typed" }).to_string();
        server
            .client
            .post("/api/http/applications")
            .bearer(&server.admin)
            .body(content_type, body)
            .send()
            .await
            .expect(200);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_of_other_origins_may_call_the_api_but_not_the_host_api() {
    let server = Server::start(Engine::Sqlite).await;
    let preflight = async |path: &str| {
        let call = server.client.call(::http::Method::OPTIONS, path).header("origin", "https://app.example");
        call.header("access-control-request-method", "PATCH").send().await
    };
    let allowed = preflight("/api/http/applications/me").await;
    assert_eq!(allowed.header("access-control-allow-origin"), "*");
    assert!(allowed.header("access-control-allow-headers").contains("Authorization"));
    assert_eq!(preflight("/oauth/token").await.header("access-control-allow-origin"), "*");
    assert_eq!(preflight("/api/host/v1/events").await.header("access-control-allow-origin"), "");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_learn_whether_it_runs() {
    let server = Server::start(Engine::Sqlite).await;
    server.client.get("/health/live").send().await.expect(200);
    server.client.get("/health/ready").send().await.expect(200);
    let metrics = server.client.get("/metrics").send().await.expect(200);
    assert!(
        metrics.text().contains("spaceport_requests_total{operation=\"health.live\",status=\"200\"} 1"),
        "{}",
        metrics.text()
    );
    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    assert!(metrics.text().ends_with("# EOF\n"), "{}", metrics.text());
    for name in [
        "deliveries_in_flight 0",
        "deliveries_delivered_total 0",
        "attempts_failed_total 0",
        "deliveries_given_up_total 0",
    ] {
        assert!(metrics.text().contains(&format!("spaceport_{name}")), "{name}: {}", metrics.text());
    }
    let about = server.client.get("/about").send().await.expect(200);
    assert!(about.text().contains(">Version "));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_strangers_are_not_kept() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Stranger" })).await;
    // Above the limit: who is refused for himself is not refused for what he sends.
    let huge = vec![b' '; 2 * 1024 * 1024];
    let call = || server.client.post("/api/http/applications").raw_body(huge.clone());
    call().bearer(&made.token).send().await.expect(403);
    call().send().await.expect(401);
    server.client.put("/uploads/unknown/x.png").raw_body([&huge[..], b"x"].concat()).send().await.expect(404);
    call().bearer(&server.admin).send().await.expect(413);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_without_a_link_is_told_where_he_is() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let page = server.client.get("/").send().await.expect(200);
    assert!(page.text().contains("href=\"/login\"") && page.text().contains("href=\"/openapi.json\""));
    assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
    let mut browser = Browser::of(&server, "ann").await;
    let page = browser.get("/").await.expect(200);
    assert!(page.text().contains("href=\"/account\"") && !page.text().contains("href=\"/login\""));
    let icon = server.client.get("/favicon.ico").send().await.expect(200);
    assert_eq!(icon.content_type(), "image/svg+xml");
    assert!(page.text().contains("<link rel=\"icon\" type=\"image/svg+xml\" href=\"/favicon.ico\">"));
    server.running.stop().await;
}
