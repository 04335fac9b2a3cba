//! Schemas brought to one form, whatever dialect of OpenAPI they were written in.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// A property, an argument or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Name of its type, such as `string`, `list of ES_App`.
    pub(super) kind: String,
    pub(super) nullable: bool,
    pub(super) required: bool,
    pub(super) default: Option<String>,
}

pub(super) type Fields = BTreeMap<String, Field>;

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Properties.
    Record(Fields),
    /// Properties of each class.
    Union(BTreeMap<String, Fields>),
    /// Texts.
    Values(BTreeSet<String>),
    /// Nothing that can be compared further.
    Plain(String),
}

/// The schema behind a chain of references.
pub(super) fn resolved<'a>(schema: &'a Value, types: &'a Map<String, Value>) -> &'a Value {
    match reference(schema).and_then(|name| types.get(name)) {
        Some(found) => resolved(found, types),
        None => schema,
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str().and_then(|path| path.rsplit('/').next())
}

/// The schema without "or null", and whether that was said.
pub(super) fn not_null(schema: &Value) -> (&Value, bool) {
    let parts = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_null = |part: &Value| part["type"] == "null";
    match parts {
        [one, other] if is_null(other) => (one, true),
        [one, other] if is_null(one) => (other, true),
        _ => {
            let listed = schema["type"].as_array().is_some_and(|names| names.contains(&Value::from("null")));
            (schema, listed || schema["nullable"] == true)
        }
    }
}

/// The name of a type, as both sides write it.
pub(super) fn kind(schema: &Value) -> String {
    let (schema, _) = not_null(schema);
    if let Some(name) = reference(schema) {
        return name.to_owned();
    }
    let names = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
    let name = names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("anything");
    match (name, schema["format"].as_str()) {
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        ("string", Some("date-time")) => "DateTime".to_owned(),
        ("string", Some("date")) => "Date".to_owned(),
        // Widths are told by the HTTP API model; in JSON there are only numbers.
        ("integer", _) => "integer".to_owned(),
        (name, _) => name.to_owned(),
    }
}

pub(super) fn field(schema: &Value, required: bool) -> Field {
    let (_, nullable) = not_null(schema);
    let default = schema.get("default").filter(|default| !default.is_null()).map(ToString::to_string);
    // Null is what an optional thing is anyway.
    Field { kind: kind(schema), nullable, required, default }
}

pub(super) fn fields(schema: &Value) -> Fields {
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, property)| (name.clone(), field(property, required.contains(&name.as_str())))).collect()
}

pub(super) fn shape(schema: &Value, types: &Map<String, Value>) -> Shape {
    let schema = resolved(schema, types);
    let parts = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array());
    let texts = |values: &[Value]| values.iter().filter_map(Value::as_str).map(str::to_owned).collect::<BTreeSet<_>>();
    if let Some(values) = schema["enum"].as_array() {
        return Shape::Values(texts(values));
    }
    if let Some(parts) = parts {
        let constants: Vec<Value> = parts.iter().filter_map(|part| part.get("const").cloned()).collect();
        if !constants.is_empty() {
            return Shape::Values(texts(&constants));
        }
        return Shape::Union(parts.iter().filter_map(|part| variant(part, types)).collect());
    }
    match schema["properties"].is_object() {
        true => Shape::Record(fields(schema)),
        false => Shape::Plain(kind(schema)),
    }
}

/// A class of a union: its name stands inside, or it is the name of the type.
fn variant(part: &Value, types: &Map<String, Value>) -> Option<(String, Fields)> {
    let schema = resolved(part, types);
    let class = schema["properties"]["className"]["const"].as_str().or_else(|| reference(part))?;
    let mut fields = fields(schema);
    fields.remove("className");
    Some((class.to_owned(), fields))
}
