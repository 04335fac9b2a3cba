//! JSON bodies, read leniently where clients differ and with errors that name the field.

use serde::de::{DeserializeOwned, IgnoredAny};
use spaceport_platform::invalid::Invalid;

use crate::storable;

/// Longest piece of the caller's input that an error repeats, in characters.
const MAX_QUOTE: usize = 60;

/// Reads a body. An empty one equals `{}` (wire-protocol 2.8); unknown fields are ignored. No string in
/// it may hold U+0000, also not in parts that are kept as they are.
///
/// # Errors
/// Names the field and what was expected, or the line and column of a syntax error.
pub fn parse_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Invalid> {
    let text = std::str::from_utf8(bytes).map_err(|fault| {
        let place = fault.valid_up_to() + 1;
        Invalid::new("", format!("The request body must be UTF-8 text, which it is not from byte {place} on"))
    })?;
    // Some clients put a byte order mark before everything.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = if text.trim().is_empty() { "{}" } else { text };
    storable::check(text)?;
    if text.trim_start().starts_with('[') {
        // serde would take the elements for fields, in the order of their declaration.
        return Err(Invalid::new("", "The request must be an object, not a list"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|fault| explain(&fault, text))?;
    deserializer.end().map_err(|fault| Invalid::new("", format!("The request body is no JSON: {fault}")))?;
    Ok(value)
}

fn explain(fault: &serde_path_to_error::Error<serde_json::Error>, body: &str) -> Invalid {
    let inner = fault.inner();
    let path = fault.path().to_string();
    let path = if path == "." { "" } else { path.as_str() };
    if !inner.is_data() {
        // What is no name of an enumeration because it is no text at all is a fault of syntax to the parser.
        return match serde_json::from_str::<IgnoredAny>(body) {
            Ok(_) => refused(path, "invalid type: something else, expected a text"),
            Err(fault) => Invalid::new("", format!("The request body is no JSON: {fault}")),
        };
    }
    let text = inner.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    refused(path, text)
}

/// What a deserializer said of the value at `path`, in words for the caller.
pub(crate) fn refused(path: &str, text: &str) -> Invalid {
    if let Some(name) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Invalid::new(name, "is required").within(path);
    }
    let expected = ["invalid type: ", "invalid value: ", "unknown variant "]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix)?.rsplit_once(", expected "))
        .map(|(found, wanted)| format!("must be {}, not {}", wanted_words(wanted), found_words(found)))
        .unwrap_or_else(|| format!("is wrong: {text}"));
    if path.is_empty() {
        return Invalid::new("", format!("The request {expected}"));
    }
    Invalid::new(path, expected)
}

fn wanted_words(wanted: &str) -> String {
    match wanted {
        "a sequence" => "a list".to_owned(),
        "a map" => "an object".to_owned(),
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" | "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "i8" | "i16" | "i32" | "i64" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        other if other.starts_with("struct ") => "an object".to_owned(),
        other if other.contains("tagged enum ") => "an object with className".to_owned(),
        other => other.to_owned(),
    }
}

fn found_words(found: &str) -> String {
    let found = match found {
        "sequence" => "a list",
        "map" => "an object",
        other => other,
    };
    match found.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}…", found.get(..end).unwrap_or_default()),
        None => found.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    struct Outer {
        #[serde(default)]
        list: Vec<Inner>,
        #[serde(default)]
        #[expect(dead_code, reason = "only what it refuses matters")]
        kind: Option<Kind>,
    }

    #[derive(Deserialize, Debug)]
    enum Kind {
        Plain,
    }

    #[derive(Deserialize, Debug)]
    struct Inner {
        #[expect(dead_code, reason = "only its absence matters")]
        name: String,
    }

    #[test]
    fn an_empty_body_is_an_empty_object_and_unknown_fields_are_ignored() {
        assert!(parse_body::<Outer>(b"").unwrap().list.is_empty());
        assert!(parse_body::<Outer>(br#"{"$errors":[],"x":1}"#).unwrap().list.is_empty());
    }

    #[test]
    fn faults_name_the_field() {
        let fault = |text: &str| parse_body::<Outer>(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(fault(r#"{"list":[{"name":"a"},{}]}"#), "list[1].name is required");
        assert_eq!(fault(r#"{"list":[{"name":7}]}"#), "list[0].name must be a string, not integer `7`");
        assert_eq!(fault(r#"{"list":{"name":"a"}}"#), "list must be a list, not an object");
        assert_eq!(fault(r#"{"list":[null]}"#), "list[0] must be an object, not null");
        assert_eq!(fault("7"), "The request must be an object, not integer `7`");
        assert_eq!(fault("[[]]"), "The request must be an object, not a list");
        assert_eq!(fault(r#"{"kind":5}"#), "kind must be a text, not something else");
        assert_eq!(fault(r#"{"kind":true}"#), "kind must be a text, not something else");
        assert!(fault(r#"{"kind":5"#).contains("no JSON"));
        assert!(fault(r#"{"kind":"Other"}"#).starts_with("kind must be "), "{}", fault(r#"{"kind":"Other"}"#));
        assert!(fault("{").contains("no JSON"));
        assert!(fault("{} x").contains("no JSON"));
        assert!(parse_body::<Outer>(&[0xff]).is_err());
        assert!(fault("{\n\"list\": [}").contains("line 2 column 10"), "{}", fault("{\n\"list\": [}"));
    }

    #[test]
    fn bottomless_bodies_are_refused() {
        for text in ["[".repeat(100_000), "{\"list\":".repeat(100_000), "{\"x\":[".repeat(100_000)] {
            assert!(parse_body::<Outer>(text.as_bytes()).is_err());
            assert!(parse_body::<serde_json::Value>(text.as_bytes()).is_err(), "{}", text.len());
        }
    }
}
