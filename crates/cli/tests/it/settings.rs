//! Flags, variables and the file say the same things, and what is half configured is refused in words.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, SPACEPORT, init};

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(SPACEPORT);
    command.args(arguments).envs(variables.iter().copied());
    command.output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The sentence with which a command refuses.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_flag_wins_over_a_variable_and_a_variable_over_the_file() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("spaceport.toml");
    std::fs::write(&file, "public_url = \"http://file.example\"\nlisten = \"127.0.0.1:7001\"\n").unwrap();
    let url = |name: &str, more: &[&str], variables: &[(&str, &str)]| {
        let data = folder.path().join(name);
        let arguments: Vec<&str> =
            ["init", "--json", "--data", text(&data)].into_iter().chain(more.iter().copied()).collect();
        json(&run(&arguments, variables))["serverUrl"].as_str().unwrap().to_owned()
    };
    let variable = ("SPACEPORT_PUBLIC_URL", "http://variable.example");
    let config = ("SPACEPORT_CONFIG", text(&file));
    assert_eq!(url("a", &["--config", text(&file)], &[]), "http://file.example");
    assert_eq!(url("b", &[], &[config]), "http://file.example");
    assert_eq!(url("c", &[], &[config, variable]), "http://variable.example");
    assert_eq!(url("d", &["--public-url", "http://flag.example/"], &[config, variable]), "http://flag.example");
    assert_eq!(url("e", &["--listen", "127.0.0.1:7002"], &[]), "http://127.0.0.1:7002");
}

#[test]
fn every_flag_can_be_a_variable() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let database = format!("sqlite:{}", folder.path().join("elsewhere.db").display());
    let made = json(&run(
        &["init"],
        &[
            ("SPACEPORT_DATA", text(&data)),
            ("SPACEPORT_LISTEN", "127.0.0.1:7003"),
            ("SPACEPORT_DATABASE_URL", &database),
            ("SPACEPORT_ALLOW_NETWORK", "10.0.0.0/8,fd00::/8"),
            ("SPACEPORT_RETRY_SCHEDULE", "1s,2s,3s"),
            ("SPACEPORT_JSON", "true"),
        ],
    ));
    let mut keys: Vec<_> = made.as_object().unwrap().keys().cloned().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["adminLink", "adminToken", "hostClientId", "hostClientSecret", "serverUrl"]);
    assert_eq!(made["serverUrl"], "http://127.0.0.1:7003");
    assert!(made["adminLink"].as_str().unwrap().starts_with("http://127.0.0.1:7003/"));
    assert!(folder.path().join("elsewhere.db").exists() && !data.join("spaceport.db").exists());
    for (variable, value, named) in [
        ("SPACEPORT_LISTEN", "everywhere", "listen"),
        ("SPACEPORT_ALLOW_NETWORK", "ten", "allow_network"),
        ("SPACEPORT_NAME_SERVER", "dns", "name_server"),
        ("SPACEPORT_RETRY_SCHEDULE", "1s,soon", "retry_schedule"),
        ("SPACEPORT_PUBLIC_URL", "https://a.example/path", "public_url"),
    ] {
        let sentence = refused(&run(&["init", "--data", text(&data)], &[(variable, value)]));
        assert!(sentence.contains(named), "{sentence}");
    }
}

#[test]
fn a_wrong_file_is_refused_with_its_key() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("spaceport.toml");
    for (content, named) in [("listne = \"x\"", "listne"), ("listen = 7", "listen"), ("listen", "spaceport.toml")] {
        std::fs::write(&file, content).unwrap();
        let sentence = refused(&run(&["init", "--config", text(&file)], &[]));
        assert!(sentence.contains(named) && sentence.contains("spaceport.toml"), "{sentence}");
    }
}

#[test]
fn half_configured_states_are_refused_by_every_command() {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    init(&data);
    let key = data.join("master.key");
    std::fs::rename(&key, data.join("away")).unwrap();
    for command in ["serve", "init"] {
        let sentence = refused(&run(&[command, "--data", text(&data), "--listen", "127.0.0.1:0"], &[]));
        assert!(sentence.contains("master.key") && sentence.contains("Copy"), "{command}: {sentence}");
    }
    assert!(!key.exists(), "nothing is made up");
    let sentence = refused(&run(&["serve", "--json", "--data", text(&data), "--listen", "127.0.0.1:0"], &[]));
    let last = sentence.lines().last().unwrap();
    assert!(serde_json::from_str::<Value>(last).unwrap()["error"].as_str().unwrap().contains("master.key"));
    std::fs::rename(data.join("away"), &key).unwrap();

    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = held.local_addr().unwrap().to_string();
    let sentence = refused(&run(&["serve", "--data", text(&data), "--listen", &taken], &[]));
    assert!(sentence.contains(&taken) && sentence.contains("--listen"), "{sentence}");
    let running = Process::serve(&data);
    let sentence = refused(&run(&["serve", "--data", text(&data), "--listen", "127.0.0.1:0"], &[]));
    assert!(sentence.contains("another process"), "{sentence}");
    running.kill();
}
