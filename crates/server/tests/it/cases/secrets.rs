//! Rows: secrets and keys of applications, and whether their refresh tokens are used once.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};
use crate::harness::{Made, Server};

pub(crate) fn rows() -> Vec<Case> {
    vec![
        case("api.application.client_secret.get").answers(is_secret),
        case("api.application.client_secret.regenerate"),
        case("api.application.public_keys.get").answers(|keys| {
            let keys: Value = serde_json::from_str(keys.as_str().unwrap()).unwrap();
            assert_eq!(keys["keys"][0]["kty"], "RSA");
        }),
        case("api.application.signing_key.get").answers(is_secret),
        case("api.application.signing_key.regenerate"),
        case("api.application.bearer_token.get")
            .with(|server, made| {
                patched(server, made, json!({ "appLevelAuth": "Bearer", "bearerAuthToken": "t0ken" })).boxed()
            })
            .answers(|token| assert_eq!(token, "t0ken")),
        case("api.application.verification_token.get")
            .with(|server, made| patched(server, made, json!({ "hasVerificationToken": true })).boxed())
            .answers(is_secret),
        case("api.application.verification_token.regenerate"),
        case("host.application.client_secret.previous.get")
            .with(|server, made| regenerated(server, made, "client-secret").boxed())
            .answers(|overlap| assert!(overlap["validUntil"]["iso"].is_string())),
        case("host.application.client_secret.previous.end")
            .with(|server, made| regenerated(server, made, "client-secret").boxed()),
        case("host.application.signing_key.previous.get").answers(|overlap| {
            assert_eq!(*overlap, json!({ "validUntil": null }));
        }),
        case("host.application.signing_key.previous.end")
            .with(|server, made| regenerated(server, made, "signing-key").boxed()),
        case("host.application.refresh_tokens.get").answers(|policy| {
            assert_eq!(*policy, json!({ "rotation": "PUBLIC_CLIENTS" }));
        }),
        case("host.application.refresh_tokens.update")
            .body(json!({ "rotation": "ALL_CLIENTS" }))
            .malformed(json!({ "rotation": "NEVER" }), "rotation")
            .malformed(json!({}), "rotation"),
        case("host.application.standard_webhooks.public_key").answers(|answer| {
            assert!(answer["publicKey"].as_str().is_some_and(|key| key.starts_with("whpk_")), "{answer}");
        }),
    ]
}

fn is_secret(answer: &Value) {
    assert_eq!(answer.as_str().map(str::len), Some(64), "{answer}");
}

/// The application with other settings.
async fn patched(server: &Server, made: &Made, body: Value) -> Vec<(&'static str, String)> {
    server.client.patch("/api/http/applications/me").bearer(&made.token).json(&body).send().await.expect(200);
    Vec::new()
}

/// The application with two live secrets of this kind.
async fn regenerated(server: &Server, made: &Made, kind: &str) -> Vec<(&'static str, String)> {
    let path = format!("/api/http/applications/me/{kind}/regenerate");
    server.client.post(&path).bearer(&made.token).send().await.expect(200);
    Vec::new()
}
