//! Rights of applications from request to withdrawal, over HTTP.

use serde_json::{Value, json};
use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::Context;
use spaceport_platform::directory::channel::Channel;
use spaceport_platform::directory::package_repository::PackageRepository;
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::id::ProfileId;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;
use spaceport_store::StoreError;
use spaceport_testkit::http::Response;

use crate::harness::{BOTH, Engine, Made, Server};

const ZERO: Timestamp = Timestamp::from_millis(0);

/// A public and a private project, a private channel, and a package repository in the private project.
pub(crate) async fn directory(server: &Server) {
    let project = |id: &str, key: &str, openness| Project {
        id: id.to_owned(),
        key: key.to_owned(),
        name: key.to_owned(),
        description: None,
        icon: None,
        openness,
        created_at: ZERO,
        archived_at: None,
    };
    let projects = [project("open", "OPEN", Openness::Public), project("closed", "CLOSED", Openness::Private)];
    let channel = Channel {
        id: "talk".to_owned(),
        name: "talk".to_owned(),
        description: None,
        icon: None,
        openness: Openness::Private,
        created_at: ZERO,
        archived_at: None,
    };
    let repository = PackageRepository {
        id: "packages".to_owned(),
        project: "closed".to_owned(),
        name: "packages".to_owned(),
        description: None,
        created_at: ZERO,
        archived_at: None,
    };
    let made = server.running.store().write(move |tx| {
        tx.save_projects(&projects)?;
        tx.save_channels(std::slice::from_ref(&channel))?;
        tx.save_package_repositories(std::slice::from_ref(&repository))
    });
    made.await.map_err(|error: StoreError| error.to_string()).unwrap();
}

/// A new person who holds rights in one context; answers a token of his.
pub(crate) async fn person_in(server: &Server, name: &str, context: Context, codes: &'static [&'static str]) -> String {
    let token = server.person(name, &[]).await;
    let principal = Principal::User(ProfileId::new(format!("profile-{name}")));
    let granted = server.running.store().write(move |tx| {
        codes.iter().try_for_each(|code| {
            tx.grant(&principal, &Grant { right: Right::from_code(code), context: context.clone() }, ZERO)
        })
    });
    granted.await.map_err(|error: StoreError| error.to_string()).unwrap();
    token
}

fn rights_path(application: &str) -> String {
    format!("/api/http/applications/{application}/authorizations/authorized-rights")
}

async fn request(server: &Server, token: &str, context: Value, codes: &[&str]) -> Response {
    let body = json!({ "contextIdentifier": context, "rightCodes": codes, "actor": "profile:username:admin", "comment": "why" });
    let path = format!("{}/request-rights", rights_path("me"));
    server.client.patch(&path).bearer(token).json(&body).send().await
}

async fn set(server: &Server, token: &str, application: &str, context: &str, code: &str, status: &str) -> Response {
    let body = json!({ "contextIdentifier": context, "updates": [{ "rightCode": code, "status": status }] });
    server.client.patch(&rights_path(application)).bearer(token).json(&body).send().await
}

async fn rights(server: &Server, token: &str, application: &str, context: &str) -> Value {
    let path = format!("{}?contextIdentifier={context}", rights_path(application));
    server.client.get(&path).bearer(token).send().await.expect(200).json()
}

/// Code names and statuses of a list of rights.
fn statuses(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = list.as_array().unwrap().iter();
    entries.map(|right| (text(&right["rightCode"]["className"]), text(&right["status"]))).collect()
}

