//! What we promise is generated, checked in and compared: `contract/`.

use std::path::PathBuf;

use spaceport_server::operations::described;
use spaceport_wire::describe::{api_model, openapi};

/// Compares with the file in `contract/`; `cargo xtask accept` rewrites it instead.
pub(crate) fn compare(name: &str, generated: &str) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract").join(name);
    #[expect(clippy::disallowed_methods, reason = "the switch of `cargo xtask accept`, not a setting of the server")]
    let accepts = std::env::var_os("SPACEPORT_ACCEPT").is_some();
    if accepts {
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

#[test]
fn names_and_paths_of_operations_are_unique() {
    let operations = described();
    let mut names: Vec<_> = operations.iter().map(|operation| operation.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), operations.len());
}
