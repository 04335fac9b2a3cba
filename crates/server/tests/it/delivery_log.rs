//! What was sent can be looked up, and sent again.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_testkit::published::Published;
use spaceport_testkit::receiver::{Behaviour, Receiver};

use crate::harness::{BOTH, Engine, Made, Server, issue};
use crate::installation::connected;

const HOST: &str = "/api/host/v1/applications/me";

/// Asks again and again, because nothing announces that an outcome is stored.
pub(crate) async fn until(server: &Server, token: &str, path: &str, done: impl Fn(&Value) -> bool) -> Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..3_000 {
        ticks.tick().await;
        let answer = server.client.get(path).bearer(token).send().await.expect(200).json();
        if done(&answer) {
            return answer;
        }
    }
    panic!("{path} never came to it");
}

fn all(count: usize, state: &'static str) -> impl Fn(&Value) -> bool {
    move |page| {
        let data = page["data"].as_array().unwrap();
        data.len() == count && data.iter().all(|one| one["state"] == state)
    }
}

async fn set_sending(server: &Server, made: &Made, webhook: &str, body: Value) {
    let path = format!("{HOST}/webhooks/{webhook}/sending");
    server.client.patch(&path).bearer(&made.token).json(&body).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attempt_is_in_the_log_with_what_was_sent_and_answered() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let large = "x".repeat(20 * 1024);
        receiver.behave("/hook", Behaviour::Sequence(vec![Behaviour::text(503, &large), Behaviour::text(200, "ok\0")]));
        let auth = json!({ "className": "EndpointAuthCreate.Bearer", "token": "hush-hush" });
        let body = json!({ "name": "App", "endpointUri": receiver.url("/hook"), "appLevelAuth": auth });
        let made = server.application(body).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        let headers = json!({ "headers": [{ "name": "X-Key", "value": "hush" }] });
        let path = format!("/api/http/applications/me/webhooks/{webhook}/custom-headers");
        server.client.post(&path).bearer(&made.token).json(&headers).send().await.expect(200);
        server.publish(json!([issue("e1")])).await;
        let log = format!("{HOST}/latest-messages-deliveries");
        let page = until(&server, &made.token, &log, |page| page["data"].as_array().unwrap().len() == 2).await;
        let sent = receiver.received();
        let [second, first] = [&page["data"][0], &page["data"][1]];
        assert_eq!((&first["attempt"], &second["attempt"]), (&json!(1), &json!(2)));
        assert_eq!((&first["successful"], &second["successful"]), (&json!(false), &json!(true)));
        assert_eq!((&first["responseStatusCode"], &first["method"]), (&json!(503), &json!("POST")));
        assert_eq!(first["responseBody"].as_str().unwrap().len(), 16 * 1024);
        assert_eq!((&first["responseBodyComplete"], &second["responseBodyComplete"]), (&json!(false), &json!(true)));
        assert_eq!(second["responseBody"], "ok\u{fffd}");
        assert_eq!(first["webhook"], json!({ "id": webhook, "name": "hook" }));
        assert_eq!((&first["eventId"], &first["messageType"]), (&json!("e1"), &json!("Webhook")));
        assert_eq!(first["url"], receiver.url("/hook"));
        assert_eq!(first["requestBody"], sent[0].text());
        assert_eq!(first["deliveryId"], sent[0].header("x-space-delivery-id"));
        let fields = first["requestHeaders"].as_array().unwrap();
        let field = |name: &str| fields.iter().find(|field| field["name"] == name).map(|field| field["value"].clone());
        for hidden in ["authorization", "x-key", "webhook-signature"] {
            assert_eq!(field(hidden).unwrap(), "***", "{hidden}");
        }
        assert_eq!(field("webhook-id").unwrap(), first["deliveryId"]);
        assert!(!page.to_string().contains("hush"));

        let found = async |query: &str| {
            let path = format!("{log}?{query}");
            let page = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
            page["data"].as_array().unwrap().iter().map(|one| one["attempt"].as_u64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(found("successful=false").await, [1]);
        assert_eq!(found("successful=true&eventId=e1").await, [2]);
        assert_eq!(found("eventId=e2").await, [0_u64; 0]);
        assert_eq!(found(&format!("webhookId={webhook}")).await, [2, 1]);
        assert_eq!(found("webhookId=other").await, [0_u64; 0]);
        assert_eq!(found("until=2020-01-01T00:00:00.000Z").await, [0_u64; 0]);
        assert_eq!(found("since=2020-01-01T00:00:00.000Z").await, [2, 1]);
        let one = server.client.get(&format!("{log}?$top=1")).bearer(&made.token).send().await.expect(200).json();
        let next = one["next"].as_str().unwrap();
        assert_eq!(found(&format!("$top=1&$skip={next}")).await, [1]);
        for wrong in ["successful=perhaps", "since=soon", "$skip=x"] {
            server.client.get(&format!("{log}?{wrong}")).bearer(&made.token).send().await.expect(400);
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_where_space_had_it_with_chosen_fields_and_the_same_filters() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("e1")])).await;
        let log = "/api/http/applications/me/latest-messages-deliveries";
        let page = until(&server, &made.token, log, |page| page["data"][0].is_object()).await;
        let host = format!("{HOST}/latest-messages-deliveries");
        let same = server.client.get(&host).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(page, same, "one log, two paths");
        let get = async |query: &str| {
            server.client.get(&format!("{log}?{query}")).bearer(&made.token).send().await.expect(200).json()
        };
        let chosen = get("$fields=data(messageType,webhook(id),requestBody)").await;
        let sent = receiver.wait_for(1).await.remove(0);
        let body = sent.text();
        let expected = json!({ "messageType": "Webhook", "webhook": { "id": webhook }, "requestBody": body });
        assert_eq!(chosen, json!({ "data": [expected] }));
        for (query, count) in [
            (format!("webhookId={webhook}"), 1),
            ("webhookId=other".to_owned(), 0),
            ("eventId=e1&successful=true".to_owned(), 1),
            ("successful=false".to_owned(), 0),
            ("until=2020-01-01T00:00:00.000Z".to_owned(), 0),
        ] {
            assert_eq!(get(&query).await["data"].as_array().unwrap().len(), count, "{query}");
        }
        // Headers and bodies are as secret as secrets are.
        let viewer = server.person("viewer", &["Applications.View"]).await;
        let other = format!("/api/http/applications/id:{}/latest-messages-deliveries", made.id);
        server.client.get(&other).bearer(&viewer).send().await.expect(403);
        server.client.get(&other).bearer(&server.admin).send().await.expect(200);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_told_apart_in_the_log() {
    let server = Server::start(Engine::Sqlite).await;
    let receiver = Receiver::start();
    receiver.behave("/close", Behaviour::Close);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (name, url, kind) in [
        ("connect", format!("http://{nobody}/"), "connect"),
        ("tls", receiver.url("/").replace("http:", "https:"), "tls"),
        ("protocol", receiver.url("/close"), "protocol"),
        ("none", String::new(), "invalid_url"),
    ] {
        let mut body = json!({ "name": name });
        if !url.is_empty() {
            body["endpointUri"] = json!(url);
        }
        let made = server.application(body).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        set_sending(&server, &made, &webhook, json!({ "retryDelaysMillis": [] })).await;
        server.publish(json!([issue(name)])).await;
        let log = format!("{HOST}/latest-messages-deliveries");
        let page = until(&server, &made.token, &log, |page| page["data"][0].is_object()).await;
        assert_eq!(page["data"][0]["httpClientError"]["className"], kind, "{page}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_and_sent_again_with_all_their_tries() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::status(500));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        set_sending(&server, &made, &webhook, json!({ "retryDelaysMillis": [1] })).await;
        server.publish(json!([issue("e1"), issue("e2"), issue("e3")])).await;
        let dead = format!("{HOST}/deliveries?state=given_up");
        let page = until(&server, &made.token, &dead, all(3, "given_up")).await;
        assert_eq!(page["data"][0]["attempts"], 2);
        assert_eq!(receiver.received().len(), 6);
        let ids: Vec<String> =
            page["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();

        // One: the schedule begins anew, the id stays.
        let replay = |id: &str| format!("{HOST}/deliveries/{id}/replay");
        server.client.post(&replay(&ids[0])).bearer(&made.token).send().await.expect(200);
        until(&server, &made.token, &format!("{HOST}/deliveries"), |page| page["data"][0]["attempts"] == 4).await;
        let again = receiver.wait_for(8).await;
        assert_eq!(again[7].header("webhook-id"), ids[0]);

        // Many.
        receiver.behave("/hook", Behaviour::ok());
        let many = format!("{HOST}/deliveries/replay");
        let answer = async |body: Value| {
            server.client.post(&many).bearer(&made.token).json(&body).send().await.expect(200).json()
        };
        until(&server, &made.token, &dead, all(3, "given_up")).await;
        assert_eq!(answer(json!({ "state": "given_up", "eventId": "e2" })).await["replayed"], 1);
        until(&server, &made.token, &dead, all(2, "given_up")).await;
        assert_eq!(answer(json!({ "state": "given_up" })).await, json!({ "replayed": 2, "next": null }));
        let all_delivered = all(3, "delivered");
        until(&server, &made.token, &format!("{HOST}/deliveries"), all_delivered).await;

        // Everything since then, and everything of another webhook.
        assert_eq!(answer(json!({ "webhookId": "another" })).await["replayed"], 0);
        assert_eq!(answer(json!({ "since": "2020-01-01T00:00:00.000Z" })).await["replayed"], 3);
        receiver.wait_for(14).await;
        until(&server, &made.token, &format!("{HOST}/deliveries"), all(3, "delivered")).await;
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_asks_for_the_rights_of_today() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("e1")])).await;
        let list = format!("{HOST}/deliveries");
        let page = until(&server, &made.token, &list, all(1, "delivered")).await;
        server.set_rights(&made.id, "global", &["Project.Issues.View"], "REJECTED").await;
        let path = format!("{HOST}/deliveries/{}/replay", page["data"][0]["id"].as_str().unwrap());
        server.client.post(&path).bearer(&made.token).send().await.expect(200);
        until(&server, &made.token, &list, all(1, "cancelled")).await;
        assert_eq!(receiver.received().len(), 1);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ping_reaches_a_webhook_that_is_switched_off() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({ "enabled": false, "payloadFields": "payload" })).await;
        let path = format!("{HOST}/webhooks/{webhook}/ping");
        let answer = server.client.post(&path).bearer(&made.token).send().await.expect(200).json();
        let request = receiver.wait_for(1).await.remove(0);
        assert_eq!(request.header("webhook-id"), answer["deliveryId"]);
        let expected = json!({ "className": "PingWebhookEvent", "webhookName": "hook" });
        assert_eq!(request.json()["payload"], expected);
        let preview = format!("{HOST}/webhooks/{webhook}/preview");
        let shown = server.client.post(&preview).bearer(&made.token).json(&json!({})).send().await.expect(200).json();
        assert_eq!(shown["body"], request.text(), "the preview is what is sent");
        let log = format!("{HOST}/latest-messages-deliveries");
        let page = until(&server, &made.token, &log, |page| page["data"][0].is_object()).await;
        assert_eq!(page["data"][0]["requestBody"], request.text(), "so is the log");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn verification_tokens_are_hidden_in_the_log() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let sent = json!({ "hasVerificationToken": true });
        server.client.patch("/api/http/applications/me").bearer(&made.token).json(&sent).send().await.expect(200);
        let path = "/api/http/applications/me/verification-token";
        let token = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
        let token = token.as_str().unwrap().to_owned();
        let webhook = server.webhook(&made.token, json!({})).await;
        let log = format!("{HOST}/latest-messages-deliveries");
        for (number, form) in [json!({}), json!({ "payloadFields": "verificationToken,payload" })].iter().enumerate() {
            let path = format!("/api/http/applications/me/webhooks/{webhook}");
            server.client.patch(&path).bearer(&made.token).json(form).send().await.expect(200);
            server.publish(json!([issue(&format!("e{number}"))])).await;
            assert!(receiver.wait_for(number + 1).await[number].text().contains(&token));
            let written = |page: &Value| page["data"].as_array().unwrap().len() == number + 1;
            let page = until(&server, &made.token, &log, written).await;
            let body = page["data"][0]["requestBody"].as_str().unwrap();
            assert!(body.contains("***") && !page.to_string().contains(&token), "{body}");
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_connected_application_nobody_else_sees_what_was_sent() {
    let server = Server::start(Engine::Sqlite).await;
    let published = Published::start();
    let id = connected(&server, &published).await;
    let own = published.token().await.unwrap();
    server.webhook(&own, json!({})).await;
    server.publish(json!([issue("private-7")])).await;
    let log = format!("/api/host/v1/applications/id:{id}/latest-messages-deliveries?messageType=Webhook");
    let page = until(&server, &own, &log, |page| page["data"][0].is_object()).await;
    assert!(page["data"][0]["requestBody"].as_str().unwrap().contains("private-7"));
    assert_eq!(page["data"][0]["withheld"], false);
    let page = server.client.get(&log).bearer(&server.admin).send().await.expect(200).json();
    let attempt = &page["data"][0];
    assert_eq!(attempt["withheld"], true);
    for field in ["requestHeaders", "requestBody", "responseHeaders", "responseBody"] {
        assert_eq!(attempt[field], Value::Null, "{field}");
    }
    server.running.stop().await;
}
