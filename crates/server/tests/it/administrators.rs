//! Who makes people administrators: administrators, and nobody who merely holds `Superadmin`.

use serde_json::{Value, json};

use crate::harness::{BOTH, Made, Server};

const ROLES: &str = "/api/http/permission-roles";

async fn post(server: &Server, token: &str, path: &str, body: &Value, status: u16) -> Value {
    let path = format!("{ROLES}/{path}");
    let answer = server.client.post(&path).bearer(token).json(body).send().await.expect(status);
    if answer.text().is_empty() { Value::Null } else { answer.json() }
}

async fn role(server: &Server, token: &str, name: &str) -> String {
    let body = json!({ "contextIdentifier": "global", "name": name });
    post(server, token, "create", &body, 200).await["roleId"].as_str().unwrap().to_owned()
}

/// An application that holds `Superadmin`, and tokens by which it acts for itself and for an administrator.
async fn tools(server: &Server) -> (Made, String) {
    let tool = server.application(json!({ "name": "Provisioning" })).await;
    server.grant(&tool.id, "global", &["Superadmin"]).await;
    server.person("root", &["Superadmin"]).await;
    let lent = server.delegated(&tool, "root", "**").await;
    (tool, lent)
}

#[tokio::test(flavor = "multi_thread")]
async fn superadmin_alone_makes_no_administrator() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.person("cat", &[]).await;
        let (tool, lent) = tools(&server).await;
        let (cat, nothing) = ("profiles/id:profile-cat", json!({}));
        let lords = role(&server, &server.admin, "Lords").await;
        let superadmin = json!({ "rightCodes": ["Superadmin"] });
        post(&server, &server.admin, &format!("{lords}/permissions"), &superadmin, 200).await;
        for token in [&tool.token, &lent] {
            post(&server, token, &format!("SystemAdmin/{cat}"), &nothing, 403).await;
            post(&server, token, &format!("{lords}/{cat}"), &nothing, 403).await;
            let own = role(&server, token, &format!("Own of {}", &token[token.len() - 8..])).await;
            post(&server, token, &format!("{own}/permissions"), &superadmin, 403).await;
            post(&server, token, &format!("{own}/{cat}"), &nothing, 200).await;
        }
        let check = json!({ "checks": [{ "principal": "profile:id:profile-cat", "right": "Applications.Delete" }] });
        let call = server.client.post("/api/host/v1/check").bearer(&server.admin).json(&check);
        assert_eq!(call.send().await.expect(200).json()["results"][0]["allowed"], false);
        // It may take the role away, which gives nobody anything.
        post(&server, &server.admin, &format!("SystemAdmin/{cat}"), &nothing, 200).await;
        let path = format!("{ROLES}/SystemAdmin/{cat}");
        server.client.delete(&path).bearer(&tool.token).send().await.expect(200);
        // What it does hold it can pass on.
        server.grant(&tool.id, "global", &["Profile.View"]).await;
        let viewers = role(&server, &tool.token, "Viewers").await;
        let view = json!({ "rightCodes": ["Profile.View"] });
        post(&server, &tool.token, &format!("{viewers}/permissions"), &view, 200).await;
        post(&server, &tool.token, &format!("{viewers}/{cat}"), &nothing, 200).await;
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resetting_a_role_gives_nobody_what_the_caller_does_not_hold() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let (tool, _) = tools(&server).await;
        let path = format!("{ROLES}/Member/permissions");
        let rights = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        let rights = rights.as_array().unwrap().len();
        let taken = format!("{path}?rightCodes=Permissions.OrgMember");
        server.client.delete(&taken).bearer(&tool.token).send().await.expect(200);
        post(&server, &tool.token, "Member/reset-role-permissions-to-default", &json!({}), 403).await;
        let left = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(left.as_array().unwrap().len(), rights - 1, "nothing was given");
        post(&server, &server.admin, "Member/reset-role-permissions-to-default", &json!({}), 200).await;
        server.running.stop().await;
    }
}
