//! Sign-in at an OpenID Connect provider, with one that says right and wrong things.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_platform::id::ProfileId;
use spaceport_platform::profile::Profile;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use spaceport_server::config::provider::{Matching, ProviderSettings};
use spaceport_store::StoreError;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::Response;
use spaceport_testkit::provider::{Account, CLIENT_ID, CLIENT_SECRET, Issue, Provider};

use crate::browser::{Browser, parameters};
use crate::harness::{BOTH, Engine, Server};
use crate::oauth_flow::{request, tracker};

const SESSION: &str = "spaceport-session";

/// A server that knows Ann, by her address and as `ann-at-provider`, and the provider.
async fn server(engine: Engine, clock: &FrozenClock, provider: &Provider, matching: Matching) -> Server {
    let settings = ProviderSettings {
        issuer: provider.issuer(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Secret::new(CLIENT_SECRET),
        label: "Company <account>".to_owned(),
        matching,
    };
    let server = Server::start_at(engine, clock, |changed| changed.provider = Some(settings)).await;
    for (name, suspended) in [("ann", false), ("bob", true)] {
        let mut profile = Profile::new(ProfileId::new(format!("profile-{name}")), name, Timestamp::from_millis(0));
        profile.emails = vec![format!("{name}@first.example"), format!("{name}@Company.example")];
        profile.external_id = Some(format!("{name}-at-provider"));
        profile.suspended_at = suspended.then(|| Timestamp::from_millis(1));
        let saved = server.running.store().write(move |tx| tx.insert_profile(&profile)).await;
        saved.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }
    server
}

fn account(changes: Value) -> Account {
    let mut claims = json!({ "sub": "ann-at-provider", "email": "Ann@company.example", "email_verified": true });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    Account::new(claims)
}

/// Follows the button on the sign-in page to the provider; the URL there.
async fn leave(browser: &mut Browser<'_>, path: &str) -> String {
    let page = browser.get(path).await.expect(200);
    let link = crate::browser::between(page.text(), "href=\"/login/provider", "\"").unwrap().replace("&#38;", "&");
    browser.get(&format!("/login/provider{link}")).await.expect(303).header("location").to_owned()
}

/// Comes back from the provider.
async fn arrive(browser: &mut Browser<'_>, url: &str) -> Response {
    let path = url.strip_prefix(&browser.server().running.public_url).unwrap().to_owned();
    browser.get(&path).await
}

async fn sign_in(browser: &mut Browser<'_>, provider: &Provider, account: &Account) -> Response {
    let url = leave(browser, "/login").await;
    arrive(browser, &provider.agree(&url, account)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_of_the_provider_signs_in_and_goes_on_to_the_application() {
    let provider = Provider::start();
    for engine in BOTH {
        for (matching, issue) in [
            (Matching::Email, Issue::Rs256),
            (Matching::Subject, Issue::Es256),
            (Matching::Email, Issue::UserInfo("ann-at-provider".to_owned())),
        ] {
            provider.issue(issue);
            let server = server(engine, &FrozenClock::default(), &provider, matching).await;
            let made = tracker(&server, json!({})).await;
            let mut browser = Browser::new(&server);
            let asked =
                format!("/oauth/auth?{}", request(&made, &[("state", "a&b=c"), ("scope", "global:Profile.View")]));
            let login = browser.get(&asked).await.expect(303).header("location").to_owned();
            let page = browser.get(&login).await.expect(200);
            assert!(page.text().contains("Sign in with Company &#60;account&#62;"), "{}", page.text());
            let url = leave(&mut browser, &login).await;
            let scope = parameters(&url)["scope"].clone();
            assert_eq!(scope, if matching == Matching::Email { "openid email" } else { "openid" });
            let subject_alone = json!({ "email": null, "email_verified": null });
            let account = account(if matching == Matching::Subject { subject_alone } else { json!({}) });
            let back = arrive(&mut browser, &provider.agree(&url, &account)).await.expect(303);
            assert_eq!(back.header("location"), asked, "where she wanted to go");
            let consent = browser.get(back.header("location")).await.expect(200);
            assert!(consent.text().contains("signed in as <strong><bdi>ann</bdi></strong>"));
            let trail = "/api/host/v1/audit-trail?operation=page.provider.back";
            let trail = server.client.get(trail).bearer(&server.admin).send().await.expect(200).json();
            assert_eq!(trail["data"].as_array().unwrap().len(), 1, "{trail}");
            server.running.stop().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_signs_in_by_a_token_that_the_provider_did_not_make_for_this() {
    let provider = Provider::start();
    let clock = FrozenClock::default();
    let server = server(Engine::Sqlite, &clock, &provider, Matching::Email).await;
    let now = spaceport_platform::time::Clock::now(&clock).seconds();
    let claims = |changes: Value| Issue::Claims(changes);
    for (what, issue) in [
        ("signed by a stranger", Issue::Stranger),
        ("not signed", Issue::Unsigned),
        ("signed with the client secret", Issue::Hmac),
        ("an algorithm that is none", Issue::Header(json!({ "alg": "None" }))),
        ("an algorithm that is not the key's", Issue::Header(json!({ "alg": "ES256" }))),
        ("a weaker algorithm", Issue::Header(json!({ "alg": "RS1" }))),
        ("another hash", Issue::Header(json!({ "alg": "RS512" }))),
        ("another key's id", Issue::Header(json!({ "kid": "two" }))),
        ("an unknown key's id", Issue::Header(json!({ "kid": "nobody" }))),
        ("a critical extension", Issue::Header(json!({ "crit": ["b64"], "b64": false }))),
        ("another issuer", claims(json!({ "iss": "https://evil.example" }))),
        ("the issuer with a slash", claims(json!({ "iss": format!("{}/", provider.issuer()) }))),
        ("no issuer", claims(json!({ "iss": null }))),
        ("another audience", claims(json!({ "aud": "other" }))),
        ("several audiences without a party", claims(json!({ "aud": [CLIENT_ID, "other"] }))),
        ("another party", claims(json!({ "azp": "other" }))),
        ("no audience", claims(json!({ "aud": null }))),
        ("expired", claims(json!({ "exp": now - 61 }))),
        ("an end that is text", claims(json!({ "exp": "9999999999" }))),
        ("no end", claims(json!({ "exp": null }))),
        ("from the future", claims(json!({ "iat": now + 120 }))),
        ("not yet valid", claims(json!({ "nbf": now + 120 }))),
        ("another nonce", claims(json!({ "nonce": "AAAA" }))),
        ("an empty nonce", claims(json!({ "nonce": "" }))),
        ("no nonce", claims(json!({ "nonce": null }))),
        ("an empty subject", claims(json!({ "sub": "" }))),
        ("a subject that is a number", claims(json!({ "sub": 7 }))),
        ("an endless subject", claims(json!({ "sub": "x".repeat(300) }))),
        ("told of somebody else", Issue::UserInfo("eve".to_owned())),
    ] {
        provider.issue(issue);
        let mut browser = Browser::new(&server);
        let refused = sign_in(&mut browser, &provider, &account(json!({}))).await;
        assert_eq!(refused.status, 403, "{what}: {}", refused.text());
        assert!(refused.text().contains("was not accepted"), "{what}");
        assert_eq!(browser.cookie(SESSION), None, "{what}");
    }
    provider.issue(Issue::Claims(json!({ "aud": [CLIENT_ID, "other"], "azp": CLIENT_ID, "exp": now - 59 })));
    sign_in(&mut Browser::new(&server), &provider, &account(json!({}))).await.expect(303);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_verified_address_of_somebody_active_here_counts() {
    let provider = Provider::start();
    let by_address = server(Engine::Sqlite, &FrozenClock::default(), &provider, Matching::Email).await;
    let by_subject = server(Engine::Sqlite, &FrozenClock::default(), &provider, Matching::Subject).await;
    for (server, what, account) in [
        (&by_address, "not verified", account(json!({ "email_verified": false }))),
        (&by_address, "not said to be verified", account(json!({ "email_verified": null }))),
        (&by_address, "verified in words", account(json!({ "email_verified": "true" }))),
        (&by_address, "an unknown address", account(json!({ "email": "eve@company.example" }))),
        (&by_address, "a list of addresses", account(json!({ "email": ["ann@company.example"] }))),
        (&by_address, "suspended here", account(json!({ "email": "bob@company.example" }))),
        (&by_subject, "an unknown subject with her address", account(json!({ "sub": "eve" }))),
        (&by_subject, "her username as subject", account(json!({ "sub": "ann" }))),
        (&by_subject, "suspended here, by subject", account(json!({ "sub": "bob-at-provider" }))),
    ] {
        let mut browser = Browser::new(server);
        let refused = sign_in(&mut browser, &provider, &account).await;
        assert_eq!(refused.status, 403, "{what}: {}", refused.text());
        assert!(refused.text().contains("You are not known here"), "{what}");
        assert_eq!(browser.cookie(SESSION), None, "{what}");
    }
    by_address.running.stop().await;
    by_subject.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_ends_in_the_browser_that_began_it_once_and_soon() {
    let provider = Provider::start();
    let clock = FrozenClock::default();
    let server = server(Engine::Sqlite, &clock, &provider, Matching::Email).await;
    let ann = account(json!({}));
    // Login CSRF: Eve's answer in Ann's browser, which has or has not begun a sign-in of its own.
    let mut eve = Browser::new(&server);
    let stolen = provider.agree(&leave(&mut eve, "/login").await, &ann);
    let mut victim = Browser::new(&server);
    arrive(&mut victim, &stolen).await.expect(400);
    leave(&mut victim, "/login").await;
    arrive(&mut victim, &stolen).await.expect(400);
    assert_eq!(victim.cookie(SESSION), None);
    arrive(&mut eve, &stolen).await.expect(303);
    let first = eve.cookie(SESSION).unwrap().to_owned();
    arrive(&mut eve, &stolen).await.expect(400);
    assert_eq!(eve.cookie(SESSION), Some(first.as_str()), "an answer counts once");
    // A state that was changed, and one that took too long.
    let mut browser = Browser::new(&server);
    let url = provider.agree(&leave(&mut browser, "/login?return=%2Faccount%2Fapplications").await, &ann);
    arrive(&mut browser, &url.replacen("&state=", "&state=1", 1)).await.expect(400);
    clock.advance(Duration::from_secs(15 * 60));
    arrive(&mut browser, &url).await.expect(400);
    // Never elsewhere.
    let mut browser = Browser::new(&server);
    let way = browser.get("/login/provider?return=%2F%2Fevil.example").await.expect(303).header("location").to_owned();
    let landed = arrive(&mut browser, &provider.agree(&way, &ann)).await.expect(303);
    assert_eq!(landed.header("location"), "/account");
    // A refusal at the provider, and an answer of another one.
    for (more, status) in [("&error=access_denied", 403), ("&iss=https://evil.example", 403)] {
        let mut browser = Browser::new(&server);
        let url = leave(&mut browser, "/login").await;
        let refused = arrive(&mut browser, &format!("{}{more}", provider.agree(&url, &ann))).await.expect(status);
        assert!(refused.text().contains("You were not signed in"), "{more}");
        assert_eq!(browser.cookie(SESSION), None);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_read_again_when_they_change_and_a_provider_that_is_down_is_left_alone() {
    let provider = Provider::start();
    let clock = FrozenClock::default();
    let server = server(Engine::Sqlite, &clock, &provider, Matching::Email).await;
    let ann = account(json!({}));
    let looks = || provider.requests().iter().filter(|request| request.ends_with("openid-configuration")).count();
    for _ in 0..3 {
        sign_in(&mut Browser::new(&server), &provider, &ann).await.expect(303);
    }
    assert_eq!(looks(), 1, "what it says about itself is kept");
    clock.advance(Duration::from_secs(10));
    provider.issue(Issue::NewKey);
    sign_in(&mut Browser::new(&server), &provider, &ann).await.expect(303);
    assert_eq!(looks(), 2);
    // Whoever sends unknown keys makes us look no more than once in five seconds.
    provider.issue(Issue::Header(json!({ "kid": "nobody" })));
    for _ in 0..3 {
        sign_in(&mut Browser::new(&server), &provider, &ann).await.expect(403);
    }
    assert_eq!(looks(), 2);
    // The secret goes into the body where the provider takes it nowhere else.
    provider.issue(Issue::Rs256);
    provider.configure(json!({ "token_endpoint_auth_methods_supported": ["client_secret_post"] }));
    clock.advance(Duration::from_secs(3600));
    sign_in(&mut Browser::new(&server), &provider, &ann).await.expect(303);
    // Answers have to name the issuer where the provider says that they do.
    provider.configure(json!({ "authorization_response_iss_parameter_supported": true }));
    clock.advance(Duration::from_secs(3600));
    sign_in(&mut Browser::new(&server), &provider, &ann).await.expect(403);
    let mut browser = Browser::new(&server);
    let url = provider.agree(&leave(&mut browser, "/login").await, &ann);
    arrive(&mut browser, &format!("{url}&iss={}", provider.issuer())).await.expect(303);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_lies_about_itself_or_does_not_answer_signs_nobody_in() {
    let clock = FrozenClock::default();
    for (wrong, status) in [
        (json!({ "issuer": "https://evil.example" }), 403),
        (json!({ "jwks_uri": null }), 403),
        (json!({ "jwks_uri": "http://127.0.0.1:9/keys" }), 502),
    ] {
        let provider = Provider::start();
        provider.configure(wrong.clone());
        let server = server(Engine::Sqlite, &clock, &provider, Matching::Email).await;
        let mut browser = Browser::new(&server);
        browser.get("/login/provider").await.expect(status);
        let before = provider.requests().len();
        browser.get("/login/provider").await.expect(502);
        assert_eq!(provider.requests().len(), before, "not again for five seconds: {wrong}");
        server.running.stop().await;
    }
    // A private network that the operator has not listed is not reached.
    let provider = Provider::start();
    let settings = ProviderSettings {
        issuer: provider.issuer(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Secret::new(CLIENT_SECRET),
        label: "Account".to_owned(),
        matching: Matching::Subject,
    };
    let server = Server::start_changed(Engine::Sqlite, |changed| {
        changed.provider = Some(settings);
        changed.allow_network.clear();
    })
    .await;
    Browser::new(&server).get("/login/provider").await.expect(502);
    assert_eq!(provider.requests(), Vec::<String>::new());
    server.running.stop().await;
    // Without a provider there is no button and no way.
    let server = Server::start(Engine::Sqlite).await;
    assert!(!Browser::new(&server).get("/login").await.expect(200).text().contains("/login/provider"));
    for path in ["/login/provider", "/login/provider/back?code=a&state=b"] {
        Browser::new(&server).get(path).await.expect(404);
    }
    server.running.stop().await;
}
