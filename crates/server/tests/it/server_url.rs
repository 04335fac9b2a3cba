//! A server that moves tells every application that knows it.

use serde_json::Value;
use spaceport_testkit::published::{Published, Reaction};
use spaceport_testkit::receiver::Gate;

use crate::harness::{BOTH, Server};
use crate::installation::{connected, payloads, seen, status_is};

#[tokio::test(flavor = "multi_thread")]
async fn applications_are_told_where_the_server_is_once_for_every_move() {
    for engine in BOTH {
        let server =
            Server::start_changed(engine, |settings| settings.public_url = Some("http://one.test".to_owned())).await;
        let (quick, slow) = (Published::start(), Published::start());
        let (quick_id, slow_id) = (connected(&server, &quick).await, connected(&server, &slow).await);
        slow.react("ChangeServerUrlPayload", vec![Reaction::Refuse(503); 4]);
        // It is told as soon as the server starts, and cannot verify that before it knows where to reach the server.
        let gate = Gate::new();
        quick.react("ChangeServerUrlPayload", [Reaction::AcceptAfter(gate.clone())]);

        let server = server.restarted_with(|settings| settings.public_url = Some("http://two.test".to_owned())).await;
        for application in [&quick, &slow] {
            application.reach(&format!("http://{}", server.running.address));
        }
        gate.open();
        quick.wait("the new URL", |memory| memory.server_url == "http://two.test").await;
        let told = seen(&server, &quick_id, status_is("CONNECTED")).await;
        assert_eq!(told["metadata"]["lastSentServerUrl"], "http://two.test");
        let given_up = |told: &Value| told["data"][0]["state"] == "given_up";
        payloads(&server, &slow_id, given_up).await;
        let untold = seen(&server, &slow_id, status_is("RECONNECTING")).await;
        assert_eq!(untold["metadata"]["lastSentServerUrl"], "http://one.test");

        let server = server.restarted_with(|settings| settings.public_url = Some("http://two.test".to_owned())).await;
        slow.reach(&format!("http://{}", server.running.address));
        assert_eq!(slow.payloads("ChangeServerUrlPayload").len(), 4, "a start without a move tells nothing");
        let again = format!("/api/host/v1/applications/id:{slow_id}/connect");
        server.client.post(&again).bearer(&server.admin).send().await.expect(200);
        slow.wait("the new URL", |memory| memory.server_url == "http://two.test").await;
        seen(&server, &slow_id, status_is("CONNECTED")).await;
        assert_eq!(quick.payloads("ChangeServerUrlPayload").len(), 1);
        assert!(quick.memory().complaints.is_empty() && slow.memory().complaints.is_empty());
        server.running.stop().await;
    }
}
