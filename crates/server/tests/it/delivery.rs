//! From a published event to what the endpoint receives.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_testkit::receiver::{Behaviour, Receiver};
use spaceport_testkit::verify::{public_key_signature, signing_key_signature};

use crate::harness::{BOTH, Engine, Server, issue};

#[tokio::test(flavor = "multi_thread")]
async fn events_arrive_signed_and_are_retried_until_accepted() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::status(500));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        let published = server.publish(json!([issue("e1")])).await;
        assert_eq!(published, json!({ "results": [{ "id": "e1", "status": "accepted", "deliveries": 1 }] }));
        receiver.wait_for(2).await;
        receiver.behave("/hook", Behaviour::status(204));
        let status =
            server.status(&made.token, |status| status["className"] == "WebhookDeliveryStatusDTO.Successful").await;
        assert_eq!(status["responseCode"], 204);
        let keys = server.client.get("/api/http/applications/me/public-keys").bearer(&made.token).send().await.json();
        for request in receiver.received() {
            public_key_signature(&request, keys.as_str().unwrap()).unwrap();
            assert_eq!(request.header("content-type"), "application/json");
            let expected = json!({
                "className": "WebhookRequestPayload", "clientId": made.client_id, "webhookId": webhook,
                "payload": { "className": "IssueWebhookEvent", "n": "e1" }, "verificationToken": null,
            });
            assert_eq!(request.json(), expected);
        }
        let again = server.publish(json!([issue("e1")])).await;
        assert_eq!(again["results"][0], json!({ "id": "e1", "status": "duplicate", "deliveries": 1 }));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_authentication_method_reaches_the_endpoint() {
    let server = Server::start(Engine::Sqlite).await;
    let receiver = Receiver::start();
    for (path, auth) in [
        ("/key", json!({ "className": "EndpointAuthCreate.SigningKey" })),
        ("/bearer", json!({ "className": "EndpointAuthCreate.Bearer", "token": "bearer-token" })),
        ("/basic", json!({ "className": "EndpointAuthCreate.Basic", "username": "u", "password": "p" })),
    ] {
        let made =
            server.application(json!({ "name": path, "endpointUri": receiver.url(path), "appLevelAuth": auth })).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue(path)])).await;
        let request = receiver.wait_for_at(path, 1).await.remove(0);
        match path {
            "/key" => {
                let key =
                    server.client.get("/api/http/applications/me/signing-key").bearer(&made.token).send().await.json();
                signing_key_signature(&request, key.as_str().unwrap()).unwrap();
            }
            "/bearer" => assert_eq!(request.header("authorization"), "Bearer bearer-token"),
            _ => assert_eq!(request.header("authorization"), "Basic dTpw"),
        }
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_survive_byte_for_byte_and_verify() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        let keys = server.client.get("/api/http/applications/me/public-keys").bearer(&made.token).send().await.json();
        let host = server.host().await;
        // What comes in, and what JavaScript makes of it.
        let recorded = include_str!("../../../wire/tests/data/payloads/hard-cases.json");
        let stringified = include_str!("../../../wire/tests/data/payloads/hard-cases.stringified");
        let as_issue = |text: &str| text.replace("HardCases", "IssueWebhookEvent");
        let (sent, expected) = (as_issue(recorded), as_issue(stringified));
        let body =
            format!("{{\"events\":[{{\"subject\":\"Issue\",\"type\":\"Issue.Created\",\"payload\": {sent} }}]}}");
        server.client.post("/api/host/v1/events").bearer(&host).body("text/plain", body).send().await.expect(202);
        let request = receiver.wait_for(1).await.remove(0);
        let envelope = format!(
            "{{\"className\":\"WebhookRequestPayload\",\"clientId\":\"{}\",\"payload\":{expected},\"verificationToken\":null,\"webhookId\":\"{webhook}\"}}",
            made.client_id
        );
        assert_eq!(request.text(), envelope);
        public_key_signature(&request, keys.as_str().unwrap()).unwrap();
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_events_refuse_the_whole_request_by_index() {
    let server = Server::start(Engine::Sqlite).await;
    let host = server.host().await;
    let publish = async |events: Value| {
        server.client.post("/api/host/v1/events").bearer(&host).json(&json!({ "events": events })).send().await
    };
    let with = |key: &str, value: Value| {
        let mut event = issue("bad");
        event[key] = value;
        event
    };
    for (event, expected) in [
        (with("type", json!("Issue.Create")), "events[1].type"),
        (with("subject", json!("Isue")), "nearest is `Issue`"),
        (with("payload", json!([])), "events[1].payload"),
        (with("payload", json!({ "className": "Other" })), "payload.className"),
        (
            with("payload", json!({ "className": "IssueWebhookEvent", "n": 9_007_199_254_740_993_u64 })),
            "events[1].payload.n",
        ),
        (with("id", json!("")), "events[1].id"),
        (with("context", json!("planet:earth")), "context"),
        (with("occurredAt", json!("soon")), "occurredAt"),
        (with("attributes", json!(7)), "events[1].attributes"),
    ] {
        let refused = publish(json!([issue("good"), event])).await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().contains(expected), "{expected}: {refused}");
    }
    publish(json!([])).await.expect(400);
    let accepted = publish(json!([issue("good")])).await.expect(202).json();
    assert_eq!(accepted["results"][0]["status"], "accepted", "nothing of the refused requests was stored");
    let made = server.application(json!({ "name": "No host" })).await;
    let body = json!({ "events": [issue("x")] });
    server.client.post("/api/host/v1/events").bearer(&made.token).json(&body).send().await.expect(403);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endpoints_that_never_end_delay_nobody_else() {
    // O4: one that never answers, one that drips its body, one that answers 512 MiB.
    const HUGE: u64 = 512 * 1024 * 1024;
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        receiver.behave("/silent", Behaviour::Hang);
        receiver.behave("/drip", Behaviour::Drip { interval: Duration::from_millis(50), byte: b'x' });
        receiver.behave("/huge", Behaviour::Huge { bytes: HUGE });
        let hear = async |path: &str| {
            let made = server.application(json!({ "name": path, "endpointUri": receiver.url(path) })).await;
            server.webhook(&made.token, json!({})).await;
        };
        hear("/silent").await;
        hear("/drip").await;
        // More than one application may have under way.
        server.publish(json!((0..80).map(|index| issue(&format!("s{index}"))).collect::<Vec<_>>())).await;
        receiver.wait_for_at("/silent", 10).await;
        receiver.wait_for_at("/drip", 10).await;
        hear("/huge").await;
        hear("/quick").await;
        server.publish(json!((0..20).map(|index| issue(&format!("q{index}"))).collect::<Vec<_>>())).await;
        assert_eq!(receiver.wait_for_at("/quick", 20).await.len(), 20, "while the others still hold their slots");
        let held = receiver.received_at("/silent").len();
        assert!(held < 80, "the silent one got {held}: it holds no more than its share");

        // Of 512 MiB, no more leaves the endpoint than what its and our sockets buffer.
        let taken = receiver.received_at("/huge").len();
        assert!(taken > 0);
        let bytes = receiver.huge_bytes_taken() / u64::try_from(taken).unwrap();
        assert!(bytes < HUGE / 16, "{bytes} bytes of each answer were taken");
        server.running.abandon();
    }
}
