//! Libraries that others wrote go through every flow they have against a running server, with a secret that holds reserved
//! characters. Those of Python and Node are programs under `tests/foreign/`; they print one line for each flow they got done.

use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    IntrospectionUrl, PkceCodeChallenge, RedirectUrl, ResourceOwnerPassword, ResourceOwnerUsername, RevocationUrl,
    Scope, StandardRevocableToken, TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl,
};
use serde_json::json;
use spaceport_testkit::{foreign, http};

use crate::browser::Browser;
use crate::harness::{Engine, Made, Server};
use crate::oauth_flow::{BACK, accepted, tracker};
use crate::people::set_password;

const SECRET: &str = "s3cr+t%2B:with/reserved&chars=?#[]@!$'()*,;~\"<>\\^`{|}";
const PASSWORD: &str = "correct + horse % battery & é";
const VIEW: &str = "global:Profile.View";

/// A server with every flow on, an application with a secret, one without, and Ann.
async fn scene() -> (Server, Made, Made) {
    let server = Server::start_changed(Engine::Sqlite, |settings| {
        settings.implicit_flow = true;
        settings.password_grant = true;
    })
    .await;
    server.person("ann", &[]).await;
    set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
    let implicit = json!({
        "clientId": "tracker-._~1", "clientSecret": SECRET, "implicitFlowEnabled": true, "implicitFlowRedirectURIs": BACK,
    });
    let made = tracker(&server, implicit).await;
    let public = tracker(&server, json!({ "publicClientsAllowed": true, "pkceRequired": true })).await;
    (server, made, public)
}

/// What the library got done.
async fn flows(run: fn(&str, &str) -> String, program: &'static str, library: &'static str) -> Vec<String> {
    let (server, made, public) = scene().await;
    let input = json!({
        "library": library, "url": server.running.public_url, "back": BACK, "id": made.client_id, "secret": SECRET,
        "public": public.client_id, "username": "ann", "password": PASSWORD,
    });
    let printed = tokio::task::spawn_blocking(move || run(program, &input.to_string())).await.unwrap();
    server.running.stop().await;
    printed.lines().map(|line| line.strip_prefix(&format!("{library}: ")).unwrap_or(line).to_owned()).collect()
}

/// One name for each pair of flow and way to authenticate.
fn each(flows: &[&str], ways: &[&str]) -> Vec<String> {
    let mut all: Vec<String> =
        ways.iter().flat_map(|way| flows.iter().map(move |flow| format!("{flow} {way}"))).collect();
    all.sort();
    all
}

fn sorted(mut flows: Vec<String>) -> Vec<String> {
    flows.sort();
    flows.dedup();
    flows
}

