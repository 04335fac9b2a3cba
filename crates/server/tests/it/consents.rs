//! What people allowed applications is listed and withdrawn by the API, and withdrawal ends tokens at once.

use serde_json::{Value, json};

use crate::browser::{Browser, forms};
use crate::harness::{BOTH, Engine, Server};
use crate::oauth_flow::{accepted, error, redeem, refresh, request, tokens, tracker};

const CONSENTS: &str = "/api/http/team-directory/profiles/oauth-consents";

async fn list(server: &Server, token: &str, owner: &str) -> Value {
    server.client.get(&format!("{CONSENTS}/{owner}")).bearer(token).send().await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_are_listed_and_withdrawn_and_tokens_end_at_once() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let ann = server.person("ann", &[]).await;
        let made = tracker(&server, json!({})).await;
        let mut browser = Browser::of(&server, "ann").await;
        assert_eq!(list(&server, &ann, "me").await, json!([]));
        let issued = tokens(&mut browser, &made, "global:Profile.View").await;
        let text = issued["refresh_token"].as_str().unwrap();
        refresh(&server, &made, text, &[]).await.expect(200);
        let listed = list(&server, &ann, "me").await;
        let consent = &listed[0];
        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert_eq!(consent["clientApplication"]["className"], "ES_OAuthUserApp");
        assert_eq!(consent["clientApplication"]["app"]["id"], made.id.as_str());
        let approved = &consent["approvedScopes"][0];
        assert_eq!(
            (&approved["offlineAllowed"], &approved["scope"]["className"]),
            (&json!(true), &json!("XScopeApi.Scope"))
        );
        let right = &approved["scope"]["grants"][0]["right"]["rightCode"];
        assert_eq!(*right, json!({ "className": "PermissionIdentifier.ViewMemberProfiles" }));
        let kept = &consent["refreshTokens"][0];
        assert_eq!(kept["lastAccess"]["address"], "127.0.0.1", "{kept}");
        assert!(!listed.to_string().contains(text), "the text of a token is never shown");

        let delete =
            async |path: &str| server.client.delete(&format!("{CONSENTS}/me/{path}")).bearer(&ann).send().await;
        for path in
            ["refresh-tokens/none", "approved-scopes/none", "applications/id:none", "internal-applications/none"]
        {
            delete(path).await.expect(404);
        }
        // One refresh token, with what it brought; the consent stays.
        delete(&format!("refresh-tokens/{}", kept["id"].as_str().unwrap())).await.expect(200);
        assert!(!accepted(&server, &issued["access_token"]).await);
        assert_eq!(error(&refresh(&server, &made, text, &[]).await.expect(400)), "invalid_grant");
        // The approved scope, with every token that may rest on it.
        let again = tokens(&mut browser, &made, "global:Profile.View").await;
        delete(&format!("approved-scopes/{}", approved["id"].as_str().unwrap())).await.expect(200);
        assert!(!accepted(&server, &again["access_token"]).await);
        assert_eq!(list(&server, &ann, "username:ann").await, json!([]));
        // The whole application, with a code that is still under way.
        let third = tokens(&mut browser, &made, "global:Profile.View").await;
        let code = browser.authorize(&request(&made, &[("scope", "global:Profile.View")])).await["code"].clone();
        delete(&format!("applications/clientId:{}", made.client_id)).await.expect(200);
        assert!(!accepted(&server, &third["access_token"]).await);
        assert_eq!(error(&redeem(&server, &made, &code, &[]).await.expect(400)), "invalid_grant");
        delete(&format!("applications/clientId:{}", made.client_id)).await.expect(404);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consents_are_for_oneself_and_for_whoever_looks_after_them() {
    let server = Server::start(Engine::Sqlite).await;
    let ann = server.person("ann", &[]).await;
    let bob = server.person("bob", &["Profile.View"]).await;
    let cid = server.person("cid", &["Profile.ApplicationConsents.Edit"]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let narrow = tokens(&mut browser, &made, "global:Profile.View").await;
    let own = tokens(&mut browser, &made, "global:Profile.ApplicationConsents.Edit").await;
    let get = async |token: &str, owner: &str| {
        server.client.get(&format!("{CONSENTS}/{owner}")).bearer(token).send().await.status.as_u16()
    };
    assert_eq!((get(&ann, "username:ann").await, get(&cid, "username:ann").await), (200, 200));
    // Whoever may not look learns nothing about who there is.
    assert_eq!((get(&bob, "username:ann").await, get(&bob, "username:nobody").await), (403, 403));
    assert_eq!(get(&cid, "username:nobody").await, 404);
    assert_eq!(get(&made.token, "username:ann").await, 403, "an application for itself");
    assert_eq!(get(narrow["access_token"].as_str().unwrap(), "me").await, 403, "not within the scope");
    let own = own["access_token"].as_str().unwrap();
    assert_eq!(get(own, "me").await, 403, "the application does not hold the right");
    server.grant(&made.id, "global", &["Profile.ApplicationConsents.Edit"]).await;
    assert_eq!(get(own, "me").await, 200);
    assert_eq!(get(own, "username:bob").await, 403, "through an application as without");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_can_be_set_to_rotate_and_a_revoked_refresh_token_is_named() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.person("ann", &[]).await;
        let made = tracker(&server, json!({})).await;
        let mut browser = Browser::of(&server, "ann").await;
        let issued = tokens(&mut browser, &made, "global:Profile.View").await;
        let first = issued["refresh_token"].as_str().unwrap();
        let kept = refresh(&server, &made, first, &[]).await.expect(200).json();
        assert_eq!(kept["refresh_token"], first, "confidential clients keep theirs");
        let path = format!("/api/host/v1/applications/id:{}/refresh-tokens", made.id);
        let policy = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(policy["rotation"], "PUBLIC_CLIENTS");
        let body = json!({ "rotation": "ALL_CLIENTS" });
        server.client.patch(&path).bearer(&server.admin).json(&body).send().await.expect(200);
        let next = refresh(&server, &made, first, &[]).await.expect(200).json();
        assert_ne!(next["refresh_token"], first);
        assert!(accepted(&server, &next["access_token"]).await);
        let usual = json!({ "rotation": "PUBLIC_CLIENTS" });
        server.client.patch(&path).bearer(&server.admin).json(&usual).send().await.expect(200);
        let reused = refresh(&server, &made, first, &[]).await.expect(400);
        assert_eq!(error(&reused), "invalid_grant", "what is spent stays spent");
        let token = next["access_token"].as_str().unwrap();
        let refused = server.client.get("/api/http/applications/me").bearer(token).send().await.expect(401).json();
        assert_eq!(refused["error"], "authentication-required");
        assert_eq!(refused["error_description"], "Refresh token associated with the access token is revoked");

        // A token without a refresh token is never said to have had one.
        let code = browser.authorize(&request(&made, &[("scope", "global:Profile.View")])).await["code"].clone();
        let online = redeem(&server, &made, &code, &[]).await.expect(200).json();
        let page = browser.get("/account/applications").await.expect(200);
        browser.submit(&forms(page.text())[0].clone()).await.expect(303);
        let token = online["access_token"].as_str().unwrap();
        let refused = server.client.get("/api/http/applications/me").bearer(token).send().await.expect(401).json();
        assert_eq!(refused["error_description"], "Access token is invalid");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_by_password_is_seen_and_withdrawn_by_its_owner() {
    for engine in BOTH {
        let server = Server::start_changed(engine, |settings| settings.password_grant = true).await;
        server.person("ann", &[]).await;
        let mut browser = Browser::of(&server, "ann").await;
        crate::people::set_password(&mut browser, "correct horse battery").await;
        let made = tracker(&server, json!({ "name": "Never agreed to" })).await;
        let form = [
            ("grant_type", "password"),
            ("username", "ann"),
            ("password", "correct horse battery"),
            ("access_type", "offline"),
            ("scope", "global:Profile.View"),
        ];
        let call = server.client.post("/oauth/token").basic(&made.client_id, &made.secret);
        let issued = call.form(&form).send().await.expect(200).json();
        let page = browser.get("/account/applications").await.expect(200);
        assert!(page.text().contains("Never agreed to") && page.text().contains("Also while you are away"));
        assert!(page.text().contains("<dd>"), "it says what the application may do: {}", page.text());
        // With a consent to the same scope it is one thing; with another scope both are told.
        tokens(&mut browser, &made, "global:Profile.View").await;
        let page = browser.get("/account/applications").await.expect(200);
        assert_eq!((forms(page.text()).len(), page.text().matches("<dl class=\"rights\">").count()), (1, 1));
        tokens(&mut browser, &made, "global:Applications.View").await;
        let page = browser.get("/account/applications").await.expect(200);
        assert!(page.text().matches("<dl class=\"rights\">").count() >= 2, "{}", page.text());
        browser.submit(&forms(page.text())[0].clone()).await.expect(303);
        assert!(browser.get("/account/applications").await.expect(200).text().contains("There are none"));
        assert!(!accepted(&server, &issued["access_token"]).await);
        let refused = refresh(&server, &made, issued["refresh_token"].as_str().unwrap(), &[]).await.expect(400);
        assert_eq!(error(&refused), "invalid_grant");
        server.running.stop().await;
    }
}
