//! Housekeeping: what is over goes when its time of keeping has passed, and nothing else does.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_platform::time::Clock as _;
use spaceport_server::housekeeping;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::receiver::{Behaviour, Receiver};

use crate::harness::{BOTH, Engine, Made, Server, issue};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_goes_when_its_time_has_passed() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = Server::start_at(engine, &clock, |_| {}).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "Kept", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("old")])).await;
        receiver.wait_for(1).await;
        let delivered = |status: &Value| status["className"] == "WebhookDeliveryStatusDTO.Successful";
        server.status(&made.token, delivered).await;
        let sweep = async || housekeeping::run(server.running.services().clone()).await.unwrap();
        let again = async || server.publish(json!([issue("old")])).await["results"][0]["status"].clone();
        let entries = async || {
            let page = server.client.get("/api/host/v1/audit-trail?$top=1000").bearer(&server.admin).send().await;
            page.expect(200).json()["data"].as_array().unwrap().len()
        };

        clock.advance(DAY * 29);
        sweep().await;
        assert_eq!(again().await, "duplicate", "an event of less than 30 days is remembered");
        let before = entries().await;
        assert!(before > 2);

        clock.advance(DAY * 2);
        sweep().await;
        let token = server.token(&made.client_id, &made.secret).await;
        assert!(delivered(&server.status(&token, |_| true).await), "the last attempt of a webhook stays");
        assert_eq!(again().await, "accepted", "its id can be used again");
        assert_eq!(entries().await, before, "the audit trail stays for a year");
        receiver.wait_for(2).await;

        clock.advance(DAY * 335);
        sweep().await;
        assert_eq!(entries().await, 0);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_ended_stays_however_old_it_is() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        // The next attempt is a day away.
        let server = Server::start_at(engine, &clock, |settings| {
            settings.retry_schedule = Some(vec![DAY * 31]);
            settings.retention.deliveries = DAY;
            settings.retention.events = DAY;
        })
        .await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::status(500));
        let made = server.application(json!({ "name": "Patient", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("open")])).await;
        server.status(&made.token, |status| !status.is_null()).await;
        clock.advance(DAY * 20);
        housekeeping::run(server.running.services().clone()).await.unwrap();
        let again = server.publish(json!([issue("open")])).await;
        assert_eq!(again["results"][0]["status"], "duplicate", "its delivery has not ended");
        let counts = server.running.services().store.read(|tx| tx.delivery_counts()).await;
        assert_eq!(
            counts.unwrap_or_else(|error: spaceport_store::StoreError| panic!("{error}")),
            [("waiting".to_owned(), 1)]
        );
        server.running.stop().await;
    }
}

async fn keeping_bodies_for_a_day(engine: Engine, clock: &FrozenClock) -> (Server, Receiver, Made) {
    let server = Server::start_at(engine, clock, |settings| settings.retention.bodies = DAY).await;
    let receiver = Receiver::start();
    receiver.behave("/hook", Behaviour::text(200, "answered"));
    let made = server.application(json!({ "name": "Kept", "endpointUri": receiver.url("/hook") })).await;
    (server, receiver, made)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_and_answered_goes_before_the_attempt_does() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let (server, receiver, made) = keeping_bodies_for_a_day(engine, &clock).await;
        server.webhook(&made.token, json!({ "payloadFields": "payload" })).await;
        let delivered = |status: &Value| status["className"] == "WebhookDeliveryStatusDTO.Successful";
        let log = async || {
            let token = server.token(&made.client_id, &made.secret).await;
            let path = "/api/host/v1/applications/me/latest-messages-deliveries";
            server.client.get(path).bearer(&token).send().await.expect(200).json()["data"].clone()
        };
        server.publish(json!([issue("old")])).await;
        server.status(&made.token, delivered).await;
        assert_eq!(log().await[0]["responseBody"], "answered");
        clock.advance(DAY * 2);
        let last = server.publish(json!([issue("new")])).await;
        assert_eq!(last["results"][0]["status"], "accepted");
        receiver.wait_for(2).await;
        let token = server.token(&made.client_id, &made.secret).await;
        server
            .status(&token, |status| delivered(status) && status["sentTime"]["timestamp"] == clock.now().millis())
            .await;
        for _ in 0..2 {
            housekeeping::run(server.running.services().clone()).await.unwrap();
            let log = log().await;
            assert_eq!((&log[0]["responseBody"], &log[1]["responseStatusCode"]), (&json!("answered"), &json!(200)));
            for field in ["requestHeaders", "requestBody", "responseHeaders", "responseBody"] {
                assert_eq!(log[1][field], Value::Null, "{field}");
            }
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replay_sent_and_got_goes_when_its_own_time_has_passed() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let (server, receiver, made) = keeping_bodies_for_a_day(engine, &clock).await;
        let webhook = server.webhook(&made.token, json!({ "payloadFields": "payload" })).await;
        let log = async || {
            let token = server.token(&made.client_id, &made.secret).await;
            let path = format!("/api/http/applications/me/latest-messages-deliveries?webhookId={webhook}");
            let mut ticks = tokio::time::interval(Duration::from_millis(10));
            loop {
                ticks.tick().await;
                let page = server.client.get(&path).bearer(&token).send().await.expect(200).json();
                let count = page["data"].as_array().unwrap().len();
                if count == receiver.received().len() {
                    let bodies = page["data"].as_array().unwrap().iter().map(|one| one["responseBody"].clone());
                    break bodies.collect::<Vec<Value>>();
                }
            }
        };
        let sweep = async || housekeeping::run(server.running.services().clone()).await.unwrap();
        server.publish(json!([issue("old")])).await;
        receiver.wait_for(1).await;
        assert_eq!(log().await, ["answered"]);
        clock.advance(DAY * 2);
        sweep().await;
        assert_eq!(log().await, [Value::Null]);
        let token = server.token(&made.client_id, &made.secret).await;
        let replay = "/api/host/v1/applications/me/deliveries/replay";
        let all = json!({ "webhookId": webhook });
        server.client.post(replay).bearer(&token).json(&all).send().await.expect(200);
        receiver.wait_for(2).await;
        assert_eq!(log().await, [json!("answered"), Value::Null]);
        sweep().await;
        assert_eq!(log().await, [json!("answered"), Value::Null], "it is new");
        clock.advance(DAY * 2);
        sweep().await;
        assert_eq!(log().await, [Value::Null, Value::Null]);
        server.running.stop().await;
    }
}
