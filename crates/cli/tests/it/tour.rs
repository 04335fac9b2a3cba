//! The demo's narration: what it tells people to type works when they type it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::process::SPACEPORT;

/// A shell runs the line as it was printed; only its exit code is made to tell refusals.
fn typed(line: &str) -> String {
    let line = line.replacen("curl ", "curl -sS --fail-with-body ", 1);
    let done = Command::new("sh").args(["-c", &line]).output().unwrap();
    let answer = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{line}\n{answer}{}", String::from_utf8_lossy(&done.stderr));
    answer
}

#[test]
fn each_curl_line_of_the_demo_works_when_it_is_typed() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("event.json");
    std::fs::write(&file, r#"{"className":"IssueWebhookEvent","note":"it's $HOME `date` \"!\" 🎉"}"#).unwrap();
    let mut demo = Command::new(SPACEPORT)
        .args(["demo", "--listen", "127.0.0.1:0", "--retry-schedule", "10ms,20ms", "--event"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(demo.stdout.take().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        assert!(told.read_line(&mut line).unwrap() > 0, "the demo ended: {lines:?}");
        let over = line.contains("run it for real");
        lines.push(line);
        if over {
            break;
        }
    }
    let shown: Vec<&str> = lines.iter().map(|line| line.trim()).filter(|line| line.starts_with("curl ")).collect();
    // Create, secret, token, webhook, ask, grant, the host's token, publish, keys, status.
    assert_eq!(shown.len(), 10, "{shown:?}");
    let answers: Vec<String> = shown.iter().map(|line| typed(line)).collect();
    assert!(answers[0].contains("clientId") && answers[2].contains("access_token"), "{answers:?}");
    assert!(answers[9].contains("WebhookDeliveryStatusDTO.Successful"), "{answers:?}");
    let link = lines.iter().find(|line| line.contains("administrator") && line.contains("://")).unwrap();
    assert!(link.contains("http://127.0.0.1:"), "{link}");

    let mut interrupt = Command::new("kill");
    interrupt.args(["-INT", &demo.id().to_string()]).status().unwrap();
    told.read_to_end(&mut Vec::new()).unwrap();
    assert!(demo.wait().unwrap().success(), "Ctrl-C ends it well");
}

#[test]
fn the_demo_uses_the_database_that_it_is_given() {
    let database = database();
    let demo = || {
        let mut command = Command::new(SPACEPORT);
        command
            .args(["demo", "--once", "--retry-schedule", "10ms,20ms", "--database-url", &database.url])
            .output()
            .unwrap()
    };
    let toured = demo();
    assert!(toured.status.success(), "{}", String::from_utf8_lossy(&toured.stderr));
    let again = demo();
    assert_eq!(again.status.code(), Some(1), "the database is no fresh one");
    let sentence = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(sentence.contains("fresh") || sentence.contains("master.key"), "{sentence}");
}
