//! `cargo xtask tidy`: the rules of the house that a program can check. Each finding says what to do.

mod edges;
mod files;
mod remembered;
mod settings;
mod source;
mod store_tests;
mod vocabulary;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::environment;
use source::Source;

/// One broken rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Finding {
    /// The file, with the line where there is one.
    place: String,
    /// What is wrong and what to do.
    advice: String,
}

impl Finding {
    fn new(place: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { place: place.into(), advice: advice.into() }
    }
}

/// The subcommand.
pub(crate) fn run() -> Result<ExitCode> {
    Ok(if is_clean()? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints every finding; says whether there was none.
pub(crate) fn is_clean() -> Result<bool> {
    let findings = check(environment::root())?;
    for finding in &findings {
        println!("{}: {}", finding.place, finding.advice);
    }
    match findings.len() {
        0 => println!("tidy: nothing to mend"),
        1 => println!("tidy: 1 finding"),
        count => println!("tidy: {count} findings"),
    }
    Ok(findings.is_empty())
}

/// Every check on the workspace in `root`.
fn check(root: &Path) -> Result<Vec<Finding>> {
    let mut sources = Vec::new();
    for folder in ["crates", "xtask"] {
        Source::read_all(root, &root.join(folder), &mut sources)?;
    }
    let mut findings = edges::check(&edges::read(root)?);
    findings.extend(sources.iter().flat_map(files::check));
    findings.extend(sources.iter().flat_map(vocabulary::check));
    findings.extend(store_tests::check(&sources));
    findings.extend(remembered::check(&sources));
    let defaults = root.join(settings::DEFAULTS);
    if defaults.exists() {
        let text = std::fs::read_to_string(&defaults).with_context(|| format!("cannot read {}", settings::DEFAULTS))?;
        findings.extend(settings::check(&text, &sources));
    }
    findings.sort();
    Ok(findings)
}
