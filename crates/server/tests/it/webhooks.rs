//! Webhooks as the API takes and shows them.

use serde_json::{Value, json};
use spaceport_testkit::receiver::{Behaviour, Receiver};

use crate::export::require_answer;
use crate::harness::{BOTH, Engine, Server, issue, issues};

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_are_created_listed_and_archived() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Owner", "endpointUri": "https://a.example/space" })).await;
        let path = "/api/http/applications/me/webhooks";
        let body = json!({
            "name": "auth", "endpoint": { "url": null, "sslVerification": true }, "acceptedHttpResponseCodes": [404],
            "subscriptions": [{ "name": "a", "subscription": {
                "subjectCode": "Issue", "filters": [], "eventTypeCodes": "Issue.Created" } }],
            "$errors": []
        });
        let created = server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200).json();
        assert_eq!(created["app"], json!({ "id": made.id }));
        assert!(created["subscriptions"][0]["id"].is_string(), "published applications store it");
        assert_eq!(created["subscriptions"][0]["subscription"]["eventTypeCodes"], json!(["Issue.Created"]));
        assert_eq!(created["endpoint"], json!({ "url": "https://a.example/space", "sslVerification": true }));
        assert_eq!((&created["useAppEndpoint"], &created["useAppEndpointAuth"]), (&json!(true), &json!(true)));
        let list = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(list["totalCount"], 1);
        assert_eq!(list["data"][0]["status"], Value::Null, "null before the first delivery");
        let id = created["id"].as_str().unwrap();
        let subscriptions =
            server.client.get(&format!("{path}/{id}/subscriptions")).bearer(&made.token).send().await.expect(200);
        assert_eq!(subscriptions.json()[0]["name"], "a");
        server.client.delete(&format!("{path}/{id}")).bearer(&made.token).send().await.expect(200);
        server.client.delete(&format!("{path}/{id}")).bearer(&made.token).send().await.expect(400);
        server.client.delete(&format!("{path}/unknown")).bearer(&made.token).send().await.expect(404);
        let list = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(list["totalCount"], 0);
        wrong_webhooks_name_the_field(&server, &made.token).await;
        server.running.stop().await;
    }
}

async fn wrong_webhooks_name_the_field(server: &Server, token: &str) {
    let with = |key: &str, value: Value| {
        let mut body = json!({ "name": "x", "subscriptions": [issues()] });
        body[key] = value;
        body
    };
    let subscription = |subject: &str, code: &str, filters: Value| json!([{ "name": "s", "subscription": { "subjectCode": subject, "filters": filters, "eventTypeCodes": [code] } }]);
    for (body, expected) in [
        (with("name", json!("")), "name"),
        (with("endpoint", json!({ "url": "ftp://a.example" })), "endpoint.url"),
        (with("endpoint", json!({ "url": "http://169.254.169.254/" })), "endpoint.url"),
        (with("acceptedHttpResponseCodes", json!([7])), "acceptedHttpResponseCodes"),
        (with("subscriptions", subscription("Isue", "Issue.Created", json!([]))), "nearest is `Issue`"),
        (with("subscriptions", subscription("Issue", "Created", json!([]))), "nearest is `Issue.Created`"),
        (with("subscriptions", subscription("Issue", "Issue.Created", json!([{ "className": "X" }]))), "filters"),
        (with("payloadTemplate", json!("{{x")), "payloadTemplate has `{{` without `}}` at character 1"),
        (with("payloadFields", json!("a(")), "payloadFields has no field name at character 3"),
        (
            with(
                "endpointAuth",
                json!({ "appLevelAuth": { "className": "EndpointAuthCreate.Bearer", "token": "a\r\nb" } }),
            ),
            "token",
        ),
    ] {
        let path = "/api/http/applications/me/webhooks";
        let refused = server.client.post(path).bearer(token).json(&body).send().await.expect(400).json();
        assert_eq!(refused["error"], "validation-error");
        assert!(refused["error_description"].as_str().unwrap().contains(expected), "{expected}: {refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_is_told_as_a_real_server_tells_it() {
    let server = Server::start(Engine::Sqlite).await;
    let receiver = Receiver::start();
    receiver.behave("/hook", Behaviour::Close);
    let made = server.application(json!({ "name": "Broken", "endpointUri": receiver.url("/hook") })).await;
    server.webhook(&made.token, json!({ "doRetries": false })).await;
    server.publish(json!([issue("broken")])).await;
    let told = "WebhookDeliveryStatusDTO.ExpectedHttpClientError";
    let status = server.status(&made.token, |status| status["className"] == told).await;
    assert!(status["clientError"]["className"].is_string(), "{status}");
    let list = server.client.get("/api/http/applications/me/webhooks").bearer(&made.token).send().await.expect(200);
    require_answer("GET /api/http/applications/{application}/webhooks", &list.json());
    server.running.stop().await;
}
