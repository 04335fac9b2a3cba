//! Settings of applications: every argument of creation and change, what is refused, what the audit trail keeps.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use spaceport_platform::application::{Application, SecretKind};
use spaceport_platform::connection::{Connection, Uninstallation, UninstallationStatus};
use spaceport_platform::id::ApplicationId;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use spaceport_store::{AuditFilter, StoreError, Tx};
use spaceport_testkit::http::Response;
use spaceport_testkit::receiver::Receiver;

use crate::harness::{BOTH, Engine, Made, Server, issue};

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_taken_shown_changed_and_recorded() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        every_argument_of_creation_is_shown_again(&server).await;
        old_and_new_ways_choose_the_same_method(&server).await;
        bad_arguments_are_named(&server).await;
        null_clears_or_is_refused(&server).await;
        foreign_fields_change_nothing(&server).await;
        the_audit_trail_keeps_both_values_but_no_secret(&server).await;
        a_connected_application_changes_itself_alone(&server).await;
        server.running.stop().await;
    }
}

async fn create(server: &Server, body: &Value) -> Response {
    server.client.post("/api/http/applications").bearer(&server.admin).json(body).send().await
}

async fn patch(server: &Server, made: &Made, body: &Value) -> Response {
    server.client.patch("/api/http/applications/me").bearer(&made.token).json(body).send().await
}

async fn every_argument_of_creation_is_shown_again(server: &Server) {
    let uris = "https://a.example/cb\nhttp://127.0.0.1:8080/cb\ncom.example.tool:/cb";
    let body = json!({
        "name": "Full", "description": "Zweck ✓", "defaultExternalPicture": "https://a.example/icon.png",
        "email": "full@a.example", "clientId": "full-client", "clientSecret": "0123456789abcdef0123456789abcdef",
        "clientCredentialsFlowEnabled": false, "codeFlowEnabled": true, "codeFlowRedirectURIs": uris,
        "publicClientsAllowed": true, "implicitFlowEnabled": true, "implicitFlowRedirectURIs": "https://a.example/i",
        "endpointUri": "https://a.example/space", "endpointSslVerification": false,
        "appLevelAuth": { "className": "EndpointAuthCreate.Basic", "username": "u", "password": "p" },
        "connectToSpace": false, "state": "ignored without connecting", "featuredIntegrationType": "Jenkins",
    });
    let made = create(server, &body).await.expect(200).json();
    let same = [
        "name",
        "description",
        "defaultExternalPicture",
        "email",
        "clientId",
        "clientCredentialsFlowEnabled",
        "codeFlowEnabled",
        "codeFlowRedirectURIs",
        "implicitFlowEnabled",
        "implicitFlowRedirectURIs",
        "endpointSslVerification",
    ];
    for field in same {
        assert_eq!(made[field], body[field], "{field}");
    }
    let expected = json!({
        "clientCredentialsFlowEnabled": false, "codeFlowEnabled": true, "codeFlowRedirectURIs": uris, "pkceRequired": true,
        "publicClientsAllowed": true, "implicitFlowEnabled": true, "implicitFlowRedirectURIs": "https://a.example/i",
        "endpoint": { "url": "https://a.example/space", "sslVerification": false },
        "endpointAuth": { "appLevelAuth": { "className": "EndpointAuthRead.Basic", "username": "u" },
            "sslKeystore": null, "verificationToken": false },
        "externalIssueTrackerDomain": null,
    });
    assert_eq!(made["settings"], expected);
    assert_eq!((&made["endpointURI"], &made["basicAuthUsername"]), (&json!("https://a.example/space"), &json!("u")));
    assert_eq!(made["applicationType"], "FeaturedIntegration");
    let metadata = json!({ "className": "FeaturedIntegrationAppMetadata", "type": "Jenkins", "connectionStatus": null,
        "uninstallationStatus": null, "uninstallationStartedAt": null });
    assert_eq!(made["metadata"], metadata);
    assert!(made.get("clientSecret").is_none() && !made.to_string().contains("0123456789abcdef"));
    let path = format!("/api/http/applications/id:{}/client-secret", made["id"].as_str().unwrap());
    let secret = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
    assert_eq!(secret, body["clientSecret"]);
}

