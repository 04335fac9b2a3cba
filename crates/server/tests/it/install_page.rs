//! Install links: followed, looked at, confirmed, and what comes of it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_testkit::foreign::{named, node};
use spaceport_testkit::http::Response;
use spaceport_testkit::published::{Published, Reaction};
use spaceport_testkit::receiver::Gate;

use crate::browser::{Browser, Form, forms, query};
use crate::cases::unfurl_targets::ask;
use crate::harness::{BOTH, Engine, Server};
use crate::installation::reaching;
use crate::people::set_password;

const PASSWORD: &str = "correct horse battery";
const NEW: &str = "/extensions/installedApplications/new";
/// The endpoint in the links of the SDKs, as they write it.
const ELSEWHERE: &str = "https%3A%2F%2Fmy-server.domain.com%2Fapi";
const ELSEWHERE_2: &str = "https%3A%2F%2Fapp.example.com%2Fapi";
const ELSEWHERE_3: &str = "https%3A%2F%2Fapp.example.com%2Fspace%2Fapi";

/// Links of both SDKs and of readmes (`vectors/install-url.json` of the shared fixtures).
fn links() -> Vec<String> {
    let vector: Value = serde_json::from_str(include_str!("../data/install-url.json")).unwrap();
    let cases = vector["cases"].as_array().unwrap().iter();
    cases.map(|case| case["query"].as_str().unwrap().to_owned()).collect()
}

/// The same link for an application of the test.
fn leading_to(link: &str, published: &Published) -> String {
    let endpoint = query(&[("e", &published.endpoint())]).split_off(2);
    [ELSEWHERE, ELSEWHERE_2, ELSEWHERE_3].iter().fold(link.to_owned(), |link, known| link.replace(known, &endpoint))
}

/// A server, with `ann` who may install applications, and an application that knows where it is.
async fn start(engine: Engine) -> (Server, Published) {
    let server = Server::start(engine).await;
    server.person("ann", &["Applications.Create"]).await;
    let published = reaching(&server);
    (server, published)
}

/// The form of the page behind a link, with the name that the page proposes.
async fn install_form(browser: &mut Browser<'_>, link: &str) -> Form {
    let page = browser.get(&format!("{NEW}?{link}")).await.expect(200);
    let name = crate::browser::between(page.text(), "name=\"name\" required maxlength=\"200\" value=\"", "\"").unwrap();
    forms(page.text())[0].clone().with("name", name)
}

/// Presses the button; the page about the outcome.
async fn install(browser: &mut Browser<'_>, link: &str) -> String {
    let form = install_form(browser, link).await;
    browser.submit(&form).await.expect(303).header("location").to_owned()
}

/// The page as a browser shows it in the end: it asks again for as long as the page tells it to.
async fn settled(browser: &mut Browser<'_>, path: &str) -> Response {
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    for _ in 0..3_000 {
        ticks.tick().await;
        let page = browser.get(path).await.expect(200);
        if page.headers.get("refresh").is_none() {
            return page;
        }
    }
    panic!("{path} is under way for ever");
}

fn form_to(page: &Response, end: &str) -> Form {
    forms(page.text()).into_iter().find(|form| form.action.ends_with(end)).unwrap_or_else(|| panic!("no form to {end}"))
}

