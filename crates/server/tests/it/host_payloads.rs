//! What people of the product do with an application, told to it by the product.

use serde_json::{Value, json};
use spaceport_testkit::receiver::{Behaviour, Receiver};
use spaceport_testkit::verify::public_key_signature;

use crate::harness::{BOTH, Server};

#[tokio::test(flavor = "multi_thread")]
async fn applications_are_told_and_their_answers_come_back() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/api") })).await;
        let host = server.host().await;
        let path = format!("/api/host/v1/applications/clientId:{}/payloads", made.client_id);
        let send = async |payload: Value| {
            server.client.post(&path).bearer(&host).json(&payload).send().await.expect(200).json()
        };
        let answers = |status: u16, body: &'static str| {
            let answer = Behaviour::Answer { status, headers: Vec::new(), body: body.into() };
            receiver.behave("/api", answer);
        };
        let menu = json!({ "className": "MenuActionPayload", "menuItemUniqueCode": "translate", "userId": "u1",
            "clientId": "another", "context": { "className": "ChannelMessageMenuActionContext",
                "channelIdentifier": { "className": "ChannelIdentifier.Id", "id": "c1" },
                "messageIdentifier": { "className": "ChatMessageIdentifier.InternalId", "id": "m1" } } });
        for (status, body, class, message) in [
            (
                200,
                r#"{"className":"AppUserActionExecutionResult.Success","message":"Done","more":1}"#,
                "Success",
                json!("Done"),
            ),
            (204, "", "Success", Value::Null),
            (200, r#"{"className":"AppUserActionExecutionResult.Failure","message":"No"}"#, "Failure", json!("No")),
            (200, "[]", "Failure", json!("Invalid response from application")),
            (500, "", "Failure", json!("The application answered with the status 500")),
        ] {
            answers(status, body);
            let sent = send(menu.clone()).await;
            assert_eq!(sent["result"]["className"], format!("AppUserActionExecutionResult.{class}"), "{sent}");
            assert_eq!((&sent["result"]["message"], &sent["attempt"]["status"]), (&message, &json!(status)));
        }
        let needs = r#"{"className":"AppUserActionExecutionResult.AuthCodeFlowRequired","permissionsToRequest":[
            {"scope":"global:Profile.View","purpose":"To greet you"}]}"#;
        answers(200, needs);
        let sent = send(menu.clone()).await;
        assert_eq!(sent["result"]["permissionsToRequest"][0]["purpose"], "To greet you");
        let received = receiver.received().pop().unwrap();
        assert_eq!(received.json()["clientId"], made.client_id.as_str(), "the server says for whom it is");
        let keys = format!("/api/http/applications/id:{}/public-keys", made.id);
        let keys = server.client.get(&keys).bearer(&server.admin).send().await.expect(200).json();
        public_key_signature(&received, keys.as_str().unwrap()).unwrap();

        answers(200, r#"{"commands":[{"name":"help","description":"Show help"}]}"#);
        let sent = send(json!({ "className": "ListCommandsPayload", "userId": "u1" })).await;
        assert_eq!((&sent["commands"][0]["name"], &sent["result"]), (&json!("help"), &Value::Null));
        let before = receiver.received().len();
        let sent = send(json!({ "className": "NewUnfurlQueueItemsPayload" })).await;
        assert_eq!((&sent["stored"], &sent["attempt"]), (&json!(true), &Value::Null));
        let notice = receiver.wait_for(before + 1).await.pop().unwrap();
        assert_eq!(notice.json()["className"], "NewUnfurlQueueItemsPayload");
        // Applications tell nobody anything in the server's name.
        server.client.post(&path).bearer(&made.token).json(&menu).send().await.expect(403);
        server.running.stop().await;
    }
}
