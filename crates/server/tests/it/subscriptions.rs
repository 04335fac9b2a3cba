//! Subscriptions of webhooks, and the rights they need.

use serde_json::{Value, json};
use spaceport_testkit::receiver::Receiver;

use crate::harness::{BOTH, Server, issue, issues};

const PATH: &str = "/api/http/applications/me/webhooks";

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_added_changed_and_deleted_and_count_at_once() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let id = server.webhook(&made.token, json!({ "subscriptions": [] })).await;
        let path = format!("{PATH}/{id}/subscriptions");
        let heard = async |event: Value| server.publish(json!([event])).await["results"][0]["deliveries"].clone();
        assert_eq!(heard(issue("e1")).await, 0);
        let added = server.client.post(&path).bearer(&made.token).json(&issues()).send().await.expect(200).json();
        assert_eq!(added["application"], json!({ "id": made.id }));
        assert_eq!(heard(issue("e2")).await, 1);
        let one = format!("{path}/{}", added["id"].as_str().unwrap());
        let change = async |body: Value| server.client.patch(&one).bearer(&made.token).json(&body).send().await;
        let off = change(json!({ "enabled": false })).await.expect(200).json();
        assert_eq!((&off["enabled"], &off["name"]), (&json!(false), &added["name"]));
        assert_eq!(heard(issue("e3")).await, 0);
        let moved = json!({ "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["Issue.Moved", "Issue.Moved"] });
        let changed = change(json!({ "enabled": true, "subscription": moved })).await.expect(200).json();
        assert_eq!(changed["subscription"]["eventTypeCodes"], json!(["Issue.Moved"]));
        assert_eq!(heard(issue("e4")).await, 0);
        for (wrong, named) in [
            (json!({ "name": "" }), "name"),
            (
                json!({ "subscription": { "subjectCode": "Issue", "filters": [], "eventTypeCodes": [] } }),
                "eventTypeCodes",
            ),
            (
                json!({ "subscription": { "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["X"] } }),
                "eventTypeCodes[0]",
            ),
            (json!({ "subscription": null }), "subscription"),
        ] {
            let refused = change(wrong.clone()).await.expect(400).json();
            assert!(refused["error_description"].as_str().unwrap().contains(named), "{wrong}: {refused}");
        }
        let second = server.client.post(&path).bearer(&made.token).json(&issues()).send().await.expect(200).json();
        let list = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
        assert_eq!((&list[0]["id"], &list[1]["id"]), (&added["id"], &second["id"]), "in the order they were made");
        assert_eq!(heard(issue("e5")).await, 1);
        server.client.delete(&one).bearer(&made.token).send().await.expect(200);
        server.client.delete(&one).bearer(&made.token).send().await.expect(404);
        let list = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(list.as_array().map(Vec::len), Some(1));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_rights_are_shown_and_asked_for() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "App" })).await;
        let body = json!({ "name": "hook", "subscriptions": [issues()] });
        let created = server.client.post(PATH).bearer(&made.token).json(&body).send().await.expect(200).json();
        let subscription = &created["subscriptions"][0];
        let missing = json!({
            "rights": [{ "typeCode": "Project", "code": "Project.Issues.View" }], "rightCodes": ["Project.Issues.View"],
            "permissionContext": { "className": "GlobalPermissionContext" }, "projects": [],
        });
        assert_eq!(subscription["requestedAuthentication"], missing);
        let (id, one) = (created["id"].as_str().unwrap(), subscription["id"].as_str().unwrap());
        let path = format!("{PATH}/{id}/subscriptions/{one}/request-missing-rights");
        server.client.post(&path).bearer(&made.token).send().await.expect(200);
        let rights = "/api/http/applications/me/authorizations/authorized-rights?contextIdentifier=global";
        let listed = server.client.get(rights).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(listed[0]["status"], "REQUESTED", "{listed}");
        server.grant(&made.id, "global", &["Project.Issues.View"]).await;
        let path = format!("{PATH}/{id}/subscriptions");
        let list = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(list[0]["requestedAuthentication"], Value::Null, "nothing is missing any more");
        server.running.stop().await;
    }
}
