//! The shape of an answer, read from its type's schema, and the projection of values by `$fields`.
//!
//! What `*` covers (wire-protocol 2.2): plain fields, with values that are no records expanded by the
//! same rule and records collapsed to `{id}`; extension fields only when named. `className` always stays.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use schemars::JsonSchema;
use serde_json::{Map, Value};

use crate::fields::{At, Selection, Wanted};

/// The shape of a type. Cheap to clone.
#[derive(Clone)]
pub struct Shape {
    nodes: Arc<Vec<Node>>,
    root: usize,
}

#[derive(Default)]
struct Node {
    /// References to it collapse to `{id}`.
    record: bool,
    /// A page: its entries are what was asked for, so they do not collapse.
    page: bool,
    /// Fields of an object, of all variants together.
    fields: HashMap<String, Field>,
    /// Shape of list elements and map values.
    element: Option<usize>,
}

#[derive(Clone, Copy)]
struct Field {
    node: usize,
    extension: bool,
}

static KNOWN: LazyLock<Mutex<HashMap<TypeId, Shape>>> = LazyLock::new(Mutex::default);

impl Shape {
    /// The shape of `T`, worked out at the first call.
    pub fn of<T: JsonSchema + 'static>() -> Self {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(TypeId::of::<T>()).or_insert_with(|| Self::from_schema(schemars::schema_for!(T).as_value())).clone()
    }

    fn from_schema(schema: &Value) -> Self {
        let definitions = schema.get("$defs").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut builder = Builder { definitions, nodes: Vec::new(), named: HashMap::new() };
        let root = builder.node();
        // A type that holds itself refers to the whole document.
        builder.named.insert(String::new(), root);
        builder.fill(root, schema);
        Self { nodes: Arc::new(builder.nodes), root }
    }

    /// Selects from a value. Without a selection the outermost level is as if `*` were asked.
    pub fn project(&self, value: Value, selection: Option<&Selection>) -> Value {
        match selection {
            Some(selection) => self.value(value, self.root, &Want::Levels(vec![selection.root()])),
            None => self.value(value, self.root, &Want::Defaults),
        }
    }

    fn value(&self, value: Value, node: usize, want: &Want<'_>) -> Value {
        let Some(shape) = self.nodes.get(node) else { return value };
        match value {
            Value::Array(elements) => {
                let node = shape.element.unwrap_or(node);
                Value::Array(elements.into_iter().map(|element| self.value(element, node, want)).collect())
            }
            Value::Object(object) if shape.fields.is_empty() => match shape.element {
                Some(node) => {
                    Value::Object(object.into_iter().map(|(key, value)| (key, self.value(value, node, want))).collect())
                }
                // Nothing is known of its fields: it goes out as it is.
                None => Value::Object(object),
            },
            Value::Object(object) => Value::Object(self.object(object, shape, want)),
            scalar => scalar,
        }
    }

    fn object(&self, object: Map<String, Value>, shape: &Node, want: &Want<'_>) -> Map<String, Value> {
        let mut projected = Map::with_capacity(object.len());
        for (name, value) in object {
            let Some(field) = shape.fields.get(&name) else {
                if name == "className" {
                    projected.insert(name, value);
                }
                continue;
            };
            if name == "className" {
                projected.insert(name, value);
            } else if let Some(want) = want.of(&name, field.extension) {
                let value = match want {
                    // Named or covered by `*`, but not opened: records become references.
                    Want::Defaults if shape.page => self.value(value, field.node, &Want::Defaults),
                    Want::Defaults => self.reference(value, field.node),
                    levels @ Want::Levels(_) => self.value(value, field.node, &levels),
                };
                projected.insert(name, value);
            }
        }
        projected
    }

    /// A nested value with its default content.
    fn reference(&self, value: Value, node: usize) -> Value {
        let Some(shape) = self.nodes.get(node) else { return value };
        match value {
            Value::Array(elements) => {
                let node = shape.element.unwrap_or(node);
                Value::Array(elements.into_iter().map(|element| self.reference(element, node)).collect())
            }
            Value::Object(object) if shape.record => {
                Value::Object(object.into_iter().filter(|(name, _)| name == "id" || name == "className").collect())
            }
            other => self.value(other, node, &Want::Defaults),
        }
    }
}

/// What is wanted of an object.
enum Want<'a> {
    /// As if `*` were asked.
    Defaults,
    /// What these levels say, added up.
    Levels(Vec<At<'a>>),
}

