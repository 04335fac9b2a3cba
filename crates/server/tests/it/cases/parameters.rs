//! Rows: parameters, of applications and of people through applications.

use futures_util::FutureExt;
use serde_json::json;

use super::{Case, PERSON, case};
use crate::harness::{Made, Server};

pub(crate) fn rows() -> Vec<Case> {
    let keyed = |operation| case(operation).with(|server, made| parameter(server, made).boxed());
    let of_profile =
        |operation| case(operation).by_person().with(|server, made| profile_parameter(server, made).boxed());
    vec![
        case("api.parameter.list")
            .with(|server, made| parameter(server, made).map(|_| Vec::new()).boxed())
            .answers(|list| assert_eq!(*list, json!([{ "key": "k", "value": "v" }]))),
        keyed("api.parameter.get").answers(|value| assert_eq!(value, "v")),
        keyed("api.parameter.set")
            .anything("key")
            .body(json!({ "value": "w" }))
            .malformed(json!({}), "value")
            .malformed(json!({ "value": 7 }), "value"),
        keyed("api.parameter.remove"),
        case("api.profile_parameter.list")
            .by_person()
            .with(|server, made| profile_parameter(server, made).map(|_| Vec::new()).boxed())
            .answers(|list| assert_eq!(*list, json!([{ "key": "k", "value": "v" }]))),
        of_profile("api.profile_parameter.get").answers(|value| assert_eq!(value, "v")),
        of_profile("api.profile_parameter.set")
            .anything("key")
            .body(json!({ "value": "w" }))
            .malformed(json!({}), "value")
            .malformed(json!({ "value": 7 }), "value"),
        of_profile("api.profile_parameter.remove"),
    ]
}

/// A parameter of the application.
async fn parameter(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    let path = "/api/http/applications/parameters/k";
    server.client.patch(path).bearer(&made.token).json(&json!({ "value": "v" })).send().await.expect(200);
    vec![("key", "k".to_owned())]
}

/// A parameter of the application for the person who uses it.
async fn profile_parameter(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    let (path, token) = ("/api/http/applications/parameters/profile/k", server.delegated(made, PERSON, "").await);
    server.client.patch(path).bearer(&token).json(&json!({ "value": "v" })).send().await.expect(200);
    vec![("key", "k".to_owned())]
}