fn one(name: &str, status: &str) -> Vec<(String, String)> {
    vec![(format!("PermissionIdentifier.{name}"), status.to_owned())]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_is_requested_granted_inspected_and_withdrawn() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Asking" })).await;
        let id = format!("id:{}", made.id);
        request(&server, &made.token, json!("global"), &["Applications.View"]).await.expect(200);
        let list = rights(&server, &made.token, "me", "global").await;
        assert_eq!(statuses(&list), one("ViewApplications", "REQUESTED"));
        let right = &list[0];
        assert_eq!((&right["name"], &right["group"]), (&json!("View applications"), &json!("Applications")));
        assert_eq!((&right["targetName"], &right["editable"]), (&json!("Global"), &json!(false)));
        assert_eq!(right["dependencies"], json!([]));
        assert_eq!(right["modificationAuthor"]["name"], "Asking");
        assert_eq!(right["modificationAuthor"]["details"]["className"], "CApplicationPrincipalDetails");
        assert_eq!(rights(&server, &server.admin, &id, "global").await[0]["editable"], true);
        let everything = "/api/http/applications/paged";
        server.client.get(everything).bearer(&made.token).send().await.expect(403);

        set(&server, &server.admin, &id, "global", "Applications.View", "GRANTED").await.expect(200);
        server.client.get(everything).bearer(&made.token).send().await.expect(200);
        request(&server, &made.token, json!("global"), &["Applications.View"]).await.expect(200);
        let list = rights(&server, &made.token, "me", "global").await;
        assert_eq!(statuses(&list), one("ViewApplications", "GRANTED"), "asking again takes nothing away");
        assert_eq!(list[0]["modificationAuthor"]["name"], "admin", "nor does it change who granted it");
        assert!(list[0]["modificationTimestamp"]["timestamp"].as_i64().unwrap() > 0);
        let contexts = format!("/api/http/applications/{id}/authorizations/authorized-contexts");
        let contexts = server.client.get(&contexts).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(contexts, json!([{ "className": "GlobalPermissionContext" }]));
        let index = "/api/http/applications/authorizations/authorized-applications?contextIdentifier=global&$fields=id";
        let index = server.client.get(index).bearer(&server.admin).send().await.expect(200).json();
        assert!(index.as_array().unwrap().contains(&json!({ "id": made.id })));

        let withdrawal = format!("{}?contextIdentifier=global", rights_path(&id));
        server.client.delete(&withdrawal).bearer(&server.admin).send().await.expect(200);
        server.client.get(everything).bearer(&made.token).send().await.expect(403);
        assert_eq!(rights(&server, &made.token, "me", "global").await, json!([]));
        let trail = format!("/api/host/v1/audit-trail?application=id:{}&targetKind=authorization", made.id);
        let trail = server.client.get(&trail).bearer(&server.admin).send().await.expect(200).json();
        let told: Vec<_> = trail["data"].as_array().unwrap().iter().map(|entry| &entry["changes"][0]["new"]).collect();
        assert_eq!(told, ["NONE", "GRANTED", "REQUESTED"]);
        let asked = &trail["data"][2];
        assert_eq!((&asked["comment"], &asked["changes"][1]["new"]), (&json!("why"), &json!("profile:username:admin")));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn states_refuse_what_makes_no_sense() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Asking" })).await;
    let id = format!("id:{}", made.id);
    let code = "Profile.View";
    set(&server, &server.admin, &id, "global", code, "REJECTED").await.expect(400);
    request(&server, &made.token, json!("global"), &[code]).await.expect(200);
    set(&server, &server.admin, &id, "global", code, "REJECTED").await.expect(200);
    set(&server, &made.token, "me", "global", code, "NONE").await.expect(400);
    request(&server, &made.token, json!("global"), &[code]).await.expect(200);
    let list = rights(&server, &made.token, "me", "global").await;
    assert_eq!(statuses(&list), one("ViewMemberProfiles", "REQUESTED"), "it may ask again");
    set(&server, &made.token, "me", "global", code, "NONE").await.expect(200);
    for status in ["GRANTED", "REJECTED"] {
        let refused = set(&server, &made.token, "me", "global", code, status).await;
        assert!([400, 403].contains(&refused.status.as_u16()), "{status}: {}", refused.text());
    }
    server.client.delete("/api/http/applications/me").bearer(&made.token).send().await.expect(200);
    set(&server, &server.admin, &id, "global", code, "GRANTED").await.expect(400);
    server.running.stop().await;
}

