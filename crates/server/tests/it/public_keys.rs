//! Key pairs of applications take turns: published before they sign, and after.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_server::run::Surroundings;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::receiver::{Received, Receiver};
use spaceport_testkit::verify::public_key_signature;

use crate::harness::{BOTH, Made, Server, issue, issues};

const DAY: Duration = Duration::from_secs(24 * 3600);

struct Scene {
    server: Server,
    receiver: Receiver,
    made: Made,
}

impl Scene {
    /// The published keys.
    async fn published(&self) -> Vec<Value> {
        let path = format!("/api/http/applications/id:{}/public-keys", self.made.id);
        let text = self.server.client.get(&path).bearer(&self.server.admin).send().await.expect(200).json();
        let set: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        set["keys"].as_array().unwrap().clone()
    }

    /// What the host sees: ids and states.
    async fn states(&self) -> Vec<(String, String)> {
        let path = format!("/api/host/v1/applications/id:{}/public-keys", self.made.id);
        let keys = self.server.client.get(&path).bearer(&self.server.admin).send().await.expect(200).json();
        let text = |key: &Value, name: &str| key[name].as_str().unwrap().to_owned();
        keys.as_array().unwrap().iter().map(|key| (text(key, "keyId"), text(key, "state"))).collect()
    }

    async fn rotate(&self, body: Value, status: u16) {
        let path = format!("/api/host/v1/applications/id:{}/public-keys/rotate", self.made.id);
        self.server.client.post(&path).bearer(&self.server.admin).json(&body).send().await.expect(status);
    }

    /// Publishes an event; its delivery.
    async fn delivered(&self, id: &str) -> Received {
        let count = self.receiver.received().len();
        self.server.publish(json!([issue(id)])).await;
        self.receiver.wait_for(count + 1).await.pop().unwrap()
    }

    async fn take_turns(&self) {
        self.server.running.run_task("rotation of the keys of applications").await.unwrap();
    }
}

fn signed_by(delivery: &Received, key: &Value) -> bool {
    public_key_signature(delivery, &json!({ "keys": [key] }).to_string()).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_published_a_day_before_it_signs_and_the_old_one_a_day_after() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        // Real key pairs, each another one.
        let surroundings = Surroundings { clock: Arc::new(clock.clone()), ..Surroundings::default() };
        let server = Server::start_with(engine, surroundings, |_| {}).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/") })).await;
        server.grant(&made.id, "global", &["Project.Issues.View"]).await;
        server.webhook(&made.token, json!({ "name": "hook", "subscriptions": [issues()] })).await;
        let scene = Scene { server, receiver, made };
        let first = scene.published().await;
        assert_eq!(first.len(), 1);
        assert!(signed_by(&scene.delivered("1").await, &first[0]));

        scene.rotate(json!({}), 200).await;
        scene.rotate(json!({}), 400).await;
        let both = scene.published().await;
        assert_eq!((both.len(), &both[0]), (2, &first[0]), "the newest comes last");
        let states = scene.states().await;
        assert_eq!([states[0].1.as_str(), states[1].1.as_str()], ["SIGNS", "WAITS"]);
        assert_eq!(
            (states[0].0.as_str(), states[1].0.as_str()),
            (both[0]["kid"].as_str().unwrap(), both[1]["kid"].as_str().unwrap())
        );
        clock.advance(DAY - Duration::from_secs(1));
        scene.take_turns().await;
        assert!(signed_by(&scene.delivered("2").await, &both[0]), "whoever kept the keys for a day knows this one");

        clock.advance(Duration::from_secs(1));
        scene.take_turns().await;
        let delivery = scene.delivered("3").await;
        assert!(signed_by(&delivery, &both[1]) && !signed_by(&delivery, &both[0]));
        assert_eq!(scene.published().await, both, "what was signed before can still be verified");
        let states = scene.states().await;
        assert_eq!([states[0].1.as_str(), states[1].1.as_str()], ["RETIRES", "SIGNS"]);

        clock.advance(DAY);
        scene.take_turns().await;
        assert_eq!(scene.published().await, [both[1].clone()]);
        scene.rotate(json!({ "immediately": true }), 200).await;
        let last = scene.published().await;
        assert!(last.len() == 1 && last[0] != both[1]);
        assert!(signed_by(&scene.delivered("4").await, &last[0]), "a key that may be known signs nothing more");
        scene.server.running.stop().await;
    }
}
