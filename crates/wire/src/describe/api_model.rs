//! The http-api-model: the description from which the official client generators make clients.
//!
//! Types are collected while endpoints are described: what an endpoint mentions is described next, until nothing new appears.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schema::{class_name, enumeration, flag, properties, reference, required, resolve, text, variants};
use super::{Operation, Surface, TypeDescription, identifiers, resources};

/// The http-api-model of the operations that applications of Space know.
pub fn api_model(operations: &[Operation]) -> Value {
    let operations: Vec<&Operation> = operations.iter().filter(|it| it.surface == Surface::Space).collect();
    let mut model = Model::default();
    for operation in &operations {
        for described in [&operation.body, &operation.result].into_iter().flatten() {
            for (name, schema) in described.definitions() {
                model.definitions.entry(name.clone()).or_insert_with(|| schema.clone());
            }
        }
    }
    let (resources, all) = resources::tree(&operations, &mut model);
    model.close();
    json!({
        "dto": model.dtos.into_values().collect::<Vec<_>>(),
        "enums": model.enums.into_values().collect::<Vec<_>>(),
        "urlParams": model.identifiers.iter().filter_map(|name| identifiers::identifier(name)).collect::<Vec<_>>(),
        "resources": resources,
        "featureFlags": [],
        "menuIds": [],
        "allResources": all,
    })
}

/// Types mentioned so far.
#[derive(Default)]
pub(super) struct Model {
    definitions: Map<String, Value>,
    pending: Vec<String>,
    dtos: BTreeMap<String, Value>,
    enums: BTreeMap<String, Value>,
    identifiers: BTreeSet<&'static str>,
}

impl Model {
    /// The HA_Type of a schema.
    pub(super) fn type_of(&mut self, schema: &Value) -> Value {
        let (schema, nullable) = without_null(schema);
        let name = reference(&schema).or_else(|| text(&schema, "x-name")).map(str::to_owned);
        let resolved = match reference(&schema) {
            Some(_) => resolve(&schema, &self.definitions).clone(),
            None => schema,
        };
        if let Some(name) = text(&resolved, "x-type") {
            return primitive(name, nullable);
        }
        if let Some(name) = text(&resolved, "x-url-param") {
            return self.identifier(name, nullable);
        }
        if let Some(kind) = text(&resolved, "x-kind").and_then(kind) {
            let fields = self.fields_of(&resolved, Place::Object);
            return object(kind, &fields, nullable);
        }
        if let (Some(name), Some(values)) = (&name, enumeration(&resolved)) {
            self.enums.entry(name.clone()).or_insert_with(
                || json!({"id": name, "name": name, "values": values, "deprecation": null, "experimental": null}),
            );
            return json!({"className": "HA_Type.Enum", "enum": {"id": name}, "nullable": nullable, "tags": []});
        }
        if let Some(name) = name {
            if properties(&resolved).next().is_some() || is_union(&resolved) {
                self.pending.push(name.clone());
                return json!({"className": "HA_Type.Dto", "dto": {"id": name}, "nullable": nullable, "tags": []});
            }
            let (inner, inner_nullable) = without_null(&resolved);
            return self.unnamed(&inner, nullable || inner_nullable);
        }
        self.unnamed(&resolved, nullable)
    }

    /// The type of a schema that has no name of its own.
    fn unnamed(&mut self, schema: &Value, nullable: bool) -> Value {
        // A list also takes one element in place of a list; generators know it as a list.
        if let Some(list) = variants(schema).iter().find(|variant| variant.get("items").is_some()) {
            return self.unnamed(list, nullable);
        }
        if let Some(items) = schema.get("items") {
            let element = self.type_of(items);
            return json!({"className": "HA_Type.Array", "elementType": element, "nullable": nullable, "tags": []});
        }
        match text(schema, "type") {
            Some("string") => {
                primitive(if text(schema, "format") == Some("date") { "Date" } else { "String" }, nullable)
            }
            Some("boolean") => primitive("Boolean", nullable),
            Some("number") => primitive("Double", nullable),
            Some("integer") => {
                let long = matches!(text(schema, "format"), Some("int64" | "uint64" | "uint32"));
                primitive(if long { "Long" } else { "Int" }, nullable)
            }
            _ => {
                let value = match schema.get("additionalProperties") {
                    Some(value @ Value::Object(object)) if !object.is_empty() => self.type_of(value),
                    _ => primitive("String", false),
                };
                json!({"className": "HA_Type.Map", "valueType": value, "nullable": nullable, "tags": []})
            }
        }
    }

