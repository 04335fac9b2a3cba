//! Rows: permanent tokens of applications.

use futures_util::FutureExt;
use serde_json::json;

use super::{Case, case};
use crate::harness::{Made, Server};

pub(crate) fn rows() -> Vec<Case> {
    let named = |operation| case(operation).with(|server, made| token(server, made).boxed());
    vec![
        case("api.permanent_token.create")
            .body(json!({ "name": "t", "scope": "**" }))
            .malformed(json!({ "scope": "**" }), "name")
            .malformed(json!({ "name": "t" }), "scope")
            .malformed(json!({ "name": 7, "scope": "**" }), "name")
            .malformed(json!({ "name": "t", "scope": "**", "expires": 7 }), "expires")
            .answers(|pair| assert!(pair["second"].as_str().unwrap().starts_with("spp_"), "{pair}")),
        case("api.permanent_token.list")
            .with(|server, made| token(server, made).map(|_| Vec::new()).boxed())
            .answers(|page| assert_eq!(page["data"][0]["name"], "t")),
        named("api.permanent_token.update")
            .body(json!({ "name": "u" }))
            .malformed(json!({ "name": 7 }), "name")
            .malformed(json!({ "scope": "x" }), "scope"),
        named("api.permanent_token.delete"),
        case("api.permanent_token.delete_current").refused("the permanent token"),
    ]
}

/// A permanent token of the application.
async fn token(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    let path = "/api/http/applications/me/permanent-tokens";
    let body = json!({ "name": "t", "scope": "**" });
    let pair = server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200).json();
    vec![("tokenId", pair["first"]["id"].as_str().unwrap().to_owned())]
}
