//! Our description and our answers beside those of a real server; the differences are `contract/known-gaps.txt`.

mod compare;
mod gaps;
mod shape;
mod validate;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Map, Value};
use spaceport_server::operations::described;
use spaceport_wire::describe::{Surface, openapi};

pub(crate) use validate::require_answer;

/// A description: operations by method and path, types by name, each a JSON schema.
pub(crate) struct Description {
    operations: Map<String, Value>,
    types: Map<String, Value>,
}

/// What a real server said of itself.
static EXPORT: LazyLock<Description> = LazyLock::new(|| Description {
    operations: serde_json::from_str(include_str!("../data/export/operations.json")).unwrap(),
    types: serde_json::from_str(include_str!("../data/export/types.json")).unwrap(),
});

/// What we say, in the same form: operations of applications, with their parameters, body and answer.
fn ours() -> Description {
    let document = openapi(&described(), "http://localhost", "0");
    let types = document["components"]["schemas"].as_object().unwrap().clone();
    let content = |value: &Value| value["content"]["application/json"]["schema"].clone();
    let served = described().into_iter().filter(|operation| operation.surface == Surface::Space);
    let mut operations = Map::new();
    for operation in served.filter(|operation| operation.path.starts_with("/api/http/applications")) {
        let method = format!("{:?}", operation.method);
        let described = &document["paths"][operation.path][method.to_lowercase()];
        let mut entry = Map::new();
        let parameters = described["parameters"].as_array().cloned().unwrap_or_default();
        let parameters: Map<String, Value> =
            parameters.into_iter().map(|one| (one["name"].as_str().unwrap().to_owned(), one)).collect();
        entry.insert("parameters".to_owned(), parameters.into());
        for (key, schema) in
            [("body", content(&described["requestBody"])), ("answer", content(&described["responses"]["200"]))]
        {
            if !schema.is_null() {
                entry.insert(key.to_owned(), schema);
            }
        }
        operations.insert(format!("{} {}", method.to_uppercase(), operation.path), entry.into());
    }
    Description { operations, types }
}

#[test]
fn what_we_promise_differs_from_a_real_server_in_known_ways() {
    let found: BTreeSet<String> = compare::differences(&ours(), &EXPORT);
    gaps::require(&found);
}
