//! Deliveries are verified by the libraries of Standard Webhooks, in the languages they are written for.

use serde_json::{Value, json};
use spaceport_testkit::foreign::{node, python};
use spaceport_testkit::receiver::{Behaviour, Received, Receiver};
use spaceport_testkit::verify::standard_public_key_signature;

use crate::harness::{BOTH, Server, issue};

/// Each program verifies all requests and prints for each what became of it, and once more with a changed body.
const IN_PYTHON: &str = r#"
import json, sys
from standardwebhooks import Webhook
told = json.load(sys.stdin)
def verdict(body, headers):
    try:
        Webhook(told["key"]).verify(body, headers)
        return "good"
    except Exception as error:
        return "bad"
print(json.dumps([[verdict(r["body"], r["headers"]), verdict(r["body"] + " ", r["headers"])] for r in told["requests"]]))
"#;
const IN_NODE: &str = r#"
const { Webhook } = require("standardwebhooks");
const told = JSON.parse(require("fs").readFileSync(0, "utf8"));
const verdict = (body, headers) => {
  try { new Webhook(told.key).verify(body, headers); return "good"; } catch { return "bad"; }
};
console.log(JSON.stringify(told.requests.map(r => [verdict(r.body, r.headers), verdict(r.body + " ", r.headers)])));
"#;

/// What both libraries say of requests under a key.
async fn verdicts(key: &str, requests: &[Received]) -> Vec<Value> {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let shown = |request: &Received| {
        let headers: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), request.header(name).into())).collect();
        json!({ "body": request.text(), "headers": headers })
    };
    let input = json!({ "key": key, "requests": requests.iter().map(shown).collect::<Vec<_>>() }).to_string();
    let blocking = move || [python(IN_PYTHON, &input), node(IN_NODE, &input)];
    let printed = tokio::task::spawn_blocking(blocking).await.unwrap();
    printed.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn libraries_of_standard_webhooks_verify_every_attempt() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::Sequence(vec![Behaviour::status(500), Behaviour::ok()]));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("Grüße")])).await;
        let requests = receiver.wait_for(2).await;
        for (header, other) in [("webhook-id", "x-space-delivery-id"), ("webhook-id", "webhook-id")] {
            assert_eq!(requests[0].header(header), requests[1].header(other), "one id for all attempts");
        }
        let key = server.client.get("/api/http/applications/me/signing-key").bearer(&made.token).send().await.json();
        let key = key.as_str().unwrap();
        let all_good = json!([["good", "bad"], ["good", "bad"]]);
        for key in [key.to_owned(), format!("whsec_{key}")] {
            assert_eq!(verdicts(&key, &requests).await, [all_good.clone(), all_good.clone()]);
        }
        let path = "/api/host/v1/applications/me/standard-webhooks/public-key";
        let public = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
        for request in &requests {
            standard_public_key_signature(request, public["publicKey"].as_str().unwrap()).unwrap();
        }
        // A webhook with its own authentication signs with its own key.
        let own = json!({ "endpointAuth": { "appLevelAuth": "Bearer", "bearerAuthToken": "t" } });
        let hook = format!("/api/http/applications/me/webhooks/{webhook}");
        server.client.patch(&hook).bearer(&made.token).json(&own).send().await.expect(200);
        server.publish(json!([issue("second")])).await;
        let third = receiver.wait_for(3).await.remove(2);
        let own_key = server.client.get(&format!("{hook}/signing-key")).bearer(&made.token).send().await.json();
        let one_good = json!([["good", "bad"]]);
        let third = [third];
        assert_eq!(verdicts(own_key.as_str().unwrap(), &third).await, [one_good.clone(), one_good]);
        let one_bad = json!([["bad", "bad"]]);
        assert_eq!(verdicts(key, &third).await, [one_bad.clone(), one_bad]);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_keys_sign_while_the_one_before_is_valid() {
    for engine in BOTH {
        let hour = std::time::Duration::from_secs(3600);
        let server = Server::start_changed(engine, |settings| settings.overlap.signing_key = hour).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        let key = async || {
            let path = "/api/http/applications/me/signing-key";
            let key = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
            key.as_str().unwrap().to_owned()
        };
        let before = key().await;
        let path = "/api/http/applications/me/signing-key/regenerate";
        server.client.post(path).bearer(&made.token).send().await.expect(200);
        server.publish(json!([issue("e1")])).await;
        let requests = receiver.wait_for(1).await;
        let good = json!([["good", "bad"]]);
        for key in [before, key().await] {
            assert_eq!(verdicts(&key, &requests).await, [good.clone(), good.clone()]);
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_not_tried_again() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::status(410));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("e1")])).await;
        server.status(&made.token, |status| status["responseCode"] == 410).await;
        let counts = server.running.store().read(|tx| tx.delivery_counts()).await;
        let counts = counts.unwrap_or_else(|error: spaceport_store::StoreError| panic!("{error}"));
        assert_eq!(counts, [("given_up".to_owned(), 1)]);
        server.running.stop().await;
    }
}
