//! Parts of answers that a caller may not see: left out, and named where he asked for them.

use serde_json::{Value, json};
use spaceport_platform::application::SecretKind;
use spaceport_platform::id::ProfileId;
use spaceport_store::StoreError;

use crate::cases::unfurl_targets::ask;
use crate::harness::{BOTH, Server};

async fn get(server: &Server, token: &str, path: &str) -> Value {
    server.client.get(&format!("/api/http/{path}")).bearer(token).send().await.expect(200).json()
}

fn inaccessible(fields: &[&str]) -> Value {
    let quoted: Vec<String> = fields.iter().map(|field| format!("'{field}'")).collect();
    let message = format!("Could not access following fields: {}.", quoted.join(", "));
    json!([{ "className": "HA_InlineError.InaccessibleFields", "fields": fields, "message": message }])
}

/// Gives the administrator an address, and answers his username.
async fn address_of_admin(server: &Server) {
    let admin = get(server, &server.admin, "team-directory/profiles/username:admin").await;
    let id = ProfileId::new(admin["id"].as_str().unwrap());
    let host = server.host().await;
    let body = json!({ "username": "admin", "emails": ["admin@example.org"] });
    let path = format!("/api/host/v1/directory/profiles/{id}");
    server.client.put(&path).bearer(&host).json(&body).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_learns_of_its_maker_no_more_than_its_id() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let body = json!({ "name": "Parent", "endpointUri": "https://internal.example/secret-path", "description": "private",
            "email": "ops@corp.example", "appLevelAuth": { "className": "EndpointAuthCreate.Basic", "username": "svc", "password": "x" } });
        let parent = server.application(body).await;
        server.grant(&parent.id, "global", &["Applications.Create"]).await;
        let child = server.client.post("/api/http/applications").bearer(&parent.token).json(&json!({ "name": "Kid" }));
        let child = child.send().await.expect(200).json();
        let id = child["id"].as_str().unwrap().to_owned();
        let stored = server.running.store().read(move |tx| tx.secret(&id, SecretKind::ClientSecret)).await;
        let secret = stored.map_err(|error: StoreError| error.to_string()).unwrap().unwrap();
        let token = server.token(child["clientId"].as_str().unwrap(), secret.reveal()).await;

        let fields = "ownerApp(id,name,endpointURI,settings)";
        let shown = get(&server, &token, &format!("applications/me?$fields={fields}")).await;
        let errors = inaccessible(&["endpointURI", "name", "settings"]);
        assert_eq!(shown, json!({ "ownerApp": { "id": parent.id, "$errors": errors } }));
        assert_eq!(get(&server, &token, "applications/me").await["ownerApp"], json!({ "id": parent.id }));
        for text in ["secret-path", "private", "ops@corp", "svc", "admin"] {
            let all = "applications/me?$fields=*,ownerApp(*,description,email,owner(*),settings(*),domains,contexts)";
            assert!(!get(&server, &token, all).await.to_string().contains(text), "{text}");
        }
        // The maker itself, and whoever may view it, sees it whole.
        for token in [&parent.token, &server.admin] {
            let path = format!("applications/id:{}?$fields={fields}", child["id"].as_str().unwrap());
            let shown = get(&server, token, &path).await;
            assert_eq!(shown["ownerApp"]["endpointURI"], "https://internal.example/secret-path");
            assert_eq!(shown["ownerApp"]["$errors"], Value::Null);
        }
        // Nor does who decided about a right tell more of himself.
        server.grant(&parent.id, "global", &["Superadmin", "Applications.View", "Profile.View"]).await;
        let asking = server.application(json!({ "name": "Asking" })).await;
        let rights = format!("/api/http/applications/id:{}/authorizations/authorized-rights", asking.id);
        let updates = json!([{ "rightCode": "Profile.View", "status": "GRANTED" }]);
        let body = json!({ "contextIdentifier": "global", "updates": updates });
        server.client.patch(&rights).bearer(&parent.token).json(&body).send().await.expect(200);
        let rights = "applications/me/authorizations/authorized-rights?contextIdentifier=global\
                      &$fields=modificationAuthor(name,details(app(id,endpointURI)))";
        let author = &get(&server, &asking.token, rights).await[0]["modificationAuthor"];
        assert_eq!(author["name"], "Parent");
        assert_eq!(author["details"]["app"], json!({ "id": parent.id, "$errors": inaccessible(&["endpointURI"]) }));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_the_same_wherever_a_person_is_shown() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        address_of_admin(&server).await;
        let viewer = server.application(json!({ "name": "Viewing" })).await;
        server.grant(&viewer.id, "global", &["Applications.View", "Profile.View.Basic"]).await;
        let made = server.application(json!({ "name": "Owned" })).await;
        ask(&server, &made.token, json!(["a.example"])).await;
        let answer = json!({ "domains": ["a.example"], "approve": true });
        let path = format!("/api/http/applications/id:{}/unfurl-domains/authorize", made.id);
        server.client.post(&path).bearer(&server.admin).json(&answer).send().await.expect(200);
        let owned = format!("applications/id:{}", made.id);
        let domain = "modificationAuthor(details(user(username,emails(email))))";
        for (path, at) in [
            ("team-directory/profiles/username:admin?$fields=username,emails(email)".to_owned(), ""),
            (format!("{owned}?$fields=owner(username,emails(email))"), "/owner"),
            ("applications/paged?name=Owned&$fields=data(owner(username,emails(email)))".to_owned(), "/data/0/owner"),
            (format!("{owned}/unfurl-domains?$fields={domain}"), "/0/modificationAuthor/details/user"),
            (format!("{owned}?$fields=domains({domain})"), "/domains/0/modificationAuthor/details/user"),
        ] {
            let shown = get(&server, &server.admin, &path).await;
            let expected = json!({ "username": "admin", "emails": [{ "email": "admin@example.org" }] });
            assert_eq!(shown.pointer(at), Some(&expected), "{path}: {shown}");
            let shown = get(&server, &viewer.token, &path).await;
            let expected = json!({ "username": "admin", "$errors": inaccessible(&["emails"]) });
            assert_eq!(shown.pointer(at), Some(&expected), "{path}: {shown}");
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_brought_about_a_target_is_the_same_with_the_application_and_alone() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Previews" })).await;
        ask(&server, &made.token, json!(["a.example"])).await;
        let fields = "domain,status,modificationAuthor(name,details(className,app(id,name))),modificationTimestamp";
        for token in [&made.token, &server.admin] {
            let path = format!("applications/id:{}", made.id);
            let alone = get(&server, token, &format!("{path}/unfurl-domains?$fields={fields}")).await;
            let within = get(&server, token, &format!("{path}?$fields=domains({fields})")).await;
            assert_eq!(alone, within["domains"]);
            assert_eq!(alone[0]["modificationAuthor"]["details"]["app"], json!({ "id": made.id, "name": "Previews" }));
        }
        server.running.stop().await;
    }
}
