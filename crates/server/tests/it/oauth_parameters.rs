//! How parameters of authorization requests are read, and what answers to them hold (security A4 to A9, A11, A14, A19).

use serde_json::json;

use crate::browser::{Browser, parameters};
use crate::harness::{Engine, Server};
use crate::oauth_flow::{
    BACK, CHALLENGE, VERIFIER, code, error, public, redeem, refresh, refusal, request, tokens, tracker, with_challenge,
};

#[tokio::test(flavor = "multi_thread")]
async fn a4_a_parameter_that_occurs_twice_is_refused() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let asked = request(&made, &[("state", "s")]);
    for name in ["client_id", "redirect_uri"] {
        let page = browser.get(&format!("/oauth/auth?{asked}&{name}=x")).await;
        assert_eq!((page.status.as_u16(), page.header("location")), (400, ""), "{name}");
    }
    for twice in [
        "response_type=code",
        "scope=a&scope=a",
        "state=s",
        "access_type=online&access_type=offline",
        "code_challenge=a&code_challenge=b",
        "unknown=a&unknown=b",
        "%73cope=a&scope=b",
    ] {
        let answer = browser.get(&format!("/oauth/auth?{asked}&{twice}")).await.expect(303);
        assert_eq!(parameters(answer.header("location"))["error"], "invalid_request", "{twice}");
    }
    // At the token endpoint too, whichever parameter it is, and however the form is encoded.
    let once = [("grant_type", "client_credentials"), ("scope", "**"), ("client_id", &made.client_id)];
    for (name, value) in once {
        let form = [once.as_slice(), &[(name, value)]].concat();
        let answer = server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await;
        assert_eq!(error(&answer.expect(400)), "invalid_request", "{name}");
    }
    let part = "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n";
    let call = server.client.post("/oauth/token").basic(&made.client_id, &made.secret);
    let answer = call.body("multipart/form-data; boundary=b", format!("{part}{part}--b--\r\n")).send().await;
    assert_eq!(error(&answer.expect(400)), "invalid_request");
    // What stands in query and body is no pair: the query counts for nothing (T1).
    let other = server.client.post("/oauth/token?grant_type=password&scope=a").basic(&made.client_id, &made.secret);
    other.form(&once[..1]).send().await.expect(200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a5_an_empty_parameter_is_absent_and_an_unknown_one_is_ignored() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let empty = "state=&code_challenge=&code_challenge_method=&access_type=&request_credentials=&foo=bar&resource=x";
    let told = browser.authorize(&format!("{}&{empty}", request(&made, &[]))).await;
    let names: Vec<&str> = told.keys().map(String::as_str).collect();
    assert_eq!(names, ["code", "iss"]);
    let issued = redeem(&server, &made, &told["code"], &[("scope", ""), ("code_verifier", ""), ("foo", "bar")]).await;
    assert!(issued.expect(200).json().get("refresh_token").is_none());
    for name in ["response_type", "client_id", "redirect_uri"] {
        let asked = request(&made, &[(name, "")]);
        let answer = browser.get(&format!("/oauth/auth?{asked}&{name}=")).await;
        assert_eq!(answer.status, if name == "response_type" { 303 } else { 400 }, "an empty {name} is none");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a6_the_state_comes_back_byte_for_byte_in_refusals_too() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let long = format!("a+%&=\"< ü{}", "x".repeat(1_000));
    for state in ["+", "%", "%2B", "&", "=", "\"", "<", " ", "a b", "ü\u{1F600}", "..", "'", &long] {
        let told = browser.authorize(&request(&made, &[("state", state)])).await;
        assert_eq!(told["state"], state);
        let told = refusal(&mut browser, &made, &[("state", state), ("scope", "nonsense")]).await;
        assert_eq!((told["error"].as_str(), told["state"].as_str()), ("invalid_scope", state));
    }
    // Bytes that are no text at all.
    let raw = browser.get(&format!("/oauth/auth?{}&state=%ff%00%0a", request(&made, &[]))).await.expect(303);
    assert!(raw.header("location").contains("&state=%FF%00%0A&"), "{}", raw.header("location"));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a7_whoever_has_no_secret_or_has_to_use_pkce_sends_a_challenge() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let mut browser = Browser::of(&server, "ann").await;
    for settings in [
        json!({ "publicClientsAllowed": true, "pkceRequired": true }),
        json!({ "publicClientsAllowed": false, "pkceRequired": true }),
    ] {
        let made = tracker(&server, settings.clone()).await;
        for method in [vec![], vec![("code_challenge_method", "S256")]] {
            let told = refusal(&mut browser, &made, &method).await;
            assert_eq!(told["error"], "invalid_request", "{settings}");
            assert!(told["error_description"].contains("code_challenge"), "{told:?}");
        }
        code(&mut browser, &made, &with_challenge(&[])).await;
    }
    // Without a secret and without PKCE there is no application.
    let body = json!({ "name": "Open", "publicClientsAllowed": true, "pkceRequired": false });
    let refused = server.client.post("/api/http/applications").bearer(&server.admin).json(&body).send().await;
    assert!(refused.expect(400).text().contains("pkceRequired"));
    let free = tracker(&server, json!({})).await;
    code(&mut browser, &free, &[]).await;
    let told = refusal(&mut browser, &free, &[("code_challenge_method", "S256")]).await;
    assert_eq!(told["error"], "invalid_request", "a method of nothing");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_a_challenge_is_s256_or_plain_where_that_is_allowed() {
    for allowed in [false, true] {
        let server = Server::start_changed(Engine::Sqlite, |settings| settings.plain_pkce = allowed).await;
        server.person("ann", &[]).await;
        let (free, open) = (tracker(&server, json!({})).await, public(&server).await);
        let mut browser = Browser::of(&server, "ann").await;
        // Without a method it is plain, which is enough for whoever has a secret.
        for method in ["", "plain"] {
            let asked = [("code_challenge", VERIFIER), ("code_challenge_method", method)];
            let text = code(&mut browser, &free, &asked).await;
            redeem(&server, &free, &text, &[("code_verifier", VERIFIER)]).await.expect(200);
            match allowed {
                true => drop(code(&mut browser, &open, &asked).await),
                false => assert_eq!(refusal(&mut browser, &open, &asked).await["error"], "invalid_request"),
            }
        }
        for unknown in ["s256", "PLAIN", "S512", "S256 ", "none"] {
            for made in [&free, &open] {
                let asked = [("code_challenge", CHALLENGE), ("code_challenge_method", unknown)];
                assert_eq!(refusal(&mut browser, made, &asked).await["error"], "invalid_request", "{unknown}");
            }
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a9_a_challenge_has_43_to_128_unreserved_characters() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let of = |length: usize| "a".repeat(length);
    let with = |last: &str| format!("{}{last}", of(43));
    for wrong in [of(1), of(42), of(129), with("="), with("+"), with("/"), with("%"), with(" "), with("\0"), with("ü")]
    {
        for method in ["S256", "plain"] {
            let asked = [("code_challenge", wrong.as_str()), ("code_challenge_method", method)];
            assert_eq!(refusal(&mut browser, &made, &asked).await["error"], "invalid_request", "{wrong:?}");
        }
    }
    for right in [of(43), of(128), with("-._~")] {
        code(&mut browser, &made, &[("code_challenge", &right), ("code_challenge_method", "S256")]).await;
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_every_answer_names_the_issuer_that_the_metadata_names() {
    let server = Server::start_changed(Engine::Sqlite, |settings| settings.implicit_flow = true).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({ "implicitFlowEnabled": true, "implicitFlowRedirectURIs": BACK })).await;
    let mut browser = Browser::of(&server, "ann").await;
    let told = server.client.get("/.well-known/oauth-authorization-server").send().await.expect(200).json();
    let issuer = told["issuer"].as_str().unwrap().to_owned();
    for (asked, member) in [
        (vec![], "code"),
        (vec![("response_type", "token")], "access_token"),
        (vec![("scope", "nonsense")], "error"),
        (vec![("scope", "**"), ("request_credentials", "silent")], "error"),
        (vec![("response_type", "id_token")], "error"),
    ] {
        let told = browser.authorize(&request(&made, &asked)).await;
        assert!(told.contains_key(member), "{told:?}");
        assert_eq!(told["iss"], issuer, "{asked:?}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a14_descriptions_of_errors_hold_nothing_but_printable_ascii() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    // RFC 6749, 4.1.2.1: %x20-21, %x23-5B, %x5D-7E.
    let allowed = |c: char| (' '..='~').contains(&c) && c != '"' && c != '\\';
    let evil = "\"x\" \\ \r\nSet-Cookie: a=b \u{1F600}\u{7f}\u{202e}";
    for scope in [format!("global:{evil}"), evil.to_owned(), format!("project:key:{evil}:Project.View")] {
        let told = refusal(&mut browser, &made, &[("scope", &scope)]).await;
        assert_eq!(told["error"], "invalid_scope");
        assert!(told["error_description"].chars().all(allowed), "{}", told["error_description"]);
    }
    for name in ["response_type", "code_challenge_method", "access_type", "request_credentials", evil] {
        // A name that we do not know is an error only when it comes twice.
        let pairs = if name == evil { vec![(name, "a"), (name, "b")] } else { vec![(name, evil)] };
        let asked = format!("{}&{}", request(&made, &[]), crate::browser::query(&pairs));
        let answer = browser.get(&format!("/oauth/auth?{asked}")).await.expect(303);
        let description = &parameters(answer.header("location"))["error_description"];
        assert!(description.chars().all(allowed), "{description}");
    }
    for form in [
        vec![("grant_type", evil)],
        vec![("grant_type", "client_credentials"), ("scope", evil)],
        vec![(evil, "a"), (evil, "b")],
        vec![("grant_type", "refresh_token"), ("refresh_token", evil), ("scope", evil)],
    ] {
        let answer = server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await;
        let description = answer.expect(400).json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.chars().all(allowed), "{description}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a19_the_answer_says_the_scope_whenever_it_is_not_what_was_asked() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    server.grant(&made.id, "global", &["Profile.View"]).await;
    // A right that was not granted to the application is left out of its own token, and the answer says so.
    let own = async |scope: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = server.client.post("/oauth/token").basic(&made.client_id, &made.secret).form(&form).send().await;
        answer.expect(200).json()["scope"].clone()
    };
    assert_eq!(own("global:Profile.View global:Channel.ViewChannel").await, "global:Profile.View");
    assert_eq!(own("global:Channel.ViewChannel").await, "");
    // For a user it is what he agreed to; a refresh says what it narrowed, or what `**` came to.
    let mut browser = Browser::of(&server, "ann").await;
    let issued = tokens(&mut browser, &made, "global:Profile.View  global:Profile.View global:Applications.View").await;
    assert_eq!(issued["scope"], "global:Profile.View global:Applications.View", "said once, in one spelling");
    let text = issued["refresh_token"].as_str().unwrap();
    for (asked, told) in [
        ("**", "global:Profile.View global:Applications.View"),
        ("", "global:Profile.View global:Applications.View"),
        ("global:Applications.View", "global:Applications.View"),
    ] {
        let answer = refresh(&server, &made, text, &[("scope", asked)]).await.expect(200).json();
        assert_eq!(answer["scope"], told, "{asked}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_no_form_is_told_apart_from_a_form_without_a_grant() {
    let server = Server::start(Engine::Sqlite).await;
    let made = tracker(&server, json!({})).await;
    let send = async |path: &str, content_type: &str, body: &str| {
        let call = server.client.post(path).basic(&made.client_id, &made.secret);
        call.body(content_type, body.to_owned()).send().await
    };
    let granted = r#"{"grant_type":"client_credentials"}"#;
    let parts = "--b\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--b--\r\n";
    for path in ["/oauth/token", "/oauth/revoke", "/oauth/introspect"] {
        for (content_type, body) in [("application/json", granted), ("multipart/form-data", parts), ("text/plain", "")]
        {
            let refused = send(path, content_type, body).await.expect(400);
            let told = refused.json()["error_description"].as_str().unwrap().to_owned();
            assert_eq!(error(&refused), "invalid_request");
            assert!(told.contains(content_type) && told.contains("x-www-form-urlencoded"), "{path}: {told}");
        }
    }
    let empty = send("/oauth/token", "application/x-www-form-urlencoded", "scope=a").await.expect(400).json();
    assert!(empty["error_description"].as_str().unwrap().contains("grant_type"), "{empty}");
    // A form is read whatever it is called, as ever.
    send("/oauth/token", "text/plain", "grant_type=client_credentials").await.expect(200);
    server.running.stop().await;
}
