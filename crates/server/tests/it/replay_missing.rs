//! Webhooks get the events that they missed.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use spaceport_platform::time::Clock as _;
use spaceport_server::housekeeping;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::receiver::Receiver;

use crate::delivery_log::until;
use crate::harness::{BOTH, Made, Server, issue, issues};

const WEBHOOKS: &str = "/api/http/applications/me/webhooks";
const DELIVERIES: &str = "/api/host/v1/applications/me/deliveries";
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Everything there is.
fn ever() -> Value {
    json!({ "since": "2020-01-01T00:00:00.000Z" })
}

async fn replay(server: &Server, token: &str, webhook: &str, body: &Value) -> Value {
    let path = format!("/api/host/v1/applications/me/webhooks/{webhook}/replay-missing");
    server.client.post(&path).bearer(token).json(body).send().await.expect(200).json()
}

async fn application(server: &Server, receiver: &Receiver) -> Made {
    server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await
}

async fn change(server: &Server, made: &Made, path: &str, body: Value) {
    let path = format!("{WEBHOOKS}/{path}");
    server.client.patch(&path).bearer(&made.token).json(&body).send().await.expect(200);
}

/// The events that came to the receiver, by the number in their payload.
fn told(receiver: &Receiver) -> Vec<String> {
    receiver.received().iter().map(|one| one.json()["payload"]["n"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_while_a_webhook_was_off_comes_later_once_and_in_order() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = application(&server, &receiver).await;
        let webhook = server.webhook(&made.token, json!({ "payloadFields": "payload" })).await;
        let sending = format!("/api/host/v1/applications/me/webhooks/{webhook}/sending");
        let ordered = json!({ "ordered": true });
        server.client.patch(&sending).bearer(&made.token).json(&ordered).send().await.expect(200);
        server.publish(json!([issue("e1")])).await;
        // Its outcome is stored a moment after the endpoint has answered; what is under way is cancelled with the webhook.
        until(&server, &made.token, DELIVERIES, |page| page["data"][0]["state"] == "delivered").await;
        change(&server, &made, &webhook, json!({ "enabled": false })).await;
        for missed in ["e2", "e3"] {
            server.publish(json!([issue(missed)])).await;
        }
        let path = format!("/api/host/v1/applications/me/webhooks/{webhook}/replay-missing");
        let off = server.client.post(&path).bearer(&made.token).json(&ever()).send().await.expect(400);
        assert!(off.text().contains("switched off"), "{}", off.text());
        change(&server, &made, &webhook, json!({ "enabled": true })).await;
        server.publish(json!([issue("e4")])).await;
        receiver.wait_for(2).await;

        let answer = replay(&server, &made.token, &webhook, &ever()).await;
        assert_eq!(answer, json!({ "replayed": 2, "next": null }));
        receiver.wait_for(4).await;
        assert_eq!(told(&receiver), ["e1", "e4", "e2", "e3"], "the missed ones in the order of their coming");
        assert_eq!(replay(&server, &made.token, &webhook, &ever()).await["replayed"], 0, "each once");
        // In the log they stand where they belong, and are found by their event.
        let delivered = |page: &Value| page["data"].as_array().unwrap().iter().all(|one| one["state"] == "delivered");
        let page = until(&server, &made.token, DELIVERIES, delivered).await;
        let events: Vec<_> = page["data"].as_array().unwrap().iter().map(|one| one["eventId"].clone()).collect();
        assert_eq!(events, ["e4", "e3", "e2", "e1"]);
        let found = format!("{DELIVERIES}?eventId=e2");
        let found = server.client.get(&found).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(found["data"], json!([page["data"][2]]));
        let trail =
            format!("/api/host/v1/audit-trail?operation=host.webhook.replay_missing&application=id:{}", made.id);
        let trail = server.client.get(&trail).bearer(&server.admin).send().await.expect(200).json();
        let entries = trail["data"].as_array().unwrap();
        assert_eq!(
            (entries.len(), &entries[0]["changes"][0]["new"]),
            (1, &json!("2")),
            "what did nothing is not there"
        );
        assert_eq!(entries[0]["target"], json!({ "kind": "webhook", "id": webhook }));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_filters_and_rights_of_today_say_what_was_missed() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        crate::authorizations::directory(&server).await;
        let receiver = Receiver::start();
        let made = application(&server, &receiver).await;
        let about = |id: &str, context: &str| {
            let mut event = issue(id);
            event["context"] = json!(context);
            event
        };
        let events = [about("open", "project:key:OPEN"), about("closed", "project:key:CLOSED"), issue("global")];
        server.publish(json!(events)).await;
        // Made later, subscribed to something else, and without a right.
        let moved = json!({ "name": "moved", "subscription": { "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["Issue.Moved"] } });
        let body = json!({ "name": "late", "subscriptions": [moved], "payloadFields": "payload" });
        let webhook = server.client.post(WEBHOOKS).bearer(&made.token).json(&body).send().await.expect(200).json();
        let webhook = webhook["id"].as_str().unwrap().to_owned();
        let count = async || replay(&server, &made.token, &webhook, &ever()).await["replayed"].clone();
        assert_eq!(count().await, 0, "of another type");
        let path = format!("{WEBHOOKS}/{webhook}/subscriptions");
        let added = server.client.post(&path).bearer(&made.token).json(&issues()).send().await.expect(200).json();
        assert_eq!(count().await, 0, "without the right");
        server.grant(&made.id, "project:key:CLOSED", &["Project.Issues.View"]).await;
        assert_eq!(count().await, 1, "the right in one project");
        receiver.wait_for(1).await;
        assert_eq!(told(&receiver), ["closed"]);
        // With the right everywhere, and a filter.
        server.grant(&made.id, "global", &["Project.Issues.View"]).await;
        let filter = json!({ "className": "ProjectCommonSubscriptionFilterIn", "project": "key:OPEN" });
        let filtered = json!({ "subjectCode": "Issue", "filters": [filter], "eventTypeCodes": ["Issue.Created"] });
        let one = format!("{webhook}/subscriptions/{}", added["id"].as_str().unwrap());
        // The application does not see the project itself.
        let path = format!("/api/http/applications/id:{}/webhooks/{one}", made.id);
        let body = json!({ "subscription": filtered });
        server.client.patch(&path).bearer(&server.admin).json(&body).send().await.expect(200);
        assert_eq!(count().await, 1, "the filter lets one pass");
        receiver.wait_for(2).await;
        assert_eq!(told(&receiver)[1], "open");
        let unfiltered = issues()["subscription"].clone();
        change(&server, &made, &one, json!({ "subscription": unfiltered, "enabled": false })).await;
        assert_eq!(count().await, 0, "the subscription is off");
        change(&server, &made, &one, json!({ "enabled": true })).await;
        let future = json!({ "since": "2020-01-01T00:00:00.000Z", "until": "2020-01-02T00:00:00.000Z" });
        assert_eq!(replay(&server, &made.token, &webhook, &future).await["replayed"], 0, "of another time");
        assert_eq!(count().await, 1);
        receiver.wait_for(3).await;
        assert_eq!(told(&receiver)[2], "global");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_events_are_looked_at_by_a_call_and_the_next_goes_on() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = application(&server, &receiver).await;
        let publish = async |first: usize, heard: usize, others: usize| {
            let heard = (first..first + heard).map(|number| issue(&format!("e{number}")));
            let others = (0..others).map(|_| {
                json!({ "subject": "Issue", "type": "Issue.Moved", "payload": { "className": "IssueWebhookEvent" } })
            });
            server.publish(json!(heard.chain(others).collect::<Vec<_>>())).await;
        };
        publish(0, 250, 0).await;
        for _ in 0..10 {
            publish(0, 0, 1_000).await;
        }
        publish(250, 150, 0).await;
        let webhook = server.webhook(&made.token, json!({ "payloadFields": "payload" })).await;
        let first = replay(&server, &made.token, &webhook, &ever()).await;
        assert_eq!(first["replayed"], 250);
        let mut onward = ever();
        onward["after"] = first["next"].clone();
        let second = replay(&server, &made.token, &webhook, &onward).await;
        assert_eq!(second, json!({ "replayed": 150, "next": null }));
        assert_eq!(replay(&server, &made.token, &webhook, &onward).await["replayed"], 0);
        let received = receiver.wait_for(400).await;
        assert_eq!(received.len(), 400);
        let mut all = told(&receiver);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 400, "each once");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_time_make_each_delivery_once() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = application(&server, &receiver).await;
        let events: Vec<_> = (0..300).map(|number| issue(&format!("e{number}"))).collect();
        server.publish(json!(events)).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        let body = ever();
        let calls = (0..4).map(|_| replay(&server, &made.token, &webhook, &body));
        let answers = join_all(calls).await;
        let sum: u64 = answers.iter().map(|answer| answer["replayed"].as_u64().unwrap()).sum();
        assert_eq!(sum, 300, "{answers:?}");
        receiver.wait_for(300).await;
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_and_deleted_since_does_not_come_again() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = Server::start_at(engine, &clock, |settings| settings.retention.deliveries = DAY).await;
        let receiver = Receiver::start();
        let made = application(&server, &receiver).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        let taken = |page: &Value| page["data"].as_array().unwrap().iter().all(|one| one["state"] == "delivered");
        for id in ["old", "last"] {
            server.publish(json!([issue(id)])).await;
            until(&server, &made.token, DELIVERIES, taken).await;
            clock.advance(Duration::from_secs(1));
        }
        clock.advance(DAY * 2);
        housekeeping::run(server.running.services().clone()).await.unwrap();
        let store = server.running.store();
        let left = store.read(|tx| tx.delivery_counts()).await;
        let left = left.unwrap_or_else(|error: spaceport_store::StoreError| panic!("{error}"));
        assert_eq!(left, [("delivered".to_owned(), 1)], "the first is gone, its event is not");
        let token = server.token(&made.client_id, &made.secret).await;
        assert_eq!(replay(&server, &token, &webhook, &ever()).await["replayed"], 0);
        let deleted = store.read(|tx| tx.deliveries_deleted_before()).await;
        let deleted = deleted.unwrap_or_else(|error: spaceport_store::StoreError| panic!("{error}"));
        assert_eq!(deleted, Some(clock.now().minus(DAY)), "however long the setting keeps them from now on");
        server.running.stop().await;
    }
}