// P3
#[tokio::test(flavor = "multi_thread")]
async fn nobody_grants_what_he_does_not_hold_there_himself() {
    let server = Server::start(Engine::Sqlite).await;
    directory(&server).await;
    let made = server.application(json!({ "name": "Asking" })).await;
    let id = format!("id:{}", made.id);
    let in_project = Context::Project("open".to_owned());
    let admin = person_in(&server, "keeper", in_project, &["Project.Admin", "Project.Issues.View"]).await;
    let view = "Project.Issues.View";
    set(&server, &admin, &id, "project:key:OPEN", view, "GRANTED").await.expect(404);
    request(&server, &made.token, json!("project:key:OPEN"), &[view, "Project.Issues.Edit"]).await.expect(200);
    let list = rights(&server, &admin, &id, "project:id:open").await;
    let editable: Vec<_> = list.as_array().unwrap().iter().map(|right| right["editable"].as_bool().unwrap()).collect();
    assert_eq!(editable, [false, true], "he holds the right to view issues, but not to edit them");
    set(&server, &admin, &id, "project:key:OPEN", view, "GRANTED").await.expect(200);
    let refused = set(&server, &admin, &id, "project:key:OPEN", "Project.Issues.Edit", "GRANTED").await.expect(403);
    assert!(refused.text().contains("Project.Issues.Edit"), "{}", refused.text());
    set(&server, &admin, &id, "project:key:OPEN", "Project.Issues.Edit", "REJECTED").await.expect(200);
    set(&server, &admin, &id, "global", view, "GRANTED").await.expect(404);
    set(&server, &admin, &id, "project:key:CLOSED", view, "GRANTED").await.expect(404);
    let holder = server.person("holder", &["Profile.View", "Applications.View"]).await;
    let refused = set(&server, &holder, &id, "global", "Profile.View", "GRANTED").await.expect(403);
    assert!(refused.text().contains("Superadmin"), "holding is not deciding: {}", refused.text());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_application_grants_to_itself_or_its_kin() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Maker" })).await;
    let own = ["Superadmin", "Applications.Create", "Applications.View", "Profile.View"];
    server.grant(&made.id, "global", &own).await;
    let child = server.client.post("/api/http/applications").bearer(&made.token).json(&json!({ "name": "Child" }));
    let child = child.send().await.expect(200).json();
    let secret = format!("/api/http/applications/id:{}/client-secret", child["id"].as_str().unwrap());
    let secret = server.client.get(&secret).bearer(&made.token).send().await.expect(200).json();
    let token = server.token(child["clientId"].as_str().unwrap(), secret.as_str().unwrap()).await;
    let child =
        Made { id: child["id"].as_str().unwrap().to_owned(), client_id: String::new(), secret: String::new(), token };
    server.grant(&child.id, "global", &own).await;
    let stranger = server.application(json!({ "name": "Stranger" })).await;
    let grant = async |token: &str, to: &Made| {
        let code = "Profile.View";
        set(&server, token, &format!("id:{}", to.id), "global", code, "GRANTED").await.status.as_u16()
    };
    assert_eq!(grant(&made.token, &made).await, 403, "to itself");
    assert_eq!(grant(&made.token, &child).await, 403, "to the one it made");
    assert_eq!(grant(&child.token, &made).await, 403, "to the one that made it");
    assert_eq!(grant(&made.token, &stranger).await, 200, "to another, where it decides and holds the right");
    server.set_rights(&made.id, "global", &["Profile.View"], "NONE").await;
    assert_eq!(grant(&made.token, &stranger).await, 403, "what it does not hold");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_are_read_in_every_spelling_and_hidden_from_who_may_not_see_them() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Asking" })).await;
        let id = format!("id:{}", made.id);
        let object = |class: &str, key: &str, value: Value| json!({ "className": class, key: value });
        let project = |key: &str| object("ProjectIdentifier.Key", "key", json!(key));
        let code = "Project.Issues.View";
        for context in [
            json!("global"),
            json!({ "className": "GlobalPermissionContextIdentifier" }),
            json!("project:key:OPEN"),
            json!("project:id:open"),
            object("ProjectPermissionContextIdentifier", "project", json!("key:OPEN")),
            object("ProjectPermissionContextIdentifier", "project", project("OPEN")),
        ] {
            request(&server, &made.token, context, &[code]).await.expect(200);
        }
        for spelled in ["project:key:OPEN", "project%3Akey%3AOPEN", "project:id:open", "project%3Aid%3Aopen"] {
            assert_eq!(statuses(&rights(&server, &made.token, "me", spelled).await), one("ViewIssues", "REQUESTED"));
        }
        // Private ones look like ones that do not exist, to the application and in every spelling.
        for hidden in ["project:key:CLOSED", "channel:talk", "packageRepository:packages", "project:key:NOTHING"] {
            request(&server, &made.token, json!(hidden), &[code]).await.expect(200);
            let path = format!("{}?contextIdentifier={hidden}", rights_path("me"));
            let refused = server.client.get(&path).bearer(&made.token).send().await.expect(404);
            assert_eq!(refused.json()["error_description"], format!("Context {hidden} not found"));
        }
        for context in ["project:key:CLOSED", "channel:talk", "packageRepository:packages"] {
            set(&server, &server.admin, &id, context, code, "GRANTED").await.expect(200);
        }
        let contexts = async |token: &str, application: &str| {
            let path = format!(
                "/api/http/applications/{application}/authorizations/authorized-contexts?$fields=className,project(id),channel(id),repository(id),projectId,channelId"
            );
            server.client.get(&path).bearer(token).send().await.expect(200).json()
        };
        assert_eq!(
            contexts(&server.admin, &id).await,
            json!([
                { "className": "ProjectPermissionContext", "project": { "id": "closed" } },
                { "className": "ChannelPermissionContext", "channel": { "id": "talk" } },
                { "className": "PackageRepositoryPermissionContext", "repository": { "id": "packages" } },
            ])
        );
        assert_eq!(
            contexts(&made.token, "me").await,
            json!([
                { "className": "PrivateProjectPermissionContext", "projectId": "closed" },
                { "className": "PrivateChannelPermissionContext", "channelId": "talk" },
                { "className": "PrivateProjectPermissionContext", "projectId": "packages" },
            ])
        );
        set(&server, &server.admin, &id, "project:key:CLOSED", "Project.View", "GRANTED").await.expect(200);
        assert_eq!(contexts(&made.token, "me").await[0]["className"], "ProjectPermissionContext");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn required_rights_are_asked_for_wherever_the_application_is_authorized() {
    let server = Server::start(Engine::Sqlite).await;
    directory(&server).await;
    let made = server.application(json!({ "name": "Asking" })).await;
    server.grant(&made.id, "project:key:OPEN", &["Project.View"]).await;
    let path = "/api/http/applications/me/authorizations/required-rights";
    let change = async |add: &[&str], remove: &[&str], ask: bool| {
        let body =
            json!({ "rightCodesToAdd": add, "rightCodesToRemove": remove, "requestRightsInAuthorizedContexts": ask });
        server.client.patch(path).bearer(&made.token).json(&body).send().await.expect(200);
        let list = server.client.get(path).bearer(&made.token).send().await.expect(200).json();
        statuses(&list).into_iter().map(|(name, _)| name.replace("PermissionIdentifier.", "")).collect::<Vec<_>>()
    };
    assert_eq!(change(&["Project.Issues.View", "Project.View"], &[], true).await, ["ViewIssues", "ViewProjectDetails"]);
    let in_project = rights(&server, &made.token, "me", "project:key:OPEN").await;
    let found: Vec<_> = statuses(&in_project).into_iter().map(|(_, status)| status).collect();
    assert_eq!(found, ["REQUESTED", "GRANTED"]);
    assert_eq!(rights(&server, &made.token, "me", "global").await, json!([]), "it is not authorized there");
    assert_eq!(
        change(&["Project.Admin"], &["Project.View"], false).await,
        ["ManageProjectPermissionScheme", "ViewIssues"]
    );
    assert_eq!(statuses(&rights(&server, &made.token, "me", "project:key:OPEN").await).len(), 2);
    server.running.stop().await;
}
