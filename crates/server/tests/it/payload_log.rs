//! Payloads that are no events are in the log, too.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_server::housekeeping;
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::published::{Published, Reaction};
use spaceport_testkit::receiver::{Behaviour, Receiver};

use crate::delivery_log::until;
use crate::harness::{BOTH, Engine, Made, Server, issue};
use crate::installation::{connect, connected, seen, status_is};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The log of an application, as itself sees it.
const LOG: &str = "/api/http/applications/me/latest-messages-deliveries";

fn count(page: &Value) -> usize {
    page["data"].as_array().map_or(0, Vec::len)
}

/// Has the product send the application a payload.
async fn send(server: &Server, made: &Made, payload: Value) -> Value {
    let path = format!("/api/host/v1/applications/id:{}/payloads", made.id);
    server.client.post(&path).bearer(&server.host().await).json(&payload).send().await.expect(200).json()
}

fn menu() -> Value {
    json!({ "className": "MenuActionPayload", "menuItemUniqueCode": "translate", "context": null, "userId": "u1" })
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_and_events_are_one_log_in_the_order_of_their_sending() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::text(200, &"x".repeat(20 * 1024)));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let webhook = server.webhook(&made.token, json!({})).await;
        let get = async |query: &str| {
            server.client.get(&format!("{LOG}?{query}")).bearer(&made.token).send().await.expect(200).json()
        };
        send(&server, &made, menu()).await;
        server.publish(json!([issue("e1")])).await;
        until(&server, &made.token, LOG, |page| count(page) == 2).await;
        send(&server, &made, json!({ "className": "NewUnfurlQueueItemsPayload" })).await;
        until(&server, &made.token, LOG, |page| count(page) == 3).await;
        receiver.behave("/hook", Behaviour::status(500));
        send(&server, &made, json!({ "className": "ListCommandsPayload", "userId": "u1" })).await;
        let page = get("").await;
        let shown = |page: &Value| {
            let data = page["data"].as_array().unwrap();
            data.iter().map(|one| one["messageType"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let all = ["ListCommands", "NewUnfurlQueueItemsPayload", "Webhook", "DispatchMenuAction"];
        assert_eq!(shown(&page), all);

        // Each tells what was sent and answered.
        let [failed, _, event, asked] = [0, 1, 2, 3].map(|index| page["data"][index].clone());
        assert_eq!((&failed["successful"], &failed["responseStatusCode"]), (&json!(false), &json!(500)));
        assert_eq!((&asked["successful"], &asked["attempt"]), (&json!(true), &json!(1)));
        assert_eq!((&asked["webhook"], &asked["eventId"]), (&Value::Null, &Value::Null));
        assert_eq!((&asked["payloadClassName"], &asked["url"]), (&json!("MenuActionPayload"), &event["url"]));
        assert_eq!(asked["responseBody"].as_str().unwrap().len(), 16 * 1024);
        assert_eq!(asked["responseBodyComplete"], false);
        let first = &receiver.received()[0];
        assert_eq!(asked["requestBody"], first.text());
        assert_eq!(asked["deliveryId"], first.header("x-space-delivery-id"));
        let headers = asked["requestHeaders"].as_array().unwrap();
        let signature = headers.iter().find(|field| field["name"] == "x-space-public-key-signature").unwrap();
        assert_eq!(signature["value"], "***");

        // Page by page the same.
        let (mut walked, mut next) = (Vec::new(), "0".to_owned());
        loop {
            let page = get(&format!("$top=1&$skip={next}")).await;
            if count(&page) == 0 {
                assert_eq!(page["next"], next);
                break;
            }
            walked.extend(shown(&page));
            page["next"].as_str().unwrap().clone_into(&mut next);
        }
        assert_eq!(walked, all);

        for (query, expected) in [
            ("messageType=Webhook".to_owned(), vec!["Webhook"]),
            ("messageType=DispatchMenuAction".to_owned(), vec!["DispatchMenuAction"]),
            ("messageType=ListMenuExtensions".to_owned(), vec![]),
            ("messageType=Unknown".to_owned(), vec![]),
            ("successful=false".to_owned(), vec!["ListCommands"]),
            (format!("webhookId={webhook}"), vec!["Webhook"]),
            ("eventId=e1".to_owned(), vec!["Webhook"]),
            ("until=2020-01-01T00:00:00.000Z".to_owned(), vec![]),
        ] {
            assert_eq!(shown(&get(&query).await), expected, "{query}");
        }
        let wrong = format!("{LOG}?messageType=Letter");
        let refused = server.client.get(&wrong).bearer(&made.token).send().await.expect(400);
        assert!(refused.text().contains("messageType must be one of Webhook"), "{}", refused.text());
        // Who only may look at applications sees that something was sent, elsewhere, and not what.
        let viewer = server.person("viewer", &["Applications.View"]).await;
        let path = format!("/api/http/applications/id:{}/latest-messages-deliveries", made.id);
        server.client.get(&path).bearer(&viewer).send().await.expect(403);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_of_an_installation_is_in_the_log() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        published.react("InitPayload", [Reaction::Refuse(503)]);
        let id = connect(&server, &published).await["id"].as_str().unwrap().to_owned();
        seen(&server, &id, status_is("FAILED_TO_CONNECT")).await;
        let again = format!("/api/host/v1/applications/id:{id}/connect");
        server.client.post(&again).bearer(&server.admin).send().await.expect(200);
        seen(&server, &id, status_is("CONNECTED")).await;
        let first = published.memory().client_secret;
        let regenerate = format!("/api/http/applications/id:{id}/client-secret/regenerate");
        server.client.post(&regenerate).bearer(&server.admin).send().await.expect(200);
        published.wait_for("ChangeClientSecretPayload", 1).await;
        let log = format!("/api/http/applications/id:{id}/latest-messages-deliveries");
        until(&server, &server.admin, &log, |page| count(page) == 3).await;
        let own = published.token().await.unwrap();
        let page = server.client.get(LOG).bearer(&own).send().await.expect(200).json();
        let second = published.memory().client_secret;
        assert_ne!(first, second);
        let [changed, accepted, refused] = [0, 1, 2].map(|index| page["data"][index].clone());
        assert_eq!(
            (&changed["messageType"], &changed["successful"]),
            (&json!("ChangeClientSecretPayload"), &json!(true))
        );
        assert_eq!((&accepted["messageType"], &accepted["responseStatusCode"]), (&json!("InitPayload"), &json!(204)));
        assert_eq!((&refused["successful"], &refused["responseStatusCode"]), (&json!(false), &json!(503)));
        let body = |attempt: &Value| serde_json::from_str::<Value>(attempt["requestBody"].as_str().unwrap()).unwrap();
        assert_eq!(body(&changed)["newClientSecret"], "***");
        assert_eq!((&body(&accepted)["clientSecret"], &body(&accepted)["state"]), (&json!("***"), &json!("***")));
        assert_eq!(body(&accepted)["serverUrl"], server.running.public_url.as_str());
        for secret in [&first, &second, "4e617c52"] {
            assert!(!page.to_string().contains(secret), "{page}");
        }
        // What was said is between the application and the server; that something was said is not.
        let page = server.client.get(&log).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!((count(&page), &page["data"][2]["responseStatusCode"]), (3, &json!(503)));
        for field in ["requestHeaders", "requestBody", "responseHeaders", "responseBody"] {
            assert_eq!(page["data"][0][field], Value::Null, "{field}");
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn classes_that_the_original_log_did_not_know_are_told_by_name() {
    let server = Server::start(Engine::Sqlite).await;
    let published = Published::start();
    let id = connected(&server, &published).await;
    let check = format!("/api/host/v1/applications/id:{id}/check");
    server.client.post(&check).bearer(&server.admin).send().await.expect(200);
    let own = published.token().await.unwrap();
    let path = format!("{LOG}?messageType=Unknown");
    let page = server.client.get(&path).bearer(&own).send().await.expect(200).json();
    assert_eq!((count(&page), &page["data"][0]["payloadClassName"]), (1, &json!("AppPublicationCheckPayload")));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_that_reach_nobody_say_why() {
    let server = Server::start(Engine::Sqlite).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let made = server.application(json!({ "name": "App", "endpointUri": format!("http://{nobody}/") })).await;
    send(&server, &made, menu()).await;
    let page = server.client.get(LOG).bearer(&made.token).send().await.expect(200).json();
    let attempt = &page["data"][0];
    assert_eq!((&attempt["successful"], &attempt["responseStatusCode"]), (&json!(false), &Value::Null));
    assert_eq!(attempt["httpClientError"]["className"], "connect", "{page}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_of_payloads_go_like_the_others() {
    for engine in BOTH {
        let clock = FrozenClock::default();
        let server = Server::start_at(engine, &clock, |_| {}).await;
        let receiver = Receiver::start();
        receiver.behave("/api", Behaviour::text(200, "answered"));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/api") })).await;
        let log = async || {
            let token = server.token(&made.client_id, &made.secret).await;
            server.client.get(LOG).bearer(&token).send().await.expect(200).json()
        };
        let sweep = async || housekeeping::run(server.running.services().clone()).await.unwrap();
        send(&server, &made, menu()).await;
        clock.advance(DAY * 6);
        sweep().await;
        assert_eq!(log().await["data"][0]["responseBody"], "answered");
        clock.advance(DAY * 2);
        sweep().await;
        let emptied = log().await["data"][0].clone();
        assert_eq!((&emptied["responseStatusCode"], &emptied["responseBody"]), (&json!(200), &Value::Null));
        assert_eq!((&emptied["requestBody"], &emptied["requestHeaders"]), (&Value::Null, &Value::Null));
        clock.advance(DAY * 23);
        sweep().await;
        assert_eq!(count(&log().await), 0);
        server.running.stop().await;
    }
}
