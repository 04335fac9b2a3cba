//! Rows: roles of people and teams.

use futures_util::FutureExt;
use serde_json::json;
use spaceport_platform::directory::role::MEMBERS;

use super::directory::put;
use super::{Case, case};
use crate::harness::{Made, Server};

pub(crate) fn rows() -> Vec<Case> {
    let at = |context: &str, name: &str| json!({ "contextIdentifier": context, "name": name });
    let on = |operation: &'static str| {
        case(operation).by_administrator().hidden_from_strangers().with(|server, made| role(server, made).boxed())
    };
    let member = |operation, variable: &'static str, value: &'static str| {
        case(operation).by_administrator().hidden_from_strangers().with(move |server, made| {
            async move {
                let mut variables = role(server, made).await;
                variables.push((variable, value.to_owned()));
                variables
            }
            .boxed()
        })
    };
    vec![
        case("api.role.list")
            .by_administrator()
            .body(json!({ "contextIdentifier": "global" }))
            .malformed(json!({}), "contextIdentifier")
            .malformed(json!({ "contextIdentifier": "planet:earth" }), "contextIdentifier")
            .answers(|roles| assert_eq!(roles[0]["code"], "SystemAdmin")),
        case("api.role.create")
            .by_administrator()
            .body(at("global", "Readers"))
            .malformed(json!({ "name": "x" }), "contextIdentifier")
            .malformed(at("global", ""), "name")
            .malformed(json!({ "contextIdentifier": "global", "name": 7 }), "name")
            .answers(|role| assert_eq!(role["type"], "CUSTOM")),
        on("api.role.update")
            .body(json!({ "name": "Renamed" }))
            .malformed(json!({}), "name")
            .malformed(json!({ "name": "" }), "name"),
        on("api.role.delete"),
        on("api.role.right.list").answers(|rights| assert_eq!(rights[0]["status"], "GRANTED")),
        on("api.role.right.grant")
            .body(json!({ "rightCodes": ["Project.Issues.View"] }))
            .malformed(json!({}), "rightCodes")
            .malformed(json!({ "rightCodes": ["Project.View", "Nothing"] }), "rightCodes[1]"),
        on("api.role.right.revoke").query("rightCodes=Project.View"),
        case("api.role.right.reset").by_administrator().hidden_from_strangers().with(|server, _| {
            async move {
                let path = format!("/api/http/permission-roles/{MEMBERS}/permissions");
                let more = json!({ "rightCodes": ["Project.Issues.View"] });
                server.client.post(&path).bearer(&server.admin).json(&more).send().await.expect(200);
                vec![("roleId", MEMBERS.to_owned())]
            }
            .boxed()
        }),
        on("api.role.profile.list").answers(|people| assert_eq!(people[0]["username"], "stranger")),
        member("api.role.profile.add", "profile", "username:viewer"),
        member("api.role.profile.remove", "profile", "id:profile-stranger"),
        on("api.role.team.list").answers(|teams| assert_eq!(teams[0]["id"], "crew")),
        member("api.role.team.add", "team", "id:squad"),
        member("api.role.team.remove", "team", "name:crew"),
    ]
}

/// A role with a right and members, named like the application.
async fn role(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    put(server, "teams/squad", json!({ "name": "Squad" })).await;
    let body =
        json!({ "name": made.id, "rights": ["Project.View"], "profiles": ["profile-stranger"], "teams": ["crew"] });
    put(server, &format!("roles/{}", made.id), body).await;
    vec![("roleId", made.id.clone())]
}
