//! Query parameters, read as the type's schema says (wire-protocol 2.7).

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use spaceport_platform::invalid::{Invalid, storable};

use crate::body::refused;

/// Most parameters that are looked at.
const MAX_PARAMETERS: usize = 1_000;

/// How the values of a parameter are read.
#[derive(Clone, Copy, Debug)]
struct Kind {
    list: bool,
    scalar: Scalar,
}

#[derive(Clone, Copy, Debug)]
enum Scalar {
    Text,
    Integer,
    Number,
    Boolean,
}

type Kinds = Arc<HashMap<String, Kind>>;

/// The parameters of the types asked for so far: a schema is too much work for each request.
static KNOWN: LazyLock<Mutex<HashMap<TypeId, Kinds>>> = LazyLock::new(Mutex::default);

/// Reads a raw query text, without `?`. Keys and values may be percent-encoded, `+` is a blank,
/// an empty value counts as absent, a repeated key is a list where the type has one; unknown keys
/// are ignored.
///
/// # Errors
/// Names the parameter and what was expected.
pub fn parse_query<T: DeserializeOwned + JsonSchema + 'static>(raw: &str) -> Result<T, Invalid> {
    let kinds = kinds_of::<T>();
    let mut object = Map::new();
    for (count, pair) in raw.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MAX_PARAMETERS {
            return Err(Invalid::new("", format!("The query must have at most {MAX_PARAMETERS} parameters")));
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let key = decode(key).map_err(|fault| Invalid::new("", format!("The query {fault} in a key")))?;
        let Some(kind) = kinds.get(&key).filter(|_| !value.is_empty()) else { continue };
        let value = decode(value).map_err(|fault| Invalid::new(key.as_str(), fault))?;
        storable(&key, &value)?;
        let value = convert(&key, value, kind.scalar)?;
        match object.get_mut(&key) {
            Some(Value::Array(known)) if kind.list => known.push(value),
            Some(_) => return Err(Invalid::new(key, "must be given once")),
            None => {
                object.insert(key, if kind.list { Value::Array(vec![value]) } else { value });
            }
        }
    }
    serde_path_to_error::deserialize(Value::Object(object)).map_err(|fault| {
        let path = fault.path().to_string();
        // The parameter is named, not its n-th value.
        let name = path.split('[').next().unwrap_or_default();
        refused(if name == "." { "" } else { name }, &fault.inner().to_string())
    })
}

fn kinds_of<T: JsonSchema + 'static>() -> Kinds {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let kinds = known.entry(TypeId::of::<T>()).or_insert_with(|| {
        let schema = schemars::schema_for!(T);
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        Arc::new(properties.map(|(name, property)| (name.clone(), kind(property, schema.as_value()))).collect())
    });
    Arc::clone(kinds)
}

fn kind(property: &Value, document: &Value) -> Kind {
    let property = resolve(property, document);
    let list = has_type(property, "array");
    let element = if list { property.get("items").map(|items| resolve(items, document)) } else { Some(property) };
    let is = |name| element.is_some_and(|element| has_type(element, name));
    let scalar = if is("integer") {
        Scalar::Integer
    } else if is("number") {
        Scalar::Number
    } else if is("boolean") {
        Scalar::Boolean
    } else {
        Scalar::Text
    };
    Kind { list, scalar }
}

/// What stands behind a reference, or beside null; a few steps are enough for parameters.
fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..8 {
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        let alternatives = schema.get("anyOf").and_then(Value::as_array);
        let next = reference
            .and_then(|pointer| document.pointer(pointer))
            .or_else(|| alternatives?.iter().find(|alternative| !has_type(alternative, "null")));
        match next {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(known)) => known == name,
        Some(Value::Array(known)) => known.iter().any(|known| known == name),
        _ => false,
    }
}

fn convert(key: &str, text: String, scalar: Scalar) -> Result<Value, Invalid> {
    let wrong = |wanted: &str| Invalid::new(key, format!("must be {wanted}, not `{text}`"));
    match scalar {
        Scalar::Text => Ok(Value::String(text)),
        Scalar::Integer => text.parse::<i64>().map(Value::from).map_err(|_| wrong("a whole number")),
        Scalar::Number => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::from(number)),
            _ => Err(wrong("a number")),
        },
        Scalar::Boolean => match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(wrong("true or false")),
        },
    }
}

/// Undoes percent-encoding; what is wrong is said as a clause.
fn decode(text: &str) -> Result<String, &'static str> {
    let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16)?.try_into().ok());
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (high, low): (Option<u8>, Option<u8>) = (digit(rest.next()), digit(rest.next()));
                match (high, low) {
                    (Some(high), Some(low)) => bytes.push(high * 16 + low),
                    _ => return Err("has a broken percent escape"),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| "must be UTF-8 text")
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
        #[serde(default)]
        code: Vec<u16>,
        ordering: Option<Ordering>,
    }

    #[derive(Deserialize, JsonSchema, PartialEq, Debug)]
    enum Ordering {
        Name,
        Date,
    }

    fn query() -> Query {
        Query { top: None, name: None, owner: vec![], with_archived: None, code: vec![], ordering: None }
    }

    #[test]
    fn keys_come_raw_and_encoded_and_empty_values_are_absent() {
        let query: Query =
            parse_query("%24top=5&name=a+b%20c&owner=id%3A1&owner=me&withArchived=true&ordering=&x").unwrap();
        let owner = vec!["id:1".to_owned(), "me".to_owned()];
        assert_eq!(
            query,
            Query { top: Some(5), name: Some("a b c".to_owned()), owner, with_archived: Some(true), ..self::query() }
        );
        let query: Query = parse_query("$top=&name=").unwrap();
        assert_eq!(query, self::query());
        let query: Query = parse_query("code=200&code=204&ordering=Name").unwrap();
        assert_eq!(query, Query { code: vec![200, 204], ordering: Some(Ordering::Name), ..self::query() });
    }

    #[test]
    fn wrong_values_name_the_parameter() {
        for (text, message) in [
            ("$top=x", "$top must be a whole number, not `x`"),
            ("%24top=1&$top=2", "$top must be given once"),
            ("withArchived=yes", "withArchived must be true or false, not `yes`"),
            ("name=a&name=b", "name must be given once"),
            ("code=1&code=-1", "code must be a whole number from 0 to 65535, not integer `-1`"),
            ("ordering=Size", "ordering must be `Name` or `Date`, not `Size`"),
            ("name=%zz", "name has a broken percent escape"),
            ("name=%+f", "name has a broken percent escape"),
            ("name=%f", "name has a broken percent escape"),
            ("name=%ff", "name must be UTF-8 text"),
            ("name=a%00b", "name must not hold the character U+0000"),
            ("%zz=1", "The query has a broken percent escape in a key"),
        ] {
            assert_eq!(parse_query::<Query>(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn a_required_parameter_is_named() {
        #[derive(Deserialize, JsonSchema, Debug)]
        struct Required {
            #[expect(dead_code, reason = "only its absence matters")]
            user: String,
        }
        assert_eq!(parse_query::<Required>("user=").unwrap_err().to_string(), "user is required");
    }
}
