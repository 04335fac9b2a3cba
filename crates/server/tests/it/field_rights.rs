//! Fields of payloads that demand a right: left out of what is sent, shown and logged, and reported.

use std::time::Duration;

use serde_json::{Value, json};
use spaceport_testkit::receiver::{Behaviour, Receiver};

use crate::authorizations::directory;
use crate::harness::{BOTH, Made, Server};

const OF_ISSUES: &str = "/api/host/v1/catalogue/field-rights/Issue.Created";
const LOG: &str = "/api/host/v1/applications/me/latest-messages-deliveries";

async fn put_rights(server: &Server) {
    let right = json!({ "title": "View estimates", "target": "Project" });
    let path = "/api/host/v1/catalogue/rights/Shop.Estimates.View";
    server.client.put(path).bearer(&server.admin).json(&right).send().await.expect(200);
    let fields = json!({ "fields": [
        { "path": "issue.estimate", "right": "Shop.Estimates.View" },
        { "path": "issue.parts.estimate", "right": "Shop.Estimates.View" },
        { "path": "reporter", "right": "Profile.View" },
    ] });
    server.client.put(OF_ISSUES).bearer(&server.admin).json(&fields).send().await.expect(200);
}

fn estimated(id: &str, context: &str) -> Value {
    json!({ "id": id, "subject": "Issue", "type": "Issue.Created", "context": context, "payload": payload() })
}

fn payload() -> Value {
    json!({
        "className": "IssueWebhookEvent",
        "issue": { "id": "i1", "estimate": "hidden-1", "parts": [{ "n": 1, "estimate": "hidden-2" }, { "n": 2 }] },
        "reporter": { "id": "hidden-3" },
    })
}

fn report(field: &str) -> Value {
    json!([{
        "className": "HA_InlineError.InaccessibleFields",
        "fields": [field],
        "message": format!("Could not access following fields: '{field}'."),
    }])
}

/// What an application gets that holds neither right.
fn cut() -> Value {
    json!({
        "className": "IssueWebhookEvent",
        "issue": {
            "id": "i1",
            "parts": [{ "n": 1, "$errors": report("estimate") }, { "n": 2 }],
            "$errors": report("estimate"),
        },
        "$errors": report("reporter"),
    })
}

