//! Rows: what applications may do, where.

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};
use crate::harness::{Made, Server};

pub(crate) fn rows() -> Vec<Case> {
    let asked = json!({ "contextIdentifier": "global", "rightCodes": ["Profile.View"], "comment": "To greet people" });
    let with = |field: &str, value: Value| {
        let mut body = asked.clone();
        body[field] = value;
        body
    };
    let update = |updates: Value| json!({ "contextIdentifier": "global", "updates": updates });
    let required = |add: Value, remove: Value| json!({ "rightCodesToAdd": add, "rightCodesToRemove": remove, "requestRightsInAuthorizedContexts": true });
    vec![
        case("api.authorized_application.list")
            .query("contextIdentifier=global")
            .answers(|list| assert!(list.as_array().is_some())),
        case("api.authorized_context.list").answers(|list| assert_eq!(*list, json!([]))),
        case("api.authorized_right.list")
            .query("contextIdentifier=global")
            .answers(|list| assert_eq!(*list, json!([]))),
        case("api.authorized_right.update")
            .body(update(json!([{ "rightCode": "Profile.View", "status": "REQUESTED" }])))
            .malformed(json!({ "contextIdentifier": "planet:earth", "updates": [] }), "contextIdentifier")
            .malformed(json!({ "updates": [] }), "contextIdentifier")
            .malformed(update(json!(7)), "updates")
            .malformed(update(json!([{ "rightCode": "Profile.View", "status": "granted" }])), "status")
            .malformed(update(json!([{ "rightCode": "No.Such.Right", "status": "NONE" }])), "updates[0]")
            .malformed(update(json!([{ "rightCode": "Profile.View", "status": "NONE" }, { "rightCode": "Profile.View", "status": "REQUESTED" }])), "updates[1]"),
        case("api.authorized_right.delete")
            .query("contextIdentifier=global")
            .with(|server, made| granted(server, made).boxed()),
        case("api.authorized_right.request")
            .body(asked.clone())
            .malformed(with("contextIdentifier", json!("planet:earth")), "contextIdentifier")
            .malformed(with("contextIdentifier", json!({ "className": "Planet" })), "contextIdentifier")
            .malformed(with("rightCodes", json!(["Profile.View", "Profile.Veiw"])), "rightCodes[1]")
            .malformed(with("rightCodes", json!(["Host.PublishEvents"])), "rightCodes[0]")
            .malformed(with("rightCodes", json!(7)), "rightCodes")
            .malformed(with("actor", json!("planet:earth")), "actor")
            .malformed(with("comment", json!("x".repeat(1_001))), "comment")
            .malformed(with("comment", json!("a\u{0}b")), "comment"),
        case("api.required_right.list").answers(|list| assert_eq!(*list, json!([]))),
        case("api.required_right.update")
            .body(required(json!(["Profile.View"]), json!([])))
            .malformed(required(json!(["No.Such.Right"]), json!([])), "rightCodesToAdd[0]")
            .malformed(required(json!([]), json!(7)), "rightCodesToRemove")
            .malformed(required(json!(["Profile.View"]), json!(["Profile.View"])), "rightCodesToRemove"),
    ]
}

/// A right that the application has and can give up.
async fn granted(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    server.grant(&made.id, "global", &["Profile.View"]).await;
    Vec::new()
}
