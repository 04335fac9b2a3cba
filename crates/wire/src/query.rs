//! Query parameters, read as the type's schema says (wire-protocol 2.7).

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use spaceport_platform::invalid::Invalid;

/// Most parameters that are looked at.
const MAX_PARAMETERS: usize = 1_000;

/// Reads a raw query text, without `?`. Keys and values may be percent-encoded, `+` is a blank,
/// an empty value counts as absent, a repeated key is a list where the type has one; unknown keys
/// are ignored.
///
/// # Errors
/// Names the parameter and what was expected.
pub fn parse_query<T: DeserializeOwned + JsonSchema>(raw: &str) -> Result<T, Invalid> {
    let schema = schemars::schema_for!(T);
    let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut object = Map::new();
    for (count, pair) in raw.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MAX_PARAMETERS {
            return Err(Invalid::new("", format!("The query must have at most {MAX_PARAMETERS} parameters")));
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (key, value) = (decode(key)?, decode(value)?);
        let Some(property) = properties.get(&key).filter(|_| !value.is_empty()) else { continue };
        let list = has_type(property, "array");
        let value = convert(&key, value, property)?;
        match object.get_mut(&key) {
            Some(Value::Array(known)) if list => known.push(value),
            Some(_) => return Err(Invalid::new(key, "must be given once")),
            None => {
                object.insert(key, if list { Value::Array(vec![value]) } else { value });
            }
        }
    }
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|fault| {
        let path = fault.path().to_string();
        Invalid::new(if path == "." { String::new() } else { path }, format!("is wrong: {}", fault.inner()))
    })
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(known)) => known == name,
        Some(Value::Array(known)) => known.iter().any(|known| known == name),
        _ => false,
    }
}

fn convert(key: &str, text: String, schema: &Value) -> Result<Value, Invalid> {
    if has_type(schema, "integer") {
        return text
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| Invalid::new(key, format!("must be a whole number, not `{text}`")));
    }
    if has_type(schema, "boolean") {
        return match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(Invalid::new(key, format!("must be true or false, not `{text}`"))),
        };
    }
    Ok(Value::String(text))
}

fn decode(text: &str) -> Result<String, Invalid> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Option<Vec<u8>> = (0..2).map(|_| rest.next()).collect();
                let digits = digits.and_then(|digits| String::from_utf8(digits).ok());
                let value = digits.and_then(|digits| u8::from_str_radix(&digits, 16).ok());
                bytes.push(value.ok_or_else(|| Invalid::new("", "The query holds a broken percent escape"))?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| Invalid::new("", "The query must hold UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema, PartialEq, Debug)]
    #[serde(rename_all = "camelCase")]
    struct Query {
        #[serde(rename = "$top")]
        top: Option<i64>,
        name: Option<String>,
        #[serde(default)]
        owner: Vec<String>,
        with_archived: Option<bool>,
    }

    #[test]
    fn keys_come_raw_and_encoded_and_empty_values_are_absent() {
        let query: Query =
            parse_query("%24top=5&name=a+b%20c&owner=id%3A1&owner=me&withArchived=true&ordering=&x").unwrap();
        let owner = vec!["id:1".to_owned(), "me".to_owned()];
        assert_eq!(query, Query { top: Some(5), name: Some("a b c".to_owned()), owner, with_archived: Some(true) });
        let query: Query = parse_query("$top=&name=").unwrap();
        assert_eq!(query, Query { top: None, name: None, owner: vec![], with_archived: None });
    }

    #[test]
    fn wrong_values_name_the_parameter() {
        for (text, name) in [("$top=x", "$top"), ("withArchived=yes", "withArchived"), ("name=a&name=b", "name")] {
            assert!(parse_query::<Query>(text).unwrap_err().to_string().starts_with(name), "{text}");
        }
        assert!(parse_query::<Query>("name=%zz").is_err());
        assert!(parse_query::<Query>("name=%ff").is_err());
        assert!(parse_query::<Query>("name=%f").is_err());
    }
}
