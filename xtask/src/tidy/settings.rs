//! The commented default settings are the reference: what they list, the code must read.

use super::Finding;
use super::source::{Source, words};

/// The reference, relative to the workspace.
pub(super) const DEFAULTS: &str = "crates/server/src/config.default.toml";

/// Every key of the default file must be a name in the settings code.
pub(super) fn check(defaults: &str, sources: &[Source]) -> Vec<Finding> {
    let readers: Vec<&Source> = sources.iter().filter(|source| reads_settings(source)).collect();
    let mut findings = Vec::new();
    for (line, key) in keys(defaults) {
        let name = key.replace('-', "_");
        if !readers
            .iter()
            .any(|source| words(&source.code).any(|word| word == name) || source.text.contains(&quoted(key)))
        {
            findings.push(Finding::new(
                format!("{DEFAULTS}:{line}"),
                format!("`{key}` is not read by crates/server/src/config; mend the name or remove the key"),
            ));
        }
    }
    findings
}

fn reads_settings(source: &Source) -> bool {
    source.path == "crates/server/src/config.rs" || source.path.starts_with("crates/server/src/config/")
}

fn quoted(key: &str) -> String {
    format!("\"{key}\"")
}

/// The keys of a settings file with their lines; those commented out as `# key = value` count, sentences do not.
fn keys(text: &str) -> Vec<(usize, &str)> {
    text.lines()
        .enumerate()
        .filter_map(|(index, line)| {
            let line = line.trim_start();
            let line = line.strip_prefix('#').map_or(line, str::trim_start);
            let (key, _) = line.split_once('=')?;
            let key = key.trim();
            let plain = !key.is_empty()
                && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.".contains(c));
            Some((index + 1, key.rsplit('.').next().unwrap_or(key))).filter(|_| plain)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: &str =
        "# Where to listen. A = b is a sentence.\nlisten = \"x\"\n[delivery]\n# retry-schedule = \"1s\"\n";

    #[test]
    fn keys_are_read_from_settings_and_comments() {
        assert_eq!(keys(DEFAULT), [(2, "listen"), (4, "retry-schedule")]);
    }

    #[test]
    fn a_key_that_the_code_does_not_know_is_found() {
        let sources = [Source::new("crates/server/src/config.rs", "struct Settings { listen: String }")];
        let findings = check(DEFAULT, &sources);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].advice.contains("retry-schedule"));
    }
}