async fn old_and_new_ways_choose_the_same_method(server: &Server) {
    let method = |found: &Value| found["settings"]["endpointAuth"]["appLevelAuth"]["className"].clone();
    for (body, expected) in [
        (json!({}), "PublicKeySignature"),
        (json!({ "appLevelAuth": null }), "PublicKeySignature"),
        (json!({ "appLevelAuth": { "className": "EndpointAuthCreate.PublicKeySignature" } }), "PublicKeySignature"),
        (json!({ "appLevelAuth": { "className": "EndpointAuthCreate.SigningKey", "x": 1 } }), "SigningKey"),
        (json!({ "hasSigningKey": true }), "SigningKey"),
        (json!({ "hasSigningKey": true, "hasPublicKeySignature": true }), "PublicKeySignature"),
        (json!({ "hasSigningKey": false, "hasPublicKeySignature": false }), "PublicKeySignature"),
        (json!({ "bearerAuthToken": "t" }), "Bearer"),
        (json!({ "basicAuthUsername": "u", "basicAuthPassword": "p", "bearerAuthToken": "t" }), "Basic"),
        (
            json!({ "hasSigningKey": true, "appLevelAuth": { "className": "EndpointAuthCreate.Bearer", "token": "t" } }),
            "Bearer",
        ),
    ] {
        let mut whole = json!({ "name": "Method" });
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let made = create(server, &whole).await.expect(200).json();
        assert_eq!(method(&made), json!(format!("EndpointAuthRead.{expected}")), "{body}");
    }
    let made = server.application(json!({ "name": "Switched" })).await;
    for (body, expected) in [
        (json!({ "appLevelAuth": "SigningKey" }), "SigningKey"),
        (json!({ "description": "kept" }), "SigningKey"),
        (json!({ "hasSigningKey": false }), "PublicKeySignature"),
        (json!({ "hasSigningKey": true }), "SigningKey"),
        (json!({ "hasPublicKeySignature": true }), "PublicKeySignature"),
        (json!({ "bearerAuthToken": "t" }), "Bearer"),
        (json!({ "appLevelAuth": "Basic", "basicAuthUsername": "u", "basicAuthPassword": "p" }), "Basic"),
        (json!({ "appLevelAuth": null, "basicAuthUsername": null }), "Basic"),
        (json!({ "appLevelAuth": "PublicKeySignature", "bearerAuthToken": "t" }), "PublicKeySignature"),
    ] {
        let changed = patch(server, &made, &body).await.expect(200).json();
        assert_eq!(method(&changed), json!(format!("EndpointAuthRead.{expected}")), "{body}");
        for (flag, name) in [
            ("hasSigningKey", "SigningKey"),
            ("hasPublicKeySignature", "PublicKeySignature"),
            ("hasBearerToken", "Bearer"),
        ] {
            assert_eq!(changed[flag], json!(expected == name), "{body}: {flag}");
        }
    }
    let path = "/api/http/applications/me/bearer-token";
    let none = server.client.get(path).bearer(&made.token).send().await.expect(200);
    assert_eq!(none.text(), "null", "a bearer token that is not used any more is not shown");
}

