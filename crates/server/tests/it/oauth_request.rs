//! `/oauth/auth`: what is asked, where the answer goes, who may decide (security A1 to A3, A10, A12 to A18).

use serde_json::json;

use crate::browser::{Browser, forms, parameters, query};
use crate::harness::{Engine, Server};
use crate::oauth_flow::{BACK, code, public, redeem, refusal, request, tracker, with_challenge};

#[tokio::test(flavor = "multi_thread")]
async fn a1_redirect_uri_is_compared_exactly() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let uris = "https://tracker.example/back\nhttp://127.0.0.1:8080/cb\nhttp://[::1]/cb\ncom.example.tracker:/cb";
    let made = tracker(&server, json!({ "codeFlowRedirectURIs": uris })).await;
    let mut browser = Browser::of(&server, "ann").await;
    let good = [
        "https://tracker.example/back",
        "http://127.0.0.1:8080/cb",
        "http://127.0.0.1:51234/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:7/cb",
        "com.example.tracker:/cb",
    ];
    for uri in good {
        let answer = browser.authorize(&request(&made, &[("redirect_uri", uri)])).await;
        assert!(answer.contains_key("code"), "{uri}: {answer:?}");
    }
    let bad = [
        "HTTPS://tracker.example/back",
        "https://Tracker.example/back",
        "https://TRACKER.EXAMPLE/back",
        "https://tracker.example/Back",
        "https://tracker.example/back/",
        "https://tracker.example//back",
        "https://tracker.example/./back",
        "https://tracker.example/x/../back",
        "https://tracker.example/back/..",
        "https://tracker.example/%62ack",
        "https://tracker.example/back%2f",
        "https://tracker.example/back%00",
        "https://tracker.example/back?",
        "https://tracker.example/back?x=1",
        "https://tracker.example/back#",
        "https://tracker.example/back#x",
        "https://tracker.example/back;x",
        "https://tracker.example/back ",
        " https://tracker.example/back",
        "https://tracker.example/back\t",
        "https://tracker.example/back\n",
        "https://tracker.example/back\r\nx: y",
        "https://tracker.example:443/back",
        "https://tracker.example:/back",
        "https://tracker.example:8443/back",
        "https://tracker.example./back",
        "https://user@tracker.example/back",
        "https://tracker.example@evil.example/back",
        "https://tracker.example:x@evil.example/back",
        "https://tracker.example.evil.example/back",
        "https://eviltracker.example/back",
        "https://evil.example/tracker.example/back",
        "https://evil.example#https://tracker.example/back",
        "https://evil.example?https://tracker.example/back",
        "https://evil.example\\@tracker.example/back",
        "https:\\\\tracker.example\\back",
        "https:tracker.example/back",
        "https:/tracker.example/back",
        "https:///tracker.example/back",
        "//tracker.example/back",
        "/back",
        "back",
        "http://tracker.example/back",
        "ftp://tracker.example/back",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://tr\u{430}cker.example/back",
        "https://xn--trcker-3of.example/back",
        "https://tracker.example/ba\u{200b}ck",
        "https://tracker.example/back\nhttps://evil.example/",
        "https://tracker.example/back https://evil.example/",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:1@evil.example/cb",
        "http://127.0.0.1:8080/cb/x",
        "http://127.0.0.1.evil.example/cb",
        "http://127.1:8080/cb",
        "http://2130706433:8080/cb",
        "http://localhost:8080/cb",
        "https://127.0.0.1:8080/cb",
        "http://[::1]:0/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "com.example.tracker:/cb/x",
        "com.example.tracker://cb",
        "COM.example.tracker:/cb",
    ];
    assert!(bad.len() >= 60);
    for uri in bad {
        let answer = browser.get(&format!("/oauth/auth?{}", request(&made, &[("redirect_uri", uri)]))).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (400, ""), "{uri:?}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a2_without_a_known_client_and_redirect_uri_nobody_is_redirected() {
    let server = Server::start(Engine::Sqlite).await;
    let made = tracker(&server, json!({})).await;
    let archived = tracker(&server, json!({})).await;
    let path = format!("/api/http/applications/id:{}", archived.id);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
    let evil = "https://evil.example/\"><script>";
    let mut browser = Browser::new(&server);
    for asked in [
        request(&made, &[("client_id", "unknown")]),
        request(&made, &[("client_id", "")]),
        request(&made, &[("redirect_uri", "")]),
        request(&made, &[("redirect_uri", evil)]),
        request(&archived, &[]),
        format!("{}&client_id=other", request(&made, &[])),
        format!("{}&redirect_uri={BACK}", request(&made, &[])),
        String::new(),
        format!("{}&x={}", request(&made, &[]), "y".repeat(20_000)),
    ] {
        let answer = browser.get(&format!("/oauth/auth?{asked}")).await.expect(400);
        assert_eq!(answer.header("location"), "");
        assert_eq!(answer.content_type(), "text/html");
        assert!(!answer.text().contains("evil.example") && !answer.text().contains("<script"), "{}", answer.text());
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a3_registration_refuses_dangerous_redirect_uris() {
    let server = Server::start(Engine::Sqlite).await;
    let made = tracker(&server, json!({})).await;
    for uri in [
        "/relative",
        "https://a.example/#x",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "https://user@a.example/",
        "https://*.a.example/",
        "http://a.example/",
        "https://a.example/\nhttp://b.example/",
        "https://a.example/?code=1",
        "https://a.example/?a=b&state=1",
        "https://a.example/?%63ode=1",
        "https://a.example/?error=x",
    ] {
        let body = json!({ "codeFlowRedirectURIs": uri });
        let answer = server.client.patch("/api/http/applications/me").bearer(&made.token).json(&body).send().await;
        assert_eq!(answer.expect(400).json()["error"], "validation-error", "{uri}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_codes_are_long_random_and_end_after_a_minute() {
    use spaceport_testkit::clock::FrozenClock;
    let clock = FrozenClock::default();
    let server = Server::start_at(Engine::Sqlite, &clock, |_| {}).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let text = code(&mut browser, &made, &[]).await;
        assert!(text.len() == 48 && text.chars().all(|c| c.is_ascii_alphanumeric()));
        assert!(seen.insert(text), "a code came twice");
    }
    let (in_time, late) = (code(&mut browser, &made, &[]).await, code(&mut browser, &made, &[]).await);
    clock.advance(std::time::Duration::from_secs(59));
    redeem(&server, &made, &in_time, &[]).await.expect(200);
    clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(redeem(&server, &made, &late, &[]).await.expect(400).json()["error"], "invalid_grant");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a15_a16_pages_and_redirects_carry_the_headers_that_protect_them() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let mut stranger = Browser::new(&server);
    let asked = format!("/oauth/auth?{}", request(&made, &[]));
    let consent = browser.get(&asked).await.expect(200);
    let pages = [
        consent.clone(),
        stranger.get("/login").await.expect(200),
        browser.get("/account").await.expect(200),
        browser.get("/account/applications").await.expect(200),
        browser.get("/oauth/auth").await.expect(400),
        browser.get("/administrator?code=x").await.expect(200),
        browser.get("/session?code=x").await.expect(410),
    ];
    for page in &pages {
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("access-control-allow-origin"), "");
    }
    assert!(consent.header("content-security-policy").contains("form-action 'self' https: http:;"));
    let preflight =
        server.client.call(::http::Method::OPTIONS, &asked).header("origin", "https://evil.example").send().await;
    assert_eq!(preflight.header("access-control-allow-origin"), "");
    let style = consent.text().split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let style = server.client.get(&style).send().await.expect(200);
    assert_eq!(style.content_type(), "text/css");
    assert!(style.header("cache-control").contains("immutable"));
    server.client.get("/assets/other.css").send().await.expect(404);
    let form = forms(consent.text())[0].clone().with("decision", "allow");
    assert_eq!(browser.submit(&form).await.status, 303);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a13_response_types_that_are_off_are_refused() {
    for on in [false, true] {
        let server = Server::start_changed(Engine::Sqlite, |settings| settings.implicit_flow = on).await;
        server.person("ann", &[]).await;
        let made = tracker(&server, json!({})).await;
        let legacy = json!({ "implicitFlowEnabled": true, "implicitFlowRedirectURIs": BACK, "codeFlowEnabled": false });
        let legacy = tracker(&server, legacy).await;
        let mut browser = Browser::of(&server, "ann").await;
        for asked in ["code token", "id_token", "none", "CODE"] {
            let told = refusal(&mut browser, &made, &[("response_type", asked)]).await;
            assert_eq!(told["error"], "unsupported_response_type", "{asked}");
        }
        assert_eq!(refusal(&mut browser, &made, &[("response_type", "")]).await["error"], "invalid_request");
        assert_eq!(refusal(&mut browser, &legacy, &[]).await["error"], "unauthorized_client");
        let off = if on { "unauthorized_client" } else { "unsupported_response_type" };
        assert_eq!(refusal(&mut browser, &made, &[("response_type", "token")]).await["error"], off);
        let told = browser.authorize(&request(&legacy, &[("response_type", "token"), ("state", "s")])).await;
        match on {
            true => {
                assert_eq!((told["token_type"].as_str(), told["state"].as_str()), ("Bearer", "s"));
                assert!(crate::oauth_flow::accepted(&server, &json!(told["access_token"])).await);
                assert!(!told.contains_key("refresh_token"));
            }
            false => assert_eq!(told["error"], "unsupported_response_type"),
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a17_consent_counts_only_from_the_form_that_was_given_for_this_request_to_this_session() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    server.person("eve", &[]).await;
    let (made, other) = (tracker(&server, json!({})).await, tracker(&server, json!({ "name": "Other" })).await);
    let (mut ann, mut eve) = (Browser::of(&server, "ann").await, Browser::of(&server, "eve").await);
    let form = async |browser: &mut Browser<'_>, asked: String| {
        let page = browser.get(&format!("/oauth/auth?{asked}")).await.expect(200);
        forms(page.text())[0].clone().with("decision", "allow")
    };
    let own = form(&mut ann, request(&made, &[])).await;
    let of_other = form(&mut ann, request(&other, &[])).await;
    let wider = request(&made, &[("scope", "**")]);
    let of_eve = form(&mut eve, request(&made, &[])).await;
    let token = |form: &crate::browser::Form| form.fields.iter().find(|(name, _)| name == "token").unwrap().1.clone();
    for (what, forged) in [
        ("no token", own.clone().without("token")),
        ("garbage", own.clone().with("token", "AAAA")),
        ("another request's token", own.clone().with("token", &token(&of_other))),
        ("another session's token", own.clone().with("token", &token(&of_eve))),
        ("more rights", own.clone().with("request", &wider)),
        ("another application", own.clone().with("request", &request(&other, &[]))),
    ] {
        assert_eq!(ann.submit(&forged).await.status, 403, "{what}");
    }
    for (name, value) in
        [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")]
    {
        assert_eq!(ann.submit_with(&own, |call| call.header(name, value)).await.status, 403, "{name}");
    }
    // A GET never grants, whatever it says.
    let asked = format!("/oauth/auth?{}&decision=allow&token={}", request(&made, &[]), token(&own));
    ann.get(&asked).await.expect(200);
    let allowed =
        ann.submit_with(&own, |call| call.header("origin", "null").header("sec-fetch-site", "same-origin")).await;
    assert!(parameters(allowed.expect(303).header("location")).contains_key("code"));
    let refused = ann.submit(&of_other.with("decision", "refuse")).await.expect(303);
    assert_eq!(parameters(refused.header("location"))["error"], "access_denied");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_only_what_is_new_is_asked_and_what_is_new_is_always_asked() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let ask = |more: &[(&str, &str)]| format!("/oauth/auth?{}", request(&made, more));
    let view = ("scope", "global:Profile.View");
    browser.authorize(&request(&made, &[view])).await;
    browser.get(&ask(&[view])).await.expect(303);
    browser.get(&ask(&[])).await.expect(303);
    let more = browser.get(&ask(&[("scope", "global:Profile.View global:Applications.View")])).await.expect(200);
    assert!(
        more.text().contains("View applications") && !more.text().contains("View member profiles"),
        "{}",
        more.text()
    );
    let away = browser.get(&ask(&[view, ("access_type", "offline")])).await.expect(200);
    assert!(away.text().contains("while you are away"));
    let everything = browser.get(&ask(&[("scope", "**")])).await.expect(200);
    assert!(everything.text().contains("everything that you may do"));
    // Without a page there is no question: the application hears what is missing.
    assert_eq!(
        refusal(&mut browser, &made, &[("request_credentials", "silent"), ("scope", "**")]).await["error"],
        "consent_required"
    );
    browser.get(&ask(&[view, ("request_credentials", "silent")])).await.expect(303);
    browser.get(&ask(&[view, ("request_credentials", "skip")])).await.expect(303);
    let mut stranger = Browser::new(&server);
    assert_eq!(refusal(&mut stranger, &made, &[("request_credentials", "silent")]).await["error"], "login_required");
    // The name within something else is not the name, nor is a backslash, which browsers leave as it is, an end.
    let within = format!("{}&request_credentials=required&state=a\\request_credentials", request(&made, &[]));
    let mut another = Browser::of(&server, "ann").await;
    let again = another.get(&format!("/oauth/auth?{within}")).await.expect(303);
    let page = another.get(again.header("location")).await.expect(200);
    let back = forms(page.text())[0].fields.iter().find(|(name, _)| name == "return").unwrap().1.clone();
    assert!(back.ends_with("&state=a\\request_credentials"), "{back}");
    // `required` signs out first, once.
    let again = browser.get(&ask(&[view, ("request_credentials", "required")])).await.expect(303);
    let location = again.header("location").to_owned();
    assert!(
        location.starts_with("/login?return=%2Foauth%2Fauth") && !location.contains("request_credentials"),
        "{location}"
    );
    assert_eq!(browser.cookie("spaceport-session"), None);
    browser.get(&location).await.expect(200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a18_where_anybody_could_take_the_answer_the_question_comes_each_time() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let uris = format!("{BACK}\nhttp://127.0.0.1/cb\ncom.example.tracker:/cb");
    let settings = json!({ "publicClientsAllowed": true, "pkceRequired": true, "codeFlowRedirectURIs": uris });
    let (open, closed) =
        (tracker(&server, settings).await, tracker(&server, json!({ "codeFlowRedirectURIs": uris })).await);
    let mut browser = Browser::of(&server, "ann").await;
    for (uri, again) in [(BACK, 303), ("http://127.0.0.1:7000/cb", 200), ("com.example.tracker:/cb", 200)] {
        let asked = with_challenge(&[("redirect_uri", uri), ("scope", "global:Profile.View")]);
        browser.authorize(&request(&open, &asked)).await;
        let page = browser.get(&format!("/oauth/auth?{}", request(&open, &asked))).await.expect(again);
        if again == 200 {
            assert!(page.text().contains("View member profiles") && !page.text().contains("not allowed yet"));
            let silent = [asked.as_slice(), &[("request_credentials", "silent")]].concat();
            let told = browser.get(&format!("/oauth/auth?{}", request(&open, &silent))).await.expect(303);
            assert_eq!(parameters(told.header("location"))["error"], "consent_required");
        }
        // Whoever has a secret shows it when he redeems the code.
        browser.authorize(&request(&closed, &asked)).await;
        browser.get(&format!("/oauth/auth?{}", request(&closed, &asked))).await.expect(303);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_token_is_bounded_by_user_consent_and_application() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &["Applications.View"]).await;
    let (made, other) = (tracker(&server, json!({})).await, tracker(&server, json!({ "name": "Other" })).await);
    let mut browser = Browser::of(&server, "ann").await;
    let token = async |browser: &mut Browser<'_>, scope: &str| {
        let text = code(browser, &made, &[("scope", scope)]).await;
        redeem(browser.server(), &made, &text, &[]).await.expect(200).json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let path = format!("/api/http/applications/id:{}", other.id);
    let status = async |token: &str| server.client.get(&path).bearer(token).send().await.status.as_u16();
    let wide = token(&mut browser, "**").await;
    assert_eq!(status(&wide).await, 404, "the application itself may not view applications");
    let application = spaceport_platform::id::ApplicationId::new(made.id.as_str());
    let granted = server.running.store().write(move |tx| {
        use spaceport_platform::access::{Grant, Principal};
        let right = spaceport_platform::right::Right::VIEW_APPLICATIONS;
        let grant = Grant { right, context: spaceport_platform::context::Context::Global };
        tx.grant(
            &Principal::Application(application.clone()),
            &grant,
            spaceport_platform::time::Timestamp::from_millis(0),
        )
    });
    granted.await.map_err(|error: spaceport_store::StoreError| error.to_string()).unwrap();
    let wide = token(&mut browser, "**").await;
    assert_eq!(status(&wide).await, 200);
    let narrow = token(&mut browser, "global:Profile.View").await;
    assert_eq!(status(&narrow).await, 404, "the user did not agree to that for this token");
    let jwks = server.client.get("/oauth/jwks.json").send().await.expect(200);
    let claims = spaceport_testkit::verify::token_claims(&wide, jwks.text()).unwrap();
    assert_eq!((&claims["sub"], &claims["aud"]), (&json!("profile-ann"), &json!(made.client_id)));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_request_leads_a_person_elsewhere() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    let mut browser = Browser::of(&server, "ann").await;
    for evil in
        ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "javascript:alert(1)"]
    {
        let answer = browser.get(&format!("/login?{}", query(&[("return", evil)]))).await.expect(303);
        assert_eq!(answer.header("location"), "/account", "{evil}");
    }
    let made = public(&server).await;
    let asked = request(&made, &with_challenge(&[]));
    let mut stranger = Browser::new(&server);
    let answer = stranger.get(&format!("/oauth/auth?{asked}")).await.expect(303);
    assert!(answer.header("location").starts_with("/login?return="));
    server.running.stop().await;
}