#[tokio::test(flavor = "multi_thread")]
async fn authlib_completes_every_flow() {
    let found = flows(foreign::python, include_str!("../foreign/oauth.py"), "authlib").await;
    let mut expected = each(
        &["client credentials", "code", "refresh", "introspection", "revocation", "password"],
        &["by client_secret_basic", "by client_secret_post"],
    );
    expected.extend(["metadata", "code and refresh without a secret", "implicit"].map(str::to_owned));
    assert_eq!(sorted(found), sorted(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_oauthlib_completes_every_flow() {
    let found = flows(foreign::python, include_str!("../foreign/oauth.py"), "requests-oauthlib").await;
    let mut expected = each(
        &["code with the secret", "refresh with the secret", "password with the secret"],
        &["in the header", "in the body"],
    );
    expected.extend(each(&["client credentials"], &["in the header", "in the body"]));
    expected.extend(["revocation", "code of a public client", "implicit"].map(str::to_owned));
    assert_eq!(sorted(found), sorted(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn openid_client_completes_every_flow() {
    let found = flows(foreign::node, include_str!("../foreign/oauth.js"), "openid-client").await;
    let mut expected = each(&["code", "refresh", "revocation"], &["by basic", "by post", "by none"]);
    expected.extend(each(&["client credentials", "introspection", "password"], &["by basic", "by post"]));
    assert_eq!(sorted(found), sorted(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth4webapi_completes_every_flow() {
    let found = flows(foreign::node, include_str!("../foreign/oauth.js"), "oauth4webapi").await;
    let mut expected = each(&["code", "refresh", "revocation"], &["by basic", "by post", "by none"]);
    expected.extend(each(&["client credentials", "introspection", "password"], &["by basic", "by post"]));
    expected.push("discovery".to_owned());
    assert_eq!(sorted(found), sorted(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn simple_oauth2_completes_every_flow() {
    let found = flows(foreign::node, include_str!("../foreign/oauth.js"), "simple-oauth2").await;
    let expected = each(
        &["client credentials", "password", "code", "refresh", "revocation"],
        &["in the header, encoded", "in the header, as it is", "in the body"],
    );
    assert_eq!(sorted(found), sorted(expected));
}

/// The calls of the Rust library, made by the test's own client. The library demands https for revocation, which a
/// server of a test has not: scheme and host of the URL are left out of account.
async fn call(client: http::Client, request: HttpRequest) -> Result<HttpResponse, std::io::Error> {
    let (head, body) = request.into_parts();
    let mut call = client.call(head.method, head.uri.path_and_query().unwrap().as_str());
    for (name, value) in &head.headers {
        call = call.header(name.as_str(), value.to_str().unwrap());
    }
    let answer = call.raw_body(body).send().await;
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    Ok(response)
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth2_of_rust_completes_every_flow() {
    let (server, made, public) = scene().await;
    let url = |path: &str| format!("{}{path}", server.running.public_url);
    let send = |request: HttpRequest| call(server.client.clone(), request);
    for (id, secret, way) in [
        (&made.client_id, Some(SECRET), AuthType::BasicAuth),
        (&made.client_id, Some(SECRET), AuthType::RequestBody),
        (&public.client_id, None, AuthType::RequestBody),
    ] {
        let client = BasicClient::new(ClientId::new(id.clone()))
            .set_auth_uri(AuthUrl::new(url("/oauth/auth")).unwrap())
            .set_token_uri(TokenUrl::new(url("/oauth/token")).unwrap())
            .set_redirect_uri(RedirectUrl::new(BACK.to_owned()).unwrap())
            .set_introspection_url(IntrospectionUrl::new(url("/oauth/introspect")).unwrap())
            .set_revocation_url(RevocationUrl::new("https://server.example/oauth/revoke".to_owned()).unwrap())
            .set_auth_type(way);
        let client = match secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_owned())),
            None => client,
        };
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (start, state) = client
            .authorize_url(CsrfToken::new_random)
            .add_scope(Scope::new(VIEW.to_owned()))
            .add_extra_param("access_type", "offline")
            .set_pkce_challenge(challenge)
            .url();
        let told = Browser::of(&server, "ann").await.authorize(start.query().unwrap()).await;
        assert_eq!(told["state"], *state.secret());
        let code = AuthorizationCode::new(told["code"].clone());
        let tokens = client.exchange_code(code).set_pkce_verifier(verifier).request_async(&send).await.unwrap();
        assert!(accepted(&server, &json!(tokens.access_token().secret())).await);
        let fresh = client.exchange_refresh_token(tokens.refresh_token().unwrap()).request_async(&send).await.unwrap();
        assert!(accepted(&server, &json!(fresh.access_token().secret())).await);
        if secret.is_some() {
            let own =
                client.exchange_client_credentials().add_scope(Scope::new("**".to_owned())).request_async(&send).await;
            assert!(accepted(&server, &json!(own.unwrap().access_token().secret())).await);
            let (username, password) =
                (ResourceOwnerUsername::new("ann".to_owned()), ResourceOwnerPassword::new(PASSWORD.to_owned()));
            let typed = client.exchange_password(&username, &password).request_async(&send).await.unwrap();
            assert!(accepted(&server, &json!(typed.access_token().secret())).await);
            let facts = client.introspect(fresh.access_token()).request_async(&send).await.unwrap();
            assert!(facts.active() && facts.client_id().is_some_and(|known| known.as_str() == id));
        }
        let given_back = StandardRevocableToken::RefreshToken(fresh.refresh_token().unwrap().clone());
        client.revoke_token(given_back).unwrap().request_async(&send).await.unwrap();
        assert!(!accepted(&server, &json!(fresh.access_token().secret())).await);
    }
    server.running.stop().await;
}
