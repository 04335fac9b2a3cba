//! Codes and refresh tokens at the token endpoint, races included (security T7 to T17, P4).

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_platform::time::Timestamp;
use spaceport_server::http::caller::token_hash;
use spaceport_store::StoreError;
use spaceport_testkit::clock::FrozenClock;
use tokio::task::JoinSet;

use crate::browser::Browser;
use crate::harness::{BOTH, Engine, Server};
use crate::oauth_flow::{
    BACK, VERIFIER, accepted, code, error, public, public_tokens, redeem, redeem_public, refresh, refresh_public,
    tokens, tracker, with_challenge,
};

#[tokio::test(flavor = "multi_thread")]
async fn t2_t7_t8_what_tokens_come_with_and_who_needs_a_secret() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let (made, open) = (tracker(&server, json!({})).await, public(&server).await);
    let mut browser = Browser::of(&server, "ann").await;
    let text = code(&mut browser, &made, &[]).await;
    let online = redeem(&server, &made, &text, &[]).await.expect(200);
    assert_eq!((online.header("cache-control"), online.header("pragma")), ("no-store", "no-cache"));
    let online = online.json();
    assert_eq!(
        (&online["token_type"], &online["expires_in"], &online["scope"]),
        (&json!("Bearer"), &json!(600), &json!(""))
    );
    assert!(online.get("refresh_token").is_none(), "nothing was asked for the time the user is away");
    let offline = tokens(&mut browser, &made, "").await;
    let refreshed = refresh(&server, &made, offline["refresh_token"].as_str().unwrap(), &[]).await.expect(200);
    assert_eq!(refreshed.header("cache-control"), "no-store");
    // T7: a confidential client needs its secret for every grant.
    let text = code(&mut browser, &made, &with_challenge(&[])).await;
    assert_eq!(error(&redeem_public(&server, &made, &text).await.expect(401)), "invalid_client");
    let token = offline["refresh_token"].as_str().unwrap();
    assert_eq!(error(&refresh_public(&server, &made, token).await.expect(401)), "invalid_client");
    // A public client needs none, but proof.
    let text = code(&mut browser, &open, &with_challenge(&[])).await;
    let form =
        [("grant_type", "authorization_code"), ("code", &text), ("redirect_uri", BACK), ("client_id", &open.client_id)];
    assert_eq!(error(&server.client.post("/oauth/token").form(&form).send().await.expect(400)), "invalid_grant");
    let text = code(&mut browser, &open, &with_challenge(&[])).await;
    redeem_public(&server, &open, &text).await.expect(200);
    // What was issued to a client with its secret is worth nothing without it.
    let text = code(&mut browser, &open, &with_challenge(&[("access_type", "offline")])).await;
    let secret = redeem(&server, &open, &text, &[("code_verifier", VERIFIER)]).await.expect(200).json();
    let secret = secret["refresh_token"].as_str().unwrap();
    assert_eq!(error(&refresh_public(&server, &open, secret).await.expect(400)), "invalid_grant");
    refresh(&server, &open, secret, &[]).await.expect(200);
    // T8: the client credentials flow is for clients with a secret alone.
    for (made, status, refused) in [(&open, 400, "unauthorized_client"), (&made, 401, "invalid_client")] {
        let form = [("grant_type", "client_credentials"), ("client_id", made.client_id.as_str())];
        assert_eq!(error(&server.client.post("/oauth/token").form(&form).send().await.expect(status)), refused);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t9_of_fifty_parallel_redemptions_exactly_one_succeeds() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.person("ann", &[]).await;
        let made = tracker(&server, json!({})).await;
        let mut browser = Browser::of(&server, "ann").await;
        let text = code(&mut browser, &made, &[]).await;
        let race = (0..50).map(|_| redeem(&server, &made, &text, &[]));
        let answers = futures_util::future::join_all(race).await;
        let good: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(good.len(), 1);
        assert!(answers.iter().all(|answer| answer.status == 200 || error(answer) == "invalid_grant"));
        assert!(!accepted(&server, &good[0].json()["access_token"]).await, "the others were replays");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t10_a_replayed_code_ends_the_tokens_of_its_first_use() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let text = code(&mut browser, &made, &[("access_type", "offline")]).await;
    let first = redeem(&server, &made, &text, &[]).await.expect(200).json();
    let bystander = tokens(&mut browser, &made, "").await;
    assert!(accepted(&server, &first["access_token"]).await);
    assert_eq!(error(&redeem(&server, &made, &text, &[]).await.expect(400)), "invalid_grant");
    assert!(!accepted(&server, &first["access_token"]).await);
    let refused = refresh(&server, &made, first["refresh_token"].as_str().unwrap(), &[]).await.expect(400);
    assert_eq!(error(&refused), "invalid_grant");
    assert!(accepted(&server, &bystander["access_token"]).await, "other delegations are untouched");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t11_a_code_is_bound_to_client_and_redirect_uri() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made =
        tracker(&server, json!({ "codeFlowRedirectURIs": format!("{BACK}\nhttps://tracker.example/other") })).await;
    let thief = tracker(&server, json!({ "name": "Thief" })).await;
    let mut browser = Browser::of(&server, "ann").await;
    for _ in 0..3 {
        let text = code(&mut browser, &made, &[]).await;
        assert_eq!(error(&redeem(&server, &thief, &text, &[]).await.expect(400)), "invalid_grant");
        redeem(&server, &made, &text, &[]).await.expect(200);
        let text = code(&mut browser, &made, &[]).await;
        let elsewhere =
            [("grant_type", "authorization_code"), ("code", &text), ("redirect_uri", "https://tracker.example/other")];
        let wrong =
            server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&elsewhere).send().await;
        assert_eq!(error(&wrong.expect(400)), "invalid_grant");
        let burnt = redeem(&server, &made, &text, &[]).await.expect(400);
        assert_eq!(error(&burnt), "invalid_grant", "a guess of the right client uses the code up, each time");
    }
    for missing in ["code", "redirect_uri"] {
        let form = [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", BACK)];
        let form: Vec<_> = form.into_iter().filter(|(name, _)| *name != missing).collect();
        let answer = server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await;
        assert_eq!(error(&answer.expect(400)), "invalid_request", "{missing}");
    }
    let off = json!({ "codeFlowEnabled": false });
    let text = code(&mut browser, &made, &[]).await;
    server.client.patch("/api/http/applications/me").bearer(&made.token).json(&off).send().await.expect(200);
    assert_eq!(error(&redeem(&server, &made, &text, &[]).await.expect(400)), "unauthorized_client");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t12_challenge_and_verifier_come_together_or_not_at_all() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let wrong = "x".repeat(43);
    for (challenged, verifier, status) in [
        (false, None, 200),
        (false, Some(VERIFIER), 400),
        (true, None, 400),
        (true, Some(wrong.as_str()), 400),
        (true, Some(""), 400),
        (true, Some(VERIFIER), 200),
    ] {
        let asked = if challenged { with_challenge(&[]) } else { Vec::new() };
        let text = code(&mut browser, &made, &asked).await;
        let more: Vec<_> = verifier.map(|verifier| ("code_verifier", verifier)).into_iter().collect();
        redeem(&server, &made, &text, &more).await.expect(status);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t13_a_refresh_is_bound_to_its_client_and_its_scope_never_grows() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let (made, thief) = (tracker(&server, json!({})).await, tracker(&server, json!({ "name": "Thief" })).await);
    let mut browser = Browser::of(&server, "ann").await;
    let granted = "global:Profile.View global:Applications.View";
    let issued = tokens(&mut browser, &made, granted).await;
    let token = issued["refresh_token"].as_str().unwrap();
    assert_eq!(error(&refresh(&server, &thief, token, &[]).await.expect(400)), "invalid_grant");
    let scope = async |asked: &str| {
        refresh(&server, &made, token, &[("scope", asked)]).await.expect(200).json()["scope"].clone()
    };
    assert_eq!(scope("**").await, granted, "the .NET SDK always asks so");
    assert_eq!(scope("global:Profile.View").await, "global:Profile.View");
    assert_eq!(scope("").await, granted);
    for wider in ["global:Profile.View global:Channel.ViewChannel", "global:Superadmin"] {
        let refused = refresh(&server, &made, token, &[("scope", wider)]).await.expect(400);
        assert_eq!(error(&refused), "invalid_scope");
    }
    // A confidential client keeps its token for ever, as the Kotlin SDK does.
    for _ in 0..3 {
        let again = refresh(&server, &made, token, &[]).await.expect(200).json();
        assert_eq!(again["refresh_token"], token);
    }
    assert_eq!(error(&refresh(&server, &made, "unknown", &[]).await.expect(400)), "invalid_grant");
    let access = issued["access_token"].as_str().unwrap();
    assert_eq!(
        error(&refresh(&server, &made, access, &[]).await.expect(400)),
        "invalid_grant",
        "J3: it is no refresh token"
    );
    let refused = server.client.get("/api/http/applications/me").bearer(token).send().await;
    assert_eq!(refused.status, 401, "J3: nor is the other an access token");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t14_public_clients_rotate_and_reuse_ends_the_family() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.person("ann", &[]).await;
        let made = public(&server).await;
        let mut browser = Browser::of(&server, "ann").await;
        let issued = public_tokens(&mut browser, &made).await;
        let first = issued["refresh_token"].as_str().unwrap();
        let second = refresh_public(&server, &made, first).await.expect(200).json();
        assert_ne!(second["refresh_token"], first);
        let third = refresh_public(&server, &made, second["refresh_token"].as_str().unwrap()).await.expect(200).json();
        assert!(accepted(&server, &third["access_token"]).await);
        assert_eq!(error(&refresh_public(&server, &made, first).await.expect(400)), "invalid_grant");
        let newest = third["refresh_token"].as_str().unwrap();
        assert_eq!(error(&refresh_public(&server, &made, newest).await.expect(400)), "invalid_grant");
        assert!(!accepted(&server, &third["access_token"]).await);
        server.running.stop().await;
    }
}

