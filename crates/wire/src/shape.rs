//! The shape of an answer, read from its type's schema: what is a record, what an extension, what a list.
//!
//! What `*` covers (wire-protocol 2.2): plain fields, with values that are no records expanded by the
//! same rule and records collapsed to `{id}`; extension fields only when named. `className` always stays.

mod expand;
mod project;
#[cfg(test)]
mod tests;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use schemars::JsonSchema;
use serde_json::{Map, Value};

pub use self::expand::{Expansion, References};

/// The shape of a type. Cheap to clone.
#[derive(Clone)]
pub struct Shape {
    nodes: Arc<Vec<Node>>,
    root: usize,
}

#[derive(Default)]
struct Node {
    /// Name of the type; of the union for its variants.
    name: Option<String>,
    /// Nested ones collapse to `{id}`.
    record: bool,
    /// A page, a pair or a change: what it holds is as much asked for as itself.
    container: bool,
    /// A scalar, although it may be written as an object: goes out as it is.
    scalar: bool,
    /// Fields of an object.
    fields: HashMap<String, Field>,
    /// Variants of a union, by `className`.
    variants: HashMap<String, usize>,
    /// Shape of list elements and map values.
    element: Option<usize>,
    /// Whether nested default content is the value as it is: nothing below collapses or is left out.
    settled: bool,
}

#[derive(Clone, Copy)]
struct Field {
    node: usize,
    extension: bool,
}

impl Node {
    /// Nothing is known of its fields.
    fn is_open(&self) -> bool {
        self.fields.is_empty() && self.variants.is_empty() && self.element.is_none()
    }

    fn children(&self) -> impl Iterator<Item = usize> {
        self.fields.values().map(|field| field.node).chain(self.variants.values().copied()).chain(self.element)
    }
}

static KNOWN: LazyLock<Mutex<HashMap<TypeId, Shape>>> = LazyLock::new(Mutex::default);

impl Shape {
    /// The shape of `T`, worked out at the first call.
    pub fn of<T: JsonSchema + 'static>() -> Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(TypeId::of::<T>()).or_insert_with(|| Self::from_schema(schemars::schema_for!(T).as_value())).clone()
    }

    /// A shape of which nothing is known: fields are kept by name, nothing collapses, `className` stays.
    /// For payloads, whose types belong to the host.
    pub fn untyped() -> Self {
        Self::from_schema(&Value::Bool(true))
    }

    fn from_schema(schema: &Value) -> Self {
        let definitions = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut builder = Builder { definitions, nodes: Vec::new(), named: HashMap::new() };
        let root = builder.node(schema.get("title").and_then(Value::as_str));
        // A type that holds itself refers to the whole document.
        builder.named.insert(String::new(), root);
        builder.fill(root, schema);
        builder.settle();
        Self { nodes: Arc::new(builder.nodes), root }
    }

    /// The node that says most about an object: the variant of its class where there is one.
    fn variant(&self, node: usize, object: &Map<String, Value>) -> Option<&Node> {
        let shape = self.nodes.get(node)?;
        let class = object.get("className").and_then(Value::as_str);
        match class.and_then(|class| shape.variants.get(class)) {
            Some(variant) => self.nodes.get(*variant),
            None => Some(shape),
        }
    }
}

/// The name of the definition a schema refers to; empty for the whole document.
fn definition_name(schema: &Value) -> Option<&str> {
    match schema.get("$ref")?.as_str()? {
        "#" => Some(""),
        reference => reference.strip_prefix("#/$defs/"),
    }
}

/// What an optional field holds when it is there: the one alternative beside null.
fn nullable(schema: &Value) -> Option<&Value> {
    let alternatives = schema.get("anyOf")?.as_array()?;
    let is_null = |alternative: &&Value| alternative.get("type").and_then(Value::as_str) == Some("null");
    let mut present = alternatives.iter().filter(|alternative| !is_null(alternative));
    let first = present.next()?;
    (present.next().is_none() && alternatives.len() == 2).then_some(first)
}

fn is_true(schema: &Value, key: &str) -> bool {
    schema.get(key).and_then(Value::as_bool) == Some(true)
}

struct Builder {
    definitions: Map<String, Value>,
    nodes: Vec<Node>,
    named: HashMap<String, usize>,
}

impl Builder {
    fn node(&mut self, name: Option<&str>) -> usize {
        self.nodes.push(Node { name: name.map(str::to_owned), ..Node::default() });
        self.nodes.len() - 1
    }

    /// The node of a schema, shared where the schema is a reference, so that recursive types end.
    fn of(&mut self, schema: &Value) -> usize {
        if let Some(present) = nullable(schema) {
            return self.of(present);
        }
        let Some(name) = definition_name(schema) else {
            let node = self.node(None);
            self.fill(node, schema);
            return node;
        };
        if let Some(known) = self.named.get(name) {
            return *known;
        }
        let node = self.node(Some(name));
        self.named.insert(name.to_owned(), node);
        if let Some(definition) = self.definitions.get(name).cloned() {
            self.fill(node, &definition);
        }
        node
    }

    /// Adds what a schema says to a node; alternatives without a class are added up.
    fn fill(&mut self, node: usize, schema: &Value) {
        if let Some(name) = definition_name(schema)
            && let Some(definition) = self.definitions.get(name).cloned()
        {
            self.fill(node, &definition);
        }
        if let Some(target) = self.nodes.get_mut(node) {
            target.record |= is_true(schema, "x-record");
            target.container |= schema.get("x-kind").is_some();
            target.scalar |= schema.get("x-type").is_some() || schema.get("x-url-param").is_some();
            if target.scalar {
                return;
            }
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for alternative in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
                match alternative.pointer("/properties/className/const").and_then(Value::as_str) {
                    Some(class) => self.variant(node, class, alternative),
                    None => self.fill(node, alternative),
                }
            }
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let field = Field { node: self.of(property), extension: is_true(property, "x-extension") };
            if let Some(target) = self.nodes.get_mut(node) {
                target.fields.insert(name.clone(), field);
            }
        }
        for key in ["items", "additionalProperties"] {
            if let Some(element) = schema.get(key).filter(|element| element.is_object()) {
                let element = self.of(element);
                if let Some(target) = self.nodes.get_mut(node) {
                    target.element = Some(element);
                }
            }
        }
    }

    fn variant(&mut self, union: usize, class: &str, schema: &Value) {
        let (name, record) = self.nodes.get(union).map(|union| (union.name.clone(), union.record)).unwrap_or_default();
        let variant = self.node(name.as_deref());
        if let Some(target) = self.nodes.get_mut(variant) {
            target.record = record;
        }
        self.fill(variant, schema);
        if let Some(union) = self.nodes.get_mut(union) {
            union.variants.insert(class.to_owned(), variant);
        }
    }

    /// Finds the nodes whose default content is everything: all are, until something below is not.
    fn settle(&mut self) {
        for node in &mut self.nodes {
            node.settled = !node.record && node.fields.values().all(|field| !field.extension);
        }
        loop {
            let settled: Vec<bool> = self.nodes.iter().map(|node| node.settled).collect();
            let unsettled = |child: usize| settled.get(child) == Some(&false);
            let mut changed = false;
            for node in &mut self.nodes {
                if node.settled && node.children().any(unsettled) {
                    node.settled = false;
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }
}
