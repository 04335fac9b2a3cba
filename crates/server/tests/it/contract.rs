//! What we promise is generated, checked in and compared: `contract/`.

use std::path::PathBuf;

use serde_json::Value;
use spaceport_server::operations::described;
use spaceport_wire::canonical::canonical;
use spaceport_wire::describe::{api_model, openapi};
use spaceport_wire::payload::webhook_request;

/// Compares with the file in `contract/`; `cargo xtask accept` rewrites it instead.
pub(crate) fn compare(name: &str, generated: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract").join(name);
    #[expect(clippy::disallowed_methods, reason = "the switch of `cargo xtask accept`, not a setting of the server")]
    let accepts = std::env::var_os("SPACEPORT_ACCEPT").is_some();
    if accepts {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, generated).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == generated, "contract/{name} differs from the code; run `cargo xtask accept` and read its diff");
}

#[test]
fn the_openapi_document_is_the_one_checked_in() {
    let document = openapi(&described(), "http://localhost:8080", "0");
    compare("openapi.json", &format!("{}\n", serde_json::to_string_pretty(&document).unwrap()));
}

#[test]
fn the_http_api_model_is_the_one_checked_in() {
    let model = api_model(&described());
    compare("http-api-model.json", &format!("{}\n", serde_json::to_string_pretty(&model).unwrap()));
}

/// One sample of each body that applications receive, byte for byte but for the line's end.
fn payloads() -> Vec<(&'static str, String)> {
    let recorded = include_str!(
        "../../../wire/tests/data/payloads/WebhookRequestPayload-CodeReviewParticipant-2024-05-10.stringified"
    );
    let recorded: Value = serde_json::from_str(recorded).unwrap();
    let payload = canonical(&recorded["payload"].to_string()).unwrap();
    let (client, webhook) = ("3b5e1f2c-8a4d-4c11-9f77-2d6a0b9c1e55", "4wHkQe1");
    vec![("WebhookRequestPayload", webhook_request(client, webhook, &payload, None))]
}

#[test]
fn payloads_are_the_ones_checked_in() {
    let payloads = payloads();
    for (class, body) in &payloads {
        assert_eq!(canonical(body).unwrap(), *body, "{class}");
        assert_eq!(serde_json::from_str::<Value>(body).unwrap()["className"], *class);
        compare(&format!("payloads/{class}.json"), &format!("{body}\n"));
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/payloads");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), payloads.len(), "a sample nobody makes any more");
}

#[test]
fn names_and_paths_of_operations_are_unique() {
    let operations = described();
    let mut names: Vec<_> = operations.iter().map(|operation| operation.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), operations.len());
}