async fn bad_arguments_are_named(server: &Server) {
    let long = "x".repeat(5_000);
    let icon = |url: &str| ("defaultExternalPicture", json!(url));
    let uri = |uri: &str| ("codeFlowRedirectURIs", json!(uri));
    let made = server.application(json!({ "name": "Strict" })).await;
    for (field, value) in [
        ("name", json!(" ")),
        ("name", json!("a\nb")),
        ("name", json!(long)),
        ("description", json!(long)),
        ("clientSecret", json!("0123456789abcdef0123456789abcde")),
        ("clientSecret", json!(format!("with a blank {}", "x".repeat(32)))),
        ("endpointUri", json!("ftp://a.example")),
        ("endpointUri", json!("https://user:pw@a.example")),
        ("endpointUri", json!("http://169.254.169.254/latest")),
        ("endpointUri", json!(format!("https://a.example/{long}"))),
        ("endpointSslVerification", json!(false)),
        ("sslKeystoreAuth", json!("unknown")),
        ("pictureAttachmentId", json!("unknown")),
        ("publicClientsAllowed", json!("yes")),
        ("hasSigningKey", json!(1)),
        icon("javascript:alert(1)"),
        icon("data:image/svg+xml,<svg/>"),
        icon("//a.example/icon.png"),
        icon("icon.png"),
        icon("https://user@a.example/icon.png"),
        icon("file:///etc/passwd"),
        uri("/relative"),
        uri("https://a.example/cb\nhttps://*.example/cb"),
        uri("https://a.example/cb#fragment"),
        uri("http://a.example/cb"),
        ("implicitFlowRedirectURIs", json!("javascript:alert(1)")),
    ] {
        let mut body = json!({ "name": "Bad" });
        body[field] = value.clone();
        for answer in [create(server, &body).await, patch(server, &made, &json!({ field: value })).await] {
            let refused = answer.expect(400).json();
            assert_eq!(refused["error"], "validation-error", "{refused}");
            assert!(refused["error_description"].as_str().unwrap().contains(field), "{field} {value}: {refused}");
        }
    }
    for (body, words) in [
        (json!({ "name": "x", "connectToSpace": true }), "connectToSpace"),
        (json!({ "name": "x", "email": "no address" }), "email"),
        (json!({ "name": "x", "email": "@@@" }), "email"),
        (json!({ "name": "x", "email": "a\r\nb@c.d" }), "email"),
        (json!({ "name": "x", "featuredIntegrationType": "Nothing" }), "featuredIntegrationType"),
        (json!({ "name": "x", "basicAuthUsername": "u" }), "basicAuthPassword"),
        (json!({ "name": "x", "basicAuthPassword": "p" }), "basicAuthUsername"),
        (json!({ "name": "x", "publicClientsAllowed": true, "pkceRequired": false }), "pkceRequired"),
        (json!({ "name": "x", "appLevelAuth": { "className": "EndpointAuthCreate.Bearer" } }), "appLevelAuth"),
        (
            json!({ "name": "x", "appLevelAuth": { "className": "EndpointAuthCreate.Basic", "username": "a:b", "password": "p" } }),
            "username",
        ),
    ] {
        let refused = create(server, &body).await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().contains(words), "{words}: {refused}");
    }
    let untouched = server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200).json();
    assert_eq!(untouched["name"], "Strict");
}

async fn null_clears_or_is_refused(server: &Server) {
    let made = server
        .application(json!({
            "name": "Nulled", "description": "d", "defaultExternalPicture": "https://a.example/i.png", "codeFlowRedirectURIs":
            "https://a.example/cb", "implicitFlowRedirectURIs": "https://a.example/i", "endpointUri": "https://a.example/x",
        }))
        .await;
    let kept = patch(server, &made, &json!({})).await.expect(200).json();
    for (argument, field) in [
        ("description", "description"),
        ("defaultExternalPicture", "defaultExternalPicture"),
        ("codeFlowRedirectURIs", "codeFlowRedirectURIs"),
        ("implicitFlowRedirectURIs", "implicitFlowRedirectURIs"),
        ("endpointUri", "endpointURI"),
    ] {
        assert!(kept[field].is_string(), "{field} is kept when absent");
        let cleared = patch(server, &made, &json!({ argument: null })).await.expect(200).json();
        assert_eq!(cleared[field], Value::Null, "{argument}");
    }
    for argument in ["sslKeystoreAuth", "pictureAttachmentId"] {
        patch(server, &made, &json!({ argument: null })).await.expect(200);
    }
    for argument in [
        "name",
        "clientSecret",
        "clientCredentialsFlowEnabled",
        "codeFlowEnabled",
        "pkceRequired",
        "publicClientsAllowed",
        "implicitFlowEnabled",
        "endpointSslVerification",
        "hasVerificationToken",
        "hasPublicKeySignature",
        "hasSigningKey",
    ] {
        let refused = patch(server, &made, &json!({ argument: null })).await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().starts_with(argument), "{refused}");
    }
    let public = patch(server, &made, &json!({ "publicClientsAllowed": true })).await.expect(200).json();
    assert_eq!(public["settings"]["pkceRequired"], true, "public clients bring PKCE with them");
    patch(server, &made, &json!({ "pkceRequired": false })).await.expect(400);
}

