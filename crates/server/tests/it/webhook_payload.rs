//! What the bodies of webhooks hold: everything, chosen fields, or what a template makes.

use serde_json::{Value, json};
use spaceport_testkit::receiver::Receiver;
use spaceport_testkit::verify::public_key_signature;

use crate::harness::{BOTH, Server, issue};

const PATH: &str = "/api/http/applications/me/webhooks";

#[tokio::test(flavor = "multi_thread")]
async fn bodies_follow_fields_and_templates_and_setting_one_clears_the_other() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let id = server.webhook(&made.token, json!({ "payloadFields": "webhookId,payload(n,missing)" })).await;
        let path = format!("{PATH}/{id}");
        let change = async |body: Value| server.client.patch(&path).bearer(&made.token).json(&body).send().await;
        let shown = async || {
            let list = server.client.get(&format!("{PATH}?$fields=data(webhook(*))")).bearer(&made.token).send().await;
            let webhook = list.expect(200).json()["data"][0]["webhook"].clone();
            json!([webhook["payloadFields"], webhook["payloadTemplate"], webhook["payloadType"]])
        };
        let keys = server.client.get("/api/http/applications/me/public-keys").bearer(&made.token).send().await.json();
        let mut sent = 0;
        let mut body = async || {
            sent += 1;
            server.publish(json!([issue(&format!("e{sent}"))])).await;
            let request = receiver.wait_for(sent).await.remove(sent - 1);
            public_key_signature(&request, keys.as_str().unwrap()).unwrap();
            request.text().to_owned()
        };
        assert_eq!(shown().await, json!(["webhookId,payload(n,missing)", null, "FIELD_SELECTION"]));
        let chosen = format!(
            r#"{{"className":"WebhookRequestPayload","payload":{{"className":"IssueWebhookEvent","n":"e1"}},"webhookId":"{id}"}}"#
        );
        assert_eq!(body().await, chosen);
        let template = r#"{"text":"Issue {{escape n}}","none":{{json x.y}}}"#;
        change(json!({ "payloadTemplate": template })).await.expect(200);
        assert_eq!(shown().await, json!([null, template, "STRING_TEMPLATE"]));
        assert_eq!(body().await, r#"{"text":"Issue e2","none":null}"#);
        change(json!({ "payloadFields": null })).await.expect(200);
        assert_eq!(shown().await[1], template, "null clears only what it stands for");
        for (wrong, named) in [
            (json!({ "payloadFields": "a(b" }), "payloadFields has no closing parenthesis at character 4"),
            (json!({ "payloadTemplate": "{{a b}}" }), "payloadTemplate"),
            (json!({ "payloadFields": "a", "payloadTemplate": "b" }), "payloadTemplate must not be given together"),
        ] {
            let refused = change(wrong.clone()).await.expect(400).json();
            assert!(refused["error_description"].as_str().unwrap().contains(named), "{wrong}: {refused}");
        }
        change(json!({ "payloadFields": "clientId" })).await.expect(200);
        assert_eq!(shown().await, json!(["clientId", null, "FIELD_SELECTION"]));
        assert_eq!(body().await, format!(r#"{{"className":"WebhookRequestPayload","clientId":"{}"}}"#, made.client_id));
        change(json!({ "payloadFields": "" })).await.expect(200);
        assert_eq!(shown().await, json!([null, null, null]));
        assert!(body().await.contains("verificationToken"), "everything again");
        server.running.stop().await;
    }
}