async fn application(server: &Server, outcome: &str) -> Value {
    let id = outcome.split('/').nth(3).unwrap();
    let path = format!("/api/http/applications/id:{id}?$fields=*,metadata,archived,settings,owner(username),domains");
    server.client.get(&path).bearer(&server.admin).send().await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn links_of_the_sdks_prefill_the_page_and_install() {
    for engine in BOTH {
        let (server, _) = start(engine).await;
        let mut browser = Browser::of(&server, "ann").await;
        for link in links() {
            let published = reaching(&server);
            let link = leading_to(&link, &published);
            assert!(!link.contains("example.com%2Fapi") && !link.contains("space%2Fapi"), "{link}");
            let asked: std::collections::BTreeMap<String, String> =
                form_urlencoded::parse(link.as_bytes()).into_owned().collect();
            let page = browser.get(&format!("{NEW}?{link}")).await.expect(200);
            for shown in [asked["name"].as_str(), asked["endpoint"].as_str()] {
                assert!(page.text().contains(shown), "{shown} is not on the page");
            }
            let uris: Vec<&str> =
                asked.get("code-flow-redirect-uris").map(|uris| uris.lines().collect()).unwrap_or_default();
            for uri in &uris {
                assert!(page.text().contains(uri), "{uri} is not on the page");
            }
            assert!(published.memory().payloads.is_empty(), "nothing is sent before somebody agrees");
            let outcome = install(&mut browser, &link).await;
            let end = settled(&mut browser, &outcome).await;
            assert!(end.text().contains("It is connected."), "{}", end.text());
            let memory = published.memory();
            assert_eq!(
                (memory.state.as_ref(), memory.complaints.len()),
                (asked.get("state"), 0),
                "{:?}",
                memory.complaints
            );
            let made = application(&server, &outcome).await;
            assert_eq!(made["name"], asked["name"].as_str());
            assert_eq!(made["endpointURI"], asked["endpoint"].as_str());
            assert_eq!(made["metadata"]["className"], "AdHocConnectedAppMetadata");
            assert_eq!(made["clientCredentialsFlowEnabled"], true);
            assert_eq!(made["codeFlowEnabled"], !uris.is_empty());
            assert_eq!(made["codeFlowRedirectURIs"].as_str().unwrap_or_default(), uris.join("\n"));
            assert_eq!(made["pkceRequired"] == true, asked.contains_key("pkce-required"));
            assert_eq!(made["hasSigningKey"], asked.contains_key("has-signing-key"));
            assert_eq!(made["owner"]["username"], "ann", "whoever installs an application owns it");
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_names_no_server_leads_to_the_same_page() {
    let (server, _) = start(Engine::Sqlite).await;
    let mut browser = Browser::of(&server, "ann").await;
    let forwarded = browser.get("/space/app/install-app?name=My%20app&endpoint=https%3A%2F%2Fe").await.expect(303);
    assert_eq!(forwarded.header("location"), format!("{NEW}?name=My%20app&endpoint=https%3A%2F%2Fe"));
    // Without `pair`, it is only registered.
    let outcome = install(&mut browser, "name=My%20app&endpoint=https%3A%2F%2Fe.test&pair=false").await;
    let page = browser.get(&outcome).await.expect(200);
    let made = application(&server, &outcome).await;
    assert!(page.text().contains("It is registered.") && page.text().contains(made["clientId"].as_str().unwrap()));
    assert_eq!(made["metadata"], Value::Null);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_people_who_may_install_and_only_by_the_button() {
    let (server, published) = start(Engine::Sqlite).await;
    let link = query(&[("name", "App"), ("endpoint", &published.endpoint())]);
    let path = format!("{NEW}?{link}");
    let mut nobody = Browser::new(&server);
    let way = nobody.get(&path).await.expect(303).header("location").to_owned();
    assert_eq!(way, format!("/login?{}", query(&[("return", &path)])), "the way leads back to the link");
    server.person("bob", &["Applications.View"]).await;
    let mut bob = Browser::of(&server, "bob").await;
    assert!(bob.get(&path).await.expect(403).text().contains("may not install applications"));
    let mut ann = Browser::of(&server, "ann").await;
    for (faulty, named) in
        [("name=App", "endpoint"), ("endpoint=https://e", "name"), ("name=A&marketplace-app=1", "marketplace")]
    {
        assert!(ann.get(&format!("{NEW}?{faulty}")).await.expect(400).text().contains(named));
    }
    let form = install_form(&mut ann, &link).await;
    ann.submit(&form.clone().without("token")).await.expect(403);
    ann.submit(&form.clone().with("link", &link.replace("App", "Evil"))).await.expect(403);
    bob.submit(&form).await.expect(403);
    assert!(ann.submit(&form.clone().with("name", "  ")).await.expect(422).text().contains("name"));
    let odd = install_form(&mut ann, "name=App&endpoint=ftp%3A%2F%2Fe").await;
    assert!(ann.submit(&odd).await.expect(422).text().contains("endpointUri"));
    assert!(published.memory().payloads.is_empty());
    // Pressed twice, it installs once.
    let first = ann.submit(&form).await.expect(303).header("location").to_owned();
    let second = ann.submit(&form).await.expect(303).header("location").to_owned();
    assert_eq!(first, second);
    settled(&mut ann, &first).await;
    assert_eq!(published.payloads("InitPayload").len(), 1);
    // Others see nothing of it, unless they may view applications.
    server.person("cid", &[]).await;
    Browser::of(&server, "cid").await.get(&first).await.expect(404);
    bob.get(&first).await.expect(200);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_follows_an_installation_and_leads_out_of_its_failure() {
    for engine in BOTH {
        let (server, published) = start(engine).await;
        server.person("bob", &["Applications.View"]).await;
        let gate = Gate::new();
        published.react("InitPayload", [Reaction::Refuse(418), Reaction::AcceptAfter(gate.clone())]);
        let (mut ann, mut bob) = (Browser::of(&server, "ann").await, Browser::of(&server, "bob").await);
        let outcome = install(&mut ann, &query(&[("name", "App"), ("endpoint", &published.endpoint())])).await;
        let failed = settled(&mut ann, &outcome).await;
        assert!(failed.text().contains("It could not be connected. The endpoint answered with the status 418."));
        let seen = bob.get(&outcome).await.expect(200);
        assert!(seen.text().contains("418") && forms(seen.text()).is_empty(), "he can look, and do nothing");
        let again = form_to(&failed, "/again");
        bob.submit(&again).await.expect(403);
        ann.submit(&again.clone().without("token")).await.expect(403);
        ann.submit(&again).await.expect(303);
        published.wait_for("InitPayload", 2).await;
        let pending = ann.get(&outcome).await.expect(200);
        assert!(pending.text().contains("It is being connected") && pending.header("refresh") == "1");
        // Links of applications name it with its name before its id.
        let named = outcome.replace("installedApplications/", "installedApplications/My-App-");
        assert!(ann.get(&named).await.expect(200).text().contains("It is being connected"));
        gate.open();
        let connected = settled(&mut ann, &outcome).await;
        assert!(connected.text().contains("It is connected."));
        ann.submit(&form_to(&connected, "/remove")).await.expect(303);
        let gone = settled(&mut ann, &outcome).await;
        assert!(gone.text().contains("It is removed.") && forms(gone.text()).is_empty());
        assert!(published.memory().uninstalled);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_answers_on_the_page_what_an_application_asks_for() {
    for engine in BOTH {
        let (server, published) = start(engine).await;
        let mut ann = Browser::of(&server, "ann").await;
        let outcome = install(&mut ann, &query(&[("name", "App"), ("endpoint", &published.endpoint())])).await;
        let hers = settled(&mut ann, &outcome).await;
        assert!(hers.text().contains("View issues") && hers.text().contains("somebody else decides"));
        assert!(!hers.text().contains("name=\"decision\""), "she can answer nothing, though it is hers");
        ask(&server, &published.token().await.unwrap(), json!(["slack.com"])).await;
        let mut admin = Browser::administrator(&server).await;
        let page = admin.get(&outcome).await.expect(200);
        assert!(page.text().contains("slack.com and the domains below it"));
        let form = form_to(&page, "/approvals");
        let some = form.clone().with("right", "global Project.Issues.View");
        ann.submit(&some.clone().with("decision", "approve")).await.expect(403);
        admin.submit(&some.clone().with("decision", "perhaps")).await.expect(400);
        // Nothing that is not asked for can be given.
        admin.submit(&form.clone().with("right", "global Superadmin").with("decision", "approve")).await.expect(303);
        admin.submit(&some.with("decision", "approve")).await.expect(303);
        let page = admin.get(&outcome).await.expect(200);
        assert!(!page.text().contains("View issues") && page.text().contains("View member profiles"));
        let domain = form_to(&page, "/approvals").with("right", "domain slack.com").with("decision", "approve");
        admin.submit(&domain).await.expect(303);
        assert_eq!(application(&server, &outcome).await["domains"][0]["status"], "GRANTED");
        let rest = form_to(&page, "/approvals").with("right", "global Profile.View").with("decision", "reject");
        assert_eq!(admin.submit(&rest).await.expect(303).header("location"), format!("{outcome}?done=1"));
        assert!(admin.get(&outcome).await.expect(200).text().contains("It waits for no approval."));
        let id = outcome.split('/').nth(3).unwrap();
        let rights =
            format!("/api/http/applications/id:{id}/authorizations/authorized-rights?contextIdentifier=global");
        let rights = server.client.get(&rights).bearer(&server.admin).send().await.expect(200).json();
        let mut held: Vec<(&str, &str)> = rights
            .as_array()
            .unwrap()
            .iter()
            .map(|right| (right["rightCode"].as_str().unwrap_or_default(), right["status"].as_str().unwrap()))
            .collect();
        held.sort_by_key(|(_, status)| *status);
        assert_eq!(held.iter().map(|(_, status)| *status).collect::<Vec<_>>(), ["GRANTED", "REJECTED"], "{held:?}");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_leads_on_to_the_application() {
    for engine in BOTH {
        let (server, published) = start(engine).await;
        let mut ann = Browser::of(&server, "ann").await;
        let outcome = install(&mut ann, &query(&[("name", "App"), ("endpoint", &published.endpoint())])).await;
        settled(&mut ann, &outcome).await;
        let id = outcome.split('/').nth(3).unwrap();
        let path = format!("/api/http/applications/id:{id}/ui-extensions");
        let kept = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(kept[1], json!({ "className": "ApplicationHomepageUiExtensionApi", "iframeUrl": "/space-iframe" }));
        let token = published.token().await.unwrap();
        let url = published.endpoint().replace("/api", "/start?a=1&b=2");
        let start = json!({ "className": "GettingStartedUiExtensionIn", "gettingStartedUrl": url,
            "gettingStartedTitle": "Begin <here>", "openInNewTab": true });
        let body = json!({ "contextIdentifier": "global", "extensions": [start] });
        let path = "/api/http/applications/ui-extensions";
        server.client.patch(path).bearer(&token).json(&body).send().await.expect(200);
        let page = ann.get(&outcome).await.expect(200);
        let link = crate::browser::between(page.text(), "<a class=\"button\" href=\"", "</a>").unwrap();
        assert!(link.starts_with("http://") && link.contains("/start?a=1") && !link.contains("<here>"), "{link}");
        assert!(link.contains("target=\"_blank\" rel=\"noopener noreferrer\"><bdi>Begin"), "{link}");
        // With another endpoint, it may not lead there any more.
        let moved = json!({ "endpointUri": "https://elsewhere.example/api" });
        let path = format!("/api/http/applications/id:{id}");
        server.client.patch(&path).bearer(&token).json(&moved).send().await.expect(200);
        assert!(!ann.get(&outcome).await.expect(200).text().contains("/start?a=1"));
        server.running.stop().await;
    }
}

/// Every link in real Chromium; pictures are left in the target folder, under `tmp/install-pages`.
#[tokio::test(flavor = "multi_thread")]
async fn links_install_in_a_real_browser() {
    let chromium = named("SPACEPORT_TEST_CHROMIUM");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("install-pages");
    std::fs::create_dir_all(&folder).unwrap();
    let (server, _) = start(Engine::Sqlite).await;
    set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
    let applications: Vec<Published> = links().iter().map(|_| reaching(&server)).collect();
    let links: Vec<String> =
        links().iter().zip(&applications).map(|(link, published)| leading_to(link, published)).collect();
    let input = json!({ "url": server.running.public_url, "username": "ann", "password": PASSWORD, "links": links,
        "folder": folder, "chromium": chromium.to_str() });
    let program = include_str!("../foreign/install.js");
    let printed = tokio::task::spawn_blocking(move || node(program, &input.to_string())).await.unwrap();
    let seen: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), applications.len());
    for (page, published) in seen.iter().zip(&applications) {
        assert_eq!(page["faults"], json!([]), "{page}");
        assert_eq!(page["name"], application(&server, page["outcome"].as_str().unwrap()).await["name"]);
        let memory = published.memory();
        assert!(!memory.client_id.is_empty() && memory.complaints.is_empty(), "{:?}", memory.complaints);
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_applications_make_themselves_lead_to_the_page_about_them() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.person("ann", &["Applications.Create"]).await;
        let mut ann = Browser::of(&server, "ann").await;
        let outcome = install(&mut ann, "name=My-App&endpoint=https%3A%2F%2Fe.test&pair=false").await;
        let id = outcome.split('/').nth(3).unwrap();
        for path in [
            format!("/extensions/installedApplications/My-App-{id}/homepage"),
            format!("/extensions/installedApplications/{id}/homepage"),
            format!("/topLevelPageExtension/My-App-{id}-main"),
            format!("/topLevelPageExtension/My%20app-{id}-first-page"),
        ] {
            let way = ann.get(&path).await.expect(303);
            assert_eq!(way.header("location"), outcome, "{path}");
        }
        ann.get(&outcome).await.expect(200);
        // What does not exist looks like what one may not see.
        let way = ann.get("/topLevelPageExtension/None-nothing%2F..%2Fnew").await.expect(303);
        assert_eq!(way.header("location"), "/extensions/installedApplications/nothing%2F%2E%2E%2Fnew/installation");
        ann.get(way.header("location")).await.expect(404);
        let mut stranger = Browser::new(&server);
        let path = format!("/topLevelPageExtension/My-App-{id}-main");
        let way = stranger.get(&path).await.expect(303).header("location").to_owned();
        assert!(stranger.get(&way).await.expect(303).header("location").starts_with("/login?return="));
        server.running.stop().await;
    }
}
