//! Rows: applications themselves.

use serde_json::{Value, json};

use super::{Case, case};

pub(crate) fn rows() -> Vec<Case> {
    vec![
        case("api.application.create")
            .body(json!({ "name": "made" }))
            .malformed(json!({}), "name")
            .malformed(json!({ "name": 7 }), "name")
            .malformed(json!({ "name": "a\u{0}b" }), "name")
            .malformed(json!({ "name": "x", "clientSecret": "short" }), "clientSecret")
            .malformed(json!({ "name": "x", "codeFlowEnabled": "yes" }), "codeFlowEnabled")
            .malformed(json!({ "name": "x", "description": "a\u{0}b" }), "description")
            .answers(|made| assert_eq!(made["name"], "made")),
        case("api.application.list").query("$top=1").answers(|page| {
            assert_eq!(page["data"].as_array().map(Vec::len), Some(1));
            assert!(page["next"].as_str().is_some_and(|next| !next.is_empty()));
        }),
        case("api.application.get").answers(|found| assert_eq!(found["name"], "for api.application.get")),
        case("api.application.update")
            .body(json!({ "description": "changed" }))
            .malformed(json!({ "name": null }), "name")
            .malformed(json!({ "name": 7 }), "name")
            .malformed(json!({ "codeFlowEnabled": null }), "codeFlowEnabled")
            .malformed(json!({ "description": "a\u{0}b" }), "description")
            .answers(|found| assert_eq!(found["description"], "changed")),
        case("api.application.delete"),
        case("api.application.restore").refused("not archived"),
        case("api.application.force_remove").refused("force"),
        case("api.application.error_message.set")
            .body(json!({ "message": "No disk" }))
            .malformed(json!({ "message": 7 }), "message")
            .malformed(json!({ "message": "x".repeat(4_001) }), "message"),
        case("api.application.healthy"),
        case("api.application.last_client_credentials_access.get").answers(|found| {
            assert!(found["time"]["timestamp"].as_i64().is_some_and(|time| time > 0), "{found}");
            assert_eq!((&found["address"], &found["userAgent"]), (&json!("127.0.0.1"), &Value::Null));
        }),
    ]
}
