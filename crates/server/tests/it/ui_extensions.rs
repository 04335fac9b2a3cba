//! What applications add to the product's pages: said anew as a whole, context by context, and shown.

use serde_json::{Value, json};
use spaceport_testkit::http::Response;

use crate::authorizations::directory;
use crate::harness::{BOTH, Engine, Made, Server};

const PATH: &str = "/api/http/applications/ui-extensions";

async fn set(server: &Server, token: &str, context: &str, extensions: &Value) -> Response {
    let body = json!({ "contextIdentifier": context, "extensions": extensions });
    server.client.patch(PATH).bearer(token).json(&body).send().await
}

/// What is shown of an application; in all contexts when `context` is empty.
async fn shown(server: &Server, token: &str, made: &Made, context: &str) -> Value {
    let query = if context.is_empty() { String::new() } else { format!("?contextIdentifier={context}") };
    let path = format!("/api/http/applications/id:{}/ui-extensions{query}", made.id);
    server.client.get(&path).bearer(token).send().await.expect(200).json()
}

fn page(code: &str) -> Value {
    json!({ "className": "TopLevelPageUiExtensionIn", "displayName": "Page", "description": null, "uniqueCode": code,
        "iframeUrl": null })
}

fn item(kind: &str, filters: Value) -> Value {
    json!({ "className": format!("{kind}MenuItemUiExtensionIn"), "displayName": "Item", "description": "What it does",
        "menuItemUniqueCode": "the-item", "visibilityFilters": filters })
}

/// One of each class, with every field.
fn every_class() -> Value {
    let mut review = item(
        "CodeReview",
        json!([
            { "className": "CodeReviewEditableByMe" },
            { "className": "CodeReviewInRepository", "repository": "main" },
            { "className": "CodeReviewIsOpened" },
            { "className": "CodeReviewIsReadyToMerge" },
            { "className": "CodeReviewOfType", "type": "MergeRequest" },
        ]),
    );
    review["actionPlacement"] = json!({ "className": "ExtensionActionPlacement.PrimaryAction" });
    review["parametersForm"] = json!({ "formTitle": "Merge", "confirmButtonTitle": "Go", "parameters": [
        { "className": "ExtensionActionFormParameter.Boolean", "key": "squash", "title": "Squash", "defaultValue": true },
        { "className": "ExtensionActionFormParameter.Text", "key": "text", "title": "Message", "required": true,
            "multiline": true, "defaultValue": null },
        { "className": "ExtensionActionFormParameter.Select", "key": "to", "title": "Into", "canEnterNewValue": false,
            "options": [{ "key": "main", "title": "Main" }], "required": false, "defaultValue": "main" },
    ] });
    json!([
        { "className": "ChatBotUiExtensionIn" },
        { "className": "ApplicationHomepageUiExtensionIn", "iframeUrl": "/space-iframe" },
        page("first1"),
        page("second2"),
        { "className": "GettingStartedUiExtensionIn", "gettingStartedUrl": "https://app.example.com/start",
            "gettingStartedTitle": "Begin", "openInNewTab": true },
        { "className": "ExternalIssueTrackerUiExtensionIn", "domain": "tracker.example.com", "trackerName": "Tracker",
            "canCreateIssues": true },
        item("ChatMessage", json!([{ "className": "ChatMessageEditableByMe" }])),
        item("Issue", json!([{ "className": "IssueEditableByMe" }])),
        review,
        item("Document", json!([{ "className": "DocumentEditableByMe" }])),
        item("DocumentFolder", json!([{ "className": "DocumentFolderEditableByMe" }])),
        { "className": "MeetingMenuItemUiExtensionIn", "displayName": "Item", "description": null,
            "menuItemUniqueCode": "the-item" },
    ])
}

/// The same with the names that are shown.
fn as_shown(sent: &Value) -> Value {
    let mut shown = sent.clone();
    for one in shown.as_array_mut().unwrap() {
        let name = one["className"].as_str().unwrap().strip_suffix("In").unwrap();
        one["className"] = json!(format!("{name}Api"));
    }
    shown
}