    fn identifier(&mut self, name: &str, nullable: bool) -> Value {
        let Some(known) = identifiers::known(name) else { return primitive("String", nullable) };
        if self.identifiers.insert(known) {
            for inner in identifiers::mentioned(known) {
                self.identifiers.insert(inner);
            }
        }
        json!({"className": "HA_Type.UrlParam", "urlParam": {"id": known}, "nullable": nullable, "tags": []})
    }

    /// HA_Fields of the properties of an object.
    fn fields_of(&mut self, schema: &Value, place: Place) -> Vec<Value> {
        let required = required(schema);
        let own: Vec<_> = properties(schema).filter(|(name, _)| *name != "className").collect();
        own.into_iter()
            .map(|(name, property)| {
                let declared = property.get("default");
                let optional = match place {
                    Place::Body => !required.contains(&name.as_str()),
                    Place::Object => declared.is_some(),
                };
                self.field_of(name, property, optional)
            })
            .collect()
    }

    /// One HA_Field.
    pub(super) fn field_of(&mut self, name: &str, property: &Value, optional: bool) -> Value {
        let of = self.type_of(property);
        let default = property.get("default").and_then(|value| default_value(value, &of));
        let mut out = field(name, &of, default);
        if let Value::Object(out) = &mut out {
            out.insert("optional".to_owned(), optional.into());
            out.insert("description".to_owned(), described(property));
            out.insert("deprecation".to_owned(), deprecation(property));
        }
        out
    }

    /// The request body, an object whose fields are arguments.
    pub(super) fn body(&mut self, body: &TypeDescription) -> Value {
        let schema = resolve(body.schema(), body.definitions()).clone();
        let fields = self.fields_of(&schema, Place::Body);
        object("REQUEST_BODY", &fields, false)
    }

    /// Describes every type that is mentioned and not described yet.
    fn close(&mut self) {
        while let Some(name) = self.pending.pop() {
            if self.dtos.contains_key(&name) {
                continue;
            }
            let Some(schema) = self.definitions.get(&name).cloned() else { continue };
            // The entry comes first, because a type may mention itself.
            self.dtos.insert(name.clone(), Value::Null);
            let described = if is_union(&schema) { self.union(&name, &schema) } else { self.dto(&name, &schema, None) };
            self.dtos.insert(name, described);
        }
    }

    fn union(&mut self, name: &str, schema: &Value) -> Value {
        let mut inheritors = Vec::new();
        for variant in variants(schema) {
            let Some(class) = class_name(variant) else { continue };
            let described = self.dto(class, variant, Some(name));
            self.dtos.insert(class.to_owned(), described);
            inheritors.push(json!({"id": class}));
        }
        let mut out = self.dto(name, &json!({"description": schema.get("description")}), None);
        if let Value::Object(out) = &mut out {
            out.insert("hierarchyRole".to_owned(), "SEALED".into());
            out.insert("hierarchyRole2".to_owned(), "SEALED_CLASS".into());
            out.insert("inheritors".to_owned(), inheritors.into());
        }
        out
    }

