//! Which crate may know which: read from the manifests, compared with the drawing in ARCHITECTURE.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::Finding;

/// Our crates and what each may depend on. Tests may use `testkit` besides.
const EDGES: [(&str, &[&str]); 10] = [
    ("platform", &[]),
    ("wire", &["platform"]),
    ("keys", &["platform"]),
    ("delivery", &["platform"]),
    ("store", &["platform", "delivery"]),
    ("server", &["platform", "wire", "keys", "delivery", "store"]),
    ("cli", &["platform", "wire", "keys", "delivery", "store", "server"]),
    ("testkit", &["platform", "delivery"]),
    ("bench", &[]),
    ("xtask", &[]),
];

/// Libraries that only some crates may know (by the beginning of the name), and why.
const RESERVED: [(&str, &[&str], &str); 8] = [
    ("rusqlite", &["store", "bench"], "only `store` knows a database (`bench` measures the bare engine)"),
    ("tokio-postgres", &["store", "testkit"], "only `store` knows a database (`testkit` makes fresh ones)"),
    ("deadpool", &["store"], "only `store` knows a database"),
    ("axum", &["server"], "only `server` knows the web framework"),
    ("pgp", &["keys"], "only `keys` reads key material"),
    ("ssh-key", &["keys"], "only `keys` reads key material"),
    ("p12-keystore", &["keys"], "only `keys` reads key material"),
    ("x509-parser", &["keys"], "only `keys` reads key material"),
];

/// What one manifest depends on.
pub(super) struct Manifest {
    crate_name: String,
    dependencies: Vec<String>,
    dev_dependencies: Vec<String>,
}

/// Reads the manifests of `crates/*` and `xtask`.
pub(super) fn read(root: &Path) -> Result<Vec<Manifest>> {
    let crates = root.join("crates");
    let entries = fs::read_dir(&crates).with_context(|| format!("cannot list {}", crates.display()))?;
    let mut folders = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    folders.push(root.join("xtask"));
    folders.sort();
    let mut manifests = Vec::new();
    for folder in folders {
        let path = folder.join("Cargo.toml");
        if !path.exists() {
            continue;
        }
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        manifests.push(parse(name, &text).with_context(|| format!("cannot understand {}", path.display()))?);
    }
    Ok(manifests)
}

fn parse(crate_name: String, text: &str) -> Result<Manifest> {
    let manifest: Table = text.parse()?;
    let mut found = Manifest { crate_name, dependencies: Vec::new(), dev_dependencies: Vec::new() };
    let targets = manifest.get("target").and_then(Value::as_table);
    let tables =
        std::iter::once(&manifest).chain(targets.into_iter().flat_map(Table::values).filter_map(Value::as_table));
    for table in tables {
        found.dependencies.extend(names(table, "dependencies"));
        found.dependencies.extend(names(table, "build-dependencies"));
        found.dev_dependencies.extend(names(table, "dev-dependencies"));
    }
    Ok(found)
}

/// The packages of a dependency table, under their own names where they are renamed.
fn names(table: &Table, section: &str) -> Vec<String> {
    let entries = table.get(section).and_then(Value::as_table).into_iter().flatten();
    let renamed = |value: &Value| Some(value.as_table()?.get("package")?.as_str()?.to_owned());
    entries.map(|(name, value)| renamed(value).unwrap_or_else(|| name.clone())).collect()
}

pub(super) fn check(manifests: &[Manifest]) -> Vec<Finding> {
    let edges: BTreeMap<&str, &[&str]> = EDGES.into_iter().collect();
    let mut findings = Vec::new();
    for manifest in manifests {
        let name = manifest.crate_name.as_str();
        let mut complain = |advice: String| findings.push(Finding::new(format!("crates/{name}/Cargo.toml"), advice));
        let Some(allowed) = edges.get(name) else {
            complain(format!(
                "crate `{name}` is not in the drawing; add it to EDGES in xtask/src/tidy/edges.rs and to ARCHITECTURE.md"
            ));
            continue;
        };
        let normal = manifest.dependencies.iter().map(|dependency| (dependency, false));
        let for_tests = manifest.dev_dependencies.iter().map(|dependency| (dependency, true));
        for (dependency, only_tests) in normal.chain(for_tests) {
            let ours = dependency.strip_prefix("spaceport-");
            if let Some(other) = ours.filter(|other| !may_know(allowed, only_tests, other)) {
                complain(format!(
                    "`{name}` may not know `{other}`; move the code, or hand the thing in as a parameter"
                ));
            }
            for (library, users, reason) in RESERVED {
                if dependency.starts_with(library) && !users.contains(&name) {
                    complain(format!("`{name}` may not use `{dependency}`: {reason}"));
                }
            }
        }
    }
    findings
}

/// Tests may use the test kit besides what their crate may know.
fn may_know(allowed: &[&str], only_tests: bool, other: &str) -> bool {
    allowed.contains(&other) || (only_tests && other == "testkit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(name: &str, manifest: &str) -> usize {
        check(&[parse(name.to_owned(), manifest).unwrap()]).len()
    }

    #[test]
    fn an_edge_of_the_drawing_is_allowed() {
        assert_eq!(findings("store", "[dependencies]\nspaceport-platform.workspace = true\nrusqlite = \"1\""), 0);
    }

    #[test]
    fn an_edge_against_the_drawing_is_found() {
        assert_eq!(findings("platform", "[dependencies]\nspaceport-wire.workspace = true"), 1);
        assert_eq!(findings("wire", "[dependencies]\nspaceport-store.workspace = true"), 1);
    }

    #[test]
    fn only_tests_may_use_the_test_kit() {
        assert_eq!(findings("server", "[dev-dependencies]\nspaceport-testkit.workspace = true"), 0);
        assert_eq!(findings("server", "[dependencies]\nspaceport-testkit.workspace = true"), 1);
    }

    #[test]
    fn drivers_parsers_and_the_web_framework_stay_in_their_rooms() {
        assert_eq!(findings("server", "[dependencies]\ndeadpool-postgres = \"1\""), 1);
        assert_eq!(findings("delivery", "[dev-dependencies]\ntokio-postgres-rustls = \"1\""), 1);
        assert_eq!(findings("testkit", "[dependencies]\ntokio-postgres = \"1\""), 0);
        assert_eq!(findings("server", "[dependencies]\npgp = \"1\""), 1);
        assert_eq!(findings("cli", "[dependencies]\naxum-server = \"1\""), 1);
    }

    #[test]
    fn renamed_and_target_dependencies_are_seen() {
        assert_eq!(findings("wire", "[dependencies]\nweb = { package = \"axum\", version = \"1\" }"), 1);
        assert_eq!(findings("wire", "[target.'cfg(unix)'.dependencies]\naxum = \"1\""), 1);
    }

    #[test]
    fn a_crate_outside_the_drawing_is_found() {
        assert_eq!(findings("extra", "[package]\nname = \"extra\""), 1);
    }
}
