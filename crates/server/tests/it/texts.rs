//! Texts that cannot be stored are refused by name, in whatever part of a request they come.

use serde_json::{Value, json};

use crate::harness::{BOTH, Server, issue};

fn refused(answer: &spaceport_testkit::http::Response, field: &str) {
    assert_eq!(answer.status, 400, "{field}: {}", answer.text());
    let body = answer.json();
    assert_eq!(body["error"], "validation-error", "{body}");
    let description = body["error_description"].as_str().unwrap();
    assert!(description.contains(field) && description.contains("U+0000"), "{field}: {description}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_character_nul_is_refused_by_name_on_both_engines() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Owner" })).await;
        let host = server.host().await;
        let get = async |path: &str| server.client.get(path).bearer(&server.admin).send().await;
        refused(&get("/api/http/applications/id:a%00b").await, "application");
        refused(&get("/api/http/applications/a%00b/webhooks").await, "application");
        refused(&get("/api/http/applications/paged?name=a%00b").await, "name");
        refused(&get("/api/http/applications/paged?owner=id:a&owner=username:a%00").await, "owner");
        refused(&get("/api/http/applications/paged?$fields=a%00").await, "$fields");
        let path = format!("/api/http/applications/id:{}/webhooks/x%00", made.id);
        refused(&server.client.delete(&path).bearer(&server.admin).send().await, "webhookId");

        let post = async |path: &str, token: &str, body: Value| {
            server.client.post(path).bearer(token).json(&body).send().await
        };
        let applications = "/api/http/applications";
        refused(&post(applications, &server.admin, json!({ "name": "a\0" })).await, "name");
        refused(&post(applications, &server.admin, json!({ "name": "a", "unknown": ["\0"] })).await, "unknown[0]");
        let change = server.client.patch("/api/http/applications/me").bearer(&made.token);
        refused(&change.json(&json!({ "description": "\0" })).send().await, "description");
        let mut event = issue("n");
        event["payload"]["text"] = json!(["fine", "not\0fine"]);
        refused(
            &post("/api/host/v1/events", &host, json!({ "events": [issue("a"), event] })).await,
            "events[1].payload.text[1]",
        );
        let mut event = issue("n");
        event["attributes"] = json!({ "k\0": 1 });
        refused(&post("/api/host/v1/events", &host, json!({ "events": [event] })).await, "events[0].attributes");
        // A backslash and the letters are no NUL.
        let mut event = issue("letters");
        event["payload"]["text"] = json!("\\u0000");
        post("/api/host/v1/events", &host, json!({ "events": [event] })).await.expect(202);

        credentials_with_nul_are_refused(&server).await;
        server.running.stop().await;
    }
}

async fn credentials_with_nul_are_refused(server: &Server) {
    let grant = ("grant_type", "client_credentials");
    let token = || server.client.post("/oauth/token");
    token().basic("a\0b", "secret").form(&[grant]).send().await.expect(401);
    token().basic("a%00b", "secret").form(&[grant]).send().await.expect(401);
    let form = [grant, ("client_id", "a\0b"), ("client_secret", "x")];
    let answer = token().form(&form).send().await.expect(400).json();
    assert_eq!(answer["error"], "invalid_request", "{answer}");
    assert!(answer["error_description"].as_str().unwrap().contains("client_id"), "{answer}");
    server.client.post("/administrator").form(&[("code", "a\0")]).send().await.expect(400);
    server.client.post("/login").form(&[("username", "a\0"), ("password", "b")]).send().await.expect(400);
    server.client.get("/oauth/auth?client_id=a%00b&redirect_uri=https://a.example").send().await.expect(400);
    server.client.get("/session?code=a%00b").send().await.expect(410);
    server.client.get("/api/http/applications/me").bearer("a%00.b").send().await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn halves_of_characters_are_refused_and_everything_else_is_kept() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Owner" })).await;
        for half in [r"\ud83c", r"\udf89", r"\ud83c\ud83c", r"\udf89\ud83c"] {
            let body = format!(r#"{{"description":"{half}"}}"#);
            let change = server.client.patch("/api/http/applications/me").bearer(&made.token).raw_body(body);
            let answer = change.send().await.expect(400).json();
            assert_eq!(answer["error"], "validation-error", "{half}: {answer}");
        }
        let odd = "\u{1}\u{7f}\u{85}\u{2028}\u{feff}\u{fffd}\u{fffe}\u{10ffff}🎉e\u{301}";
        let change = server.client.patch("/api/http/applications/me").bearer(&made.token);
        change.json(&json!({ "description": odd })).send().await.expect(200);
        let read = server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200).json();
        assert_eq!(read["description"], odd);
        server.running.stop().await;
    }
}
