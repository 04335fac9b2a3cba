//! Applications: created, read, listed, changed, archived.

use serde_json::{Value, json};

use crate::harness::{BOTH, Server};

#[tokio::test(flavor = "multi_thread")]
async fn applications_live_through_their_whole_life() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        creation_has_the_documented_defaults(&server).await;
        fields_select(&server).await;
        secrets_are_json_strings(&server).await;
        lists_are_paged(&server).await;
        patches_keep_clear_and_refuse(&server).await;
        bad_creations_name_the_field(&server).await;
        applications_see_only_themselves(&server).await;
        archiving_ends_everything(&server).await;
        server.running.stop().await;
    }
}

async fn creation_has_the_documented_defaults(server: &Server) {
    let made = server.application(json!({ "name": "  First  ", "$errors": [] })).await;
    let read = server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200).json();
    assert_eq!(read["name"], "First");
    assert_eq!(read["settings"]["clientCredentialsFlowEnabled"], true);
    assert_eq!(read["settings"]["codeFlowEnabled"], false);
    assert_eq!(read["settings"]["endpoint"], json!({ "url": null, "sslVerification": true }));
    assert_eq!(
        read["settings"]["endpointAuth"]["appLevelAuth"],
        json!({ "className": "EndpointAuthRead.PublicKeySignature" })
    );
    assert_eq!(read["hasPublicKeySignature"], true);
    assert_eq!(read["archived"], false);
    assert_eq!(read["description"], Value::Null);
    assert!(read["createdAt"]["iso"].as_str().unwrap().ends_with('Z'));
    assert_eq!(read["owner"].as_object().unwrap().keys().collect::<Vec<_>>(), ["id"]);
    assert!(read.get("domains").is_none(), "extension lists come only when named");
    for path in
        [format!("clientId%3A{}", made.client_id), format!("clientId:{}", made.client_id), format!("id:{}", made.id)]
    {
        let same =
            server.client.get(&format!("/api/http/applications/{path}")).bearer(&made.token).send().await.expect(200);
        assert_eq!(same.json()["id"], read["id"]);
    }
}

async fn fields_select(server: &Server) {
    let made = server.application(json!({ "name": "Selected" })).await;
    let read = async |fields: &str| {
        let path = format!("/api/http/applications/me?{fields}");
        server.client.get(&path).bearer(&made.token).send().await
    };
    let chosen = read("%24fields=id,owner(username,name(firstName)),domains,planet").await.expect(200).json();
    let expected = json!({ "id": made.id, "owner": { "username": "admin", "name": { "firstName": "Administrator" } }, "domains": [] });
    assert_eq!(sorted(&chosen), sorted(&expected));
    let refused = read("$fields=id(").await.expect(400).json();
    assert_eq!(refused["error"], "validation-error");
    assert!(refused["error_description"].as_str().unwrap().starts_with("$fields"), "{refused}");
    read(&format!("$fields={}", "a(".repeat(20_000))).await.expect(400);
}

fn sorted(value: &Value) -> String {
    let mut keys: Vec<_> = value.as_object().unwrap().iter().map(|(key, value)| format!("{key}={value}")).collect();
    keys.sort();
    keys.join("&")
}

async fn secrets_are_json_strings(server: &Server) {
    let made = server.application(json!({ "name": "Secretive" })).await;
    let path = "/api/http/applications/me";
    let key =
        async || server.client.get(&format!("{path}/signing-key")).bearer(&made.token).send().await.expect(200).json();
    let first = key().await;
    assert_eq!(first.as_str().unwrap().len(), 64);
    let done =
        server.client.post(&format!("{path}/signing-key/regenerate")).bearer(&made.token).send().await.expect(200);
    assert_eq!(done.text(), "");
    assert_ne!(key().await, first);
    let keys = server.client.get(&format!("{path}/public-keys")).bearer(&made.token).send().await.expect(200).json();
    let keys: Value = serde_json::from_str(keys.as_str().unwrap()).unwrap();
    assert_eq!(keys["keys"][0]["alg"], "RS512");
    assert_eq!(keys["keys"][0]["use"], "sig");
    server.client.post(&format!("{path}/client-secret/regenerate")).bearer(&made.token).send().await.expect(200);
    let refused = server.client.get(path).bearer(&made.token).send().await.expect(401).json();
    assert_eq!(refused["error_description"], "Access token is invalid", "a new secret ends the tokens of the old one");
    let form = [("grant_type", "client_credentials")];
    server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await.expect(401);
}

async fn lists_are_paged(server: &Server) {
    for index in 0..5 {
        server.application(json!({ "name": format!("Paged {index}") })).await;
    }
    let list = async |query: &str| {
        let path = format!("/api/http/applications/paged?{query}");
        server.client.get(&path).bearer(&server.admin).send().await.expect(200).json()
    };
    let first = list("name=PAGED&$top=2&$skip=0&ordering=&%24fields=*,data(name)").await;
    assert_eq!(first["data"], json!([{ "name": "Paged 0" }, { "name": "Paged 1" }]));
    assert_eq!(first["totalCount"], 5);
    let last = list("name=paged&$skip=5").await;
    assert_eq!(last, json!({ "next": "5", "totalCount": 5, "data": [] }), "numbers are taken, too");
    let backwards = list("name=paged&ordering=NAME_Z_TO_A&$top=1").await;
    assert_eq!(backwards["data"][0]["name"], "Paged 4");
    assert_eq!(list("owner=username:nobody&owner=id:x").await["totalCount"], 0);
    for query in ["$skip=x", "$top=-1", "$top=many", "ordering=UPSIDE_DOWN", "withArchived=maybe", "owner=planet:earth"]
    {
        let path = format!("/api/http/applications/paged?{query}");
        let refused = server.client.get(&path).bearer(&server.admin).send().await.expect(400).json();
        let name = query.split('=').next().unwrap();
        assert!(refused["error_description"].as_str().unwrap().contains(name), "{refused}");
    }
}