async fn entries(server: &Server) -> usize {
    let path = "/api/host/v1/audit-trail?operation=api.ui_extension.update";
    let found = server.client.get(path).bearer(&server.admin).send().await.expect(200).json();
    found["data"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_class_is_kept_and_a_new_set_replaces_the_old_one() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let endpoint = "https://app.example.com/api";
        let made = server.application(json!({ "name": "Pages", "endpointUri": endpoint })).await;
        assert_eq!(shown(&server, &made.token, &made, "global").await, json!([]));
        for _ in 0..2 {
            // Published applications repeat this at each installation; it is told of once.
            set(&server, &made.token, "global", &every_class()).await.expect(200);
        }
        assert_eq!(entries(&server).await, 1);
        assert_eq!(shown(&server, &made.token, &made, "global").await, as_shown(&every_class()));
        let bot = json!([{ "className": "ChatBotUiExtensionIn" }]);
        set(&server, &made.token, "project:key:OPEN", &bot).await.expect(200);
        assert_eq!(shown(&server, &server.admin, &made, "project:id:open").await, as_shown(&bot));
        let next = json!([page("third3")]);
        set(&server, &made.token, "global", &next).await.expect(200);
        let all = [as_shown(&next)[0].clone(), as_shown(&bot)[0].clone()];
        assert_eq!(shown(&server, &server.admin, &made, "").await, json!(all));
        set(&server, &made.token, "global", &json!([])).await.expect(200);
        assert_eq!(shown(&server, &made.token, &made, "").await, as_shown(&bot));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_says_where_it_has_extensions_and_which_tracker_it_is() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Tracker" })).await;
        let tracker = |domain: &str| {
            json!([{ "className": "ExternalIssueTrackerUiExtensionIn", "domain": domain, "trackerName": "T",
                "canCreateIssues": true }])
        };
        let bot = json!([{ "className": "ChatBotUiExtensionIn" }]);
        let said = async |token: &str, path: &str| {
            let path = format!("/api/http/applications/{path}?$fields=contexts,settings(externalIssueTrackerDomain)");
            server.client.get(&path).bearer(token).send().await.expect(200).json()
        };
        let domain = |said: &Value| said["settings"]["externalIssueTrackerDomain"].clone();
        let nothing = said(&server.admin, &format!("id:{}", made.id)).await;
        assert_eq!((&nothing["contexts"], domain(&nothing)), (&json!([]), Value::Null));

        set(&server, &made.token, "global", &tracker("tracker.example")).await.expect(200);
        set(&server, &made.token, "project:key:OPEN", &bot).await.expect(200);
        for (token, path) in [(&made.token, "me".to_owned()), (&server.admin, format!("id:{}", made.id))] {
            let said = said(token, &path).await;
            assert_eq!(domain(&said), "tracker.example");
            let enabled = json!({ "enabledByDefault": true, "enabledForMe": null });
            let first = &said["contexts"][0];
            assert_eq!(first["context"], json!({ "className": "GlobalPermissionContext" }));
            assert_eq!(first["extensions"], as_shown(&tracker("tracker.example")));
            assert_eq!(first["appUiEnabledState"], enabled);
            let second = &said["contexts"][1];
            assert_eq!(second["context"]["className"], "ProjectPermissionContext");
            assert_eq!(second["extensions"], as_shown(&bot));
        }
        set(&server, &made.token, "project:key:OPEN", &tracker(" other.example ")).await.expect(200);
        assert_eq!(domain(&said(&made.token, "me").await), "tracker.example", "the first context counts");
        set(&server, &made.token, "global", &json!([])).await.expect(200);
        let moved = said(&made.token, "me").await;
        assert_eq!((domain(&moved), moved["contexts"].as_array().map(Vec::len)), (json!("other.example"), Some(1)));
        set(&server, &made.token, "project:key:OPEN", &json!([])).await.expect(200);
        let gone = said(&made.token, "me").await;
        assert_eq!((domain(&gone), &gone["contexts"]), (Value::Null, &json!([])));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_the_extension_and_its_field() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Pages", "endpointUri": "https://app.example.com/api" })).await;
    let with = |mut extension: Value, field: &str, value: Value| {
        extension[field] = value;
        extension
    };
    let start = |url: &str| json!({ "className": "GettingStartedUiExtensionIn", "gettingStartedUrl": url, "gettingStartedTitle": "Begin" });
    let homepage = |url: &str| json!({ "className": "ApplicationHomepageUiExtensionIn", "iframeUrl": url });
    let issue = || item("Issue", json!([]));
    let review = |filters: Value| item("CodeReview", filters);
    let bad = [
        (with(page("a"), "displayName", json!(" ")), "extensions[0].displayName"),
        (with(page("a"), "description", json!("x".repeat(4_001))), "extensions[0].description"),
        (page("not-letters"), "extensions[0].uniqueCode"),
        (with(page("a"), "iframeUrl", json!("javascript:alert(1)")), "extensions[0].iframeUrl"),
        (homepage("//evil.example"), "extensions[0].iframeUrl"),
        (start("//evil.example"), "extensions[0].gettingStartedUrl"),
        (start("https://evil.example/start"), "extensions[0].gettingStartedUrl"),
        (with(start("/"), "gettingStartedTitle", json!("")), "extensions[0].gettingStartedTitle"),
        (with(issue(), "menuItemUniqueCode", json!("")), "extensions[0].menuItemUniqueCode"),
        (with(issue(), "visibilityFilters", Value::Null), "extensions[0]"),
        (item("Issue", json!([{ "className": "DocumentEditableByMe" }])), "extensions[0]"),
        (
            review(json!([{ "className": "CodeReviewInRepository", "repository": "" }])),
            "extensions[0].visibilityFilters[0].repository",
        ),
        (
            with(
                review(json!([])),
                "parametersForm",
                json!({ "formTitle": "", "confirmButtonTitle": "Go", "parameters": [] }),
            ),
            "extensions[0].parametersForm.formTitle",
        ),
    ];
    for (extension, field) in bad {
        let refused = set(&server, &made.token, "global", &json!([extension])).await.expect(400);
        assert!(refused.json()["error_description"].as_str().unwrap().starts_with(field), "{}", refused.text());
    }
    let twice = [
        (json!([page("a"), page("b"), page("a")]), "extensions[2].uniqueCode"),
        (json!([issue(), item("Document", json!([])), issue()]), "extensions[2].menuItemUniqueCode"),
        (json!([start("/"), start("/other")]), "extensions[1].className"),
        (json!([homepage("/"), homepage("/other")]), "extensions[1].className"),
    ];
    for (extensions, field) in twice {
        let refused = set(&server, &made.token, "global", &extensions).await.expect(400);
        assert!(refused.json()["error_description"].as_str().unwrap().starts_with(field), "{}", refused.text());
    }
    assert_eq!(shown(&server, &made.token, &made, "").await, json!([]), "what was refused is not kept");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn contexts_that_somebody_does_not_see_stay_hidden() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Pages" })).await;
        let bot = json!([{ "className": "ChatBotUiExtensionIn" }]);
        set(&server, &made.token, "project:key:CLOSED", &bot).await.expect(404);
        set(&server, &made.token, "project:key:NONE", &bot).await.expect(404);
        server.grant(&made.id, "project:key:CLOSED", &["Project.View"]).await;
        set(&server, &made.token, "project:key:CLOSED", &bot).await.expect(200);
        assert_eq!(shown(&server, &made.token, &made, "").await, as_shown(&bot));
        let viewer = server.person("viewer", &["Applications.View"]).await;
        assert_eq!(shown(&server, &viewer, &made, "").await, json!([]));
        let path = format!("/api/http/applications/id:{}/ui-extensions?contextIdentifier=project:key:CLOSED", made.id);
        server.client.get(&path).bearer(&viewer).send().await.expect(404);
        server.running.stop().await;
    }
}
