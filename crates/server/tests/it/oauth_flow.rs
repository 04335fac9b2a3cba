//! What the tests of user flows have in common: an application with the code flow, and its calls.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use spaceport_testkit::http::Response;

use crate::browser::{Browser, query};
use crate::harness::{Made, Server};

/// The registered redirect URI.
pub(crate) const BACK: &str = "https://tracker.example/back";
/// A verifier and its S256 challenge (the example of RFC 7636, appendix B).
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An application with the code flow on, and further fields.
pub(crate) async fn tracker(server: &Server, more: Value) -> Made {
    let mut body = json!({
        "name": "Tracker", "codeFlowEnabled": true, "codeFlowRedirectURIs": BACK, "clientCredentialsFlowEnabled": true,
    });
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        body[key] = value;
    }
    server.application(body).await
}

/// An application that cannot keep a secret.
pub(crate) async fn public(server: &Server) -> Made {
    tracker(server, json!({ "publicClientsAllowed": true, "pkceRequired": true })).await
}

/// The query of an authorization request; later pairs replace earlier ones, an empty value takes one away.
pub(crate) fn request(made: &Made, more: &[(&str, &str)]) -> String {
    let mut pairs =
        vec![("response_type", "code"), ("client_id", made.client_id.as_str()), ("redirect_uri", BACK), ("scope", "")];
    for (name, value) in more {
        pairs.retain(|(known, _)| known != name);
        pairs.push((name, value));
    }
    pairs.retain(|(_, value)| !value.is_empty());
    query(&pairs)
}

/// With a challenge, as public clients have to.
pub(crate) fn with_challenge<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs = more.to_vec();
    pairs.extend([("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    pairs
}

/// A code for the confidential application.
pub(crate) async fn code(browser: &mut Browser<'_>, made: &Made, more: &[(&str, &str)]) -> String {
    let answer = browser.authorize(&request(made, more)).await;
    answer.get("code").unwrap_or_else(|| panic!("no code: {answer:?}")).clone()
}

/// Redeems a code with the application's secret.
pub(crate) async fn redeem(server: &Server, made: &Made, code: &str, more: &[(&str, &str)]) -> Response {
    let mut form = vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", BACK)];
    form.extend_from_slice(more);
    server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await
}

/// Redeems a code without a secret.
pub(crate) async fn redeem_public(server: &Server, made: &Made, code: &str) -> Response {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("client_id", made.client_id.as_str()),
        ("code_verifier", VERIFIER),
    ];
    server.client.post("/oauth/token").form(&form).send().await
}

/// Tokens with a refresh token, of the confidential application.
pub(crate) async fn tokens(browser: &mut Browser<'_>, made: &Made, scope: &str) -> Value {
    let code = code(browser, made, &[("access_type", "offline"), ("scope", scope)]).await;
    redeem(browser.server(), made, &code, &[]).await.expect(200).json()
}

/// Tokens with a refresh token, of the public application.
pub(crate) async fn public_tokens(browser: &mut Browser<'_>, made: &Made) -> Value {
    let code = code(browser, made, &with_challenge(&[("access_type", "offline")])).await;
    redeem_public(browser.server(), made, &code).await.expect(200).json()
}

/// Uses a refresh token with the application's secret.
pub(crate) async fn refresh(server: &Server, made: &Made, token: &str, more: &[(&str, &str)]) -> Response {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    form.extend_from_slice(more);
    server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await
}

/// Uses a refresh token without a secret.
pub(crate) async fn refresh_public(server: &Server, made: &Made, token: &str) -> Response {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", made.client_id.as_str())];
    server.client.post("/oauth/token").form(&form).send().await
}

/// Whether a user token is accepted: by the application's own record, which an application may see.
pub(crate) async fn accepted(server: &Server, token: &Value) -> bool {
    let answer = server.client.get("/api/http/applications/me").bearer(token.as_str().unwrap()).send().await;
    assert!([200, 401, 403, 404].contains(&answer.status.as_u16()), "{}: {}", answer.status, answer.text());
    answer.status != 401
}

/// The text of a refusal's member.
pub(crate) fn error(answer: &Response) -> String {
    answer.json()["error"].as_str().unwrap_or_default().to_owned()
}

/// The error that an authorization request is answered with at the redirect URI.
pub(crate) async fn refusal(browser: &mut Browser<'_>, made: &Made, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let answer = browser.get(&format!("/oauth/auth?{}", request(made, more))).await.expect(303);
    let location = answer.header("location");
    assert!(location.starts_with(BACK), "{location}");
    crate::browser::parameters(location)
}