    fn dto(&mut self, name: &str, schema: &Value, extends: Option<&str>) -> Value {
        let fields = self.fields_of(schema, Place::Object);
        let extensions =
            properties(schema).filter(|(name, _)| *name != "className").map(|(_, it)| flag(it, "x-extension"));
        let fields: Vec<Value> = fields
            .iter()
            .zip(extensions)
            .map(|(field, extension)| json!({"field": field, "extension": extension}))
            .collect();
        json!({
            "id": name, "name": name, "fields": fields, "hierarchyRole": "FINAL", "hierarchyRole2": "FINAL_CLASS",
            "extends": extends.map(|id| json!({"id": id})), "implements": [], "inheritors": [],
            "description": described(schema), "deprecation": deprecation(schema), "experimental": null,
            "record": flag(schema, "x-record"), "featureFlag": null, "optionalFeature": null,
        })
    }
}

/// Where an object stands: only in a body does absence mean something for every field that may be absent.
#[derive(Clone, Copy)]
enum Place {
    Body,
    Object,
}

fn is_union(schema: &Value) -> bool {
    let variants = variants(schema);
    !variants.is_empty() && variants.iter().all(|variant| class_name(variant).is_some())
}

/// The schema without its null alternative, and whether there was one.
fn without_null(schema: &Value) -> (Value, bool) {
    let mut out = schema.clone();
    let Value::Object(object) = &mut out else { return (out, false) };
    if let Some(Value::Array(types)) = object.get("type") {
        let rest: Vec<Value> = types.iter().filter(|it| it.as_str() != Some("null")).cloned().collect();
        let nullable = rest.len() < types.len();
        if let [only] = rest.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
        return (out, nullable);
    }
    let is_null = |it: &Value| text(it, "type") == Some("null");
    let all = variants(schema);
    let rest: Vec<&Value> = all.iter().filter(|it| !is_null(it)).collect();
    if rest.len() == all.len() {
        return (out, false);
    }
    match rest.as_slice() {
        [only] => ((*only).clone(), true),
        _ => (json!({"anyOf": rest}), true),
    }
}

fn kind(declared: &str) -> Option<&'static str> {
    let declared = declared.to_ascii_uppercase();
    ["PAIR", "TRIPLE", "BATCH", "SYNC_BATCH", "MOD"]
        .into_iter()
        .find(|kind| *kind == declared)
        .or_else(|| (declared == "MODIFICATION").then_some("MOD"))
}

fn object(kind: &str, fields: &[Value], nullable: bool) -> Value {
    json!({"className": "HA_Type.Object", "fields": fields, "kind": kind, "nullable": nullable, "tags": []})
}

/// An HA_Type.Primitive.
pub(super) fn primitive(name: &str, nullable: bool) -> Value {
    json!({"className": "HA_Type.Primitive", "primitive": name, "nullable": nullable, "tags": []})
}

/// An HA_Field that must be sent and has no description.
pub(super) fn field(name: &str, of: &Value, default: Option<Value>) -> Value {
    json!({
        "name": name, "type": of, "optional": false, "defaultValue": default,
        "description": null, "deprecation": null, "experimental": null,
    })
}

fn described(schema: &Value) -> Value {
    text(schema, "description").map_or(Value::Null, |text| json!({"text": text, "helpTopic": null}))
}

fn deprecation(schema: &Value) -> Value {
    text(schema, "x-deprecated")
        .map_or(Value::Null, |since| json!({"message": "Kept for old clients.", "since": since, "forRemoval": false}))
}

/// The HA_DefaultValue of a JSON value, a Kotlin literal where it is a constant.
fn default_value(value: &Value, of: &Value) -> Option<Value> {
    match value {
        Value::String(entry) if text(of, "className") == Some("HA_Type.Enum") => {
            Some(json!({"className": "HA_DefaultValue.Const.EnumEntry", "entryName": entry}))
        }
        Value::Array(items) => {
            let elements: Option<Vec<Value>> = items.iter().map(|item| default_value(item, of)).collect();
            elements.map(|elements| json!({"className": "HA_DefaultValue.Collection", "elements": elements}))
        }
        Value::Object(_) => None,
        constant => Some(json!({"className": "HA_DefaultValue.Const.Primitive", "expression": constant.to_string()})),
    }
}
