//! What payloads look like on the wire.

use serde_json::{Value, json};

use super::*;

fn recipient() -> Recipient {
    Recipient { client_id: "c-1".to_owned(), verification_token: None }
}

fn body(payload: Value) -> Value {
    let payload = ApplicationPayload::from_stored(&payload.to_string()).unwrap();
    serde_json::from_str(&payload.body_for(recipient()).unwrap()).unwrap()
}

/// Own fields of each class, as the sources list them.
fn all() -> Vec<Value> {
    let message = json!({ "messageId": "m", "channelId": "ch", "messageData": null,
        "body": { "className": "ChatMessage.Text", "text": "help " }, "attachments": null, "externalId": null,
        "createdTime": "2021-05-21T17:01:33.767Z" });
    let channel = json!({ "className": "ChannelIdentifier.Id", "id": "ch" });
    let chat_message = json!({ "className": "ChatMessageIdentifier.InternalId", "id": "m" });
    vec![
        json!({ "className": "InitPayload", "clientSecret": "s", "serverUrl": "https://x", "state": "st", "userId": "u" }),
        json!({ "className": "ChangeClientSecretPayload", "newClientSecret": "s", "userId": null }),
        json!({ "className": "ChangeServerUrlPayload", "newServerUrl": "https://y", "userId": null }),
        json!({ "className": "RefreshTokenPayload", "refreshToken": "r", "scope": "global:Profile.View", "userId": "u" }),
        json!({ "className": "ApplicationUninstalledPayload", "serverUrl": "https://x" }),
        json!({ "className": "AppPublicationCheckPayload" }),
        json!({ "className": "ListCommandsPayload", "userId": "u" }),
        json!({ "className": "MessagePayload", "message": message, "userId": "u" }),
        json!({ "className": "MessageActionPayload", "actionId": "do", "actionValue": "that!", "message": message, "userId": "u" }),
        json!({ "className": "MenuActionPayload", "menuItemUniqueCode": "t", "context": {
            "className": "ChannelMessageMenuActionContext", "channelIdentifier": channel, "messageIdentifier": chat_message },
            "parameterValues": [{ "className": "ExtensionActionFormParameterValue.Boolean", "key": "k", "value": true }],
            "userId": "u" }),
        json!({ "className": "UnfurlActionPayload", "actionId": "a", "actionValue": "v", "link": "https://l", "context": {
            "className": "CodeReviewUnfurlContext", "reviewId": "r", "field": "Title" }, "userId": "u" }),
        json!({ "className": "NewUnfurlQueueItemsPayload" }),
        json!({ "className": "WebhookRequestPayload", "payload": { "className": "PingWebhookEvent", "webhookName": "w" }, "webhookId": "w" }),
        json!({ "className": "NewExternalIssueEventPayload" }),
        json!({ "className": "CreateExternalIssueRequestPayload", "requestId": null, "spaceUserId": "u", "summary": "s",
            "description": null, "issuePrefix": "A" }),
        json!({ "className": "CustomActionPayload", "actionId": "a", "actionValue": null, "userId": "u" }),
        json!({ "className": "SafeMergeCommandPayload", "command": { "className": "SafeMergeCommand.Stop", "project": "p", "buildId": "b" } }),
    ]
}

#[test]
fn every_class_keeps_its_fields_and_is_addressed() {
    let mut classes = Vec::new();
    for payload in all() {
        let class = ApplicationPayload::from_stored(&payload.to_string()).unwrap().class();
        assert_eq!(payload["className"], class.name());
        classes.push(class);
        let mut expected = payload.clone();
        if class != PayloadClass::AppPublicationCheck {
            expected["clientId"] = json!("c-1");
            expected["verificationToken"] = Value::Null;
        }
        assert_eq!(body(payload), expected);
    }
    assert_eq!(classes, PayloadClass::ALL);
}

