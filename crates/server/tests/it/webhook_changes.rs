//! Webhooks are changed, archived, restored; what is effective, and what goes where.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_testkit::receiver::Receiver;
use spaceport_testkit::verify::signing_key_signature;

use crate::harness::{BOTH, Made, Server, issue, issues};

const PATH: &str = "/api/http/applications/me/webhooks";

async fn only(server: &Server, made: &Made) -> Value {
    let path = format!("{PATH}?$fields=data(webhook(*))");
    let list = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
    list["data"][0]["webhook"].clone()
}

async fn patch(server: &Server, made: &Made, id: &str, body: Value) -> spaceport_testkit::http::Response {
    server.client.patch(&format!("{PATH}/{id}")).bearer(&made.token).json(&body).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_keeps_and_null_clears() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "App", "endpointUri": "https://a.example/space" })).await;
        let own = json!({ "url": "https://own.example/hook", "sslVerification": false });
        let extra =
            json!({ "description": "d", "endpoint": own, "acceptedHttpResponseCodes": [404], "doRetries": false });
        let id = server.webhook(&made.token, extra).await;
        let before = only(&server, &made).await;
        assert_eq!((&before["endpoint"], &before["useAppEndpoint"]), (&own, &json!(false)));
        assert_eq!(patch(&server, &made, &id, json!({})).await.expect(200).text(), "");
        assert_eq!(only(&server, &made).await, before, "nothing given, nothing changed");
        patch(&server, &made, &id, json!({ "endpoint": { "url": null, "sslVerification": null }, "endpointAuth": {} }))
            .await
            .expect(200);
        assert_eq!(only(&server, &made).await, before, "null inside a nested change means unchanged");

        let change = json!({ "name": " new ", "description": null, "enabled": false, "doRetries": true,
            "acceptedHttpResponseCodes": [], "endpoint": { "sslVerification": true } });
        patch(&server, &made, &id, change).await.expect(200);
        let after = only(&server, &made).await;
        assert_eq!(
            (&after["name"], &after["description"], &after["enabled"]),
            (&json!("new"), &Value::Null, &json!(false))
        );
        assert_eq!(after["endpoint"], json!({ "url": "https://own.example/hook", "sslVerification": true }));
        patch(&server, &made, &id, json!({ "endpoint": null })).await.expect(200);
        let after = only(&server, &made).await;
        assert_eq!(
            (&after["endpoint"]["url"], &after["useAppEndpoint"]),
            (&json!("https://a.example/space"), &json!(true))
        );
        for (wrong, named) in [
            (json!({ "name": "" }), "name"),
            (json!({ "doRetries": null }), "doRetries"),
            (json!({ "acceptedHttpResponseCodes": [99] }), "acceptedHttpResponseCodes"),
            (json!({ "endpoint": { "url": "http://169.254.169.254/" } }), "endpoint.url"),
            (json!({ "endpoint": { "sslVerification": false } }), "endpoint.sslVerification"),
            (json!({ "endpointAuth": { "appLevelAuth": "Bearer" } }), "endpointAuth.bearerAuthToken"),
            (json!({ "endpointAuth": { "sslKeystoreAuth": "unknown" } }), "endpointAuth.sslKeystoreAuth"),
            (
                json!({ "endpointAuth": { "appLevelAuth": "SigningKey", "sslKeystoreAuth": "unknown" } }),
                "no such keystore",
            ),
            (json!({ "endpointAuth": { "hasVerificationToken": true } }), "endpointAuth.hasVerificationToken"),
        ] {
            let refused = patch(&server, &made, &id, wrong.clone()).await.expect(400).json();
            assert!(refused["error_description"].as_str().unwrap().contains(named), "{wrong}: {refused}");
        }
        assert_eq!(only(&server, &made).await, after, "what is refused changes nothing");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_of_its_own_authentication_differs_from_its_application_until_it_follows_again() {
    for engine in BOTH {
        let server = Server::start_changed(engine, |settings| {
            settings.overlap.signing_key = Duration::from_secs(3600);
        })
        .await;
        let receiver = Receiver::start();
        let signing = json!({ "className": "EndpointAuthCreate.SigningKey" });
        let made = server
            .application(json!({ "name": "App", "endpointUri": receiver.url("/app"), "appLevelAuth": signing }))
            .await;
        let id = server.webhook(&made.token, json!({})).await;
        let read = async |kind: &str, of: &str| {
            let path = format!("/api/http/applications/me/{of}{kind}");
            server.client.get(&path).bearer(&made.token).send().await.expect(200).json()
        };
        let of_hook = format!("webhooks/{id}/");
        assert_eq!(read("signing-key", &of_hook).await, read("signing-key", "").await, "the effective one");
        let regenerate = format!("{PATH}/{id}/signing-key/regenerate");
        server.client.post(&regenerate).bearer(&made.token).send().await.expect(400);

        let own =
            json!({ "endpoint": { "url": receiver.url("/own") }, "endpointAuth": { "appLevelAuth": "SigningKey" } });
        patch(&server, &made, &id, own).await.expect(200);
        let first = read("signing-key", &of_hook).await;
        assert_ne!(first, read("signing-key", "").await);
        server.publish(json!([issue("e1")])).await;
        let request = receiver.wait_for_at("/own", 1).await.remove(0);
        signing_key_signature(&request, first.as_str().unwrap()).unwrap();

        server.client.post(&regenerate).bearer(&made.token).send().await.expect(200);
        let second = read("signing-key", &of_hook).await;
        assert_ne!(first, second);
        server.publish(json!([issue("e2")])).await;
        let request = receiver.wait_for_at("/own", 2).await.remove(1);
        signing_key_signature(&request, second.as_str().unwrap()).unwrap();
        assert!(
            !request.header("x-space-previous-signature").is_empty(),
            "the key before overlaps, as for applications"
        );

        let bearer = json!({ "endpointAuth": { "appLevelAuth": "Bearer", "bearerAuthToken": "t0ken" } });
        patch(&server, &made, &id, bearer).await.expect(200);
        assert_eq!(read("bearer-token", &of_hook).await, "t0ken");
        assert_eq!(only(&server, &made).await["endpointAuth"]["appLevelAuth"]["className"], "EndpointAuthRead.Bearer");
        server.publish(json!([issue("e3")])).await;
        assert_eq!(receiver.wait_for_at("/own", 3).await.remove(2).header("authorization"), "Bearer t0ken");

        patch(&server, &made, &id, json!({ "endpoint": null, "endpointAuth": null })).await.expect(200);
        assert_eq!(only(&server, &made).await["useAppEndpointAuth"], true);
        assert_eq!(read("bearer-token", &of_hook).await, Value::Null);
        server.publish(json!([issue("e4")])).await;
        let request = receiver.wait_for_at("/app", 1).await.remove(0);
        signing_key_signature(&request, read("signing-key", "").await.as_str().unwrap()).unwrap();
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn archived_webhooks_hear_nothing_and_come_back_as_they_were() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let id = server.webhook(&made.token, json!({})).await;
        let before = only(&server, &made).await;
        let path = format!("{PATH}/{id}");
        server.client.post(&path).bearer(&made.token).send().await.expect(400);
        server.client.delete(&path).bearer(&made.token).send().await.expect(200);
        patch(&server, &made, &id, json!({ "name": "x" })).await.expect(400);
        let more = server.client.post(&format!("{path}/subscriptions")).bearer(&made.token).json(&issues()).send();
        more.await.expect(400);
        let missed = server.publish(json!([issue("missed")])).await;
        assert_eq!(missed["results"][0]["deliveries"], 0);
        server.client.post(&path).bearer(&made.token).send().await.expect(200);
        assert_eq!(only(&server, &made).await, before);
        server.publish(json!([issue("heard")])).await;
        assert_eq!(receiver.wait_for(1).await[0].json()["payload"]["n"], "heard");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_is_switched_off_gets_nothing_any_more() {
    for engine in BOTH {
        let server = Server::start_changed(engine, |settings| {
            settings.retry_schedule = Some(vec![Duration::from_secs(86_400)]);
        })
        .await;
        let receiver = Receiver::start();
        receiver.behave("/hook", spaceport_testkit::receiver::Behaviour::status(500));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let id = server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("e1")])).await;
        server.status(&made.token, |status| status["className"] == "WebhookDeliveryStatusDTO.FailedDelivery").await;
        patch(&server, &made, &id, json!({ "enabled": false })).await.expect(200);
        let counts = server.running.store().read(|tx| tx.delivery_counts()).await.unwrap();
        assert_eq!(counts, [("cancelled".to_owned(), 1)]);
        assert_eq!(server.publish(json!([issue("e2")])).await["results"][0]["deliveries"], 0);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_headers_are_sent_replaced_and_kept_secret() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let id = server.webhook(&made.token, json!({})).await;
        let path = format!("{PATH}/{id}/custom-headers");
        let set = async |headers: Value| {
            server.client.post(&path).bearer(&made.token).json(&json!({ "headers": headers })).send().await
        };
        set(json!([{ "name": "X-Api-Key", "value": " s3cret-of-the-receiver ", "description": "key" },
            { "name": "Authorization", "value": "Token abc" }]))
        .await
        .expect(200);
        let listed = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
        let expected = json!([{ "name": "X-Api-Key", "value": "s3cret-of-the-receiver", "description": "key" },
            { "name": "Authorization", "value": "Token abc", "description": null }]);
        assert_eq!(listed, expected);
        server.publish(json!([issue("e1")])).await;
        let request = receiver.wait_for(1).await.remove(0);
        assert_eq!(request.header("x-api-key"), "s3cret-of-the-receiver");
        assert_eq!(request.header("authorization"), "Token abc");
        for (headers, named) in [
            (json!([{ "name": "A", "value": "x\r\nHost: evil" }]), "headers[0].value"),
            (json!([{ "name": "A", "value": "x" }, { "name": "a", "value": "y" }]), "headers[1].name"),
            (json!([{ "name": "x-space-timestamp", "value": "1" }]), "headers[0].name"),
            (json!([{ "name": "webhook-signature", "value": "1" }]), "headers[0].name"),
            (json!([{ "name": "Content-Length", "value": "1" }]), "headers[0].name"),
        ] {
            let refused = set(headers).await.expect(400).json();
            assert!(refused["error_description"].as_str().unwrap().contains(named), "{named}: {refused}");
        }
        let bearer = json!({ "endpointAuth": { "appLevelAuth": "Bearer", "bearerAuthToken": "ours" } });
        patch(&server, &made, &id, bearer).await.expect(200);
        server.publish(json!([issue("e2")])).await;
        assert_eq!(receiver.wait_for(2).await.remove(1).header("authorization"), "Bearer ours", "ours comes first");
        let refused = set(json!([{ "name": "Authorization", "value": "x" }])).await.expect(400).text().to_owned();
        assert!(refused.contains("authenticates by that header"), "{refused}");
        set(json!([])).await.expect(200);
        server.publish(json!([issue("e3")])).await;
        assert_eq!(receiver.wait_for(3).await.remove(2).header("x-api-key"), "");
        let path = format!("/api/host/v1/audit-trail?application=id:{}", made.id);
        let trail = server.client.get(&path).bearer(&server.admin).send().await.expect(200).text().to_owned();
        assert!(trail.contains("X-Api-Key") && !trail.contains("s3cret-of-the-receiver"), "{trail}");
        server.running.stop().await;
    }
}
