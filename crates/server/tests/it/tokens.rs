//! The token endpoint and the tokens it gives (security T1 to T6, T18 to T20, B1, B2).

use serde_json::{Value, json};
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::Response;
use spaceport_testkit::verify::token_claims;

use crate::browser::Browser;
use crate::harness::{Engine, Server};
use crate::oauth_flow::{BACK, code, tokens, tracker};
use crate::people::set_password;

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        byte if byte.is_ascii_alphanumeric() => out + &char::from(byte).to_string(),
        byte => format!("{out}%{byte:02X}"),
    })
}

fn code_of(answer: &Response) -> String {
    answer.json()["error"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn t1_tokens_are_asked_by_post_with_everything_in_the_body() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Posted" })).await;
    let query = format!("grant_type=client_credentials&client_id={}&client_secret={}", made.client_id, made.secret);
    let path = format!("/oauth/token?{query}");
    for method in [::http::Method::GET, ::http::Method::PUT, ::http::Method::PATCH, ::http::Method::DELETE] {
        server.client.call(method, &path).send().await.expect(405);
    }
    assert_eq!(code_of(&server.client.post(&path).send().await.expect(400)), "invalid_request");
    let kind = server.client.post(&path).form(&[GRANT]).send().await.expect(401);
    assert_eq!(code_of(&kind), "invalid_client", "a secret in the query counts for nothing");
    server.client.post("/oauth/token").body("application/x-www-form-urlencoded", query).send().await.expect(200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t2_every_grant_is_answered_with_json_that_nobody_keeps() {
    let server = Server::start_changed(Engine::Sqlite, |settings| settings.password_grant = true).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    set_password(&mut browser, "correct horse battery").await;
    let code = code(&mut browser, &made, &[("access_type", "offline")]).await;
    let ask = |form: Vec<(&'static str, String)>| {
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send()
    };
    let redeemed =
        ask(vec![("grant_type", "authorization_code".to_owned()), ("code", code), ("redirect_uri", BACK.to_owned())])
            .await
            .expect(200);
    let refresh = redeemed.json()["refresh_token"].as_str().unwrap().to_owned();
    let answers = [
        redeemed,
        ask(vec![("grant_type", "client_credentials".to_owned())]).await,
        ask(vec![("grant_type", "refresh_token".to_owned()), ("refresh_token", refresh)]).await,
        ask(vec![
            ("grant_type", "password".to_owned()),
            ("username", "ann".to_owned()),
            ("password", "correct horse battery".to_owned()),
        ])
        .await,
    ];
    for answer in answers {
        let answer = answer.expect(200);
        assert_eq!(answer.content_type(), "application/json");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        let told = answer.json();
        assert_eq!((&told["token_type"], &told["expires_in"]), (&json!("Bearer"), &json!(600)));
        assert!(told["access_token"].is_string() && told["scope"].is_string(), "{told}");
        assert!(told.get("refresh_token").is_none_or(Value::is_string), "never null: {told}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t3_refusals_are_400_with_a_code_and_401_for_clients_that_are_not_known() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Refused" })).await;
    let ask = async |form: &[(&str, &str)]| {
        let answer = server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(form).send().await;
        let answer = answer.expect(400);
        assert_eq!((answer.content_type(), answer.header("cache-control")), ("application/json", "no-store"));
        assert!(answer.json()["error_description"].is_string());
        code_of(&answer)
    };
    assert_eq!(ask(&[]).await, "invalid_request");
    assert_eq!(ask(&[("grant_type", "password")]).await, "unsupported_grant_type");
    assert_eq!(ask(&[("grant_type", "urn:ietf:params:oauth:grant-type:device_code")]).await, "unsupported_grant_type");
    assert_eq!(ask(&[GRANT, ("scope", "nonsense")]).await, "invalid_scope");
    assert_eq!(ask(&[GRANT, ("scope", "global:No.Such.Right")]).await, "invalid_scope");
    assert_eq!(ask(&[("grant_type", "authorization_code")]).await, "unauthorized_client", "the flow is off");
    assert_eq!(ask(&[("grant_type", "refresh_token")]).await, "invalid_request");
    assert_eq!(ask(&[("grant_type", "refresh_token"), ("refresh_token", "x")]).await, "invalid_grant");
    let token = || server.client.post("/oauth/token");
    let in_body = [GRANT, ("client_id", made.client_id.as_str()), ("client_secret", "wrong")];
    for call in [
        token().basic(&made.client_id, "wrong").form(&[GRANT]),
        token().basic("", "").form(&[GRANT]),
        token().header("authorization", "Basic !!!").form(&[GRANT]),
        token().header("authorization", "Bearer x").form(&[GRANT]),
        token().form(&in_body),
        token().form(&[GRANT]),
    ] {
        let refused = call.send().await.expect(401);
        assert_eq!(code_of(&refused), "invalid_client");
        assert!(refused.header("www-authenticate").starts_with("Basic realm="));
    }
    let off = json!({ "clientCredentialsFlowEnabled": false });
    server.client.patch("/api/http/applications/me").bearer(&made.token).json(&off).send().await.expect(200);
    assert_eq!(ask(&[GRANT]).await, "unauthorized_client");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t4_credentials_in_header_and_body_count_when_they_are_the_same() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Twice" })).await;
    let ask = async |id: &str, secret: &str| {
        let form = [GRANT, ("client_id", id), ("client_secret", secret)];
        server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await
    };
    ask(&made.client_id, &made.secret).await.expect(200);
    ask("", "").await.expect(200);
    ask(&made.client_id, "").await.expect(200);
    let cut = &made.secret[1..];
    for (id, secret) in [("other", made.secret.as_str()), (&made.client_id, "other"), ("other", "other"), ("", cut)] {
        assert_eq!(code_of(&ask(id, secret).await.expect(400)), "invalid_request", "{id} {secret}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_basic_credentials_count_raw_and_form_decoded() {
    let server = Server::start(Engine::Sqlite).await;
    let secret = "s3cr+t%2B:with_reserved_&_chars_é".repeat(2);
    let made =
        server.application(json!({ "name": "Spelled", "clientId": "spell~ed.-_", "clientSecret": secret })).await;
    let token = || server.client.post("/oauth/token");
    for (id, secret) in [(made.client_id.clone(), secret.clone()), (encoded(&made.client_id), encoded(&secret))] {
        token().basic(&id, &secret).form(&[GRANT]).send().await.expect(200);
    }
    // In the body there is one reading: that of the form.
    let body = [GRANT, ("client_id", made.client_id.as_str()), ("client_secret", secret.as_str())];
    token().form(&body).send().await.expect(200);
    token().basic(&made.client_id, &secret).form(&body).send().await.expect(200);
    token().basic(&encoded(&made.client_id), &encoded(&secret)).form(&body).send().await.expect(200);
    for wrong in
        [encoded(&encoded(&secret)), secret.replace('+', " "), secret.replace("%2B", "+"), secret.to_uppercase()]
    {
        token().basic(&made.client_id, &wrong).form(&[GRANT]).send().await.expect(401);
    }
    // What we make ourselves reads the same either way.
    let plain = server.application(json!({ "name": "Plain" })).await;
    for text in [&plain.client_id, &plain.secret] {
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{text}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t6_forms_are_urlencoded_or_multipart_and_bounded() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Formed" })).await;
    let token = || server.client.post("/oauth/token").basic(&made.client_id, &made.secret);
    let part =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let multipart = |parts: String| token().body("multipart/form-data; boundary=b", format!("{parts}--b--\r\n"));
    let good = part("grant_type", "client_credentials") + &part("scope", "**");
    multipart(good.clone()).send().await.expect(200);
    for kind in ["application/x-www-form-urlencoded; charset=UTF-8", "text/plain", ""] {
        token().body(kind, "grant_type=client_credentials&scope=%2A%2A").send().await.expect(200);
    }
    let many = |count: usize| (0..count).map(|number| (format!("p{number}"), "x".to_owned())).collect::<Vec<_>>();
    for (count, status) in [(63, 200), (64, 400), (10_000, 400)] {
        let fields = many(count);
        let mut form: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        form.push(GRANT);
        let answer = token().form(&form).send().await;
        // So many do not even fit.
        assert_eq!(answer.status.as_u16(), if count > 9_000 { 413 } else { status }, "{count}");
        if count < 1_000 {
            let parts = fields
                .iter()
                .fold(part("grant_type", "client_credentials"), |all, (name, value)| all + &part(name, value));
            multipart(parts).send().await.expect(status);
        }
    }
    let huge = "x".repeat(1024 * 1024);
    token().form(&[GRANT, ("x", &huge)]).send().await.expect(413);
    multipart(good + &part("x", &huge)).send().await.expect(413);
    for broken in ["--b", "--b\r\n", "--b\r\nContent-Disposition: form-data\r\n\r\n"] {
        let answer = token().body("multipart/form-data; boundary=b", broken.to_owned()).send().await.expect(400);
        assert_eq!(code_of(&answer), "invalid_request", "{broken:?}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t18_two_hundred_wrong_secrets_do_not_lock_out_the_right_one() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Guessed" })).await;
    let guess = async |number: usize| {
        let wrong = format!("{}{number}", &made.secret[..60]);
        server.client.post("/oauth/token").basic(&made.client_id, &wrong).form(&[GRANT]).send().await.expect(401);
    };
    futures_util::future::join_all((0..200).map(guess)).await;
    server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&[GRANT]).send().await.expect(200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t19_nothing_tells_an_unknown_client_from_a_wrong_secret() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Guessed" })).await;
    let archived = server.application(json!({ "name": "Archived" })).await;
    let path = format!("/api/http/applications/id:{}", archived.id);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
    let mut told = std::collections::BTreeSet::new();
    let other = if made.secret.ends_with('x') { 'y' } else { 'x' };
    for (id, secret) in [
        (made.client_id.as_str(), "wrong"),
        (&made.client_id, &made.secret[1..]),
        (&made.client_id, &format!("{}{other}", &made.secret[..63])),
        ("unknown", &made.secret),
        ("", ""),
        (&archived.client_id, &archived.secret),
    ] {
        for call in [
            server.client.post("/oauth/token").basic(id, secret).form(&[GRANT]),
            server.client.post("/oauth/token").form(&[GRANT, ("client_id", id), ("client_secret", secret)]),
        ] {
            let mut answer = call.send().await.expect(401);
            answer.headers.remove("x-request-id");
            answer.headers.remove("date");
            told.insert(format!("{:?} {}", answer.headers, answer.text()));
        }
    }
    assert_eq!(told.len(), 1, "{told:?}");
    // That it takes the same work is a fact of the store: `secrets::t19_…`.
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn t20_tokens_are_signed_or_hold_more_than_128_random_bits() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let jwks = server.client.get("/oauth/jwks.json").send().await.expect(200);
    let mut browser = Browser::of(&server, "ann").await;
    let mut seen = std::collections::BTreeSet::new();
    let mut random = |text: &str, least: usize| {
        let alphanumeric = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        // 62 letters and digits are 5.95 bits each.
        assert!(alphanumeric && text.len() >= least, "{text}");
        assert!(seen.insert(text.to_owned()), "{text} came twice");
    };
    for _ in 0..20 {
        let issued = tokens(&mut browser, &made, "").await;
        let claims = token_claims(issued["access_token"].as_str().unwrap(), jwks.text()).unwrap();
        random(claims["jti"].as_str().unwrap(), 22);
        random(issued["refresh_token"].as_str().unwrap(), 22);
        random(&code(&mut browser, &made, &[]).await, 22);
        let own = server.token(&made.client_id, &made.secret).await;
        random(token_claims(&own, jwks.text()).unwrap()["jti"].as_str().unwrap(), 22);
        let body = json!({ "name": "t", "scope": "**", "expires": null });
        let path = "/api/http/applications/me/permanent-tokens";
        let permanent = server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200).json();
        random(permanent["second"].as_str().unwrap(), 22 + 4);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b2_refusals_carry_the_challenge_and_the_words_that_clients_look_for() {
    let clock = FrozenClock::default();
    let server = Server::start_at(Engine::Sqlite, &clock, |_| {}).await;
    let made = server.application(json!({ "name": "Challenged" })).await;
    let other = server.application(json!({ "name": "Other" })).await;
    let call = async |token: &str| server.client.get("/api/http/applications/me").bearer(token).send().await;
    let bare = server.client.get("/api/http/applications/me").send().await.expect(401);
    assert_eq!((bare.header("www-authenticate"), code_of(&bare)), ("Bearer", "authentication-required".to_owned()));
    for wrong in ["x", "a.b.c", "spp_0"] {
        let refused = call(wrong).await.expect(401);
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"invalid_token\"");
        assert_eq!(code_of(&refused), "authentication-required");
        assert_eq!(refused.json()["error_description"], "Access token is invalid");
    }
    let path = format!("/api/http/applications/id:{}/client-secret", made.id);
    server.grant(&other.id, "global", &["Applications.View"]).await;
    let denied = server.client.get(&path).bearer(&other.token).send().await.expect(403);
    assert_eq!(code_of(&denied), "permission-denied");
    clock.advance(std::time::Duration::from_secs(600));
    let expired = call(&made.token).await.expect(401);
    assert_eq!(expired.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    assert_eq!(code_of(&expired), "authentication-required");
    assert_eq!(expired.json()["error_description"], "Access token has expired", "the SDKs renew on these words alone");
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
