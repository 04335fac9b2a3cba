//! Rows: which links an application wants to preview, and may.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};
use crate::harness::{Made, Server};

pub(crate) fn rows() -> Vec<Case> {
    let link = "https://tracker.example.com/issue/T-<?>";
    let pattern = json!({ "prefix": "T-", "linkReplacement": link });
    vec![
        case("api.unfurl_domain.update")
            .body(json!({ "domains": ["tracker.example.com"] }))
            .malformed(json!({ "domains": ["a.example", "https://b.example"] }), "domains[1]")
            .malformed(json!({ "domains": 7 }), "domains")
            .malformed(json!({}), "domains")
            .malformed(json!({ "domains": vec!["a.example"; 501] }), "domains"),
        case("api.unfurl_pattern.update")
            .body(json!({ "patterns": [pattern] }))
            .malformed(json!({ "patterns": [{ "prefix": "T-", "linkReplacement": "https://e/" }] }), "patterns[0]")
            .malformed(json!({ "patterns": [{ "prefix": "T-" }] }), "linkReplacement")
            .malformed(json!({ "patterns": vec![pattern.clone(); 501] }), "patterns"),
        case("api.unfurl_domain.list").with(|server, made| asked(server, made).boxed()).answers(|found| {
            assert_eq!(
                (&found[0]["domain"], &found[0]["status"]),
                (&json!("tracker.example.com"), &json!("REQUESTED"))
            );
        }),
        case("api.unfurl_pattern.list").with(|server, made| asked(server, made).boxed()).answers(|found| {
            assert_eq!((&found[0]["prefix"], &found[0]["status"]), (&json!("T-"), &json!("REQUESTED")));
        }),
        case("api.unfurl_domain.authorize")
            .with(|server, made| asked(server, made).boxed())
            .body(json!({ "domains": ["tracker.example.com"], "approve": true }))
            .malformed(json!({ "domains": ["another.example.com"], "approve": true }), "domains[0]")
            .malformed(json!({ "domains": ["tracker.example.com"] }), "approve"),
        case("api.unfurl_pattern.authorize")
            .with(|server, made| asked(server, made).boxed())
            .body(json!({ "patterns": ["T-"], "approve": false }))
            .malformed(json!({ "patterns": ["T-", "U-"], "approve": false }), "patterns[1]")
            .malformed(json!({ "patterns": ["T-"], "approve": "no" }), "approve"),
    ]
}

/// The application asks for one of each.
async fn asked(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    ask(server, &made.token, json!(["tracker.example.com"])).await;
    let body =
        json!({ "patterns": [{ "prefix": "T-", "linkReplacement": "https://tracker.example.com/issue/T-<?>" }] });
    server
        .client
        .patch("/api/http/applications/unfurls/patterns")
        .bearer(&made.token)
        .json(&body)
        .send()
        .await
        .expect(200);
    Vec::new()
}

/// The application with this token asks for these domains.
pub(crate) async fn ask(server: &Server, token: &str, domains: Value) {
    let body = json!({ "domains": domains });
    server.client.patch("/api/http/applications/unfurls/domains").bearer(token).json(&body).send().await.expect(200);
}
