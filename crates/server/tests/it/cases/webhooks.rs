//! Rows: webhooks, their secrets, headers and subscriptions.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};
use crate::harness::{Made, Server, issues};

type Variables = Vec<(&'static str, String)>;

pub(crate) fn rows() -> Vec<Case> {
    vec![
        case("api.webhook.create")
            .body(json!({ "name": "hook" }))
            .malformed(json!({}), "name")
            .malformed(json!({ "name": 7 }), "name")
            .answers(|made| assert_eq!(made["name"], "hook")),
        case("api.webhook.list")
            .with(|server, made| hook(server, made).map(|_| Vec::new()).boxed())
            .answers(|page| assert_eq!(page["data"].as_array().map(Vec::len), Some(1))),
        case("api.webhook.update")
            .with(|server, made| hook(server, made).boxed())
            .body(json!({ "name": "renamed" }))
            .malformed(json!({ "name": null }), "name")
            .malformed(json!({ "endpoint": { "url": "ftp://a.example" } }), "endpoint.url"),
        case("api.webhook.delete").with(|server, made| hook(server, made).boxed()),
        case("api.webhook.restore").with(|server, made| archived(server, made).boxed()),
        case("api.webhook.bearer_token.get")
            .with(|server, made| with_bearer(server, made).boxed())
            .answers(|token| assert_eq!(token, "t0ken")),
        case("api.webhook.signing_key.get")
            .with(|server, made| with_bearer(server, made).boxed())
            .answers(|key| assert_eq!(key.as_str().map(str::len), Some(64))),
        case("api.webhook.signing_key.regenerate").with(|server, made| with_bearer(server, made).boxed()),
        case("api.custom_header.set")
            .with(|server, made| hook(server, made).boxed())
            .body(json!({ "headers": [{ "name": "X-Key", "value": "v", "description": null }] }))
            .malformed(json!({}), "headers")
            .malformed(json!({ "headers": [{ "name": "X-Key" }] }), "value")
            .malformed(json!({ "headers": [{ "name": "Host", "value": "v" }] }), "headers[0].name"),
        case("api.custom_header.list")
            .with(|server, made| with_header(server, made).boxed())
            .answers(|list| assert_eq!(list[0], json!({ "name": "X-Key", "value": "v", "description": null }))),
        case("api.subscription.create")
            .with(|server, made| hook(server, made).boxed())
            .body(issues())
            .malformed(json!({}), "name")
            .malformed(
                json!({ "name": "n", "subscription": { "subjectCode": "Isue", "filters": [], "eventTypeCodes": [] } }),
                "subjectCode",
            )
            .answers(|made| assert!(made["id"].is_string())),
        case("api.subscription.list")
            .with(|server, made| hook(server, made).boxed())
            .answers(|list| assert_eq!(list[0]["name"], "issues")),
        case("api.subscription.update")
            .with(|server, made| subscribed(server, made).boxed())
            .body(json!({ "name": "renamed", "enabled": false }))
            .malformed(json!({ "enabled": null }), "enabled")
            .answers(|changed| assert_eq!((&changed["name"], &changed["enabled"]), (&json!("renamed"), &json!(false)))),
        case("api.subscription.delete").with(|server, made| subscribed(server, made).boxed()),
        case("api.subscription.request_missing_rights").with(|server, made| unentitled(server, made).boxed()),
    ]
}

const PATH: &str = "/api/http/applications/me/webhooks";

/// A webhook of the application, with a subscription.
async fn hook(server: &Server, made: &Made) -> Variables {
    vec![("webhookId", server.webhook(&made.token, json!({})).await)]
}

async fn archived(server: &Server, made: &Made) -> Variables {
    let id = server.webhook(&made.token, json!({})).await;
    server.client.delete(&format!("{PATH}/{id}")).bearer(&made.token).send().await.expect(200);
    vec![("webhookId", id)]
}

async fn with_bearer(server: &Server, made: &Made) -> Variables {
    let method = json!({ "className": "EndpointAuthCreate.Bearer", "token": "t0ken" });
    vec![("webhookId", server.webhook(&made.token, json!({ "endpointAuth": { "appLevelAuth": method } })).await)]
}

async fn with_header(server: &Server, made: &Made) -> Variables {
    let id = server.webhook(&made.token, json!({})).await;
    let body = json!({ "headers": [{ "name": "X-Key", "value": "v" }] });
    let path = format!("{PATH}/{id}/custom-headers");
    server.client.post(&path).bearer(&made.token).json(&body).send().await.expect(200);
    vec![("webhookId", id)]
}

async fn subscribed(server: &Server, made: &Made) -> Variables {
    let id = server.webhook(&made.token, json!({})).await;
    with_subscription(server, made, id).await
}

/// A webhook whose application lacks what it needs to hear of issues.
async fn unentitled(server: &Server, made: &Made) -> Variables {
    let body = json!({ "name": "hook", "subscriptions": [issues()] });
    let made_hook: Value = server.client.post(PATH).bearer(&made.token).json(&body).send().await.expect(200).json();
    with_subscription(server, made, made_hook["id"].as_str().unwrap().to_owned()).await
}

async fn with_subscription(server: &Server, made: &Made, webhook: String) -> Variables {
    let path = format!("{PATH}/{webhook}/subscriptions");
    let list = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
    vec![("webhookId", webhook), ("subscriptionId", list[0]["id"].as_str().unwrap().to_owned())]
}