#[test]
fn bodies_begin_with_their_class_and_are_canonical() {
    for payload in all() {
        let class = payload["className"].as_str().unwrap().to_owned();
        let payload = ApplicationPayload::from_stored(&payload.to_string()).unwrap();
        let text = payload.body_for(recipient()).unwrap();
        assert!(text.starts_with(&format!("{{\"className\":\"{class}\"")), "{text}");
        assert_eq!(canonical(&text).unwrap(), text);
    }
}

#[test]
fn published_payloads_are_read_though_they_hold_more_or_less() {
    let excerpt = json!({ "className": "MenuActionPayload", "menuItemUniqueCode": "t", "context": null,
        "clientId": "x", "userId": "u", "verificationToken": "old", "orgId": "o", "accessToken": "" });
    let read = body(excerpt);
    assert_eq!((&read["clientId"], &read["verificationToken"]), (&json!("c-1"), &Value::Null));
    assert!(read.get("orgId").is_none());
    assert!(ApplicationPayload::from_stored(r#"{"className":"MenuActionPayload"}"#).is_err());
    assert!(ApplicationPayload::from_stored(r#"{"className":"NoPayload"}"#).is_err());
}

#[test]
fn the_token_of_old_applications_is_inside() {
    let payload = ApplicationPayload::ListCommandsPayload(ListCommandsPayload {
        user_id: Some("u".to_owned()),
        recipient: Recipient::default(),
    });
    let old = Recipient { client_id: "c".to_owned(), verification_token: Some("abc1234".to_owned()) };
    assert!(payload.body_for(old).unwrap().contains(r#""verificationToken":"abc1234""#));
}

#[test]
fn logs_show_no_secrets() {
    let recipient = Recipient { client_id: "c".to_owned(), verification_token: Some("hush-token".to_owned()) };
    for stored in [
        json!({ "className": "InitPayload", "clientSecret": "hush", "serverUrl": "https://x", "state": "hush-state" }),
        json!({ "className": "ChangeClientSecretPayload", "newClientSecret": "hush" }),
        json!({ "className": "RefreshTokenPayload", "refreshToken": "hush", "scope": "s", "userId": "u" }),
        json!({ "className": "ChangeServerUrlPayload", "newServerUrl": "https://x" }),
    ] {
        let payload = ApplicationPayload::from_stored(&stored.to_string()).unwrap();
        let shown = payload.masked_body_for(recipient.clone(), "***").unwrap();
        assert!(!shown.contains("hush") && shown.contains(r#""verificationToken":"***""#), "{shown}");
    }
}

#[test]
fn answers_to_actions_are_read() {
    let read = |value: Value| ActionResult::read(value.to_string().as_bytes());
    let success = json!({ "className": "AppUserActionExecutionResult.Success", "message": "Done", "$errors": [] });
    assert_eq!(read(success), Ok(ActionResult::Success { message: Some("Done".to_owned()) }));
    let silent = json!({ "className": "AppUserActionExecutionResult.Success" });
    assert_eq!(read(silent), Ok(ActionResult::Success { message: None }));
    assert_eq!(ActionResult::read(b" \n"), Ok(ActionResult::Success { message: None }));
    let failure = json!({ "className": "AppUserActionExecutionResult.Failure", "message": "Cannot" });
    assert_eq!(read(failure), Ok(ActionResult::Failure { message: "Cannot".to_owned() }));
    let more = json!({ "className": "AppUserActionExecutionResult.AuthCodeFlowRequired",
        "permissionsToRequest": [{ "scope": "project:key:DEMO:Project.Issues.Create", "purpose": "To create the issue" }] });
    let Ok(ActionResult::AuthCodeFlowRequired { permissions_to_request }) = read(more) else { panic!("not read") };
    assert_eq!(permissions_to_request[0].scope, "project:key:DEMO:Project.Issues.Create");
    assert!(read(json!("OK")).is_err() && ActionResult::read(b"<html>").is_err());
}