/// The newest attempt in the log, once there are so many.
async fn logged(server: &Server, made: &Made, count: usize) -> Value {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..3_000 {
        ticks.tick().await;
        let page = server.client.get(LOG).bearer(&made.token).send().await.expect(200).json();
        if page["data"].as_array().unwrap().len() == count {
            return page["data"][0].clone();
        }
    }
    panic!("the log never had {count} attempts");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_without_their_right_are_left_out_whatever_the_form_and_reported() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        put_rights(&server).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let id = server.webhook(&made.token, json!({})).await;
        let hook = format!("/api/http/applications/me/webhooks/{id}");
        let mut sent = 0;
        let mut body = async |change: Value| {
            server.client.patch(&hook).bearer(&made.token).json(&change).send().await.expect(200);
            sent += 1;
            server.publish(json!([estimated(&format!("e{sent}"), "global")])).await;
            let text = receiver.wait_for(sent).await.remove(sent - 1).text().to_owned();
            let attempt = logged(&server, &made, sent).await;
            assert_eq!(attempt["requestBody"], text, "the log shows what was sent");
            let form = json!({ "payload": payload(), "type": "Issue.Created" });
            let preview = format!("/api/host/v1/applications/me/webhooks/{id}/preview");
            let preview = server.client.post(&preview).bearer(&made.token).json(&form).send().await.expect(200).json();
            assert_eq!(preview["body"], text, "the preview shows what would be sent");
            assert!(!text.contains("hidden"), "{text}");
            text
        };
        let json_of = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let whole = body(json!({})).await;
        assert_eq!(json_of(&whole)["payload"], cut());
        let chosen = body(json!({ "payloadFields": "payload(issue(id,estimate))" })).await;
        let issue = json!({ "id": "i1", "$errors": report("estimate") });
        assert_eq!(json_of(&chosen)["payload"], json!({ "className": "IssueWebhookEvent", "issue": issue }));
        let unasked = body(json!({ "payloadFields": "payload(issue(id))" })).await;
        assert_eq!(json_of(&unasked)["payload"]["issue"], json!({ "id": "i1" }), "nobody asked for what is missing");
        let template = "{{issue.id}}|{{issue.estimate}}|{{json reporter}}|{{issue}}";
        let made_of_it = body(json!({ "payloadTemplate": template })).await;
        assert!(made_of_it.starts_with(r#"i1||null|{"id":"i1","parts":["#), "{made_of_it}");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_of_the_moment_and_of_the_place_count_for_each_attempt() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        put_rights(&server).await;
        let receiver = Receiver::start();
        receiver.behave(
            "/hook",
            Behaviour::Sequence(vec![Behaviour::text(500, ""), Behaviour::text(500, ""), Behaviour::text(200, "")]),
        );
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        let id = server.webhook(&made.token, json!({})).await;
        let sending = format!("/api/host/v1/applications/me/webhooks/{id}/sending");
        let once = json!({ "retryDelaysMillis": [] });
        server.client.patch(&sending).bearer(&made.token).json(&once).send().await.expect(200);
        server.grant(&made.id, "project:key:CLOSED", &["Shop.Estimates.View"]).await;
        let payload_of = async |number: usize| {
            let text = receiver.wait_for(number).await.remove(number - 1).text().to_owned();
            assert_eq!(logged(&server, &made, number).await["requestBody"], text);
            serde_json::from_str::<Value>(&text).unwrap()["payload"].clone()
        };
        server.publish(json!([estimated("open", "project:key:OPEN")])).await;
        assert_eq!(payload_of(1).await, cut(), "the right is held elsewhere");
        server.publish(json!([estimated("closed", "project:key:CLOSED")])).await;
        let (mut without_reporter, all) = (payload(), payload());
        without_reporter.as_object_mut().unwrap().remove("reporter");
        without_reporter["$errors"] = report("reporter");
        assert_eq!(payload_of(2).await, without_reporter);

        let preview = async |context: &str| {
            let form = json!({ "payload": payload(), "type": "Issue.Created", "context": context });
            let path = format!("/api/host/v1/applications/me/webhooks/{id}/preview");
            let answer = server.client.post(&path).bearer(&made.token).json(&form).send().await.expect(200).json();
            serde_json::from_str::<Value>(answer["body"].as_str().unwrap()).unwrap()["payload"].clone()
        };
        assert_eq!(preview("project:key:CLOSED").await, without_reporter);
        assert_eq!(preview("project:key:OPEN").await, cut());
        let path = format!("/api/host/v1/applications/me/webhooks/{id}/preview");
        for (form, named) in [
            (json!({ "type": "Issue.Creatd" }), "type holds no known event type"),
            (json!({ "type": "Issue.Created", "context": "project:key:NONE" }), "context names a project"),
        ] {
            let refused = server.client.post(&path).bearer(&made.token).json(&form).send().await.expect(400).json();
            assert!(refused["error_description"].as_str().unwrap().starts_with(named), "{refused}");
        }

        // A replay asks for the rights of today.
        server.grant(&made.id, "global", &["Profile.View"]).await;
        let page = "/api/host/v1/applications/me/deliveries?eventId=closed";
        let page = server.client.get(page).bearer(&made.token).send().await.expect(200).json();
        let replay =
            format!("/api/host/v1/applications/me/deliveries/{}/replay", page["data"][0]["id"].as_str().unwrap());
        server.client.post(&replay).bearer(&made.token).send().await.expect(200);
        assert_eq!(payload_of(3).await, all);
        // What was sent before is shown as it was sent.
        let log = server.client.get(LOG).bearer(&made.token).send().await.expect(200).json();
        assert!(!log["data"][2]["requestBody"].as_str().unwrap().contains("hidden"));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_put_list_and_remove_rights_on_fields_and_a_restart_keeps_them() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        put_rights(&server).await;
        put_rights(&server).await;
        let trail = "/api/host/v1/audit-trail?targetKind=fieldRights";
        let entries = async |server: &Server| {
            let page = server.client.get(trail).bearer(&server.admin).send().await.expect(200).json();
            page["data"].as_array().unwrap().clone()
        };
        assert_eq!(entries(&server).await.len(), 1, "what is already so leaves no trace");
        let list = async |server: &Server| {
            let list = server.client.get("/api/host/v1/catalogue/field-rights").bearer(&server.admin).send().await;
            list.expect(200).json()
        };
        assert_eq!(list(&server).await[0]["eventType"], "Issue.Created");
        assert_eq!(list(&server).await[0]["fields"][2], json!({ "path": "reporter", "right": "Profile.View" }));
        // A delivery that waits over a restart is cut, too: the catalogue is known before anything is sent.
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        receiver.behave("/hook", Behaviour::Sequence(vec![Behaviour::text(500, ""), Behaviour::text(200, "")]));
        server.publish(json!([estimated("over", "global")])).await;
        receiver.wait_for(1).await;
        server.client.delete(OF_ISSUES).bearer(&made.token).send().await.expect(403);
        let first = server.running.first.as_ref().unwrap();
        let (host_id, host_secret) = (first.host_client_id.clone(), first.host_client_secret.clone());
        let server = server.restarted().await;
        let requests = receiver.wait_for(2).await;
        assert!(requests.iter().all(|request| !request.text().contains("hidden")));

        let unknown = "/api/host/v1/catalogue/field-rights/Issue.Creatd";
        let fields = json!({ "fields": [{ "path": "a", "right": "Profile.View" }] });
        let refused = server.client.put(unknown).bearer(&server.admin).json(&fields).send().await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().starts_with("eventType"), "{refused}");
        server.client.delete(OF_ISSUES).bearer(&server.admin).send().await.expect(200);
        server.client.delete(OF_ISSUES).bearer(&server.admin).send().await.expect(404);
        assert_eq!(entries(&server).await.len(), 2);
        assert_eq!(list(&server).await, json!([]));
        let host = server.token(&host_id, &host_secret).await;
        let after = json!({ "events": [estimated("after", "global")] });
        server.client.post("/api/host/v1/events").bearer(&host).json(&after).send().await.expect(202);
        let requests = receiver.wait_for(3).await;
        assert!(requests[2].text().contains("hidden-1"), "{}", requests[2].text());
        server.running.stop().await;
    }
}

