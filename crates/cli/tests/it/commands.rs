//! What the commands print and how they end.

use std::process::Command;

use tempfile::TempDir;

use crate::process::{SPACEPORT, init};

#[test]
fn init_prints_what_scripts_need_once() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let made = init(&data);
    for key in ["serverUrl", "adminToken", "hostClientId", "hostClientSecret", "adminLink"] {
        assert!(made[key].is_string(), "{key}");
    }
    let again = Command::new(SPACEPORT).args(["init", "--json", "--data"]).arg(&data).output().unwrap();
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("already"));
}

#[test]
fn the_demo_goes_through_the_main_job_and_ends_well() {
    let toured = Command::new(SPACEPORT).args(["demo", "--once", "--retry-schedule", "10ms,20ms"]).output().unwrap();
    let text = String::from_utf8_lossy(&toured.stdout);
    assert!(toured.status.success(), "{text}{}", String::from_utf8_lossy(&toured.stderr));
    assert!(text.contains("curl -X POST") && text.contains("signature verified"), "{text}");
    assert!(text.contains("WebhookDeliveryStatusDTO.Successful"), "{text}");
}

#[test]
fn a_demo_of_an_unknown_event_says_why_it_ends() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("event.json");
    std::fs::write(&file, r#"{"className":"PlanetEvent"}"#).unwrap();
    let toured = Command::new(SPACEPORT).args(["demo", "--once", "--event"]).arg(&file).output().unwrap();
    assert_eq!(toured.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&toured.stderr).contains("PlanetEvent"));
}

#[test]
fn wrong_settings_are_refused_by_name() {
    for (flag, value, name) in [
        ("--listen", "everywhere", "listen"),
        ("--database-url", "mysql://x", "database_url"),
        ("--retry-schedule", "soon", "retry_schedule"),
        ("--config", "/nowhere/spaceport.toml", "settings file"),
    ] {
        let refused = Command::new(SPACEPORT).args(["serve", flag, value]).output().unwrap();
        assert!(!refused.status.success());
        let text = String::from_utf8_lossy(&refused.stderr);
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn the_demo_publishes_what_a_file_holds() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("event.json");
    let demo = || {
        let mut command = Command::new(SPACEPORT);
        command.args(["demo", "--once", "--retry-schedule", "10ms,20ms", "--event"]).arg(&file).output().unwrap()
    };
    let payload = r#"{"className":"IssueWebhookEvent","note":"from a file 🎉"}"#;
    for content in [
        payload.to_owned(),
        format!(r#"{{"className":"WebhookRequestPayload","clientId":"c","webhookId":"w","payload":{payload}}}"#),
        format!(r#"{{"subject":"Issue","type":"Issue.Created","payload":{payload}}}"#),
    ] {
        std::fs::write(&file, &content).unwrap();
        let toured = demo();
        let text = String::from_utf8_lossy(&toured.stdout);
        assert_eq!(toured.status.code(), Some(0), "{content}: {text}{}", String::from_utf8_lossy(&toured.stderr));
        assert!(text.contains("from a file 🎉"), "{text}");
    }
    for (content, words) in
        [("{", "no JSON"), ("{}", "className"), (r#"{"subject":"Issue","type":"Nope","payload":{}}"#, "type")]
    {
        std::fs::write(&file, content).unwrap();
        let toured = demo();
        assert_eq!(toured.status.code(), Some(1), "{content}");
        assert!(String::from_utf8_lossy(&toured.stderr).contains(words), "{}", String::from_utf8_lossy(&toured.stderr));
    }
    std::fs::remove_file(&file).unwrap();
    assert!(String::from_utf8_lossy(&demo().stderr).contains("cannot be read"));
}

#[test]
fn the_demo_wants_a_fresh_folder_and_keeps_a_named_one() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let demo = || {
        let mut command = Command::new(SPACEPORT);
        command.args(["demo", "--once", "--retry-schedule", "10ms,20ms", "--data"]).arg(&data).output().unwrap()
    };
    assert!(demo().status.success());
    assert!(data.join("spaceport.db").exists());
    let again = demo();
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("fresh data folder"));
}

#[test]
fn init_repeats_the_flags_for_the_next_command_as_a_shell_reads_them() {
    let folder = TempDir::new().unwrap();
    let (data, file) = (folder.path().join("it's my data"), folder.path().join("spaceport.toml"));
    std::fs::write(&file, "refresh_token_days = 7\n").unwrap();
    let database = format!("sqlite:{}", folder.path().join("other.db").display());
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let flags = [
        ("--data", text(&data)),
        ("--listen", "127.0.0.1:0".to_owned()),
        ("--public-url", "http://a.example".to_owned()),
        ("--database-url", database),
        ("--allow-network", "10.0.0.0/8".to_owned()),
        ("--allow-network", "fd00::/8".to_owned()),
        ("--config", text(&file)),
    ];
    let mut init = Command::new(SPACEPORT);
    init.args(flags.iter().flat_map(|(name, value)| [*name, value.as_str()])).arg("init");
    let made = init.env("SPACEPORT_RETRY_SCHEDULE", "1s").output().unwrap();
    let told = String::from_utf8_lossy(&made.stdout).into_owned();
    let next = told.lines().find_map(|line| line.strip_prefix("Next: ")).unwrap_or_else(|| panic!("{told}"));
    // The shell itself says how it reads the line.
    let words = Command::new("sh").args(["-c", &format!("printf '%s\\n' {next}")]).output().unwrap();
    let words: Vec<String> = String::from_utf8_lossy(&words.stdout).lines().map(str::to_owned).collect();
    let expected = flags.iter().flat_map(|(name, value)| [(*name).to_owned(), value.clone()]);
    assert_eq!(words, ["spaceport".to_owned(), "serve".to_owned()].into_iter().chain(expected).collect::<Vec<_>>());
    let list = next.replace("spaceport serve", &format!("{SPACEPORT} keys list"));
    let again = Command::new("sh").args(["-c", &list]).output().unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn the_demo_for_scripts_prints_one_object() {
    let demo = ["demo", "--once", "--json", "--retry-schedule", "10ms,20ms"];
    let toured = Command::new(SPACEPORT).args(demo).output().unwrap();
    assert!(toured.status.success(), "{}", String::from_utf8_lossy(&toured.stderr));
    let report: serde_json::Value = serde_json::from_slice(&toured.stdout).unwrap();
    let answers: Vec<_> = report["attempts"].as_array().unwrap().iter().map(|it| it["answered"].clone()).collect();
    assert_eq!(answers, [500, 500, 200]);
    assert_eq!(report["status"]["className"], "WebhookDeliveryStatusDTO.Successful");
    assert!(report["serverUrl"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{report}");
    let refused = Command::new(SPACEPORT).args(demo).args(["--event", "/nowhere/event.json"]).output().unwrap();
    assert!(!refused.status.success() && refused.stdout.is_empty());
    let told: serde_json::Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert!(told["error"].as_str().unwrap().contains("/nowhere/event.json"));
}