/// Holds a refresh token in a transaction until the gate is opened, so that nobody is answered before all have come.
struct Holding {
    gate: Arc<(Mutex<bool>, Condvar)>,
    held: JoinSet<()>,
}

impl Holding {
    async fn begin(server: &Server, token: &str) -> Self {
        let gate: Arc<(Mutex<bool>, Condvar)> = Arc::default();
        let (begun, mut has_begun) = tokio::sync::watch::channel(false);
        let (store, hash, shared) = (server.running.store().clone(), token_hash(token), Arc::clone(&gate));
        let mut held = JoinSet::new();
        held.spawn(async move {
            let work = store.write(move |tx| {
                tx.touch_refresh_token(&hash, Timestamp::from_millis(1), None)?;
                begun.send_replace(true);
                let (open, opened) = &*shared;
                let mut open = open.lock().unwrap();
                while !*open {
                    open = opened.wait(open).unwrap();
                }
                Ok::<_, StoreError>(())
            });
            work.await.unwrap();
        });
        has_begun.wait_for(|begun| *begun).await.unwrap();
        Self { gate, held }
    }

    /// Opens the gate once so many refreshes are under way.
    async fn until(self, server: &Server, count: usize) {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        while server.running.services().oauth.bursts.under_way() < count {
            ticks.tick().await;
        }
        *self.gate.0.lock().unwrap() = true;
        self.gate.1.notify_all();
        self.held.join_all().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t15_twenty_parallel_refreshes_leave_one_living_chain() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.person("ann", &[]).await;
        let made = public(&server).await;
        let mut browser = Browser::of(&server, "ann").await;
        let issued = public_tokens(&mut browser, &made).await;
        let first = issued["refresh_token"].as_str().unwrap();
        let holding = Holding::begin(&server, first).await;
        let race = (0..20).map(|_| refresh_public(&server, &made, first));
        let (answers, ()) = tokio::join!(futures_util::future::join_all(race), holding.until(&server, 20));
        let mut next: Vec<Value> =
            answers.iter().filter(|it| it.status == 200).map(|it| it.json()["refresh_token"].clone()).collect();
        assert!(answers.iter().all(|answer| answer.status == 200 || error(answer) == "invalid_grant"));
        next.dedup();
        assert_eq!(next.len(), 1, "whoever was answered got the same successor");
        let living = refresh_public(&server, &made, next[0].as_str().unwrap()).await.expect(200).json();
        assert!(accepted(&server, &living["access_token"]).await);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn t16_refresh_tokens_end_by_disuse_and_with_what_they_rest_on() {
    let clock = FrozenClock::default();
    let server = Server::start_at(Engine::Sqlite, &clock, |settings| settings.refresh_token_days = 10).await;
    for name in ["ann", "bob", "cid"] {
        server.person(name, &[]).await;
    }
    let made = tracker(&server, json!({})).await;
    let day = Duration::from_secs(24 * 3600);
    let mut ann = Browser::of(&server, "ann").await;
    let idle = tokens(&mut ann, &made, "").await["refresh_token"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        clock.advance(day * 9);
        refresh(&server, &made, &idle, &[]).await.expect(200);
    }
    clock.advance(day * 10);
    assert_eq!(error(&refresh(&server, &made, &idle, &[]).await.expect(400)), "invalid_grant");
    // Somebody who has left, or was signed out of everything.
    let mut bob = Browser::of(&server, "bob").await;
    let left = tokens(&mut bob, &made, "").await;
    let token = left["refresh_token"].as_str().unwrap().to_owned();
    clock.advance(Duration::from_secs(1));
    let now = spaceport_platform::time::Clock::now(&clock);
    let ended = server
        .running
        .store()
        .write(move |tx| tx.end_tokens_of_people(&[spaceport_platform::id::ProfileId::new("profile-bob")], now));
    ended.await.map_err(|error: StoreError| error.to_string()).unwrap();
    assert_eq!(error(&refresh(&server, &made, &token, &[]).await.expect(400)), "invalid_grant");
    assert!(!accepted(&server, &left["access_token"]).await);
    assert_eq!(bob.get("/account").await.status, 303, "the session has ended as well");
    // P4: an application that is archived and comes back gets nothing back; nor does one whose secret was replaced.
    let mut cid = Browser::of(&server, "cid").await;
    let path = format!("/api/http/applications/id:{}", made.id);
    for ends in ["", "/client-secret/regenerate"] {
        let issued = tokens(&mut cid, &made, "").await;
        let under_way = code(&mut cid, &made, &[]).await;
        clock.advance(Duration::from_secs(1));
        match ends {
            "" => {
                server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
                assert!(!accepted(&server, &issued["access_token"]).await);
                server.client.post(&format!("{path}/restore")).bearer(&server.admin).send().await.expect(200);
            }
            ends => {
                server.client.post(&format!("{path}{ends}")).bearer(&server.admin).send().await.expect(200);
            }
        }
        let secret =
            server.client.get(&format!("{path}/client-secret")).bearer(&server.admin).send().await.expect(200).json();
        let renewed = crate::harness::Made {
            id: made.id.clone(),
            client_id: made.client_id.clone(),
            secret: secret.as_str().unwrap().to_owned(),
            token: String::new(),
        };
        let refused = refresh(&server, &renewed, issued["refresh_token"].as_str().unwrap(), &[]).await.expect(400);
        assert_eq!(error(&refused), "invalid_grant");
        assert_eq!(error(&redeem(&server, &renewed, &under_way, &[]).await.expect(400)), "invalid_grant");
        assert!(!accepted(&server, &issued["access_token"]).await);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t17_the_password_grant_is_off_unless_the_operator_allows_it() {
    let server = Server::start(Engine::Sqlite).await;
    let made = tracker(&server, json!({})).await;
    let form = [("grant_type", "password"), ("username", "ann"), ("password", "correct horse battery")];
    let ask = |server: &Server, secret: &str| {
        server.client.post("/oauth/token").basic(&made.client_id, secret).form(&form).send()
    };
    assert_eq!(error(&ask(&server, &made.secret).await.expect(400)), "unsupported_grant_type");
    server.running.stop().await;
    let server = Server::start_changed(Engine::Sqlite, |settings| settings.password_grant = true).await;
    server.person("ann", &[]).await;
    let mut browser = Browser::of(&server, "ann").await;
    crate::people::set_password(&mut browser, "correct horse battery").await;
    let made = tracker(&server, json!({})).await;
    let call = |password: &str, more: &[(&str, &str)]| {
        let mut form = vec![("grant_type", "password"), ("username", "Ann"), ("password", password)];
        form.extend_from_slice(more);
        server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send()
    };
    let issued = call("correct horse battery", &[("access_type", "offline")]).await.expect(200).json();
    assert!(accepted(&server, &issued["access_token"]).await);
    refresh(&server, &made, issued["refresh_token"].as_str().unwrap(), &[]).await.expect(200);
    assert_eq!(error(&call("wrong horse battery", &[]).await.expect(400)), "invalid_grant");
    server.running.stop().await;
}
