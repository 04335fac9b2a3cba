//! The operator's own name servers, and what happens when one changes its mind between two deliveries.

use std::io;
use std::net::TcpListener;

use serde_json::{Value, json};
use spaceport_server::config::Settings;
use spaceport_testkit::name_server::{NameServer, Zone};
use spaceport_testkit::receiver::Receiver;

use crate::harness::{BOTH, Server, issue, surroundings};

const LOG: &str = "/api/host/v1/applications/me/latest-messages-deliveries";

/// A receiver that may be called, and a canary at the same port of an address that may not.
fn receiver_and_canary() -> (Receiver, TcpListener) {
    loop {
        let receiver = Receiver::start();
        let url = url::Url::parse(&receiver.url("/")).unwrap();
        // Somebody else may have that port there.
        if let Ok(canary) = TcpListener::bind(("127.0.0.2", url.port().unwrap())) {
            canary.set_nonblocking(true).unwrap();
            return (receiver, canary);
        }
    }
}

/// The newest attempt, once there are so many.
async fn newest(server: &Server, token: &str, count: usize) -> Value {
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(10));
    loop {
        ticks.tick().await;
        let page = server.client.get(LOG).bearer(token).send().await.expect(200).json();
        if page["data"].as_array().unwrap().len() >= count {
            return page["data"][0].clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_rebound_between_two_deliveries_leads_nowhere() {
    for engine in BOTH {
        let names = NameServer::start();
        let (open, inside) = ("127.0.0.1".parse().unwrap(), "127.0.0.2".parse().unwrap());
        names.answer("hook.example.com", &[Zone::of(&[open])]);
        let change = |settings: &mut Settings| {
            settings.name_server = vec![names.address];
            // Tokens name the server's URL, and it listens elsewhere when it starts again.
            settings.public_url = Some("http://spaceport.test".to_owned());
            settings.allow_network = vec!["127.0.0.1/32".parse().unwrap()];
        };
        let server = Server::start_with(engine, surroundings(), change).await;
        let (receiver, canary) = receiver_and_canary();
        let url = receiver.url("/hook").replace("127.0.0.1", "hook.example.com");
        let made = server.application(json!({ "name": "App", "endpointUri": url })).await;
        server.webhook(&made.token, json!({ "doRetries": false })).await;
        server.publish(json!([issue("e1")])).await;
        let delivered = newest(&server, &made.token, 1).await;
        assert_eq!(delivered["responseStatusCode"], 200, "{delivered}");

        // A server that starts has no connection left over, so it has to ask anew.
        names.answer("hook.example.com", &[Zone::of(&[inside])]);
        let host = server.host().await;
        let server = server.restarted_with(change).await;
        let body = json!({ "events": [issue("e2")] });
        server.client.post("/api/host/v1/events").bearer(&host).json(&body).send().await.expect(202);
        let refused = newest(&server, &made.token, 2).await;
        assert_eq!(refused["successful"], false, "{refused}");
        let said = refused["httpClientError"].to_string();
        assert!(said.contains("the address 127.0.0.2 is the server itself"), "{refused}");
        assert_eq!(receiver.received().len(), 1);
        assert!(canary.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock));
        server.running.stop().await;
    }
}
