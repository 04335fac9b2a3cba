//! The audit trail as administrators read it.

use serde_json::{Value, json};

use crate::harness::{BOTH, Server};

const TRAIL: &str = "/api/host/v1/audit-trail";

async fn ask(server: &Server, query: &str) -> Value {
    server.client.get(&format!("{TRAIL}?{query}")).bearer(&server.admin).send().await.expect(200).json()
}

fn operations(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|entry| entry["operation"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_who_changed_what_through_which_token() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Audited" })).await;
        let secret = format!("/api/http/applications/id:{}/client-secret/regenerate", made.id);
        let answer = server.client.post(&secret).bearer(&server.admin).send().await.expect(200);
        let page =
            ask(&server, &format!("application=id:{}&operation=api.application.client_secret.regenerate", made.id))
                .await;
        let entry = &page["data"][0];
        assert_eq!(page["data"].as_array().unwrap().len(), 1);
        assert_eq!((&entry["actor"]["kind"], &entry["actor"]["name"]), (&json!("Profile"), &json!("Administrator")));
        assert_eq!((&entry["credential"], &entry["token"]["name"]), (&json!("PermanentToken"), &json!("first start")));
        assert_eq!(entry["target"], json!({ "kind": "application", "id": made.id }));
        assert_eq!(entry["application"], json!({ "id": made.id, "name": "Audited" }));
        assert_eq!(entry["changes"], json!([{ "field": "clientSecret", "old": null, "new": null, "secret": true }]));
        assert_eq!(entry["requestId"], answer.header("x-request-id"));
        assert!(entry["at"]["iso"].is_string());

        let secret = server.client.get(&format!("/api/http/applications/id:{}/client-secret", made.id));
        let secret = secret.bearer(&server.admin).send().await.expect(200).json();
        let token = server.token(&made.client_id, secret.as_str().unwrap()).await;
        let webhook = server.webhook(&token, json!({})).await;
        let path = format!("/api/http/applications/me/webhooks/{webhook}");
        server.client.delete(&path).bearer(&token).send().await.expect(200);
        let page = ask(&server, &format!("actorApplication=clientId:{}", made.client_id)).await;
        assert_eq!(operations(&page), ["api.webhook.delete", "api.webhook.create"], "the newest first");
        let entry = &page["data"][0];
        assert_eq!(entry["actor"], json!({ "kind": "Application", "id": made.id, "name": "Audited" }));
        assert_eq!((&entry["credential"], &entry["token"]), (&json!("AccessToken"), &Value::Null));
        assert_eq!(entry["changes"], json!([{ "field": "archived", "old": "false", "new": "true", "secret": false }]));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_filtered_and_walked_page_by_page_while_it_grows() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Busy" })).await;
        let change = async || {
            let path = format!("/api/http/applications/id:{}/signing-key/regenerate", made.id);
            server.client.post(&path).bearer(&server.admin).send().await.expect(200);
        };
        for _ in 0..7 {
            change().await;
        }
        let filter = format!("application=id:{}&operation=api.application.signing_key.regenerate", made.id);
        let all = ask(&server, &filter).await;
        let ids = |page: &Value| -> Vec<String> {
            page["data"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&all).len(), 7);
        let (mut walked, mut next) = (Vec::new(), String::new());
        loop {
            let page = ask(&server, &format!("{filter}&$top=3&$skip={next}")).await;
            if ids(&page).is_empty() {
                break;
            }
            walked.extend(ids(&page));
            next = page["next"].as_str().unwrap().to_owned();
            change().await;
        }
        assert_eq!(walked, ids(&all), "each entry once, although new ones came");

        let at = all["data"][3]["at"]["iso"].as_str().unwrap();
        let (since, until) =
            (ask(&server, &format!("{filter}&since={at}")).await, ask(&server, &format!("{filter}&until={at}")).await);
        assert!(ids(&since).contains(&walked[3]) && !ids(&until).contains(&walked[3]));
        assert_eq!(ids(&since).len() + ids(&until).len(), 10);
        assert_eq!(operations(&ask(&server, "targetKind=profile").await), ["server.first_start"]);
        assert_eq!(
            ids(&ask(&server, &format!("target={}&$top=1000", made.id)).await).len(),
            ids(&ask(&server, &format!("application=id:{}", made.id)).await).len()
        );
        assert_eq!(ids(&ask(&server, "application=clientId:nobody").await).len(), 0);
        assert!(ids(&ask(&server, "profile=username:admin").await).contains(&walked[0]));
        assert_eq!(ids(&ask(&server, "profile=id:nobody").await).len(), 0);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_for_administrators_alone_and_names_wrong_filters() {
    let server = Server::start(BOTH[0]).await;
    let made = server.application(json!({ "name": "Curious" })).await;
    server.client.get(TRAIL).send().await.expect(401);
    server.client.get(TRAIL).bearer(&made.token).send().await.expect(403);
    server.client.get(TRAIL).bearer(&server.host().await).send().await.expect(403);
    for query in [
        "since=soon",
        "application=planet:earth",
        "profile=planet:earth",
        "$top=-1",
        "profile=me&actorApplication=id:a",
    ] {
        let refused =
            server.client.get(&format!("{TRAIL}?{query}")).bearer(&server.admin).send().await.expect(400).json();
        let name = query.split('=').next().unwrap();
        assert!(refused["error_description"].as_str().unwrap().contains(name), "{refused}");
    }
    server.running.stop().await;
}