/// Mass assignment (security, classes of attack).
async fn foreign_fields_change_nothing(server: &Server) {
    let foreign = json!({
        "id": "x", "clientId": "y", "archived": true, "createdAt": "2000-01-01T00:00:00Z", "owner": "id:x", "ownerApp": "id:x",
        "kind": "x", "managed": true, "applicationType": "InternalApp", "presentableName": "x", "errorMessage": "x",
        "lastAccess": {}, "metadata": { "className": "MarketplaceAppMetadata" }, "settings": { "codeFlowEnabled": true },
        "className": "ES_App", "tokens_not_before": 0, "revision": 7, "email": "x@a.example", "grants": ["Superadmin"],
    });
    let made = server.application(json!({ "name": "Plain" })).await;
    let read =
        async || server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200).json();
    let before = read().await;
    patch(server, &made, &foreign).await.expect(200);
    assert_eq!(read().await, before);
    let mut body = foreign.clone();
    body["name"] = json!("Created");
    for argument in ["clientId", "email"] {
        body.as_object_mut().unwrap().remove(argument);
    }
    let created = create(server, &body).await.expect(200).json();
    for field in
        ["kind", "applicationType", "presentableName", "errorMessage", "metadata", "archived", "owner", "settings"]
    {
        assert_eq!(created[field], before[field], "{field}");
    }
    assert_ne!(created["id"], "x");
}

async fn the_audit_trail_keeps_both_values_but_no_secret(server: &Server) {
    let made =
        server.application(json!({ "name": "Before", "clientSecret": "first-secret-0123456789abcdef0123" })).await;
    let body = json!({ "name": "After", "clientSecret": "second-secret-0123456789abcdef012", "bearerAuthToken": "third-secret",
        "hasVerificationToken": true });
    patch(server, &made, &body).await.expect(200);
    let path = format!("/api/http/applications/id:{}", made.id);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
    server.client.post(&format!("{path}/restore")).bearer(&server.admin).send().await.expect(200);
    let id = ApplicationId::new(made.id.as_str());
    let filter = AuditFilter { application: Some(id), ..AuditFilter::default() };
    let found = server.running.store().read(move |tx| tx.audit_entries(&filter, None, 100)).await;
    let mut entries = found.map_err(|error: StoreError| error.to_string()).unwrap();
    entries.reverse();
    let operations: Vec<_> = entries.iter().map(|entry| entry.operation.as_ref()).collect();
    let expected =
        ["api.application.create", "api.application.update", "api.application.delete", "api.application.restore"];
    assert_eq!(operations, expected);
    let update: Vec<_> =
        entries[1].changes.iter().map(|c| (c.field.as_ref(), c.old.as_deref(), c.new.as_deref(), c.secret)).collect();
    let expected = [
        ("name", Some("Before"), Some("After"), false),
        ("appLevelAuth", Some("public_key"), Some("bearer"), false),
        ("hasVerificationToken", Some("false"), Some("true"), false),
        ("clientSecret", None, None, true),
        ("bearerAuthToken", None, None, true),
        ("verificationToken", None, None, true),
    ];
    assert_eq!(update, expected);
    assert_eq!(entries[3].changes[0].new.as_deref(), Some("false"));
    let whole = format!("{entries:?}");
    assert!(!whole.contains("-secret"), "{whole}");
}

/// Tied to a server elsewhere, as an installation leaves it.
async fn connect(server: &Server, made: &Made, change: fn(&mut Application)) {
    let id = ApplicationId::new(made.id.as_str());
    let stored = server.running.store().write(move |tx: &mut Tx<'_>| {
        let mut application = tx.application(&id)?.unwrap();
        change(&mut application);
        tx.update_application(&application)
    });
    stored.await.map_err(|error: StoreError| error.to_string()).unwrap();
}

