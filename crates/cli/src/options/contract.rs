//! `contract/config.md`: every setting, flag and variable, made from the commented defaults and from clap.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, CommandFactory as _};
use spaceport_server::config::DEFAULTS;

use super::Options;

/// A key of the commented defaults.
struct Key {
    name: String,
    value: String,
    comment: String,
}

/// The keys in their order, each with the comment above it.
fn keys() -> Vec<Key> {
    let (mut keys, mut comment) = (Vec::new(), String::new());
    for line in DEFAULTS.lines() {
        if let Some(text) = line.strip_prefix('#') {
            let _ = write!(comment, "{}{}", if comment.is_empty() { "" } else { " " }, text.trim());
        } else if let Some((name, value)) = line.split_once('=') {
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            keys.push(Key { name, value, comment: std::mem::take(&mut comment) });
        } else {
            // A blank line ends the comment of the file itself.
            comment.clear();
        }
    }
    keys
}

fn flag(argument: &Arg) -> String {
    let names: Vec<String> = argument.get_value_names().into_iter().flatten().map(ToString::to_string).collect();
    let takes_value = argument.get_action().takes_values();
    let value = if takes_value { format!(" {}", names.join(" ")) } else { String::new() };
    format!("`--{}{value}`", argument.get_long().unwrap_or_default())
}

fn variable(argument: &Arg) -> String {
    argument.get_env().map_or_else(String::new, |name| format!("`{}`", name.to_string_lossy()))
}

fn help(argument: &Arg) -> String {
    argument.get_help().map(ToString::to_string).unwrap_or_default()
}

fn document() -> String {
    let command = Options::command();
    let argument = |name: &str| command.get_arguments().find(|argument| argument.get_id() == name);
    let mut text = String::from(
        "# Settings\n\nMade by `cargo xtask accept`. A flag wins over its variable, a variable over the file named by `--config`, the file over the \
         default.\n\n## Keys of the settings file\n\n| key | default | flag | variable | |\n| --- | --- | --- | --- | --- |\n",
    );
    for key in keys() {
        let (flag, variable) =
            argument(&key.name).map(|argument| (flag(argument), variable(argument))).unwrap_or_default();
        let _ = writeln!(text, "| `{}` | `{}` | {flag} | {variable} | {} |", key.name, key.value, key.comment);
    }
    text.push_str("\n## Flags that are no key\n\n| flag | variable | |\n| --- | --- | --- |\n");
    let known: Vec<String> = keys().into_iter().map(|key| key.name).collect();
    for argument in command.get_arguments().filter(|argument| !known.iter().any(|key| argument.get_id() == key)) {
        let _ = writeln!(text, "| {} | {} | {} |", flag(argument), variable(argument), help(argument));
    }
    text.push_str(
        "\n## Commands\n\nEach takes all flags above.\n\n| command | flags of its own | |\n| --- | --- | --- |\n",
    );
    for command in command.get_subcommands() {
        let own: Vec<String> = command.get_arguments().map(flag).collect();
        let nested: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        let name = if nested.is_empty() {
            command.get_name().to_owned()
        } else {
            format!("{} {}", command.get_name(), nested.join("\\|"))
        };
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "| `{name}` | {} | {about} |", own.join(", "));
    }
    text
}

#[test]
fn contract_config_is_the_one_checked_in() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../contract/config.md");
    #[expect(clippy::disallowed_methods, reason = "the switch of `cargo xtask accept`, not a setting of the server")]
    let accepts = std::env::var_os("SPACEPORT_ACCEPT").is_some();
    if accepts {
        std::fs::write(&file, document()).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == document(), "contract/config.md differs from the code; run `cargo xtask accept` and read its diff");
}

#[test]
fn every_flag_for_scripts_is_there_for_every_command_and_has_its_variable() {
    let command = Options::command();
    for name in [
        "data",
        "listen",
        "public-url",
        "database-url",
        "allow-network",
        "name-server",
        "retry-schedule",
        "config",
        "json",
    ] {
        let argument = command.get_arguments().find(|argument| argument.get_long() == Some(name)).unwrap();
        assert!(argument.is_global_set(), "--{name} is the same for every command");
        let variable = format!("SPACEPORT_{}", name.replace('-', "_").to_uppercase());
        assert_eq!(argument.get_env().unwrap().to_str(), Some(variable.as_str()));
    }
}
