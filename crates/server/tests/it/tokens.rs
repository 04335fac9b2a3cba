//! The token endpoint and the tokens it gives.

use serde_json::json;
use spaceport_testkit::verify::token_claims;

use crate::harness::{Engine, Server};

#[tokio::test(flavor = "multi_thread")]
async fn every_spelling_of_client_authentication_works() {
    let server = Server::start(Engine::Sqlite).await;
    let secret = "s3cr+t%2B:with reserved & chars é".replace(' ', "_").repeat(2);
    let made = server.application(json!({ "name": "Spelled", "clientSecret": secret })).await;
    let grant = ("grant_type", "client_credentials");
    let token = || server.client.post("/oauth/token");
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |out, byte| match byte {
            byte if byte.is_ascii_alphanumeric() => out + &char::from(byte).to_string(),
            byte => format!("{out}%{byte:02X}"),
        })
    };
    let raw = token().basic(&made.client_id, &secret).form(&[grant]).send().await.expect(200);
    assert_eq!(raw.header("cache-control"), "no-store");
    let answer = raw.json();
    assert_eq!(
        (&answer["token_type"], &answer["expires_in"], &answer["scope"]),
        (&json!("Bearer"), &json!(600), &json!("**"))
    );
    assert!(answer.get("refresh_token").is_none());
    token().basic(&encoded(&made.client_id), &encoded(&secret)).form(&[grant]).send().await.expect(200);
    let body = [grant, ("client_id", made.client_id.as_str()), ("client_secret", secret.as_str())];
    token().form(&body).send().await.expect(200);
    token().basic(&made.client_id, &secret).form(&body).send().await.expect(200);
    let multipart = "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n\
                     --b\r\nContent-Disposition: form-data; name=\"scope\"\r\n\r\n**\r\n--b--\r\n";
    let typed = "multipart/form-data; boundary=b";
    token().basic(&made.client_id, &secret).body(typed, multipart.to_owned()).send().await.expect(200);

    let other = [grant, ("client_id", "other"), ("client_secret", secret.as_str())];
    let refused = token().basic(&made.client_id, &secret).form(&other).send().await.expect(400).json();
    assert_eq!(refused["error"], "invalid_request");
    let wrong = token().basic(&made.client_id, "wrong").form(&[grant]).send().await.expect(401);
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    let unknown = token().basic("unknown", "wrong").form(&[grant]).send().await.expect(401);
    assert_eq!(wrong.text(), unknown.text(), "nothing tells which part was wrong");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_wrong_secrets_do_not_lock_out_the_right_one() {
    // T18, T19
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Guessed" })).await;
    let grant = [("grant_type", "client_credentials")];
    let guess = async |number: usize| {
        let wrong = format!("{}{number}", &made.secret[..60]);
        server
            .client
            .post("/oauth/token")
            .basic(&made.client_id, &wrong)
            .form(&grant)
            .send()
            .await
            .expect(401)
            .text()
            .to_owned()
    };
    let answers = futures_util::future::join_all((0..200).map(guess)).await;
    server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&grant).send().await.expect(200);
    let unknown =
        server.client.post("/oauth/token").basic("unknown", &made.secret).form(&grant).send().await.expect(401);
    assert!(answers.iter().all(|answer| answer == unknown.text()), "no answer tells how near a guess was");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_requests_are_refused_with_the_codes_of_the_rfc() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Refused" })).await;
    let ask = async |form: &[(&str, &str)]| {
        server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(form).send().await.json()["error"]
            .clone()
    };
    let grant = ("grant_type", "client_credentials");
    assert_eq!(ask(&[]).await, "invalid_request");
    assert_eq!(ask(&[("grant_type", "password")]).await, "unsupported_grant_type");
    assert_eq!(ask(&[grant, grant]).await, "invalid_request");
    assert_eq!(ask(&[grant, ("scope", "nonsense")]).await, "invalid_scope");
    assert_eq!(ask(&[grant, ("scope", "global:No.Such.Right")]).await, "invalid_scope");
    let narrowed = server.client.post("/oauth/token").basic(&made.client_id, &made.secret);
    let narrowed = narrowed.form(&[grant, ("scope", "global:Profile.View")]).send().await.expect(200).json();
    assert_eq!(narrowed["scope"], "", "a right that was not granted is left out");
    server.client.get("/oauth/token?client_id=x").send().await.expect(405);
    let off = json!({ "clientCredentialsFlowEnabled": false });
    server.client.patch("/api/http/applications/me").bearer(&made.token).json(&off).send().await.expect(200);
    assert_eq!(ask(&[grant]).await, "unauthorized_client");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b1_a_token_counts_in_the_header_alone() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Signed" })).await;
    let jwks = server.client.get("/oauth/jwks.json").send().await.expect(200);
    let claims = token_claims(&made.token, jwks.text()).unwrap();
    assert_eq!((&claims["aud"], &claims["sub"]), (&json!(made.client_id), &json!(made.client_id)));
    assert_eq!(claims["iss"], server.running.public_url);
    server.client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200);
    server.client.get(&format!("/api/http/applications/me?access_token={}", made.token)).send().await.expect(401);
    let body = format!("access_token={}", made.token);
    let call = server.client.patch("/api/http/applications/me").body("application/x-www-form-urlencoded", body);
    call.send().await.expect(401);
    let cookie = format!("access_token={0}; spaceport-session={0}", made.token);
    server.client.get("/api/http/applications/me").header("cookie", &cookie).send().await.expect(401);
    server.running.stop().await;
}
