//! How people sign in, stay signed in and leave.

use std::time::Duration;

use serde_json::json;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::Response;

use crate::browser::{Browser, forms};
use crate::harness::{Engine, Server};
use crate::oauth_flow::{request, tracker};

const PASSWORD: &str = "correct horse battery";
const COOKIE: &str = "spaceport-session";

/// Sets the first password of whoever is signed in.
pub(crate) async fn set_password(browser: &mut Browser<'_>, password: &str) {
    let page = browser.get("/account").await.expect(200);
    let form = forms(page.text())[0].clone().with("password", password).with("again", password);
    browser.submit(&form).await.expect(303);
}

pub(crate) async fn sign_in(browser: &mut Browser<'_>, path: &str, username: &str, password: &str) -> Response {
    let page = browser.get(path).await.expect(200);
    let form = forms(page.text())[0].clone().with("username", username).with("password", password);
    browser.submit(&form).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_signs_in_and_leads_back_to_the_application() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
    let mut browser = Browser::new(&server);
    let way = browser.get(&format!("/oauth/auth?{}", request(&made, &[("state", "s")]))).await.expect(303);
    let path = way.header("location").to_owned();
    let page = browser.get(&path).await.expect(200);
    assert!(page.text().contains("Tracker"), "it says for whom");
    assert!(page.header("content-security-policy").contains("form-action 'self' https: http:;"));
    for (name, password) in [("ann", "wrong"), ("nobody", PASSWORD), ("", "")] {
        let wrong = sign_in(&mut browser, &path, name, password).await.expect(422);
        assert!(wrong.text().contains("The user name or the password is wrong."));
        assert_eq!(browser.cookie(COOKIE), None);
    }
    let right = sign_in(&mut browser, &path, " Ann ", PASSWORD).await.expect(303);
    assert!(right.header("location").starts_with("/oauth/auth?"));
    let consent = browser.get(right.header("location")).await.expect(200);
    assert!(consent.text().contains("Allow <span class=\"who\">Tracker</span>"));
    // A form of another visitor, or none, signs nobody in: login CSRF.
    let mut eve = Browser::new(&server);
    let form = forms(eve.get("/login").await.expect(200).text())[0].clone();
    let form = form.with("username", "ann").with("password", PASSWORD);
    assert_eq!(Browser::new(&server).submit(&form).await.status, 403);
    assert_eq!(eve.submit_with(&form, |call| call.header("origin", "https://evil.example")).await.status, 403);
    assert_eq!(eve.submit(&form).await.status, 303);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a20_sessions_get_a_new_cookie_at_each_sign_in_and_end_by_idleness_and_age() {
    let clock = FrozenClock::default();
    let server = Server::start_at(Engine::Sqlite, &clock, |_| {}).await;
    server.person("ann", &[]).await;
    let mut browser = Browser::of(&server, "ann").await;
    let first = browser.cookie(COOKIE).unwrap().to_owned();
    set_password(&mut browser, PASSWORD).await;
    let second = browser.cookie(COOKIE).unwrap().to_owned();
    assert_ne!(first, second, "a new password comes with a new cookie");
    let mut old = Browser::new(&server);
    old.set_cookie(COOKIE, &first);
    old.get("/account").await.expect(303);
    // A cookie that somebody planted is not continued.
    let mut victim = Browser::new(&server);
    victim.set_cookie(COOKIE, "planted");
    sign_in(&mut victim, "/login", "ann", PASSWORD).await.expect(303);
    assert_ne!(victim.cookie(COOKIE), Some("planted"));
    // Twelve hours of nothing.
    clock.advance(Duration::from_secs(11 * 3600));
    browser.get("/account").await.expect(200);
    clock.advance(Duration::from_secs(11 * 3600));
    browser.get("/account").await.expect(200);
    clock.advance(Duration::from_secs(12 * 3600));
    browser.get("/account").await.expect(303);
    // A week of use.
    sign_in(&mut browser, "/login", "ann", PASSWORD).await.expect(303);
    for _ in 0..15 {
        clock.advance(Duration::from_secs(11 * 3600));
        browser.get("/account").await.expect(200);
    }
    clock.advance(Duration::from_secs(4 * 3600));
    browser.get("/account").await.expect(303);
    server.running.run_task("end of codes, delegations and sessions").await.unwrap();
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a20_cookies_are_bound_to_the_host_where_there_is_tls() {
    for (url, expected) in
        [("https://space.example", "__Host-spaceport-visit="), ("http://127.0.0.1:8080", "spaceport-visit=")]
    {
        let server = Server::start_changed(Engine::Sqlite, |settings| settings.public_url = Some(url.to_owned())).await;
        let page = server.client.get("/login").send().await.expect(200);
        let cookie = page.header("set-cookie");
        assert!(cookie.starts_with(expected), "{cookie}");
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Lax") && !cookie.contains("Domain"), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), url.starts_with("https"), "{cookie}");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_set_by_their_owner_alone_and_replaced_by_knowing_the_present_one() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
    let mut browser = Browser::new(&server);
    sign_in(&mut browser, "/login", "ann", PASSWORD).await.expect(303);
    let form = forms(browser.get("/account").await.expect(200).text())[0].clone();
    let new = "another long password";
    for (present, password, again, complaint) in [
        (PASSWORD, "short", "short", "must have at least 12 characters"),
        (PASSWORD, new, "other", "not the same both times"),
        ("wrong", new, new, "present password is wrong"),
        ("", new, new, "present password is wrong"),
    ] {
        let form = form.clone().with("present", present).with("password", password).with("again", again);
        let refused = browser.submit(&form).await.expect(422);
        assert!(refused.text().contains(complaint), "{complaint}: {}", refused.text());
    }
    let form = form.with("present", PASSWORD).with("password", new).with("again", new);
    browser.submit(&form).await.expect(303);
    assert_eq!(sign_in(&mut Browser::new(&server), "/login", "ann", PASSWORD).await.status, 422);
    sign_in(&mut Browser::new(&server), "/login", "ann", new).await.expect(303);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_ends_one_session_and_signing_out_everywhere_all() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let (mut one, mut two, mut three) =
        (Browser::of(&server, "ann").await, Browser::of(&server, "ann").await, Browser::of(&server, "ann").await);
    let leave = async |browser: &mut Browser<'_>, index: usize| {
        let kept = browser.cookie(COOKIE).unwrap().to_owned();
        let form = forms(browser.get("/account").await.expect(200).text())[index].clone();
        browser.submit(&form).await.expect(303);
        assert_eq!(browser.cookie(COOKIE), None);
        browser.set_cookie(COOKIE, &kept);
        browser.get("/account").await.expect(303);
    };
    leave(&mut one, 1).await;
    two.get("/account").await.expect(200);
    leave(&mut two, 2).await;
    three.get("/account").await.expect(303);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_hands_its_users_over_once_soon_and_never_administrators() {
    let clock = FrozenClock::default();
    let server = Server::start_at(Engine::Sqlite, &clock, |_| {}).await;
    server.person("ann", &[]).await;
    let host = server.host().await;
    let ask = |body: serde_json::Value| server.client.post("/api/host/v1/sessions").bearer(&host).json(&body).send();
    let path = |answer: &Response| {
        let url = answer.json()["url"].as_str().unwrap().to_owned();
        url.strip_prefix(&server.running.public_url).unwrap().to_owned()
    };
    let link = ask(json!({ "profile": "id:profile-ann", "path": "/account/applications" })).await.expect(200);
    assert!(link.json()["expiresAt"]["iso"].is_string());
    let mut browser = Browser::new(&server);
    let followed = browser.get(&path(&link)).await.expect(303);
    assert_eq!(followed.header("location"), "/account/applications");
    browser.get("/account/applications").await.expect(200);
    Browser::new(&server).get(&path(&link)).await.expect(410);
    let late = path(&ask(json!({ "profile": "username:ann" })).await.expect(200));
    clock.advance(Duration::from_secs(60));
    Browser::new(&server).get(&late).await.expect(410);
    // Its code is no administrator link.
    let link = path(&ask(json!({ "profile": "username:ann" })).await.expect(200));
    let code = crate::browser::parameters(&format!("http://x{link}"))["code"].clone();
    let mut eve = Browser::new(&server);
    let form = forms(eve.get(&format!("/administrator?code={code}")).await.expect(200).text())[0].clone();
    eve.submit(&form).await.expect(410);
    for (body, status) in [
        (json!({ "profile": "username:admin" }), 403),
        (json!({ "profile": "username:nobody" }), 400),
        (json!({ "profile": "me" }), 400),
        (json!({ "profile": "username:ann", "path": "//evil.example" }), 400),
        (json!({ "profile": "username:ann", "path": "https://evil.example" }), 400),
    ] {
        assert_eq!(ask(body.clone()).await.status, status, "{body}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_wait_and_the_right_one_does_not() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
    let mut guessers = Vec::new();
    for _ in 0..4 {
        let mut browser = Browser::new(&server);
        let form = forms(browser.get("/login").await.expect(200).text())[0].clone();
        guessers.push((browser, form.with("username", "ann").with("password", "a wrong password")));
    }
    let guesses = guessers.iter_mut().map(|(browser, form)| async move {
        for _ in 0..5 {
            browser.submit(form).await.expect(422);
        }
    });
    futures_util::future::join_all(guesses).await;
    let mut ann = Browser::new(&server);
    sign_in(&mut ann, "/login", "ann", PASSWORD).await.expect(303);
    server.running.stop().await;
}
