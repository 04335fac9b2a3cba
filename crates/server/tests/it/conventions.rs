//! The conventions of the HTTP API (wire-protocol 2.2 to 2.10), as real clients spell them.

use serde_json::{Value, json};
use spaceport_testkit::http::{Call, Response};

use crate::harness::{BOTH, Engine, Made, Server, issue, issues};

fn refused(answer: &Response, status: u16, code: &str, words: &str) {
    assert_eq!(answer.status.as_u16(), status, "{words}: {}", answer.text());
    assert_eq!(answer.content_type(), "application/json");
    let body = answer.json();
    let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["error", "error_description"], "{body}");
    assert_eq!(body["error"], code, "{body}");
    assert!(body["error_description"].as_str().unwrap().contains(words), "{words}: {body}");
}

async fn owner(server: &Server) -> Made {
    server.application(json!({ "name": "Owner", "endpointUri": "https://a.example/space" })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_have_one_shape_whatever_their_status() {
    let server = Server::start(Engine::Sqlite).await;
    let made = owner(&server).await;
    let me = "/api/http/applications/me";
    let get = async |path: &str| server.client.get(path).bearer(&made.token).send().await;
    refused(&get("/api/http/applications/id:").await, 400, "validation-error", "application");
    refused(&get(&format!("{me}?$fields=a(")).await, 400, "validation-error", "$fields");
    refused(&server.client.get(me).send().await, 401, "authentication-required", "Sign in");
    refused(
        &server.client.get(me).bearer("unknown").send().await,
        401,
        "authentication-required",
        "Access token is invalid",
    );
    refused(&server.client.get(me).basic("a", "b").send().await, 401, "authentication-required", "Bearer");
    let twice = server.client.get(me).bearer(&made.token).bearer(&made.token).send().await;
    refused(&twice, 400, "request-error", "once");
    refused(&get("/api/http/applications/paged").await, 403, "permission-denied", "Applications.View");
    refused(&get("/api/http/applications/id:unknown").await, 404, "not-found", "id:unknown not found");
    refused(&get("/api/http/applications/me/webhooks/unknown/subscriptions").await, 404, "not-found", "Webhook");
    for path in ["/api", "/api/http/", "/api/http/applications/me/planets", "/API/HTTP/applications/me", "/index.html"]
    {
        refused(&get(path).await, 404, "not-found", "no such operation");
    }
    refused(&server.client.put(me).bearer(&made.token).send().await, 405, "request-error", "method");
    let huge = server.client.patch(me).bearer(&made.token).raw_body(vec![b' '; 1024 * 1024 + 1]).send().await;
    refused(&huge, 413, "payload-too-large", "1048576 bytes");
    let taken = json!({ "name": "Second", "clientId": made.client_id });
    let taken = server.client.post("/api/http/applications").bearer(&server.admin).json(&taken).send().await;
    refused(&taken, 400, "duplicated-entity", &made.client_id);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_read_whatever_they_are_called_and_an_empty_one_is_an_empty_object() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = owner(&server).await;
        let patch = || server.client.patch("/api/http/applications/me").bearer(&made.token);
        let body = json!({ "description": "read" }).to_string();
        let types = [
            "application/json",
            "application/json; charset=utf-8",
            "text/plain",
            "application/x-www-form-urlencoded",
            "text/html",
            "application/octet-stream",
            "nonsense",
            "multipart/form-data; boundary=x",
        ];
        for content_type in types {
            patch().body("application/json", r#"{"description":null}"#).send().await.expect(200);
            let changed = patch().body(content_type, body.clone()).send().await.expect(200).json();
            assert_eq!(changed["description"], "read", "{content_type}");
        }
        assert_eq!(
            patch().raw_body(format!("\u{feff} {body}\n")).send().await.expect(200).json()["description"],
            "read"
        );

        // Nothing changes, and nothing is refused.
        let nothings: [fn(Call) -> Call; 6] = [
            |call| call,
            |call| call.raw_body("{}"),
            |call| call.raw_body(r#"{"$errors":[]}"#),
            |call| call.raw_body(" \n"),
            |call| call.body("application/x-www-form-urlencoded", ""),
            |call| call.raw_body(r#"{"of another version":{"x":[1]}}"#),
        ];
        for nothing in nothings {
            assert_eq!(nothing(patch()).send().await.expect(200).json()["description"], "read");
            let regenerate = server.client.post("/api/http/applications/me/signing-key/regenerate").bearer(&made.token);
            let done = nothing(regenerate).send().await.expect(200);
            assert!(done.body.is_empty(), "void operations answer nothing: {}", done.text());
        }
        // Also bodies where none is expected.
        let get = server.client.get("/api/http/applications/me").bearer(&made.token);
        get.body("application/json", "{}").send().await.expect(200);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_null_and_wrong_are_told_apart() {
    let server = Server::start(Engine::Sqlite).await;
    let made = owner(&server).await;
    let patch = async |body: Value| {
        server.client.patch("/api/http/applications/me").bearer(&made.token).json(&body).send().await
    };
    assert_eq!(patch(json!({ "description": "d" })).await.expect(200).json()["description"], "d");
    assert_eq!(patch(json!({ "name": "Renamed" })).await.expect(200).json()["description"], "d", "absent keeps");
    assert_eq!(
        patch(json!({ "description": null })).await.expect(200).json()["description"],
        Value::Null,
        "null clears"
    );
    for (body, words) in [
        (json!({ "name": null }), "name must not be null"),
        (json!({ "name": 7 }), "name must be a string"),
        (json!({ "name": ["a"] }), "name must be a string"),
        (json!({ "codeFlowEnabled": "true" }), "codeFlowEnabled must be a boolean"),
        (json!({ "appLevelAuth": "Nope" }), "appLevelAuth"),
        (json!([]), "The request must be an object"),
        (json!("x"), "The request must be an object"),
    ] {
        refused(&patch(body).await, 400, "validation-error", words);
    }
    let create =
        async |body: Value| server.client.post("/api/http/applications").bearer(&server.admin).json(&body).send().await;
    refused(&create(json!({})).await, 400, "validation-error", "name is required");
    let unnamed = json!({ "name": "a", "appLevelAuth": { "token": "x" } });
    refused(&create(unnamed).await, 400, "validation-error", "className");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_query_keys_come_raw_and_encoded() {
    let server = Server::start(Engine::Sqlite).await;
    let made = owner(&server).await;
    for path in [
        "me".to_owned(),
        format!("id:{}", made.id),
        format!("id%3A{}", made.id),
        format!("id%3a{}", made.id),
        made.id.clone(),
        format!("clientId:{}", made.client_id),
        format!("clientId%3A{}", made.client_id.replace('-', "%2D")),
    ] {
        for fields in ["$fields=id", "%24fields=id", "%24fields=id%2Cid", "unknown=1&$fields=id&x", "$fields=+id"] {
            let path = format!("/api/http/applications/{path}?{fields}");
            let answer = server.client.get(&path).bearer(&made.token).send().await.expect(200).json();
            assert_eq!(answer, json!({ "id": made.id }), "{path}");
        }
    }
    // Decoded once: what is encoded twice names something else.
    let twice = format!("/api/http/applications/id%253A{}", made.id);
    server.client.get(&twice).bearer(&made.token).send().await.expect(404);
    let slash = "/api/http/applications/id%3Aa%2Fwebhooks";
    refused(&server.client.get(slash).bearer(&made.token).send().await, 404, "not-found", "id:a/webhooks");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_repeat_their_key_and_empty_values_are_absent() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.application(json!({ "name": "One" })).await;
        server.application(json!({ "name": "Two" })).await;
        let list = async |query: &str| {
            server.client.get(&format!("/api/http/applications/paged?{query}")).bearer(&server.admin).send().await
        };
        let count = async |query: &str| list(query).await.expect(200).json()["totalCount"].as_i64().unwrap();
        // The host is an application too.
        assert_eq!(count("").await, 3);
        assert_eq!(count("owner=username:admin").await, 3);
        assert_eq!(count("owner=id%3Anobody&owner=username:admin").await, 3);
        assert_eq!(count("owner=id:nobody&owner=username:nobody").await, 0);
        assert_eq!(count("owner=&name=&ordering=&withArchived=&%24skip=&$top=").await, 3);
        assert_eq!(count("name=one").await, 1);
        assert_eq!(count("name=o&planet=earth").await, 3);
        for (query, words) in [
            ("name=a&name=b", "name must be given once"),
            ("$top=1&%24top=1", "$top must be given once"),
            ("$top=ten", "$top must be a whole number"),
            ("$top=-1", "$top must not be negative"),
            ("withArchived=1", "withArchived must be true or false"),
            ("ordering=SIZE", "ordering must be"),
            ("owner=me&owner=planet:earth", "owner[1]"),
            ("name=%zz", "name has a broken percent escape"),
            ("name=%ff", "name must be UTF-8"),
        ] {
            refused(&list(query).await, 400, "validation-error", words);
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_until_they_are_empty() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        for number in 0..5 {
            server.application(json!({ "name": format!("Paged {number}") })).await;
        }
        let (mut skip, mut names, mut pages) = ("0".to_owned(), Vec::new(), 0);
        loop {
            let query = format!("name=paged&%24skip={skip}&%24top=2&%24fields=%2A%2Cdata%28id%2Cname%29");
            let path = format!("/api/http/applications/paged?{query}");
            let page = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
            skip = page["next"].as_str().unwrap().to_owned();
            assert!(!skip.is_empty(), "a string, also on the last page");
            assert_eq!(page["totalCount"], 5);
            let entries = page["data"].as_array().unwrap();
            if entries.is_empty() {
                break;
            }
            pages += 1;
            assert_eq!(entries[0].as_object().unwrap().len(), 2, "{page}");
            names.extend(entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()));
        }
        assert_eq!((pages, names.len()), (3, 5));
        names.dedup();
        assert_eq!(names, ["Paged 0", "Paged 1", "Paged 2", "Paged 3", "Paged 4"]);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_select_on_every_method_whose_result_has_them() {
    let server = Server::start(Engine::Sqlite).await;
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let create = server.client.post("/api/http/applications?$fields=name,id").bearer(&server.admin);
    let created = create.json(&json!({ "name": "Selected" })).send().await.expect(200).json();
    assert_eq!(keys(&created), ["id", "name"]);
    let made = owner(&server).await;
    let change = server.client.patch("/api/http/applications/me?$fields=description").bearer(&made.token);
    let changed = change.json(&json!({ "description": "d" })).send().await.expect(200).json();
    assert_eq!(changed, json!({ "description": "d" }));
    let hook = json!({ "name": "h", "subscriptions": [issues()] });
    let create =
        server.client.post("/api/http/applications/me/webhooks?$fields=subscriptions(name)").bearer(&made.token);
    let created = create.json(&hook).send().await.expect(200).json();
    assert_eq!(created, json!({ "subscriptions": [{ "name": "issues" }] }));

    let get = async |fields: &str| {
        let path = format!("/api/http/applications/me?$fields={fields}");
        server.client.get(&path).bearer(&made.token).send().await
    };
    let all = server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200).json();
    assert_eq!(get("*").await.expect(200).json(), all, "absent is as if `*` were asked");
    assert_eq!(get("").await.expect(200).json(), all, "empty is absent");
    assert_eq!(get("*,id,id").await.expect(200).json(), all);
    assert_eq!(keys(&all["owner"]), ["id"], "records collapse");
    assert_eq!(keys(&get("owner").await.expect(200).json()["owner"]), ["id"]);
    assert_eq!(keys(&get("owner(username)").await.expect(200).json()["owner"]), ["username"]);
    let auth = get("settings(endpointAuth(appLevelAuth(className)))").await.expect(200).json();
    let expected = json!({ "className": "EndpointAuthRead.PublicKeySignature" });
    assert_eq!(auth["settings"]["endpointAuth"]["appLevelAuth"], expected, "the class of a union stays");
    assert_eq!(get("planet,id").await.expect(200).json(), json!({ "id": made.id }), "unknown names are ignored");
    for wrong in ["a()", "(", "a)", "a,,b", "a!5", "a!0", "%20", ",", "a(b"] {
        refused(&get(wrong).await, 400, "validation-error", "$fields");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_value_is_a_list_of_one() {
    let server = Server::start(Engine::Sqlite).await;
    let owner = owner(&server).await.token;
    let create = async |body: Value| {
        server.client.post("/api/http/applications/me/webhooks").bearer(&owner).json(&body).send().await
    };
    let one = json!({ "name": "one", "acceptedHttpResponseCodes": 404, "subscriptions": { "name": "s", "subscription": {
        "subjectCode": "Issue", "filters": [], "eventTypeCodes": "Issue.Created" } } });
    let made = create(one.clone()).await.expect(200).json();
    assert_eq!(made["acceptedHttpResponseCodes"], json!([404]));
    assert_eq!(made["subscriptions"][0]["subscription"]["eventTypeCodes"], json!(["Issue.Created"]));
    // Null is no list: it would let every event pass, and take all headers away.
    let mut wrong = one;
    wrong["subscriptions"]["subscription"]["filters"] = Value::Null;
    let said = "subscriptions.subscription.filters must be a list or its only element, not null";
    refused(&create(wrong).await, 400, "validation-error", said);
    let path = format!("/api/http/applications/me/webhooks/{}/custom-headers", made["id"].as_str().unwrap());
    let wrong = server.client.post(&path).bearer(&owner).json(&json!({ "headers": null })).send().await;
    refused(&wrong, 400, "validation-error", "headers must be a list or its only element, not null");
    let wrong = json!({ "name": "one", "acceptedHttpResponseCodes": [200, "x"] });
    refused(&create(wrong).await, 400, "validation-error", "acceptedHttpResponseCodes[1] must be");
    let wrong = json!({ "name": "one", "subscriptions": [issues(), { "name": "s", "subscription": { "subjectCode": "Issue", "filters": [] } }] });
    refused(&create(wrong).await, 400, "validation-error", "subscriptions[1].subscription.eventTypeCodes is required");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn identifiers_and_dates_come_in_every_form() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let host = server.host().await;
        let publish = async |key: &str, value: Value| {
            let mut event = issue("formed");
            event.as_object_mut().unwrap().remove("id");
            event[key] = value;
            let call = server.client.post("/api/host/v1/events").bearer(&host);
            call.json(&json!({ "events": [event] })).send().await
        };
        for context in [
            json!("global"),
            json!("project:id:p1"),
            json!("channel:c1"),
            json!({ "className": "GlobalPermissionContextIdentifier" }),
            json!({ "className": "ProjectPermissionContextIdentifier", "project": { "className": "ProjectIdentifier.Id", "id": "p1" } }),
            json!({ "project": "id:p1", "className": "ProjectPermissionContextIdentifier" }),
            json!(null),
        ] {
            publish("context", context).await.expect(202);
        }
        for context in
            [json!(7), json!(""), json!("planet:x"), json!({ "project": "id:p1" }), json!({ "className": "Planet" })]
        {
            refused(&publish("context", context).await, 400, "validation-error", "events[0].context");
        }
        for time in [
            json!("2024-03-05T09:07:00.000Z"),
            json!("2024-03-05T09:07:00Z"),
            json!("2024-03-05T10:07:00.5+01:00"),
            json!({ "iso": "2024-03-05T09:07:00.000Z" }),
            json!({ "timestamp": 1_709_629_620_000_i64 }),
            json!({ "iso": "2024-03-05T09:07:00.000Z", "timestamp": 1_709_629_620_000_i64 }),
            json!(null),
        ] {
            publish("occurredAt", time).await.expect(202);
        }
        for time in
            [json!("yesterday"), json!("2024-03-05"), json!(1_709_629_620_000_i64), json!({}), json!({ "iso": 7 })]
        {
            refused(&publish("occurredAt", time).await, 400, "validation-error", "events[0].occurredAt");
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_describes_itself_under_its_own_url() {
    let server = Server::start(Engine::Sqlite).await;
    let document = server.client.get("/openapi.json").send().await.expect(200).json();
    assert_eq!(document["servers"][0]["url"], server.running.public_url.as_str());
    assert!(document["paths"]["/api/http/applications/{application}"]["get"].is_object());
    let model = server.client.get("/api/http/http-api-model?$fields=dto,enums").send().await.expect(200).json();
    for key in ["dto", "enums", "urlParams", "resources", "menuIds"] {
        assert!(model[key].is_array(), "{key}");
    }
    server.running.stop().await;
}
