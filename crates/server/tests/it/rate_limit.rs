//! How many requests an application may make.

use std::num::NonZeroU32;
use std::time::Duration;

use serde_json::json;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::Response;

use crate::harness::{BOTH, Engine, Server, issue};

const ME: &str = "/api/http/applications/me";

fn require_limited(answer: &Response, seconds: &str) {
    assert_eq!(answer.status.as_u16(), 429, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), seconds);
    assert_eq!(answer.header("content-type"), "application/json");
    let description = "The application may make 12 requests a minute here";
    assert_eq!(answer.json(), json!({ "error": "rate-limited", "error_description": description }));
}

#[tokio::test(flavor = "multi_thread")]
async fn t21_an_application_that_floods_is_told_to_wait_and_others_are_not() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server =
            Server::start_at(engine, &clock, |s| s.application_requests_per_minute = NonZeroU32::new(12)).await;
        server.person("ann", &[]).await;
        let (flooding, other) =
            (server.application(json!({ "name": "A" })).await, server.application(json!({ "name": "B" })).await);
        let for_ann = server.delegated(&flooding, "ann", "").await;
        let get = async |path: &str, token: &str| server.client.get(path).bearer(token).send().await;
        // One was its sign-in; whoever acts through it counts for it, and so do refusals.
        for _ in 0..5 {
            get(ME, &flooding.token).await.expect(200);
            get("/api/http/team-directory/profiles/me", &for_ann).await.expect(200);
        }
        get("/api/host/v1/audit-trail", &flooding.token).await.expect(403);
        for _ in 0..20 {
            require_limited(&get(ME, &flooding.token).await, "5");
        }
        require_limited(&get("/api/http/team-directory/profiles/me", &for_ann).await, "5");
        let large = json!({ "name": "x".repeat(500_000) });
        require_limited(&server.client.patch(ME).bearer(&flooding.token).json(&large).send().await, "5");
        let form = [("grant_type", "client_credentials")];
        let sign_in = || server.client.post("/oauth/token").form(&form);
        require_limited(&sign_in().basic(&flooding.client_id, &flooding.secret).send().await, "5");
        // Naming somebody uses nothing of his up.
        for _ in 0..3 {
            sign_in().basic(&other.client_id, "wrong").send().await.expect(401);
        }
        for _ in 0..11 {
            get(ME, &other.token).await.expect(200);
        }
        require_limited(&get(ME, &other.token).await, "5");
        // People and the host are not limited.
        let host = server.host().await;
        for number in 0..20 {
            get(&format!("/api/http/applications/id:{}", flooding.id), &server.admin).await.expect(200);
            let events = json!({ "events": [issue(&format!("e{number}"))] });
            server.client.post("/api/host/v1/events").bearer(&host).json(&events).send().await.expect(202);
        }
        get("/oauth/jwks.json", &flooding.token).await.expect(200);

        clock.advance(Duration::from_millis(4_999));
        require_limited(&get(ME, &flooding.token).await, "1");
        clock.advance(Duration::from_millis(1));
        get(ME, &flooding.token).await.expect(200);
        require_limited(&get(ME, &flooding.token).await, "5");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_setting_nothing_is_limited() {
    let server = Server::start_at(Engine::Sqlite, &FrozenClock::default(), |_| {}).await;
    let made = server.application(json!({ "name": "A" })).await;
    for _ in 0..500 {
        server.client.get(ME).bearer(&made.token).send().await.expect(200);
    }
    server.running.stop().await;
}