async fn patches_keep_clear_and_refuse(server: &Server) {
    let made = server
        .application(json!({ "name": "Patched", "description": "kept", "endpointUri": "https://a.example/x" }))
        .await;
    let patch = async |body: Value| {
        server.client.patch("/api/http/applications/me").bearer(&made.token).json(&body).send().await
    };
    let changed = patch(json!({ "name": "Renamed" })).await.expect(200).json();
    assert_eq!((&changed["name"], &changed["description"]), (&json!("Renamed"), &json!("kept")));
    let cleared = patch(json!({ "description": null, "endpointUri": null })).await.expect(200).json();
    assert_eq!((&cleared["description"], &cleared["endpointURI"]), (&Value::Null, &Value::Null));
    let basic = json!({ "appLevelAuth": "Basic", "basicAuthUsername": "u", "basicAuthPassword": "p" });
    let switched = patch(basic).await.expect(200).json();
    assert_eq!(
        switched["settings"]["endpointAuth"]["appLevelAuth"],
        json!({ "className": "EndpointAuthRead.Basic", "username": "u" })
    );
    let ignored =
        patch(json!({ "id": "x", "clientId": "stolen", "archived": true, "owner": "x" })).await.expect(200).json();
    assert_eq!((&ignored["clientId"], &ignored["archived"]), (&json!(made.client_id), &json!(false)));
    for body in [
        json!({ "name": "" }),
        json!({ "name": null }),
        json!({ "name": 7 }),
        json!({ "clientSecret": "short" }),
        json!({ "endpointUri": "http://10.0.0.1/" }),
        json!({ "endpointUri": "javascript:alert(1)" }),
        json!({ "appLevelAuth": "Bearer" }),
        json!({ "sslKeystoreAuth": "none" }),
    ] {
        let refused = patch(body.clone()).await.expect(400).json();
        assert_eq!(refused["error"], "validation-error");
        let field = body.as_object().unwrap().keys().next().unwrap().clone();
        let description = refused["error_description"].as_str().unwrap();
        assert!(description.contains(&field) || description.starts_with("bearerAuthToken"), "{field}: {description}");
    }
}

async fn bad_creations_name_the_field(server: &Server) {
    server.application(json!({ "name": "Taken", "clientId": "taken" })).await;
    for (body, code, field) in [
        (json!({}), "validation-error", "name"),
        (json!({ "name": "x".repeat(201) }), "validation-error", "name"),
        (json!({ "name": "\u{200b}\u{feff}" }), "validation-error", "name"),
        (json!({ "name": "Bank\u{202e}gpj" }), "validation-error", "name"),
        (json!({ "name": "x", "clientId": "a b" }), "validation-error", "clientId"),
        (json!({ "name": "x", "clientId": "taken" }), "duplicated-entity", "client id"),
        (json!({ "name": "x", "connectToSpace": true }), "validation-error", "connectToSpace"),
        (
            json!({ "name": "x", "codeFlowRedirectURIs": "https://a.example/#f" }),
            "validation-error",
            "codeFlowRedirectURIs",
        ),
        (json!({ "name": "x", "appLevelAuth": { "className": "Planet" } }), "validation-error", "appLevelAuth"),
        (json!({ "name": "x", "endpointUri": "http://[::1]/" }), "validation-error", "endpointUri"),
    ] {
        let refused = server
            .client
            .post("/api/http/applications")
            .bearer(&server.admin)
            .json(&body)
            .send()
            .await
            .expect(400)
            .json();
        assert_eq!(refused["error"], code, "{refused}");
        assert!(refused["error_description"].as_str().unwrap().contains(field), "{field}: {refused}");
    }
}

async fn applications_see_only_themselves(server: &Server) {
    let (one, two) =
        (server.application(json!({ "name": "One" })).await, server.application(json!({ "name": "Two" })).await);
    let get = async |path: String, token: &str| server.client.get(&path).bearer(token).send().await;
    let hidden = get(format!("/api/http/applications/id:{}", two.id), &one.token).await.expect(404).json();
    let unknown = get("/api/http/applications/id:unknown".to_owned(), &one.token).await.expect(404).json();
    let text = |value: &Value| value["error_description"].as_str().unwrap().replace(&two.id, "unknown");
    assert_eq!(text(&hidden), text(&unknown), "nothing tells whether it exists");
    get(format!("/api/http/applications/id:{}/client-secret", two.id), &one.token).await.expect(404);
    get("/api/http/applications/paged".to_owned(), &one.token).await.expect(403);
    server.client.get("/api/http/applications/me").send().await.expect(401);
    get("/api/http/applications/me".to_owned(), &server.admin).await.expect(400);
}

async fn archiving_ends_everything(server: &Server) {
    let made = server.application(json!({ "name": "Doomed" })).await;
    server.client.delete("/api/http/applications/me").bearer(&made.token).send().await.expect(200);
    let refused = server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(401).json();
    assert_eq!(refused["error_description"], "Access token is invalid");
    let form = [("grant_type", "client_credentials")];
    server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await.expect(401);
    let path = format!("/api/http/applications/id:{}", made.id);
    let kept = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
    assert_eq!(kept["archived"], true);
    let list = server.client.get("/api/http/applications/paged?name=Doomed").bearer(&server.admin).send().await.json();
    assert_eq!(list["totalCount"], 0);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(400);
}