/// Whether an event passes a filter must not tell what its fields hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_looks_at_a_field_needs_its_right() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        put_rights(&server).await;
        let class = "EstimatedSubscriptionFilterIn";
        let fields = json!([
            { "name": "estimates", "at": ["payload.issue.estimate"] },
            { "name": "reporters", "at": ["payload.reporter"] },
            { "name": "ids", "at": ["payload.issue.id"] },
        ]);
        let define = json!({ "subjects": ["Issue"], "fields": fields });
        let path = format!("/api/host/v1/catalogue/filters/{class}");
        server.client.put(&path).bearer(&server.admin).json(&define).send().await.expect(200);
        let made = server.application(json!({ "name": "App", "endpointUri": "http://127.0.0.1:9/" })).await;
        let id = server.webhook(&made.token, json!({ "subscriptions": [] })).await;
        let heard = async |filters: Value| {
            let body = json!({ "subscription": { "subjectCode": "Issue", "filters": filters, "eventTypeCodes": ["Issue.Created"] }, "name": "s" });
            let path = format!("/api/http/applications/me/webhooks/{id}/subscriptions");
            let made_of = server.client.post(&path).bearer(&made.token).json(&body).send().await.expect(200).json();
            let mut event = estimated("", "global");
            event.as_object_mut().unwrap().remove("id");
            let results = server.publish(json!([event])).await;
            let path = format!("{path}/{}", made_of["id"].as_str().unwrap());
            server.client.delete(&path).bearer(&made.token).send().await.expect(200);
            results["results"][0]["deliveries"].as_u64().unwrap()
        };
        let by = |field: &str, value: &str| json!({ "className": class, field: [value] });
        let (estimate, reporter, open) = (by("estimates", "hidden-1"), by("reporters", "hidden-3"), by("ids", "i1"));
        assert_eq!(heard(json!([open])).await, 1);
        assert_eq!(heard(json!([estimate])).await, 0, "a right guess must look like a wrong one");
        assert_eq!(heard(json!([reporter])).await, 0);
        assert_eq!(heard(json!([estimate, open])).await, 1, "another filter lets it pass");
        server.grant(&made.id, "global", &["Shop.Estimates.View"]).await;
        assert_eq!(heard(json!([estimate])).await, 1);
        assert_eq!(heard(json!([reporter])).await, 0);
        assert_eq!(heard(json!([reporter, estimate])).await, 1);
        let mut both = estimate.clone();
        both["reporters"] = json!(["hidden-3"]);
        assert_eq!(heard(json!([both])).await, 0);
        server.running.stop().await;
    }
}
