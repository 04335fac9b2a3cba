//! How tokens end and are asked about: revocation, introspection, withdrawal, metadata (security R, I, D).

use serde_json::json;
use spaceport_testkit::clock::FrozenClock;

use crate::browser::{Browser, forms};
use crate::harness::{BOTH, Engine, Made, Server};
use crate::oauth_flow::{accepted, error, public, public_tokens, refresh, refresh_public, request, tokens, tracker};

async fn ask(
    server: &Server,
    path: &str,
    made: &Made,
    token: &str,
    more: &[(&str, &str)],
) -> spaceport_testkit::http::Response {
    let mut form = vec![("token", token)];
    form.extend_from_slice(more);
    server.client.post(path).basic(&made.client_id, &made.secret).form(&form).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_r2_r3_revocation_ends_own_tokens_tells_nothing_and_leaves_others_alone() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let (made, other) = (tracker(&server, json!({})).await, tracker(&server, json!({ "name": "Other" })).await);
    let mut browser = Browser::of(&server, "ann").await;
    let issued = tokens(&mut browser, &made, "").await;
    let (access, token) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
    for foreign in [access, token, "unknown", "a.b.c", &made.token] {
        let answer = ask(&server, "/oauth/revoke", &other, foreign, &[]).await.expect(200);
        assert_eq!(answer.text(), "");
    }
    assert!(accepted(&server, &issued["access_token"]).await, "somebody else's token stays");
    server.client.post("/oauth/revoke").form(&[("token", access)]).send().await.expect(401);
    server.client.get("/oauth/revoke").send().await.expect(405);
    // One access token alone, with a wrong hint.
    ask(&server, "/oauth/revoke", &made, access, &[("token_type_hint", "refresh_token")]).await.expect(200);
    assert!(!accepted(&server, &issued["access_token"]).await);
    let next = refresh(&server, &made, token, &[]).await.expect(200).json();
    assert!(accepted(&server, &next["access_token"]).await);
    // The refresh token, and with it every access token.
    ask(&server, "/oauth/revoke", &made, token, &[("token_type_hint", "nonsense")]).await.expect(200);
    assert!(!accepted(&server, &next["access_token"]).await);
    let refused = refresh(&server, &made, token, &[]).await.expect(400);
    assert_eq!(refused.json()["error_description"], "Refresh token associated with the access token is revoked");
    // An application's own token.
    ask(&server, "/oauth/revoke", &made, &made.token, &[]).await.expect(200);
    assert!(!accepted(&server, &json!(made.token)).await);
    // Public clients give back what is theirs.
    let open = public(&server).await;
    let issued = public_tokens(&mut browser, &open).await;
    let form = [("token", issued["refresh_token"].as_str().unwrap()), ("client_id", open.client_id.as_str())];
    server.client.post("/oauth/revoke").form(&form).send().await.expect(200);
    assert!(!accepted(&server, &issued["access_token"]).await);
    assert_eq!(error(&refresh_public(&server, &open, form[0].1).await.expect(400)), "invalid_grant");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r4_a_store_that_fails_is_never_called_a_revocation() {
    let server = Server::start(Engine::Sqlite).await;
    let made = tracker(&server, json!({})).await;
    server.running.store().close().await;
    let answer = ask(&server, "/oauth/revoke", &made, &made.token, &[]).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    server.running.abandon();
}

#[tokio::test(flavor = "multi_thread")]
async fn i1_i2_i3_introspection_tells_the_owner_and_nobody_else() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let (made, other) = (tracker(&server, json!({})).await, tracker(&server, json!({ "name": "Other" })).await);
    let mut browser = Browser::of(&server, "ann").await;
    let issued = tokens(&mut browser, &made, "global:Profile.View").await;
    let (access, token) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
    server.client.post("/oauth/introspect").form(&[("token", access)]).send().await.expect(401);
    let open = public(&server).await;
    let bare = [("token", access), ("client_id", open.client_id.as_str())];
    server.client.post("/oauth/introspect").form(&bare).send().await.expect(401);
    let told = ask(&server, "/oauth/introspect", &made, access, &[]).await.expect(200).json();
    let mut members: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["active", "aud", "client_id", "exp", "iat", "iss", "scope", "sub", "token_type"]);
    assert_eq!(
        (&told["active"], &told["sub"], &told["scope"]),
        (&json!(true), &json!("profile-ann"), &json!("global:Profile.View"))
    );
    assert_eq!((&told["client_id"], &told["iss"]), (&json!(made.client_id), &json!(server.running.public_url)));
    let told = ask(&server, "/oauth/introspect", &made, token, &[]).await.expect(200).json();
    assert_eq!((&told["active"], &told["token_type"]), (&json!(true), &json!("refresh_token")));
    let own = ask(&server, "/oauth/introspect", &made, &made.token, &[]).await.expect(200).json();
    assert_eq!(own["sub"], json!(made.client_id));
    ask(&server, "/oauth/revoke", &made, token, &[]).await.expect(200);
    for (who, unknown) in
        [(&other, made.token.as_str()), (&made, access), (&made, token), (&made, "unknown"), (&made, "a.b.c")]
    {
        let answer = ask(&server, "/oauth/introspect", who, unknown, &[]).await.expect(200);
        assert_eq!(answer.text(), r#"{"active":false}"#);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r1_r4_i3_permanent_tokens_are_told_about_and_revoked_by_their_application_alone() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let (made, other) = (tracker(&server, json!({})).await, tracker(&server, json!({ "name": "Other" })).await);
        let path = "/api/http/applications/me/permanent-tokens";
        let body = json!({ "name": "script", "scope": "global:Profile.View" });
        server.grant(&made.id, "global", &["Profile.View"]).await;
        let token = server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200).json();
        let token = token["second"].as_str().unwrap().to_owned();
        let told = ask(&server, "/oauth/introspect", &made, &token, &[]).await.expect(200).json();
        assert_eq!((&told["active"], &told["scope"]), (&json!(true), &json!("global:Profile.View")));
        assert_eq!((&told["sub"], &told["token_type"]), (&json!(made.client_id), &json!("Bearer")));
        assert!(told.get("exp").is_none(), "it never ends: {told}");
        let told = ask(&server, "/oauth/introspect", &other, &token, &[]).await.expect(200);
        assert_eq!(told.text(), r#"{"active":false}"#);
        ask(&server, "/oauth/revoke", &other, &token, &[]).await.expect(200);
        assert!(accepted(&server, &json!(token)).await, "somebody else's token stays");
        ask(&server, "/oauth/revoke", &made, &token, &[]).await.expect(200);
        assert!(!accepted(&server, &json!(token)).await);
        let told = ask(&server, "/oauth/introspect", &made, &token, &[]).await.expect(200);
        assert_eq!(told.text(), r#"{"active":false}"#);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawal_on_the_page_ends_tokens_at_once() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let issued = tokens(&mut browser, &made, "global:Profile.View").await;
    assert!(accepted(&server, &issued["access_token"]).await);
    let page = browser.get("/account/applications").await.expect(200);
    assert!(page.text().contains("Tracker") && page.text().contains("while you are away"));
    let form = forms(page.text())[0].clone();
    assert_eq!(browser.submit(&form.clone().with("application", "other")).await.status, 403);
    browser.submit(&form).await.expect(303);
    assert!(!accepted(&server, &issued["access_token"]).await);
    assert_eq!(
        error(&refresh(&server, &made, issued["refresh_token"].as_str().unwrap(), &[]).await.expect(400)),
        "invalid_grant"
    );
    assert!(!browser.get("/account/applications").await.expect(200).text().contains("Tracker"));
    let asked = browser.get(&format!("/oauth/auth?{}", request(&made, &[("scope", "global:Profile.View")]))).await;
    assert_eq!(asked.status, 200, "it has to ask again");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_seen_is_checked_without_sql() {
    for engine in BOTH {
        let server = Server::start_at(engine, &FrozenClock::default(), |_| {}).await;
        server.person("ann", &[]).await;
        let made = tracker(&server, json!({})).await;
        let mut browser = Browser::of(&server, "ann").await;
        let issued = tokens(&mut browser, &made, "global:Profile.View").await;
        let services = server.running.services().clone();
        for token in [issued["access_token"].as_str().unwrap(), &made.token, &server.admin] {
            let header = format!("Bearer {token}");
            let check = || services.callers.resolve(Some(header.as_bytes()), &services.store, services.clock.as_ref());
            check().await.unwrap();
            let begun = services.store.transactions();
            for _ in 0..1_000 {
                check().await.unwrap();
            }
            // The server's own tasks look into the database now and then.
            let meanwhile = services.store.transactions() - begun;
            assert!(meanwhile < 100, "{meanwhile} transactions for 1,000 checks");
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d1_d2_metadata_names_this_server_and_what_is_switched_on() {
    for on in [false, true] {
        let server = Server::start_changed(Engine::Sqlite, |settings| {
            settings.implicit_flow = on;
            settings.password_grant = on;
        })
        .await;
        let url = server.running.public_url.clone();
        let told = server.client.get("/.well-known/oauth-authorization-server").send().await.expect(200).json();
        assert_eq!(told["issuer"], url);
        let grants = told["grant_types_supported"].as_array().unwrap();
        assert_eq!(grants.contains(&json!("password")), on);
        assert_eq!(grants.contains(&json!("implicit")), on);
        assert_eq!(told["response_types_supported"].as_array().unwrap().contains(&json!("token")), on);
        assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(told["authorization_response_iss_parameter_supported"], true);
        for (name, value) in told.as_object().unwrap() {
            assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{name} is an empty list");
            if let Some(path) = value.as_str().and_then(|text| text.strip_prefix(&url)).filter(|path| !path.is_empty())
            {
                let answer = server.client.get(path).send().await;
                assert!(![404, 500].contains(&answer.status.as_u16()), "{name}: {}", answer.status);
            }
        }
        let resource = server.client.get("/.well-known/oauth-protected-resource").send().await.expect(200).json();
        assert_eq!((&resource["resource"], &resource["authorization_servers"]), (&json!(url), &json!([url])));
        server.running.stop().await;
    }
}
