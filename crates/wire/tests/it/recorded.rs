//! Recorded payloads come out as JavaScript prints them, byte for byte (`tests/data/payloads/README.md`).

use std::path::{Path, PathBuf};

use spaceport_wire::canonical::{canonical, canonical_object};
use spaceport_wire::payload::webhook_request;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/payloads")
}

/// Name, text as it was recorded, text as JavaScript prints it.
fn recorded() -> Vec<(String, String, String)> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(folder()).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "json") {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
            found.push((name, read(file.clone()), read(file.with_extension("stringified"))));
        }
    }
    assert!(found.len() >= 9, "the recorded payloads are there");
    found
}

#[test]
fn recorded_payloads_come_out_as_javascript_prints_them() {
    for (name, text, stringified) in recorded() {
        assert_eq!(canonical_object(&text).unwrap(), stringified, "{name}");
        assert_eq!(canonical(&stringified).unwrap(), stringified, "{name}: what is canonical stays");
    }
}

#[test]
fn an_envelope_around_a_recorded_payload_is_canonical_too() {
    for (name, _, stringified) in recorded() {
        let body = webhook_request("c-1", "w1", &stringified, None);
        assert_eq!(canonical(&body).unwrap(), body, "{name}");
        assert!(body.contains(&stringified), "{name}: the payload is not touched");
    }
}

#[test]
fn the_recorded_envelope_is_the_one_we_build() {
    let (_, _, recorded) = recorded().into_iter().find(|(name, ..)| name.contains("CodeReviewParticipant")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&recorded).unwrap();
    let payload = canonical(&value["payload"].to_string()).unwrap();
    let text = |key: &str| value[key].as_str().unwrap().to_owned();
    let ours = webhook_request(&text("clientId"), &text("webhookId"), &payload, None);
    // The recorded one keeps its payload's keys in alphabetical order, as serde_json's maps do.
    assert_eq!(ours, recorded);
}
