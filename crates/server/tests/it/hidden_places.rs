//! Applications in places that they do not see: what they may ask there, what they learn, and who learns of them.

use serde_json::{Value, json};
use spaceport_platform::context::Context;
use spaceport_testkit::http::Response;
use spaceport_testkit::receiver::Receiver;

use crate::authorizations::{directory, person_in};
use crate::harness::{BOTH, Made, Server};

const RIGHTS: &str = "/api/http/applications/me/authorizations/authorized-rights";

/// Places that exist and are hidden, each beside one that does not exist.
const PLACES: [(&str, &str); 4] = [
    ("project:key:CLOSED", "project:key:NOTHING"),
    ("project:id:closed", "project:id:nothing"),
    ("channel:talk", "channel:nothing"),
    ("packageRepository:packages", "packageRepository:nothing"),
];

async fn request(server: &Server, token: &str, context: &str, code: &str) -> Response {
    let body = json!({ "contextIdentifier": context, "rightCodes": [code] });
    server.client.patch(&format!("{RIGHTS}/request-rights")).bearer(token).json(&body).send().await
}

async fn give_up(server: &Server, token: &str, context: &str, code: &str) -> Response {
    let body = json!({ "contextIdentifier": context, "updates": [{ "rightCode": code, "status": "NONE" }] });
    server.client.patch(RIGHTS).bearer(token).json(&body).send().await
}

async fn list(server: &Server, token: &str, context: &str) -> Response {
    server.client.get(&format!("{RIGHTS}?contextIdentifier={context}")).bearer(token).send().await
}

async fn extend(server: &Server, token: &str, context: &str) -> Response {
    let body = json!({ "contextIdentifier": context, "extensions": [{ "className": "ChatBotUiExtensionIn" }] });
    server.client.patch("/api/http/applications/ui-extensions").bearer(token).json(&body).send().await
}

/// Codes and statuses of the application's rights in a place, as it sees them.
async fn statuses(server: &Server, token: &str, context: &str) -> Vec<(String, String)> {
    let found = list(server, token, context).await.expect(200).json();
    let text = |value: &Value| value.as_str().unwrap().trim_start_matches("PermissionIdentifier.").to_owned();
    let found = found.as_array().unwrap().iter();
    found.map(|right| (text(&right["rightCode"]["className"]), text(&right["status"]))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(code, status)| ((*code).to_owned(), (*status).to_owned())).collect()
}

