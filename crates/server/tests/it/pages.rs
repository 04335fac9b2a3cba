//! Pages in a real browser: headless Chromium goes through sign-in, consent and refusal, and axe-core looks at every page.
//! Pictures of them are left in the target folder, under `tmp/pages`.

use std::path::Path;

use serde_json::{Value, json};
use spaceport_platform::secret::Secret;
use spaceport_server::config::provider::{Matching, ProviderSettings};
use spaceport_testkit::foreign::{named, node};

use crate::browser::Browser;
use crate::harness::{Engine, Server};
use crate::oauth_flow::tracker;
use crate::people::set_password;

const PASSWORD: &str = "correct horse battery";
/// Where a program on the same machine waits for the answer, at whatever port.
const BACK: &str = "http://127.0.0.1/back\nhttp://127.0.0.1/onward\nhttp://[::1]/onward";

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_consent_and_refuse_in_a_real_browser_and_everybody_can_read_the_pages() {
    let chromium = named("SPACEPORT_TEST_CHROMIUM");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let provider = ProviderSettings {
        issuer: "https://id.example".to_owned(),
        client_id: "spaceport".to_owned(),
        client_secret: Secret::new("secret"),
        label: "Company account".to_owned(),
        matching: Matching::Email,
    };
    let server = Server::start_changed(Engine::Sqlite, |settings| settings.provider = Some(provider)).await;
    server.person("ann", &[]).await;
    set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
    let description = "Keeps track of what is to be done, and tells everybody.\nMade for teams of any size.";
    let made = tracker(&server, json!({ "codeFlowRedirectURIs": BACK, "description": description })).await;
    let input = json!({
        "url": server.running.public_url, "client": made.client_id, "username": "ann", "password": PASSWORD,
        "scope": "global:Profile.View global:Applications.View", "folder": folder, "chromium": chromium.to_str(),
    });
    let program = include_str!("../foreign/pages.js");
    let printed = tokio::task::spawn_blocking(move || node(program, &input.to_string())).await.unwrap();
    let seen: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for look in ["desktop-light", "phone-dark"] {
        let pages = seen.iter().filter_map(|page| page["page"].as_str()?.strip_prefix(&format!("{look} ")));
        assert_eq!(
            pages.collect::<Vec<_>>(),
            [
                "login",
                "login-failed",
                "consent",
                "refused",
                "allowed",
                "consent-more",
                "account",
                "applications",
                "error",
                "withdrawn"
            ]
        );
    }
    for page in &seen {
        let faults = page["faults"].as_array().unwrap().iter().filter_map(Value::as_str);
        let serious: Vec<&str> =
            faults.filter(|fault| fault.starts_with("serious") || fault.starts_with("critical")).collect();
        assert!(serious.is_empty(), "{}: {serious:#?}", page["page"]);
        assert_eq!(page["said"], json!([]), "{}: the browser complained", page["page"]);
    }
    let pictures = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(pictures, 16, "one of each page that is ours");
    server.running.stop().await;
}
