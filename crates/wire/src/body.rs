//! JSON bodies, read leniently where clients differ and with errors that name the field.

use serde::de::DeserializeOwned;
use spaceport_platform::invalid::Invalid;

/// Reads a body. An empty one equals `{}` (wire-protocol 2.8); unknown fields are ignored.
///
/// # Errors
/// Names the field and what was expected, or the place of a syntax error.
pub fn parse_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Invalid> {
    let text = std::str::from_utf8(bytes).map_err(|_| Invalid::new("", "The request body must be UTF-8 text"))?;
    // Some clients put a byte order mark before everything.
    let text = text.trim_start_matches('\u{feff}').trim();
    let text = if text.is_empty() { "{}" } else { text };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|fault| explain(&fault))?;
    deserializer.end().map_err(|fault| Invalid::new("", format!("The request body is no JSON: {fault}")))?;
    Ok(value)
}

fn explain(fault: &serde_path_to_error::Error<serde_json::Error>) -> Invalid {
    let inner = fault.inner();
    if !inner.is_data() {
        return Invalid::new("", format!("The request body is no JSON: {inner}"));
    }
    let text = inner.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let path = fault.path().to_string();
    let path = if path == "." { String::new() } else { path };
    if let Some(name) = text.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        return Invalid::new(name, "is required").within(path.trim_end_matches(name).trim_end_matches('.'));
    }
    Invalid::new(path, format!("is wrong: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    struct Outer {
        #[serde(default)]
        list: Vec<Inner>,
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
        assert!(fault(r#"{"list":[{"name":7}]}"#).starts_with("list[0].name is wrong"));
        assert!(fault("{").contains("no JSON"));
        assert!(fault("{} x").contains("no JSON"));
        assert!(parse_body::<Outer>(&[0xff]).is_err());
        assert!(fault(&"[".repeat(100_000)).contains("no JSON") || !fault(&"[".repeat(100_000)).is_empty());
    }
}
