//! Webhooks that fail for days are switched off, when the operator wants that.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_platform::time::Clock as _;
use spaceport_server::failing;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::receiver::{Behaviour, Receiver};

use crate::harness::{BOTH, Made, Server, issue};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Publishes an event and waits until its delivery has failed for good.
async fn fail(server: &Server, made: &Made, event: &str) {
    server.publish(json!([issue(event)])).await;
    let token = server.token(&made.client_id, &made.secret).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    loop {
        ticks.tick().await;
        let path = format!("/api/host/v1/applications/me/deliveries?state=given_up&eventId={event}");
        let page = server.client.get(&path).bearer(&token).send().await.expect(200).json();
        if page["data"][0].is_object() {
            return;
        }
    }
}

async fn is_enabled(server: &Server, made: &Made) -> bool {
    let token = server.token(&made.client_id, &made.secret).await;
    let path = "/api/http/applications/me/webhooks?query=hook&$fields=data(webhook(enabled))";
    let page = server.client.get(path).bearer(&token).send().await.expect(200).json();
    page["data"][0]["webhook"]["enabled"].as_bool().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_for_days_is_switched_off_with_an_event_and_an_entry() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = Server::start_at(engine, &clock, |settings| {
            settings.disable_failing_after = Some(DAY * 5);
            settings.retry_schedule = Some(Vec::new());
        })
        .await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::status(500));
        let made = server.application(json!({ "name": "Down", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        let told = json!({
            "name": "about me", "endpoint": { "url": receiver.url("/told"), "sslVerification": true },
            "subscriptions": [{ "name": "mine", "subscription": {
                "subjectCode": "Application", "filters": [], "eventTypeCodes": ["Application.WebhookDisabled"] } }],
        });
        let webhooks = "/api/http/applications/me/webhooks";
        server.client.post(webhooks).bearer(&made.token).json(&told).send().await.expect(200);
        let look = async || failing::run(server.running.services().clone()).await.unwrap();

        fail(&server, &made, "first").await;
        clock.advance(DAY * 6);
        look().await;
        assert!(is_enabled(&server, &made).await, "one failure long ago is not failing for days");
        receiver.behave("/hook", Behaviour::ok());
        server.publish(json!([issue("good")])).await;
        receiver.wait_for_at("/hook", 2).await;
        let token = server.token(&made.client_id, &made.secret).await;
        let list = "/api/host/v1/applications/me/deliveries?state=delivered";
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            let page = server.client.get(list).bearer(&token).send().await.expect(200).json();
            if page["data"][0].is_object() {
                break;
            }
        }
        receiver.behave("/hook", Behaviour::status(500));
        clock.advance(DAY);
        fail(&server, &made, "second").await;
        clock.advance(DAY * 4);
        fail(&server, &made, "third").await;
        look().await;
        assert!(is_enabled(&server, &made).await, "four days are not five");
        clock.advance(DAY);
        fail(&server, &made, "fourth").await;
        look().await;
        assert!(!is_enabled(&server, &made).await);

        let event = receiver.wait_for_at("/told", 1).await.remove(0).json();
        let payload = &event["payload"];
        assert_eq!(payload["className"], "ApplicationWebhookDisabledEvent");
        assert_eq!(payload["application"]["id"], made.id);
        assert_eq!(payload["webhook"]["name"], "hook");
        assert_eq!(payload["failingSince"]["timestamp"], clock.now().minus(DAY * 5).millis());
        let path = "/api/host/v1/audit-trail?operation=server.webhook.disable";
        let trail: Value = server.client.get(path).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(trail["data"].as_array().unwrap().len(), 1);
        look().await;

        // Whoever switches it on again has as much time as before.
        let path = format!("{webhooks}/{}", webhook.as_str());
        let token = server.token(&made.client_id, &made.secret).await;
        let on = json!({ "enabled": true });
        server.client.patch(&path).bearer(&token).json(&on).send().await.expect(200);
        look().await;
        assert!(is_enabled(&server, &made).await, "what failed before does not count any more");
        fail(&server, &made, "fifth").await;
        clock.advance(DAY * 4);
        fail(&server, &made, "sixth").await;
        look().await;
        assert!(is_enabled(&server, &made).await, "four days are not five");
        // Nor does it once it leads elsewhere.
        clock.advance(DAY * 2);
        let token = server.token(&made.client_id, &made.secret).await;
        let elsewhere = json!({ "endpointUri": receiver.url("/elsewhere") });
        server.client.patch("/api/http/applications/me").bearer(&token).json(&elsewhere).send().await.expect(200);
        receiver.behave("/elsewhere", Behaviour::status(500));
        fail(&server, &made, "seventh").await;
        look().await;
        assert!(is_enabled(&server, &made).await);
        clock.advance(DAY * 5);
        fail(&server, &made, "eighth").await;
        look().await;
        assert!(!is_enabled(&server, &made).await);
        server.running.stop().await;
    }
}