impl<'a> Want<'a> {
    /// What is wanted of a field, `None` when nothing is.
    fn of(&self, name: &str, extension: bool) -> Option<Self> {
        let levels = match self {
            Self::Defaults => return (!extension).then_some(Self::Defaults),
            Self::Levels(levels) => levels,
        };
        let mut wanted = false;
        let mut below: Vec<At<'a>> = Vec::new();
        for level in levels {
            wanted |= level.wants_defaults() && !extension;
            match level.wants(name) {
                Wanted::No => {}
                Wanted::Plain => wanted = true,
                Wanted::Below(levels) => {
                    for level in levels {
                        // Recursion reaches one level by many ways; it counts once.
                        if !below.contains(&level) {
                            below.push(level);
                        }
                    }
                }
            }
        }
        match (below.is_empty(), wanted) {
            (false, _) => Some(Self::Levels(below)),
            (true, true) => Some(Self::Defaults),
            (true, false) => None,
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

struct Builder {
    definitions: Map<String, Value>,
    nodes: Vec<Node>,
    named: HashMap<String, usize>,
}

impl Builder {
    fn node(&mut self) -> usize {
        self.nodes.push(Node::default());
        self.nodes.len() - 1
    }

    /// The node of a schema, shared where the schema is a reference, so that recursive types end.
    fn of(&mut self, schema: &Value) -> usize {
        if let Some(present) = nullable(schema) {
            return self.of(present);
        }
        let Some(name) = definition_name(schema) else {
            let node = self.node();
            self.fill(node, schema);
            return node;
        };
        if let Some(known) = self.named.get(name) {
            return *known;
        }
        let node = self.node();
        self.named.insert(name.to_owned(), node);
        if let Some(definition) = self.definitions.get(name).cloned() {
            self.fill(node, &definition);
        }
        node
    }

    /// Adds what a schema says to a node; alternatives are added up.
    fn fill(&mut self, node: usize, schema: &Value) {
        if let Some(name) = definition_name(schema)
            && let Some(definition) = self.definitions.get(name).cloned()
        {
            self.fill(node, &definition);
        }
        if schema.get("x-record").and_then(Value::as_bool) == Some(true)
            && let Some(target) = self.nodes.get_mut(node)
        {
            target.record = true;
        }
        if schema.get("x-kind").and_then(Value::as_str) == Some("BATCH")
            && let Some(target) = self.nodes.get_mut(node)
        {
            target.page = true;
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            for alternative in schema.get(key).and_then(Value::as_array).into_iter().flatten() {
                self.fill(node, alternative);
            }
        }
        if schema.get("x-type").is_some() {
            // A scalar that is written as an object goes out whole.
            return;
        }
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let extension = property.get("x-extension").and_then(Value::as_bool) == Some(true);
            let field = Field { node: self.of(property), extension };
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde_json::json;

    #[derive(Serialize, JsonSchema)]
    #[schemars(extend("x-record" = true))]
    struct Person {
        id: String,
        name: Name,
        boss: Option<Box<Person>>,
        #[schemars(extend("x-extension" = true))]
        teams: Vec<Name>,
    }

    #[derive(Serialize, JsonSchema)]
    struct Name {
        first: String,
        last: Option<String>,
    }

    #[derive(Serialize, JsonSchema)]
    #[serde(tag = "className")]
    enum Pet {
        #[serde(rename = "Pet.Cat")]
        Cat { owner: Person, lives: u8 },
    }

    fn name() -> Name {
        Name { first: "Ann".to_owned(), last: None }
    }

    fn person(boss: Option<Person>) -> Person {
        Person { id: "p1".to_owned(), name: name(), boss: boss.map(Box::new), teams: vec![name()] }
    }

    fn select<T: Serialize + JsonSchema + 'static>(value: &T, fields: Option<&str>) -> Value {
        let selection = fields.map(|fields| Selection::parse(fields).unwrap());
        Shape::of::<T>().project(serde_json::to_value(value).unwrap(), selection.as_ref())
    }

    #[test]
    fn defaults_expand_values_collapse_records_and_leave_extensions_out() {
        let boss = person(None);
        let expected = json!({ "id": "p1", "name": { "first": "Ann", "last": null }, "boss": { "id": "p1" } });
        assert_eq!(select(&person(Some(boss)), None), expected);
        assert_eq!(select(&person(Some(person(None))), Some("*")), expected);
    }

    #[test]
    fn a_named_record_is_a_reference_and_an_opened_one_is_expanded_one_level() {
        let three = person(Some(person(Some(person(None)))));
        assert_eq!(select(&three, Some("boss")), json!({ "boss": { "id": "p1" } }));
        let opened = select(&three, Some("boss(*)"));
        assert_eq!(opened["boss"]["boss"], json!({ "id": "p1" }));
        assert_eq!(opened["boss"]["name"]["first"], "Ann");
    }

    #[test]
    fn recursion_follows_the_data() {
        let three = person(Some(person(Some(person(None)))));
        let nested = select(&three, Some("id,boss!"));
        assert_eq!(nested, json!({ "id": "p1", "boss": { "id": "p1", "boss": { "id": "p1", "boss": null } } }));
    }

    #[test]
    fn repeated_recursion_costs_no_more_than_one() {
        let mut tower = person(None);
        for _ in 0..25 {
            tower = person(Some(tower));
        }
        let nested = select(&tower, Some(&vec!["id,boss!"; 20].join(",")));
        assert_eq!(nested, select(&tower, Some("id,boss!")));
    }

    #[test]
    fn extensions_come_when_named_and_unknown_names_are_ignored() {
        assert_eq!(select(&person(None), Some("teams(first),planet")), json!({ "teams": [{ "first": "Ann" }] }));
    }

    #[test]
    fn selections_of_one_field_add_up() {
        let value = select(&person(None), Some("name(first),name(last)"));
        assert_eq!(value, json!({ "name": { "first": "Ann", "last": null } }));
    }

    #[test]
    fn the_class_name_stays_on_unions() {
        let cat = Pet::Cat { owner: person(None), lives: 9 };
        assert_eq!(select(&cat, Some("lives")), json!({ "className": "Pet.Cat", "lives": 9 }));
        assert_eq!(select(&cat, None), json!({ "className": "Pet.Cat", "owner": { "id": "p1" }, "lives": 9 }));
    }

    #[test]
    fn pages_are_selected_through_data() {
        let page = crate::batch::Batch { next: "1".to_owned(), total_count: None, data: vec![person(None)] };
        assert_eq!(
            select(&page, Some("*,data(id)")),
            json!({ "next": "1", "totalCount": null, "data": [{ "id": "p1" }] })
        );
        assert_eq!(select(&vec![person(None)], Some("id")), json!([{ "id": "p1" }]));
        assert_eq!(select(&page, None)["data"][0]["name"]["first"], "Ann", "entries of a page do not collapse");
    }
}
