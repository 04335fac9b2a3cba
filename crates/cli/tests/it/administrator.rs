//! The way back to an administrator: the command makes a link, whether a server runs or not, and the link works.

use std::process::Command;

use serde_json::Value;
use spaceport_testkit::http::Client;
use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::process::{Process, SPACEPORT, init_with};

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

/// Uses a link up; answers the access token that the page shows.
async fn token_of(client: &Client, link: &str) -> String {
    let path = link.strip_prefix("http://spaceport.test").unwrap();
    let page = client.get(path).send().await.expect(200);
    let cookie = page.header("set-cookie").split_once(';').unwrap().0.to_owned();
    let field = |name: &str| between(page.text(), &format!("name=\"{name}\" value=\""), "\"").to_owned();
    let (token, code) = (field("token"), field("code"));
    let form = [("token", token.as_str()), ("code", code.as_str())];
    let used = client.post("/administrator").header("cookie", &cookie).form(&form).send().await.expect(200);
    between(used.text(), "<pre tabindex=\"0\">", "</pre>").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_administrator_comes_back_by_the_command_beside_a_server_and_without_one() {
    let postgres = database();
    for database in [None, Some(postgres.url.as_str())] {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let flags: Vec<&str> = database.map_or_else(Vec::new, |url| vec!["--database-url", url]);
        init_with(&data, &flags);
        let ask = || {
            let mut command = Command::new(SPACEPORT);
            command.args(["admin-link", "--json", "--public-url", "http://spaceport.test", "--data"]).arg(&data);
            let done = command.args(&flags).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            let printed: Value = serde_json::from_slice(&done.stdout).unwrap();
            printed["adminLink"].as_str().unwrap().to_owned()
        };
        let before = ask();
        let process = Process::serve_with(&data, &flags);
        let beside = ask();
        let client = Client::new(process.url.clone());
        for link in [&before, &beside] {
            let token = token_of(&client, link).await;
            client.get("/api/http/applications/paged").bearer(&token).send().await.expect(200);
            let trail = "/api/host/v1/audit-trail?operation=server.administrator_link";
            let trail = client.get(trail).bearer(&token).send().await.expect(200).json();
            assert_eq!(trail["data"].as_array().unwrap().len(), 2, "{trail}");
        }
        // Neither the secret of a link nor the talk about it is left behind.
        let code = beside.split_once("code=").unwrap().1;
        for entry in std::fs::read_dir(&data).unwrap() {
            let path = entry.unwrap().path();
            assert!(!path.to_string_lossy().contains("administrator-link"), "{}", path.display());
            let held = std::fs::read(&path).unwrap();
            assert!(!held.windows(code.len()).any(|piece| piece == code.as_bytes()), "{}", path.display());
        }
    }
}

#[test]
fn people_read_what_the_link_is_and_where_nothing_is_set_up_there_is_none() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let ask = || Command::new(SPACEPORT).args(["admin-link", "--data"]).arg(&data).output().unwrap();
    let refused = ask();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("spaceport init"));
    init_with(&data, &[]);
    let told = String::from_utf8_lossy(&ask().stdout).into_owned();
    assert!(told.contains("http://127.0.0.1:8080/administrator?code=") && told.contains("works once"), "{told}");
}
