//! Rows: what people allowed applications to do in their name.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};
use crate::browser::Browser;
use crate::harness::{Made, Server};
use crate::oauth_flow::{BACK, tokens};

const OWNER: &str = "username:viewer";

pub(crate) fn rows() -> Vec<Case> {
    let agreed_to = |operation: &'static str, part: Option<&'static str>| {
        case(operation).with(move |server, made| agreed(server, made, part).boxed())
    };
    vec![
        agreed_to("api.consent.list", None).answers(|list| assert!(!list.as_array().unwrap().is_empty())),
        agreed_to("api.consent.delete_application", None),
        agreed_to("api.consent.delete_scope", Some("approvedScopes")),
        agreed_to("api.consent.delete_refresh_token", Some("refreshTokens")),
        case("api.consent.delete_internal")
            .with(|_, _| async { vec![("owner", OWNER.to_owned()), ("clientId", "pages".to_owned())] }.boxed())
            .not_found("No part of the server"),
    ]
}

/// A person lets the application act for him; names him, and a part of what he agreed to.
async fn agreed(server: &Server, made: &Made, part: Option<&str>) -> Vec<(&'static str, String)> {
    let flow = json!({ "codeFlowEnabled": true, "codeFlowRedirectURIs": BACK });
    server.client.patch("/api/http/applications/me").bearer(&made.token).json(&flow).send().await.expect(200);
    tokens(&mut Browser::of(server, "viewer").await, made, "global:Profile.View").await;
    let path = format!("/api/http/team-directory/profiles/oauth-consents/{OWNER}");
    let list = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
    let of_made = |consent: &&Value| consent["clientApplication"]["app"]["id"] == made.id.as_str();
    let consent = list.as_array().unwrap().iter().find(of_made).unwrap().clone();
    let mut variables = vec![("owner", OWNER.to_owned())];
    variables.extend(part.map(|part| ("id", consent[part][0]["id"].as_str().unwrap().to_owned())));
    variables
}
