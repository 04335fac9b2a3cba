//! Rows: what the host and the administrators of the server do, beside the directory.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};
use crate::harness::{Server, issue};
use crate::keystores::{named, pair};

pub(crate) fn rows() -> Vec<Case> {
    let with = |field: &str, value: Value| {
        let mut event = issue("row");
        event[field] = value;
        json!({ "events": [event] })
    };
    let right = json!({ "title": "View orders", "target": "Project", "group": "Shop" });
    let question = |principal: &str, code: &str| json!({ "checks": [{ "principal": principal, "right": code }] });
    vec![
        case("host.event.publish")
            .accepted()
            .body(json!({ "events": [issue("row")] }))
            .malformed(json!({ "events": 7 }), "events")
            .malformed(json!({}), "events")
            .malformed(with("type", json!("Issue.Nothing")), "events[0]")
            .malformed(with("payload", json!({ "className": "Nothing" })), "events[0]")
            .malformed(with("context", json!("project:key:NOTHING")), "events[0].context"),
        case("host.session.create")
            .body(json!({ "profile": "username:viewer" }))
            .malformed(json!({}), "profile")
            .malformed(json!({ "profile": "username:nobody" }), "profile")
            .malformed(json!({ "profile": "username:viewer", "path": "//elsewhere" }), "path")
            .answers(|link| assert!(link["url"].as_str().unwrap().contains("/session?"))),
        case("host.audit_trail.list").answers(|page| assert!(page["data"].is_array())),
        case("host.ssl_keystore.list").answers(|list| assert!(list.is_array())),
        case("host.ssl_keystore.create")
            .body(named("row", pair("ec")))
            .malformed(pair("ec"), "name")
            .malformed(json!({ "name": "x" }), "certificate")
            .malformed(named("x", json!({ "certificate": 7, "privateKey": "x" })), "certificate")
            .answers(|made| assert_eq!(made["name"], "row")),
        case("host.ssl_keystore.replace")
            .with(|server, _| keystore(server, "replaced").boxed())
            .body(pair("ed"))
            .malformed(json!({}), "certificate")
            .malformed(json!({ "certificate": "x", "privateKey": "x" }), "certificate must")
            .answers(|made| assert_eq!(made["name"], "replaced")),
        case("host.ssl_keystore.delete").with(|server, _| keystore(server, "deleted").boxed()),
        case("host.right.put")
            .anything("code")
            .with(|_, _| async { vec![("code", "Shop.Orders.View".to_owned())] }.boxed())
            .body(right.clone())
            .malformed(json!({ "target": "Project" }), "title")
            .malformed(json!({ "title": 7, "target": "Project" }), "title")
            .malformed(json!({ "title": "x", "target": 7 }), "target"),
        case("host.filter.put")
            .anything("className")
            .with(|_, _| async { vec![("className", "RowsSubscriptionFilterIn".to_owned())] }.boxed())
            .body(json!({ "subjects": ["Blog"], "fields": [{ "name": "rows", "at": ["payload.row"] }] }))
            .malformed(json!({ "subjects": ["Blog"] }), "fields")
            .malformed(json!({ "subjects": [], "fields": [{ "name": "rows" }] }), "subjects")
            .malformed(json!({ "subjects": ["Blog"], "fields": [{ "name": "" }] }), "fields[0].name"),
        case("host.filter.list").with(|server, _| put_filter(server, "Listed").map(|_| Vec::new()).boxed()).answers(
            |list| {
                let listed =
                    list.as_array().unwrap().iter().find(|one| one["className"] == "ListedSubscriptionFilterIn");
                assert_eq!(listed.unwrap()["subjects"], json!(["Blog"]), "{list}");
            },
        ),
        case("host.filter.delete").with(|server, _| put_filter(server, "Deleted").boxed()),
        case("host.right.list").with(|server, _| put_right(server).map(|_| Vec::new()).boxed()).answers(|list| {
            let listed = list.as_array().unwrap().iter().find(|one| one["code"] == "Shop.Listed.View");
            assert_eq!(listed.unwrap()["group"], "Shop", "{list}");
        }),
        case("host.field_right.put")
            .anything("eventType")
            .with(|_, _| async { vec![("eventType", "Blog.Created".to_owned())] }.boxed())
            .body(fields("text", "Profile.View"))
            .malformed(json!({}), "fields")
            .malformed(json!({ "fields": [] }), "fields")
            .malformed(fields("a..b", "Profile.View"), "fields[0].path")
            .malformed(fields("className", "Profile.View"), "fields[0].path")
            .malformed(fields("text", "Profile.Viw"), "fields[0].right")
            .malformed(json!({ "fields": [{ "path": "text" }] }), "right"),
        case("host.field_right.list")
            .with(|server, _| put_fields(server, "Blog.Updated").map(|_| Vec::new()).boxed())
            .answers(|list| {
                let listed = list.as_array().unwrap().iter().find(|one| one["eventType"] == "Blog.Updated");
                assert_eq!(listed.unwrap()["fields"], json!([{ "path": "text", "right": "Profile.View" }]), "{list}");
            }),
        case("host.field_right.delete").with(|server, _| put_fields(server, "Blog.Published").boxed()),
        case("host.right.check")
            .body(question("profile:username:viewer", "Applications.View"))
            .malformed(question("profile:username:viewer", "No.Such.Right"), "checks[0].right")
            .malformed(question("planet:earth", "Applications.View"), "checks[0].principal")
            .malformed(json!({ "checks": 7 }), "checks")
            .answers(|answer| assert_eq!(*answer, json!({ "results": [{ "allowed": true }] }))),
    ]
}

/// A keystore of this name.
async fn keystore(server: &Server, name: &str) -> Vec<(&'static str, String)> {
    let path = "/api/host/v1/ssl-keystores";
    server.client.post(path).bearer(&server.admin).json(&named(name, pair("ec"))).send().await.expect(200);
    vec![("name", name.to_owned())]
}

async fn put(server: &Server, path: &str, body: Value) {
    server
        .client
        .put(&format!("/api/host/v1/catalogue/{path}"))
        .bearer(&server.admin)
        .json(&body)
        .send()
        .await
        .expect(200);
}

async fn put_filter(server: &Server, name: &str) -> Vec<(&'static str, String)> {
    let class = format!("{name}SubscriptionFilterIn");
    put(server, &format!("filters/{class}"), json!({ "subjects": ["Blog"], "fields": [{ "name": "rows" }] })).await;
    vec![("className", class)]
}

async fn put_right(server: &Server) {
    put(server, "rights/Shop.Listed.View", json!({ "title": "View", "target": "Project" })).await;
}

fn fields(path: &str, right: &str) -> Value {
    json!({ "fields": [{ "path": path, "right": right }] })
}

async fn put_fields(server: &Server, event_type: &str) -> Vec<(&'static str, String)> {
    put(server, &format!("field-rights/{event_type}"), fields("text", "Profile.View")).await;
    vec![("eventType", event_type.to_owned())]
}
