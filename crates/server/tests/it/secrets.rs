//! Two live secrets while an overlap lasts, and its end.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_server::config::Overlaps;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::receiver::Receiver;
use spaceport_testkit::verify::{previous_signing_key_signature, signing_key_signature};

use crate::browser::Browser;
use crate::harness::{BOTH, Engine, Made, Server, issue};
use crate::oauth_flow::{accepted, refresh, tokens, tracker};

const HOUR: Duration = Duration::from_secs(3600);
const PREVIOUS_SECRET: &str = "/api/host/v1/applications/me/client-secret/previous";
const PREVIOUS_KEY: &str = "/api/host/v1/applications/me/signing-key/previous";

async fn start(engine: Engine, clock: &FrozenClock) -> Server {
    Server::start_at(engine, clock, |settings| {
        settings.overlap = Overlaps { client_secret: HOUR, connected_client_secret: HOUR, signing_key: HOUR };
    })
    .await
}

/// The status of a sign-in.
async fn sign_in(server: &Server, made: &Made, secret: &str) -> u16 {
    let form = [("grant_type", "client_credentials")];
    server.client.post("/oauth/token").basic(&made.client_id, secret).form(&form).send().await.status.as_u16()
}

/// What the application sees of itself with a token: a status and the text of the refusal.
async fn me(server: &Server, token: &str) -> (u16, Value) {
    let answer = server.client.get("/api/http/applications/me").bearer(token).send().await;
    (answer.status.as_u16(), answer.json()["error_description"].clone())
}

