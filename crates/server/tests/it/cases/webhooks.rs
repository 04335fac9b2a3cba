//! Rows: webhooks and their subscriptions.

use futures_util::FutureExt;
use serde_json::json;

use super::{Case, case};
use crate::harness::{Made, Server};

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
        case("api.webhook.delete").with(|server, made| hook(server, made).boxed()),
        case("api.subscription.list")
            .with(|server, made| hook(server, made).boxed())
            .answers(|list| assert_eq!(list[0]["name"], "issues")),
    ]
}

/// A webhook of the application, with a subscription.
async fn hook(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    vec![("webhookId", server.webhook(&made.token, json!({})).await)]
}
