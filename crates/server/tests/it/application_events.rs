//! Events about applications, and who is told of what.

use serde_json::{Value, json};
use spaceport_testkit::receiver::{Behaviour, Receiver};

use crate::authorizations::directory;
use crate::harness::{BOTH, Engine, Made, Server, issue};

/// An application that hears of everything about applications.
async fn listener(server: &Server, receiver: &Receiver, path: &str) -> Made {
    let made = server.application(json!({ "name": path, "endpointUri": receiver.url(path) })).await;
    let codes = [
        "Application.Created",
        "Application.Updated",
        "Application.Archived",
        "Application.Restored",
        "Application.AuthorizationRequested",
        "Application.Authorized",
        "Application.SshKey.Added",
        "Application.SshKey.Deleted",
    ];
    let body = json!({ "name": "hook", "subscriptions": [{ "name": "all", "subscription": {
        "subjectCode": "Application", "filters": [], "eventTypeCodes": codes } }] });
    server.client.post("/api/http/applications/me/webhooks").bearer(&made.token).json(&body).send().await.expect(200);
    made
}

fn of(payload: &Value) -> (&str, &str, &str) {
    let text = |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    (text("/payload/className"), text("/payload/meta/method"), text("/payload/application/id"))
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_hear_of_others_by_right_and_of_themselves_without() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let receiver = Receiver::start();
        let viewer = listener(&server, &receiver, "/viewer").await;
        let itself = listener(&server, &receiver, "/itself").await;
        server.grant(&viewer.id, "global", &["Applications.View"]).await;
        // Its own grant is the first thing the viewer hears of; the other one hears nothing of it.
        let first = receiver.wait_for_at("/viewer", 1).await.remove(0).json();
        assert_eq!(of(&first), ("ApplicationAuthorizedWebhookEvent", "Updated", viewer.id.as_str()));
        assert_eq!(first["payload"]["scope"], json!({ "className": "GlobalScope" }));
        let meta = &first["payload"]["meta"];
        assert_eq!(
            (&meta["principal"]["name"], &meta["principal"]["details"]["className"]),
            (&json!("admin"), &json!("CUserPrincipalDetails"))
        );
        assert!(meta["timestamp"]["iso"].as_str().is_some() && meta["timestamp"]["timestamp"].as_i64().is_some());

        let path = format!("/api/http/applications/id:{}", itself.id);
        let change = json!({ "name": "Renamed", "clientSecret": "a-secret-of-at-least-thirty-two-characters" });
        server.client.patch(&path).bearer(&server.admin).json(&change).send().await.expect(200);
        let rights = format!("{path}/authorizations/authorized-rights");
        let asked = json!({ "contextIdentifier": "project:key:OPEN", "rightCodes": ["Project.View"] });
        server
            .client
            .patch(&format!("{rights}/request-rights"))
            .bearer(&server.admin)
            .json(&asked)
            .send()
            .await
            .expect(200);
        server
            .client
            .patch(&format!("{rights}/request-rights"))
            .bearer(&server.admin)
            .json(&asked)
            .send()
            .await
            .expect(200);
        server.grant(&itself.id, "project:key:OPEN", &["Project.View"]).await;
        let heard: Vec<Value> = receiver.wait_for_at("/itself", 3).await.iter().map(|request| request.json()).collect();
        let update = heard.iter().find(|event| of(event).0 == "ApplicationWebhookEvent").unwrap();
        assert_eq!(update["payload"]["name"], json!({ "old": "/itself", "new": "Renamed" }));
        assert_eq!(
            (&update["payload"]["clientSecretChanged"], &update["payload"]["clientIdChanged"]),
            (&json!(true), &json!(false))
        );
        assert_eq!((&update["payload"]["owner"], &update["payload"]["endpointURI"]), (&Value::Null, &Value::Null));
        assert!(!update.to_string().contains("a-secret-of"), "secrets are never told");
        for class in ["ApplicationAuthorizationRequestedEvent", "ApplicationAuthorizedWebhookEvent"] {
            let told: Vec<_> = heard.iter().filter(|event| of(event).0 == class).collect();
            assert_eq!(told.len(), 1, "{class}: asking twice is told once");
            assert_eq!(
                told[0]["payload"]["scope"],
                json!({ "className": "ProjectScope", "project": { "id": "open" } })
            );
        }
        assert!(heard.iter().all(|event| of(event).2 == itself.id), "of others it hears nothing");

        let made = server.application(json!({ "name": "Short-lived" })).await;
        let path = format!("/api/http/applications/id:{}", made.id);
        server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
        server.client.post(&format!("{path}/restore")).bearer(&server.admin).send().await.expect(200);
        let heard: Vec<Value> = receiver.wait_for_at("/viewer", 7).await.iter().map(|request| request.json()).collect();
        let mut methods: Vec<_> =
            heard.iter().map(of).filter(|(_, _, id)| *id == made.id).map(|(_, method, _)| method).collect();
        methods.sort_unstable();
        assert_eq!(methods, ["Archived", "Created", "Restored"]);
        let archived = heard.iter().find(|event| of(event).1 == "Archived").unwrap();
        assert_eq!(archived["payload"]["archived"], json!({ "old": false, "new": true }));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_reaches_only_those_who_hold_its_rights_where_it_happened() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        server.set_rights(&made.id, "global", &["Project.Issues.View"], "NONE").await;
        server.grant(&made.id, "project:key:OPEN", &["Project.Issues.View"]).await;
        let at = |id: &str, context: Option<&str>| {
            let mut event = issue(id);
            event["context"] = json!(context);
            event
        };
        let events = json!([at("e1", None), at("e2", Some("project:key:OPEN")), at("e3", Some("project:id:closed"))]);
        let published = server.publish(events).await;
        let counts: Vec<_> =
            published["results"].as_array().unwrap().iter().map(|result| result["deliveries"].clone()).collect();
        assert_eq!(counts, [0, 1, 0]);
        let host = server.host().await;
        let body = json!({ "events": [at("e4", Some("project:key:NOTHING"))] });
        let refused = server.client.post("/api/host/v1/events").bearer(&host).json(&body).send().await.expect(400);
        assert!(refused.text().contains("events[0].context"), "{}", refused.text());
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_cancelled_when_its_right_is_withdrawn() {
    for engine in BOTH {
        // The first resend is far away, so that what failed once is waiting.
        let server = Server::start_changed(engine, |settings| {
            settings.retry_schedule = Some(vec![std::time::Duration::from_secs(3_600)]);
        })
        .await;
        let receiver = Receiver::start();
        receiver.behave("/hook", Behaviour::status(500));
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("e1")])).await;
        server.status(&made.token, |status| status["className"] == "WebhookDeliveryStatusDTO.FailedDelivery").await;
        let waiting = server.running.store().read(|tx| tx.delivery_counts()).await.unwrap();
        assert!(waiting.contains(&("waiting".to_owned(), 1)), "{waiting:?}");
        server.set_rights(&made.id, "global", &["Project.Issues.View"], "NONE").await;
        let cancelled = server.running.store().read(|tx| tx.delivery_counts()).await.unwrap();
        assert_eq!(cancelled, [("cancelled".to_owned(), 1)]);
        assert_eq!(server.publish(json!([issue("e2")])).await["results"][0]["deliveries"], 0);
        assert_eq!(receiver.received().len(), 1);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_maker_hears_of_what_it_made() {
    let server = Server::start(Engine::Sqlite).await;
    let receiver = Receiver::start();
    let maker = listener(&server, &receiver, "/maker").await;
    server.grant(&maker.id, "global", &["Applications.Create"]).await;
    let child = server.client.post("/api/http/applications").bearer(&maker.token).json(&json!({ "name": "Child" }));
    let child = child.send().await.expect(200).json()["id"].as_str().unwrap().to_owned();
    let heard: Vec<Value> = receiver.wait_for_at("/maker", 2).await.iter().map(|request| request.json()).collect();
    let created = heard.iter().find(|event| of(event).2 == child).unwrap();
    assert_eq!(of(created), ("ApplicationWebhookEvent", "Created", child.as_str()));
    assert_eq!(created["payload"]["meta"]["principal"]["details"]["className"], "CApplicationPrincipalDetails");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_keys_are_told_when_they_come_and_go() {
    let server = Server::start(Engine::Sqlite).await;
    let receiver = Receiver::start();
    let made = listener(&server, &receiver, "/keys").await;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE0tLV8Q5uBGZl0pZ6hTq6IvJxRL8yYHMKVw0dNFUS8a";
    let path = "/api/http/applications/me/ssh-keys";
    let body = json!({ "publicKey": key, "comment": "build" });
    server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200);
    let list = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
    let fingerprint = list[0]["fingerprint"].as_str().unwrap().to_owned();
    let path = format!("{path}/{}", fingerprint.replace(':', "%3A"));
    server.client.delete(&path).bearer(&made.token).send().await.expect(200);
    let heard: Vec<Value> = receiver.wait_for_at("/keys", 2).await.iter().map(|request| request.json()).collect();
    let of = |method: &str| {
        heard.iter().find(|event| event["payload"]["meta"]["method"] == method).unwrap()["payload"].clone()
    };
    let (added, deleted) = (of("Created"), of("Deleted"));
    assert_eq!(added["className"], "ApplicationSshKeyWebhookEvent");
    assert_eq!(added["fingerprint"], json!({ "old": null, "new": fingerprint }));
    assert_eq!(added["comment"], json!({ "old": null, "new": "build" }));
    assert_eq!(deleted["fingerprint"], json!({ "old": fingerprint, "new": null }));
    server.running.stop().await;
}
