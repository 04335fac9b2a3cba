//! Filters of subscriptions: what passes, what is refused, what is shown.

use serde_json::{Value, json};

use crate::harness::{BOTH, Server};

const PATH: &str = "/api/http/applications/me/webhooks";

fn subscription(subject: &str, code: &str, filters: Value) -> Value {
    json!({ "name": "s", "subscription": { "subjectCode": subject, "filters": filters, "eventTypeCodes": [code] } })
}

async fn project(server: &Server, id: &str, key: &str) {
    let host = server.host().await;
    let body = json!({ "key": key, "name": format!("Project {key}"), "private": false });
    let path = format!("/api/host/v1/directory/projects/{id}");
    server.client.put(&path).bearer(&host).json(&body).send().await.expect(200);
}

/// How many deliveries each event caused.
async fn heard(server: &Server, events: Value) -> Vec<u64> {
    let results = server.publish(events).await;
    results["results"].as_array().unwrap().iter().map(|result| result["deliveries"].as_u64().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_events_that_pass_a_filter_are_delivered() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        project(&server, "p1", "ONE").await;
        let made = server.application(json!({ "name": "App", "endpointUri": "http://127.0.0.1:9/" })).await;
        server.grant(&made.id, "global", &["Project.View", "Project.CodeReview.View"]).await;
        let class = "CodeReviewSubscriptionFilterIn";
        let filters = json!([
            { "className": class, "project": "key:one", "authors": [], "branchSpec": ["+main", "-*wip*"], "titleRegex": "(?!WIP).+" },
            { "className": class, "authors": ["u7"] },
        ]);
        let body =
            json!({ "name": "hook", "subscriptions": [subscription("CodeReview", "CodeReview.Created", filters)] });
        let created = server.client.post(PATH).bearer(&made.token).json(&body).send().await.expect(200).json();
        let review = |context: &str, review: Value| {
            json!({ "subject": "CodeReview", "type": "CodeReview.Created", "context": context,
                "payload": { "className": "CodeReviewWebhookEvent", "review": review } })
        };
        let main = |title: &str| json!({ "title": title, "branchPairs": [{ "targetBranch": "refs/heads/main" }] });
        let mut by_attribute = review("project:id:p1", json!({ "id": "r" }));
        by_attribute["attributes"] = json!({ "branchSpec": "main", "titleRegex": "Fix" });
        let events = json!([
            review("project:id:p1", main("Fix")),
            review("project:key:ONE", main("WIP: fix")),
            review("project:id:p2", main("Fix")),
            review("project:id:p1", json!({ "title": "Fix", "branchPairs": [{ "targetBranch": "wip/main" }] })),
            review("project:id:p2", json!({ "createdBy": { "id": "u7" } })),
            review(
                "project:id:p1",
                json!({ "createdBy": { "id": "u7" }, "title": "Fix", "branchPairs": [{ "sourceBranch": "main" }] })
            ),
            by_attribute,
        ]);
        assert_eq!(heard(&server, events).await, [1, 0, 0, 0, 1, 1, 1]);
        // A change counts from the next event on.
        let (id, one) = (created["id"].as_str().unwrap(), created["subscriptions"][0]["id"].as_str().unwrap());
        let anything = json!({ "subscription": { "subjectCode": "CodeReview", "filters": [], "eventTypeCodes": ["CodeReview.Created"] } });
        let path = format!("{PATH}/{id}/subscriptions/{one}");
        server.client.patch(&path).bearer(&made.token).json(&anything).send().await.expect(200);
        assert_eq!(heard(&server, json!([review("project:id:p2", json!({}))])).await, [1]);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_shown_with_what_they_name() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        project(&server, "p1", "ONE").await;
        let made = server.application(json!({ "name": "App" })).await;
        server.grant(&made.id, "global", &["Project.View"]).await;
        let filters = json!([
            { "className": "ProjectCommonSubscriptionFilterIn", "project": "key:ONE" },
            { "className": "ProjectCommonSubscriptionFilterIn", "project": "unknown" },
        ]);
        let body = json!({ "name": "hook", "subscriptions": [subscription("Issue", "Issue.Created", filters)] });
        let path = format!("{PATH}?$fields=id,subscriptions(id,subscription,requestedAuthentication)");
        let created = server.client.post(&path).bearer(&made.token).json(&body).send().await.expect(200).json();
        let shown = &created["subscriptions"][0]["subscription"]["filters"];
        assert_eq!(
            (&shown[0]["className"], &shown[0]["project"]["id"]),
            (&json!("ProjectCommonSubscriptionFilter"), &json!("p1"))
        );
        assert_eq!(shown[0]["project"]["key"], json!({ "key": "ONE" }), "{shown}");
        assert_eq!(shown[1]["project"], json!({ "id": "unknown" }));
        // Rights are needed where the filters look.
        let missing = &created["subscriptions"][0]["requestedAuthentication"];
        assert_eq!(missing["projects"].as_array().map(Vec::len), Some(1), "{missing}");
        let (id, one) = (created["id"].as_str().unwrap(), created["subscriptions"][0]["id"].as_str().unwrap());
        let request = format!("{PATH}/{id}/subscriptions/{one}/request-missing-rights");
        server.client.post(&request).bearer(&made.token).send().await.expect(200);
        for (context, status) in [("project:id:p1", "REQUESTED"), ("global", "GRANTED")] {
            let rights =
                format!("/api/http/applications/me/authorizations/authorized-rights?contextIdentifier={context}");
            let listed = server.client.get(&rights).bearer(&made.token).send().await.expect(200).json();
            let statuses: Vec<_> = listed.as_array().unwrap().iter().map(|right| right["status"].clone()).collect();
            assert_eq!(statuses, [status], "{context}: {listed}");
        }
        // What was shown can be sent back.
        let back = json!({ "subscription": { "subjectCode": "Issue", "filters": shown, "eventTypeCodes": ["Issue.Created"] } });
        let path = format!("{PATH}/{id}/subscriptions/{one}?$fields=subscription");
        let again = server.client.patch(&path).bearer(&made.token).json(&back).send().await.expect(200).json();
        assert_eq!(again["subscription"]["filters"], *shown);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_filters_are_refused_with_field_and_reason() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "App" })).await;
        let id = server.webhook(&made.token, json!({})).await;
        let path = format!("{PATH}/{id}/subscriptions");
        let class = "CodeReviewSubscriptionFilterIn";
        for (filter, expected) in [
            (
                json!({ "className": "ProjectCommonSubscriptionFilterIn" }),
                "filters[0].className must be a filter of the subject",
            ),
            (json!({ "className": class, "titleRegex": "Fix(" }), "filters[0].titleRegex must be a regular expression"),
            (
                json!({ "className": class, "branchSpec": [""], "authors": "u1", "titel": "x" }),
                "filters[0].titel is no field",
            ),
            (json!({ "className": class, "project": "key:NONE" }), "filters[0].project names `key:NONE`"),
            (json!({ "className": class, "authors": ["username:nobody"] }), "filters[0].authors names"),
        ] {
            let body = subscription("CodeReview", "CodeReview.Created", json!([filter]));
            let refused = server.client.post(&path).bearer(&made.token).json(&body).send().await.expect(400).json();
            assert!(refused["error_description"].as_str().unwrap().contains(expected), "{expected}: {refused}");
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_adds_filters_of_its_own() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let host = server.host().await;
        let path = "/api/host/v1/catalogue/filters/PaintSubscriptionFilterIn";
        let colours = json!({ "name": "colours", "compare": "name", "at": ["payload.paint.colour"] });
        let define = json!({ "subjects": ["Issue"], "fields": [colours] });
        let put = async |path: &str, body: &Value| server.client.put(path).bearer(&host).json(body).send().await;
        put(path, &define).await.expect(200);
        put(path, &define).await.expect(200);
        let made = server.application(json!({ "name": "App", "endpointUri": "http://127.0.0.1:9/" })).await;
        server.grant(&made.id, "global", &["Project.Issues.View"]).await;
        let filter = json!({ "className": "PaintSubscriptionFilterIn", "colours": ["Red"] });
        let body =
            json!({ "name": "hook", "subscriptions": [subscription("Issue", "Issue.Created", json!([filter]))] });
        let created = server.client.post(PATH).bearer(&made.token).json(&body).send().await.expect(200).json();
        let shown = &created["subscriptions"][0]["subscription"]["filters"][0];
        assert_eq!(*shown, json!({ "className": "PaintSubscriptionFilter", "colours": ["Red"] }));
        let paint = |id: &str, colour: &str| {
            let payload = json!({ "className": "IssueWebhookEvent", "paint": { "colour": colour } });
            json!({ "id": id, "subject": "Issue", "type": "Issue.Created", "payload": payload })
        };
        assert_eq!(heard(&server, json!([paint("p1", "red"), paint("p2", "blue")])).await, [1, 0]);
        // Changed, it counts from then on.
        let moved = json!({ "subjects": ["Issue"], "fields": [{ "name": "colours", "compare": "name", "at": ["attributes.x"] }] });
        put(path, &moved).await.expect(200);
        assert_eq!(heard(&server, json!([paint("p3", "red")])).await, [0]);

        let with = |change: Value| {
            let mut body = define.clone();
            for (key, value) in change.as_object().unwrap() {
                body[key] = value.clone();
            }
            body
        };
        for (body, expected) in [
            (with(json!({ "subjects": [] })), "subjects"),
            (with(json!({ "subjects": ["Isue"] })), "nearest is `Issue`"),
            (with(json!({ "fields": [] })), "fields"),
            (with(json!({ "fields": [{ "name": "className" }] })), "fields[0].name"),
            (with(json!({ "fields": [{ "name": "a" }, { "name": "a" }] })), "fields[1].name"),
            (with(json!({ "fields": [{ "name": "a", "at": ["elsewhere"] }] })), "fields[0].at[0]"),
        ] {
            let refused = put(path, &body).await.expect(400).json();
            assert!(refused["error_description"].as_str().unwrap().contains(expected), "{expected}: {refused}");
        }
        for class in ["CodeReviewSubscriptionFilterIn", "Paint", "Pa-intIn"] {
            put(&format!("/api/host/v1/catalogue/filters/{class}"), &define).await.expect(400);
        }
        let body = define.clone();
        server.client.put(path).bearer(&made.token).json(&body).send().await.expect(403);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_list_their_filters_and_delete_those_that_nothing_uses() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let host = server.host().await;
        let all = "/api/host/v1/catalogue/filters";
        let (paint, wood) = (format!("{all}/PaintSubscriptionFilterIn"), format!("{all}/WoodSubscriptionFilterIn"));
        let fields = json!([{ "name": "colours", "compare": "name", "form": "many", "at": ["payload.colour"] }]);
        let define = json!({ "subjects": ["Issue", "Blog"], "fields": fields });
        for path in [&wood, &paint] {
            server.client.put(path).bearer(&host).json(&define).send().await.expect(200);
        }
        let list = async || server.client.get(all).bearer(&host).send().await.expect(200).json();
        let shown = |class: &str| json!({ "className": class, "subjects": ["Issue", "Blog"], "fields": fields });
        let both = json!([shown("PaintSubscriptionFilterIn"), shown("WoodSubscriptionFilterIn")]);
        assert_eq!(list().await, both, "as they were put, and none of the built-in ones");

        let made = server.application(json!({ "name": "App", "endpointUri": "http://127.0.0.1:9/" })).await;
        server.grant(&made.id, "global", &["Project.Issues.View"]).await;
        let filter = json!({ "className": "PaintSubscriptionFilterIn", "colours": ["red"] });
        let body =
            json!({ "name": "hook", "subscriptions": [subscription("Issue", "Issue.Created", json!([filter]))] });
        let created = server.client.post(PATH).bearer(&made.token).json(&body).send().await.expect(200).json();
        let hook = format!("{PATH}/{}", created["id"].as_str().unwrap());
        let delete = async |path: &str| server.client.delete(path).bearer(&host).send().await;
        let refused = delete(&paint).await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().contains(created["id"].as_str().unwrap()), "{refused}");
        assert_eq!(list().await, both, "the refusal changes nothing");
        delete(&wood).await.expect(200);
        delete(&wood).await.expect(404);
        delete(&format!("{all}/CodeReviewSubscriptionFilterIn")).await.expect(404);
        server.client.delete(&paint).bearer(&made.token).send().await.expect(403);

        // Of an archived webhook the filter stays, and lets nothing pass when it comes back.
        server.client.delete(&hook).bearer(&made.token).send().await.expect(200);
        delete(&paint).await.expect(200);
        assert_eq!(list().await, json!([]));
        server.client.post(&hook).bearer(&made.token).send().await.expect(200);
        let payload = json!({ "className": "IssueWebhookEvent", "colour": "red" });
        let event = json!({ "subject": "Issue", "type": "Issue.Created", "payload": payload });
        assert_eq!(heard(&server, json!([event])).await, [0]);
        let body = subscription("Issue", "Issue.Created", json!([filter]));
        let path = format!("{hook}/subscriptions");
        server.client.post(&path).bearer(&made.token).json(&body).send().await.expect(400);
        let trail = "/api/host/v1/audit-trail?targetKind=filter";
        let trail = server.client.get(trail).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(trail["data"].as_array().unwrap().len(), 4, "two made, two deleted");
        assert_eq!(trail["data"][0]["changes"][0]["new"], Value::Null, "{trail}");
        server.running.stop().await;
    }
}