/// An application that hears of everything about rights of applications.
async fn listening(server: &Server, receiver: &Receiver) -> Made {
    let made = server.application(json!({ "name": "Asking", "endpointUri": receiver.url("/") })).await;
    let codes = ["Application.AuthorizationRequested", "Application.Authorized"];
    let body = json!({ "name": "hook", "subscriptions": [{ "name": "all", "subscription": {
        "subjectCode": "Application", "filters": [], "eventTypeCodes": codes } }] });
    server.client.post("/api/http/applications/me/webhooks").bearer(&made.token).json(&body).send().await.expect(200);
    made
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_tells_nothing_and_whoever_decides_there_is_asked() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let receiver = Receiver::start();
        let made = listening(&server, &receiver).await;
        for (hidden, nothing) in PLACES {
            for _ in 0..2 {
                let answers = [hidden, nothing].map(|context| request(&server, &made.token, context, "Project.View"));
                let answers = futures_util::future::join_all(answers).await;
                assert_eq!(answers.iter().map(|one| one.status.as_u16()).collect::<Vec<_>>(), [200, 200], "{hidden}");
                assert_eq!(answers[0].text(), answers[1].text());
            }
            for (one, other) in [
                (list(&server, &made.token, hidden).await, list(&server, &made.token, nothing).await),
                (
                    give_up(&server, &made.token, hidden, "Project.View").await,
                    give_up(&server, &made.token, nothing, "Project.View").await,
                ),
                (extend(&server, &made.token, hidden).await, extend(&server, &made.token, nothing).await),
            ] {
                assert_eq!((one.status.as_u16(), other.status.as_u16()), (404, 404), "{hidden}: {}", one.text());
                assert_eq!(one.text().replace(hidden, nothing), other.text());
            }
            // Who sees every place learns that there is none.
            let path = format!("/api/http/applications/id:{}/authorizations/authorized-rights/request-rights", made.id);
            let body = json!({ "contextIdentifier": nothing, "rightCodes": ["Project.View"] });
            server.client.patch(&path).bearer(&server.admin).json(&body).send().await.expect(404);
        }
        let approvals = "/api/host/v1/applications/me/approvals";
        let approvals = server.client.get(approvals).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(approvals["rights"], json!([]), "nor does the list of what waits");
        // The first thing it hears of is what it asked for where it sees the place.
        request(&server, &made.token, "project:key:OPEN", "Project.View").await.expect(200);
        let first = receiver.wait_for(1).await.remove(0).json();
        assert_eq!(first["payload"]["scope"], json!({ "className": "ProjectScope", "project": { "id": "open" } }));

        // Who decides in the private project sees the application now, and what it wants.
        let keeper =
            person_in(&server, "keeper", Context::Project("closed".to_owned()), &["Project.Admin", "Project.View"]);
        let keeper = keeper.await;
        let path = format!("/api/http/applications/id:{}/authorizations/authorized-rights", made.id);
        let seen = format!("{path}?contextIdentifier=project:key:CLOSED");
        let seen = server.client.get(&seen).bearer(&keeper).send().await.expect(200).json();
        assert_eq!(seen[0]["status"], "REQUESTED");
        let updates = json!([{ "rightCode": "Project.View", "status": "GRANTED" }]);
        let body = json!({ "contextIdentifier": "project:key:CLOSED", "updates": updates });
        server.client.patch(&path).bearer(&keeper).json(&body).send().await.expect(200);
        server.client.get("/api/http/projects/key:CLOSED").bearer(&made.token).send().await.expect(200);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_holds_a_right_an_application_reads_asks_gives_up_and_extends() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Inside" })).await;
        let stranger = server.person("stranger", &["Applications.View"]).await;
        for (hidden, _) in PLACES {
            let (held, more) = ("Project.Issues.View", "Project.Issues.Edit");
            list(&server, &made.token, hidden).await.expect(404);
            server.grant(&made.id, hidden, &[held]).await;
            assert_eq!(statuses(&server, &made.token, hidden).await, pairs(&[("ViewIssues", "GRANTED")]), "{hidden}");
            request(&server, &made.token, hidden, more).await.expect(200);
            let both = pairs(&[("UpdateIssues", "REQUESTED"), ("ViewIssues", "GRANTED")]);
            assert_eq!(statuses(&server, &made.token, hidden).await, both, "{hidden}");
            extend(&server, &made.token, hidden).await.expect(200);
            let me = "/api/http/applications/me?$fields=contexts(context(projectId,channelId),extensions(className))";
            let me = server.client.get(me).bearer(&made.token).send().await.expect(200).json();
            assert_eq!(me["contexts"][0]["extensions"][0]["className"], "ChatBotUiExtensionApi", "{me}");
            // What the application knows is its own: whoever may view applications alone does not see the place.
            let path = format!("/api/http/applications/id:{}", made.id);
            let rights = format!("{path}/authorizations/authorized-rights?contextIdentifier={hidden}");
            server.client.get(&rights).bearer(&stranger).send().await.expect(404);
            let shown = format!("{path}?$fields=contexts");
            let shown = server.client.get(&shown).bearer(&stranger).send().await.expect(200).json();
            assert_eq!(shown["contexts"], json!([]));

            give_up(&server, &made.token, hidden, more).await.expect(200);
            assert_eq!(statuses(&server, &made.token, hidden).await, pairs(&[("ViewIssues", "GRANTED")]), "{hidden}");
            let path = format!("{RIGHTS}?contextIdentifier={hidden}");
            server.client.delete(&path).bearer(&made.token).send().await.expect(200);
            for gone in [list(&server, &made.token, hidden).await, extend(&server, &made.token, hidden).await] {
                assert_eq!(gone.status, 404, "{hidden}: it holds nothing there any more");
            }
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn required_rights_reach_hidden_places_where_something_is_held() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Inside" })).await;
        server.grant(&made.id, "project:key:CLOSED", &["Project.Issues.View"]).await;
        let body = json!({ "rightCodesToAdd": ["Project.Issues.Edit"], "rightCodesToRemove": [],
            "requestRightsInAuthorizedContexts": true });
        let path = "/api/http/applications/me/authorizations/required-rights";
        server.client.patch(path).bearer(&made.token).json(&body).send().await.expect(200);
        let both = pairs(&[("UpdateIssues", "REQUESTED"), ("ViewIssues", "GRANTED")]);
        assert_eq!(statuses(&server, &made.token, "project:id:closed").await, both);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_does_not_tell_where_a_hidden_repository_lies() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Packages" })).await;
        let mut shown = Vec::new();
        for repository in ["packages", "nothing"] {
            let filters = json!([{ "className": "PackagesSubscriptionFilterIn", "repository": repository }]);
            let body = json!({ "name": "hook", "subscriptions": [{ "name": "n", "subscription": {
                "subjectCode": "Package", "filters": filters, "eventTypeCodes": ["Package.Created"] } }] });
            let path = "/api/http/applications/me/webhooks?$fields=subscriptions(requestedAuthentication)";
            let hook = server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200).json();
            assert!(!hook.to_string().contains("closed"), "{hook}");
            shown.push(hook.to_string().replace(repository, "x"));
        }
        assert_eq!(shown[0], shown[1]);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_granted_in_a_channel_is_not_told_as_if_it_held_everywhere() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let receiver = Receiver::start();
        let made = listening(&server, &receiver).await;
        server.grant(&made.id, "channel:talk", &["Channel.ViewChannel"]).await;
        request(&server, &made.token, "channel:talk", "Channel.PostMessages").await.expect(200);
        server.set_rights(&made.id, "channel:talk", &["Channel.ViewChannel"], "NONE").await;
        server.grant(&made.id, "packageRepository:packages", &["PackageRepository.Read"]).await;
        let first = receiver.wait_for(1).await.remove(0).json();
        let scope = json!({ "className": "ProjectScope", "project": { "id": "closed" } });
        assert_eq!(first["payload"]["scope"], scope, "of channels nothing is told");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_granted_where_nothing_asks_for_it_opens_nothing() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Odd" })).await;
        let other = server.application(json!({ "name": "Other" })).await;
        for context in ["project:key:OPEN", "channel:talk"] {
            server.grant(&made.id, context, &["Applications.Create", "Applications.View", "Superadmin"]).await;
        }
        let body = json!({ "name": "Child" });
        server.client.post("/api/http/applications").bearer(&made.token).json(&body).send().await.expect(403);
        server.client.get("/api/host/v1/audit-trail").bearer(&made.token).send().await.expect(403);
        let path = format!("/api/http/applications/id:{}", other.id);
        server.client.get(&path).bearer(&made.token).send().await.expect(404);
        server.running.stop().await;
    }
}