async fn a_connected_application_changes_itself_alone(server: &Server) {
    let made = server.application(json!({ "name": "Connected" })).await;
    connect(server, &made, |application| application.connection = Some(Connection::default())).await;
    let path = format!("/api/http/applications/id:{}", made.id);
    let by_admin = server.client.patch(&path).bearer(&server.admin).json(&json!({ "name": "Taken" })).send().await;
    assert_eq!(by_admin.expect(403).json()["error"], "permission-denied");
    let changed = patch(server, &made, &json!({ "name": "Own" })).await.expect(200).json();
    assert_eq!(changed["metadata"]["className"], "AdHocConnectedAppMetadata");
    let force = async || server.client.post(&format!("{path}/force-remove")).bearer(&server.admin).send().await;
    force().await.expect(400);
    connect(server, &made, |application| {
        let uninstallation =
            Uninstallation { status: UninstallationStatus::Retrying, started_at: Timestamp::from_millis(5) };
        application.connection = Some(Connection {
            marketplace_id: Some("m".to_owned()),
            uninstallation: Some(uninstallation),
            ..Connection::default()
        });
    })
    .await;
    let shown = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
    assert_eq!(
        (&shown["applicationType"], &shown["metadata"]["marketplaceAppId"]),
        (&json!("MarketplaceApp"), &json!("m"))
    );
    assert_eq!(shown["metadata"]["uninstallationStatus"], "RETRYING_SENDING_UNINSTALL_PAYLOAD");
    assert_eq!(shown["metadata"]["uninstallationStartedAt"]["timestamp"], 5);
    force().await.expect(200);
    let shown = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
    assert_eq!(shown["archived"], true);
    server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_of_an_application_is_never_fetched() {
    let server = Server::start(Engine::Sqlite).await;
    let receiver = Receiver::start();
    let made = server
        .application(json!({ "name": "Pictured", "defaultExternalPicture": receiver.url("/icon.png"), "endpointUri": receiver.url("/hook") }))
        .await;
    patch(&server, &made, &json!({ "defaultExternalPicture": receiver.url("/other.png") })).await.expect(200);
    server.client.get("/api/http/applications/paged").bearer(&server.admin).send().await.expect(200);
    server.webhook(&made.token, json!({})).await;
    server.publish(json!([issue("pictured")])).await;
    receiver.wait_for_at("/hook", 1).await;
    server.running.stop().await;
    let paths: Vec<_> = receiver.received().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/hook"], "nothing but the delivery was asked for");
}

#[tokio::test(flavor = "multi_thread")]
async fn old_applications_find_their_verification_token_in_the_body() {
    let server = Server::start(Engine::Sqlite).await;
    let receiver = Receiver::start();
    let made = server.application(json!({ "name": "Old", "endpointUri": receiver.url("/hook") })).await;
    server.webhook(&made.token, json!({})).await;
    let token = async || {
        let path = "/api/http/applications/me/verification-token";
        server.client.get(path).bearer(&made.token).send().await
    };
    assert_eq!(token().await.expect(200).text(), "null");
    patch(&server, &made, &json!({ "hasVerificationToken": true })).await.expect(200);
    let first = token().await.expect(200).json();
    let regenerate = "/api/http/applications/me/verification-token/regenerate";
    server.client.post(regenerate).bearer(&made.token).send().await.expect(200);
    let second = token().await.expect(200).json();
    assert_ne!(first, second);
    server.publish(json!([issue("verified")])).await;
    assert_eq!(receiver.wait_for(1).await[0].json()["verificationToken"], second);
    patch(&server, &made, &json!({ "hasVerificationToken": false })).await.expect(200);
    assert_eq!(token().await.expect(200).text(), "null");
    server.publish(json!([issue("unverified")])).await;
    assert_eq!(receiver.wait_for(2).await[1].json()["verificationToken"], Value::Null);
    patch(&server, &made, &json!({ "hasVerificationToken": true })).await.expect(200);
    assert_ne!(token().await.expect(200).json(), second, "a token that was given up does not come back");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_sign_in_is_known_at_once_and_after_the_end() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let silent = server.running.store().write(|tx| {
            let owner = spaceport_platform::access::Owner::User(spaceport_platform::id::ProfileId::new("x"));
            let new =
                Application::new(ApplicationId::new("silent"), "silent", "Silent", owner, Timestamp::from_millis(1));
            tx.insert_application(&new)?;
            tx.set_secret("silent", SecretKind::ClientSecret, &Secret::new("0123456789abcdef0123456789abcdef"))
        });
        silent.await.map_err(|error: StoreError| error.to_string()).unwrap();
        let path = "/api/http/applications/id:silent/last-client-credentials-access";
        let read = async || server.client.get(path).bearer(&server.admin).send().await.expect(200);
        assert_eq!(read().await.text(), "null", "it never signed in");
        let secret = "0123456789abcdef0123456789abcdef";
        let form = [("grant_type", "client_credentials")];
        let sign_in = |agent: &'static str| {
            server.client.post("/oauth/token").basic("silent", secret).header("user-agent", agent).form(&form)
        };
        sign_in("first").send().await.expect(200);
        sign_in("second").send().await.expect(200);
        let access = read().await.json();
        assert_eq!((&access["userAgent"], &access["address"]), (&json!("second"), &json!("127.0.0.1")));
        assert!(access["time"]["iso"].is_string());
        let wrong =
            server.client.post("/oauth/token").basic("silent", "wrong").header("user-agent", "third").form(&form);
        wrong.send().await.expect(401);
        assert_eq!(read().await.json(), access, "a failed sign-in is none");
        let server = server.restarted().await;
        let kept = server.client.get(path).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(kept, access, "the end of the server stores what was only remembered");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_basic_authentication_is_changed_alone() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let basic = json!({ "className": "EndpointAuthCreate.Basic", "username": "u", "password": "p" });
        let body = json!({ "name": "App", "endpointUri": receiver.url("/hook"), "appLevelAuth": basic });
        let made = server.application(body).await;
        let own =
            json!({ "appLevelAuth": { "className": "EndpointAuthCreate.Basic", "username": "own", "password": "1" } });
        let webhook = server.webhook(&made.token, json!({ "endpointAuth": own })).await;
        server.webhook(&made.token, json!({})).await;
        let change = async |path: &str, body: Value| {
            server.client.patch(path).bearer(&made.token).json(&body).send().await.expect(200);
        };
        let (me, webhook) = ("/api/http/applications/me", format!("/api/http/applications/me/webhooks/{webhook}"));
        let mut sent = 0;
        for (ours, its, expected) in [
            (json!({}), json!({}), ["own:1", "u:p"]),
            (json!({ "basicAuthPassword": "q" }), json!({ "basicAuthPassword": "2" }), ["own:2", "u:q"]),
            (json!({ "basicAuthUsername": "v" }), json!({ "basicAuthUsername": "its" }), ["its:2", "v:q"]),
        ] {
            change(me, ours).await;
            change(&webhook, json!({ "endpointAuth": its })).await;
            server.publish(json!([issue(&format!("e{sent}"))])).await;
            sent += 2;
            let received = receiver.wait_for(sent).await;
            let mut seen: Vec<&str> =
                received[sent - 2..].iter().map(|request| request.header("authorization")).collect();
            let mut expected = expected.map(|pair| format!("Basic {}", STANDARD.encode(pair)));
            seen.sort_unstable();
            expected.sort_unstable();
            assert_eq!(seen, expected);
        }
        // Of another method there is no other half.
        let half = json!({ "basicAuthPassword": "p" });
        change(me, json!({ "appLevelAuth": "SigningKey" })).await;
        let refused = server.client.patch(me).bearer(&made.token).json(&half).send().await.expect(400);
        assert!(refused.text().contains("basicAuthUsername must be given"), "{}", refused.text());
        server.running.stop().await;
    }
}
