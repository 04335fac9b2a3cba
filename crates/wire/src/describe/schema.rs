//! JSON schemas of wire types, with their definitions, and the questions the two documents ask of them.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

use super::Parameter;

/// Where OpenAPI keeps schemas; references are made for it from the start.
const PLACE: &str = "#/components/schemas/";

/// References are followed this far, so that a type that holds itself ends somewhere.
const MAX_DEPTH: usize = 8;

/// The schema of a type and of every type it mentions.
#[derive(Clone, PartialEq, Debug)]
pub struct TypeDescription {
    schema: Value,
    definitions: Map<String, Value>,
}

impl TypeDescription {
    /// Describes `T`.
    pub fn of<T: JsonSchema>() -> Self {
        let mut generator = generator();
        let schema = generator.subschema_for::<T>().to_value();
        Self { schema, definitions: generator.take_definitions(true) }
    }

    /// Whether `$fields` applies: the type is an object, a union of objects, or a list or batch of such.
    pub fn has_fields(&self) -> bool {
        fields_apply(&self.schema, &self.definitions, 0)
    }

    pub(super) fn schema(&self) -> &Value {
        &self.schema
    }

    pub(super) fn definitions(&self) -> &Map<String, Value> {
        &self.definitions
    }
}

/// The properties of a struct, as parameters of a query.
pub fn parameters_of<T: JsonSchema>() -> Vec<Parameter> {
    let description = TypeDescription::of::<T>();
    let schema = resolve(&description.schema, &description.definitions);
    let required = required(schema);
    properties(schema)
        .map(|(name, property)| Parameter {
            name: name.clone(),
            schema: inline(property, &description.definitions, 0),
            required: required.contains(&name.as_str()),
            description: text(property, "description").unwrap_or_default().to_owned(),
        })
        .collect()
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator()
}

fn fields_apply(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    let schema = resolve(schema, definitions);
    if is_scalar(schema) {
        return false;
    }
    let again = |inner: &Value| fields_apply(inner, definitions, depth + 1);
    properties(schema).next().is_some() || schema.get("items").is_some_and(again) || variants(schema).iter().any(again)
}

/// Whether the type is one value on the wire although its schema may be an object.
fn is_scalar(schema: &Value) -> bool {
    schema.get("x-type").is_some() || schema.get("x-url-param").is_some()
}

/// Replaces references by what they refer to; `x-name` keeps the name.
fn inline(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Bool(true);
    }
    match schema {
        Value::Object(object) => {
            let mut out = Map::new();
            if let Some(name) = reference(schema)
                && let Some(Value::Object(definition)) =
                    definitions.get(name).map(|it| inline(it, definitions, depth + 1))
            {
                out.extend(definition);
                out.insert("x-name".to_owned(), name.into());
            }
            for (key, value) in object.iter().filter(|(key, _)| *key != "$ref") {
                out.insert(key.clone(), inline(value, definitions, depth + 1));
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| inline(item, definitions, depth + 1)).collect(),
        other => other.clone(),
    }
}

/// Name of the definition that `schema` refers to.
pub(super) fn reference(schema: &Value) -> Option<&str> {
    text(schema, "$ref")?.strip_prefix(PLACE)
}

/// Follows references to a definition.
pub(super) fn resolve<'a>(schema: &'a Value, definitions: &'a Map<String, Value>) -> &'a Value {
    let mut schema = schema;
    for _ in 0..MAX_DEPTH {
        match reference(schema).and_then(|name| definitions.get(name)) {
            Some(next) => schema = next,
            None => break,
        }
    }
    schema
}

/// The text under `key`.
pub(super) fn text<'a>(schema: &'a Value, key: &str) -> Option<&'a str> {
    schema.get(key)?.as_str()
}

/// Whether `key` is `true`.
pub(super) fn flag(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// Properties of an object schema, in the order of the struct.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema.get("properties").and_then(Value::as_object).into_iter().flatten()
}

/// Names of the properties that must be sent.
pub(super) fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Alternatives of a schema.
pub(super) fn variants(schema: &Value) -> &[Value] {
    ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)?.as_array()).map_or(&[], Vec::as_slice)
}

/// Values of an enumeration of texts, or none when it is something else.
pub(super) fn enumeration(schema: &Value) -> Option<Vec<&str>> {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        return values.iter().filter(|value| !value.is_null()).map(Value::as_str).collect();
    }
    if let Some(value) = text(schema, "const") {
        return Some(vec![value]);
    }
    let variants = variants(schema);
    if variants.is_empty() {
        return None;
    }
    let lists: Option<Vec<_>> = variants.iter().map(enumeration).collect();
    lists.map(|lists| lists.concat())
}

/// The `className` of a variant of a union.
pub(super) fn class_name(schema: &Value) -> Option<&str> {
    schema.get("properties")?.get("className")?.get("const")?.as_str()
}