/// Regenerates and answers the new value, as the application with the new secret of `kind` sees it.
async fn regenerate(server: &Server, made: &Made, kind: &str) -> String {
    let path = format!("/api/http/applications/id:{}/{kind}", made.id);
    server.client.post(&format!("{path}/regenerate")).bearer(&server.admin).send().await.expect(200);
    server.client.get(&path).bearer(&server.admin).send().await.expect(200).json().as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_client_secrets_sign_in_until_the_overlap_ends_and_tokens_end_with_their_secret() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = start(engine, &clock).await;
        let made = server.application(json!({ "name": "Rotated" })).await;
        let new = regenerate(&server, &made, "client-secret").await;
        assert_ne!(new, made.secret);
        assert_eq!(me(&server, &made.token).await.0, 200, "a token of before lives on");
        assert_eq!((sign_in(&server, &made, &made.secret).await, sign_in(&server, &made, &new).await), (200, 200));
        assert_eq!(sign_in(&server, &made, &new[1..]).await, 401);
        let end = server.client.get(PREVIOUS_SECRET).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(end["validUntil"]["timestamp"], 1_700_000_000_000_i64 + 3_600_000);

        clock.advance(HOUR - Duration::from_secs(1));
        let (of_old, of_new) =
            (server.token(&made.client_id, &made.secret).await, server.token(&made.client_id, &new).await);
        assert_eq!((me(&server, &of_old).await.0, me(&server, &of_new).await.0), (200, 200));
        clock.advance(Duration::from_secs(1));
        assert_eq!((sign_in(&server, &made, &made.secret).await, sign_in(&server, &made, &new).await), (401, 200));
        assert_eq!(me(&server, &of_old).await, (401, json!("Access token has expired")), "the text clients renew on");
        assert_eq!(me(&server, &of_new).await.0, 200);
        let end = server.client.get(PREVIOUS_SECRET).bearer(&of_new).send().await.expect(200).json();
        assert_eq!(end, json!({ "validUntil": null }));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_configured_the_old_client_secret_ends_at_once() {
    let clock = FrozenClock::default();
    let server = Server::start_at(Engine::Sqlite, &clock, |_| {}).await;
    let made = server.application(json!({ "name": "Alone" })).await;
    let new = regenerate(&server, &made, "client-secret").await;
    assert_eq!((sign_in(&server, &made, &made.secret).await, sign_in(&server, &made, &new).await), (401, 200));
    assert_eq!(me(&server, &made.token).await, (401, json!("Access token is invalid")));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_client_secret_keeps_the_one_before_for_the_same_overlap() {
    const CHOSEN: &str = "a-secret-of-at-least-thirty-two-characters";
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = start(engine, &clock).await;
        let made = server.application(json!({ "name": "Chosen" })).await;
        let choose = async |token: &str, secret: &str| {
            let path = "/api/http/applications/me";
            let body = json!({ "clientSecret": secret });
            server.client.patch(path).bearer(token).json(&body).send().await.expect(200);
        };
        choose(&made.token, CHOSEN).await;
        assert_eq!((sign_in(&server, &made, &made.secret).await, sign_in(&server, &made, CHOSEN).await), (200, 200));
        assert_eq!(me(&server, &made.token).await.0, 200, "a token of before lives on");
        let until = async |token: &str| {
            let end = server.client.get(PREVIOUS_SECRET).bearer(token).send().await.expect(200).json();
            end["validUntil"]["timestamp"].clone()
        };
        assert_eq!(until(&made.token).await, 1_700_000_000_000_i64 + 3_600_000);
        // A deployment says it again: nothing new begins.
        clock.advance(HOUR / 2);
        let token = server.token(&made.client_id, CHOSEN).await;
        choose(&token, CHOSEN).await;
        assert_eq!(until(&token).await, 1_700_000_000_000_i64 + 3_600_000);
        assert_eq!(sign_in(&server, &made, &made.secret).await, 200);
        clock.advance(HOUR / 2);
        assert_eq!((sign_in(&server, &made, &made.secret).await, sign_in(&server, &made, CHOSEN).await), (401, 200));
        assert_eq!(me(&server, &made.token).await, (401, json!("Access token has expired")));
        server.running.stop().await;

        let server = Server::start_at(engine, &clock, |_| {}).await;
        let mut made = tracker(&server, json!({})).await;
        server.person("ann", &[]).await;
        let issued = tokens(&mut Browser::of(&server, "ann").await, &made, "").await;
        let path = format!("/api/http/applications/id:{}", made.id);
        let body = json!({ "clientSecret": CHOSEN });
        server.client.patch(&path).bearer(&server.admin).json(&body).send().await.expect(200);
        assert_eq!((sign_in(&server, &made, &made.secret).await, sign_in(&server, &made, CHOSEN).await), (401, 200));
        assert_eq!(me(&server, &made.token).await.0, 401);
        assert!(!accepted(&server, &issued["access_token"]).await);
        CHOSEN.clone_into(&mut made.secret);
        let old = issued["refresh_token"].as_str().unwrap();
        assert_eq!(refresh(&server, &made, old, &[]).await.status, 400, "who had the old secret may have it");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_of_the_client_secret_can_be_ended_at_once() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = start(engine, &clock).await;
        let made = server.application(json!({ "name": "Ended" })).await;
        let second = regenerate(&server, &made, "client-secret").await;
        let third = regenerate(&server, &made, "client-secret").await;
        assert_eq!(sign_in(&server, &made, &made.secret).await, 401, "two are valid at once, never three");
        assert_eq!((sign_in(&server, &made, &second).await, sign_in(&server, &made, &third).await), (200, 200));
        assert_eq!(me(&server, &made.token).await.0, 401, "the tokens of the first went with it");
        let (of_second, of_third) =
            (server.token(&made.client_id, &second).await, server.token(&made.client_id, &third).await);
        let other = server.application(json!({ "name": "Other" })).await;
        let path = format!("/api/host/v1/applications/id:{}/client-secret/previous", made.id);
        server.client.delete(&path).bearer(&other.token).send().await.expect(404);
        server.client.delete(PREVIOUS_SECRET).bearer(&of_third).send().await.expect(200);
        assert_eq!((sign_in(&server, &made, &second).await, sign_in(&server, &made, &third).await), (401, 200));
        assert_eq!((me(&server, &of_second).await.0, me(&server, &of_third).await.0), (401, 200));
        server.client.delete(PREVIOUS_SECRET).bearer(&of_third).send().await.expect(404);

        let fourth = regenerate(&server, &made, "client-secret").await;
        let of_fourth = server.token(&made.client_id, &fourth).await;
        server.client.delete("/api/http/applications/me").bearer(&of_fourth).send().await.expect(200);
        assert_eq!(me(&server, &of_third).await.0, 401, "archiving ends the tokens of both");
        assert_eq!(sign_in(&server, &made, &third).await, 401);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_carry_a_second_signature_until_the_overlap_of_the_signing_key_ends() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = start(engine, &clock).await;
        let receiver = Receiver::start();
        let auth = json!({ "className": "EndpointAuthCreate.SigningKey" });
        let made = server
            .application(json!({ "name": "Signed", "endpointUri": receiver.url("/hook"), "appLevelAuth": auth }))
            .await;
        server.webhook(&made.token, json!({})).await;
        let key = server.client.get("/api/http/applications/me/signing-key").bearer(&made.token).send().await.json();
        let old = key.as_str().unwrap();
        let new = regenerate(&server, &made, "signing-key").await;
        assert_eq!(me(&server, &made.token).await.0, 200, "a signing key brings no tokens");

        server.publish(json!([issue("both")])).await;
        let request = receiver.wait_for(1).await.remove(0);
        signing_key_signature(&request, &new).unwrap();
        previous_signing_key_signature(&request, old).unwrap();

        server.client.delete(PREVIOUS_KEY).bearer(&made.token).send().await.expect(200);
        server.publish(json!([issue("one")])).await;
        let request = receiver.wait_for(2).await.remove(1);
        signing_key_signature(&request, &new).unwrap();
        assert!(previous_signing_key_signature(&request, old).is_err());

        regenerate(&server, &made, "signing-key").await;
        clock.advance(HOUR);
        server.publish(json!([issue("late")])).await;
        let request = receiver.wait_for(3).await.remove(2);
        assert!(previous_signing_key_signature(&request, &new).is_err(), "its time is over");
        server.running.stop().await;
    }
}
