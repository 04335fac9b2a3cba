//! Every operation of the reference page asks for exactly the rights that the page lists for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use spaceport_server::operations::described;
use spaceport_wire::describe::{Operation, Surface};

use crate::contract::compare;

/// Rights and required arguments by operation, taken from the reference page (`tests/data/SOURCES.md`).
const LISTED: &str = include_str!("../data/endpoint-rights.json");

/// Why an operation asks for something else than the page lists.
const EXPLAINED: [(&str, &str); 1] = [(
    "POST /api/http/applications/{application}/webhooks/{webhookId}/subscriptions/{subscriptionId}/request-missing-rights",
    "the page lists none, and whoever asks for rights of an application by the other way needs this one",
)];

/// What operations are about that come with a capability of their own.
const COMES_LATER: [&str; 2] = ["/ui-extensions", "/unfurl"];

/// Path variables have names of their own on both sides.
fn shape(operation: &str) -> String {
    let segments = operation.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

fn method(operation: &Operation) -> String {
    format!("{:?}", operation.method).to_uppercase()
}

#[test]
fn differences_from_the_listed_rights_are_explained() {
    let listed: BTreeMap<String, Value> = serde_json::from_str(LISTED).unwrap();
    assert_eq!(listed.len(), 77);
    let operations = described();
    let served: BTreeMap<String, _> = operations
        .iter()
        .filter(|operation| operation.surface == Surface::Space)
        .map(|operation| (shape(&format!("{} {}", method(operation), operation.path)), operation))
        .collect();
    let mut table = String::from(
        "# Where operations ask for other rights than the reference page lists, and why. Made by `cargo xtask accept`.\n",
    );
    for (name, entry) in &listed {
        let Some(operation) = served.get(&shape(name)) else {
            let comes_later = COMES_LATER.iter().any(|part| name.contains(part));
            assert!(comes_later, "{name} is not served");
            continue;
        };
        let mut expected: Vec<&str> =
            entry["rights"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
        let mut asked = operation.rights.clone();
        expected.sort_unstable();
        asked.sort_unstable();
        if expected == asked {
            continue;
        }
        let why = EXPLAINED.iter().find(|(operation, _)| operation == name).map(|(_, why)| *why);
        let why =
            why.unwrap_or_else(|| panic!("{name} lists {expected:?} and asks for {asked:?}; explain it, or mend it"));
        let _ = writeln!(table, "{name}\n  lists: {}\n  asks for: {}\n  {why}", expected.join(", "), asked.join(", "));
    }
    compare("access-differences.txt", &table);
}
