//! Rows: the log of deliveries, and what can be done with them.

use std::time::Duration;

use futures_util::FutureExt;
use serde_json::json;

use super::{Case, case};
use crate::harness::{Made, Server, issue};

type Variables = Vec<(&'static str, String)>;

pub(crate) fn rows() -> Vec<Case> {
    vec![
        case("host.delivery.list")
            .with(|server, made| ended(server, made).map(|_| Vec::new()).boxed())
            .answers(|page| assert_eq!(page["data"][0]["state"], "given_up")),
        case("host.attempt.list")
            .with(|server, made| ended(server, made).map(|_| Vec::new()).boxed())
            .answers(|page| assert_eq!(page["data"][0]["httpClientError"]["className"], "invalid_url")),
        case("api.attempt.list")
            .with(|server, made| ended(server, made).map(|_| Vec::new()).boxed())
            .answers(|page| assert_eq!(page["data"][0]["httpClientError"]["className"], "invalid_url")),
        case("host.delivery.replay").with(|server, made| ended(server, made).boxed()),
        case("host.delivery.replay_many")
            .with(|server, made| ended(server, made).map(|_| Vec::new()).boxed())
            .body(json!({ "state": "given_up" }))
            .malformed(json!({}), "since")
            .malformed(json!({ "state": "lost" }), "state")
            .answers(|answer| assert_eq!(*answer, json!({ "replayed": 1, "next": null }))),
        case("host.webhook.replay_missing")
            .with(|server, made| missing(server, made).boxed())
            .body(json!({ "since": "2020-01-01T00:00:00.000Z" }))
            .malformed(json!({}), "since")
            .malformed(json!({ "since": "soon" }), "since")
            .malformed(json!({ "since": "2020-01-01T00:00:00.000Z", "after": "x" }), "after")
            .answers(|answer| assert!(answer["replayed"].as_u64() > Some(0), "{answer}")),
        case("host.webhook.sending.get")
            .with(|server, made| hook(server, made).boxed())
            .answers(|sending| assert_eq!(sending["ordered"], false)),
        case("host.webhook.sending.update")
            .with(|server, made| hook(server, made).boxed())
            .body(json!({ "retryDelaysMillis": [1000, 5], "ordered": true, "mostInFlight": 2, "mostPerMinute": 60 }))
            .malformed(json!({ "ordered": null }), "ordered")
            .malformed(json!({ "retryDelaysMillis": [-1] }), "retryDelaysMillis")
            .malformed(json!({ "mostInFlight": 0 }), "mostInFlight")
            .malformed(json!({ "mostPerMinute": -5 }), "mostPerMinute")
            .answers(|sending| assert_eq!(sending["retryDelaysMillis"], json!([1000, 5]))),
        case("host.webhook.ping")
            .with(|server, made| hook(server, made).boxed())
            .answers(|answer| assert!(answer["deliveryId"].is_string())),
        case("host.webhook.preview")
            .with(|server, made| hook(server, made).boxed())
            .body(json!({ "payload": { "className": "X" }, "payloadTemplate": "<{{className}}>" }))
            .malformed(json!({ "payload": [] }), "payload")
            .malformed(json!({ "payloadFields": "a(" }), "payloadFields")
            .answers(|answer| assert_eq!(*answer, json!({ "body": "<X>" }))),
    ]
}

async fn hook(server: &Server, made: &Made) -> Variables {
    vec![("webhookId", server.webhook(&made.token, json!({})).await)]
}

/// A webhook that is made after its event.
async fn missing(server: &Server, made: &Made) -> Variables {
    server.publish(json!([issue(&format!("missed by {}", made.id))])).await;
    hook(server, made).await
}

/// A delivery that was given up, because the application has no endpoint.
async fn ended(server: &Server, made: &Made) -> Variables {
    let id = server.webhook(&made.token, json!({})).await;
    let sending = format!("/api/host/v1/applications/me/webhooks/{id}/sending");
    let once = json!({ "retryDelaysMillis": [] });
    server.client.patch(&sending).bearer(&made.token).json(&once).send().await.expect(200);
    server.publish(json!([issue(&format!("for {}", made.id))])).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    loop {
        ticks.tick().await;
        let path = "/api/host/v1/applications/me/deliveries?state=given_up";
        let page = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
        if let Some(delivery) = page["data"][0]["id"].as_str() {
            return vec![("deliveryId", delivery.to_owned())];
        }
    }
}
