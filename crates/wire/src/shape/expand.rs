//! References that are named beyond what a value holds: found, loaded by the caller, put in.
//!
//! ```text
//! let mut expansion = shape.expand(value, selection);
//! loop {
//!     let wanted = expansion.wanted();
//!     if wanted.is_empty() { break }
//!     for references in wanted { expansion.supply(&references.type_name, load(&references)) }
//! }
//! let answer = expansion.finish();
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::project::{Place, Want};
use super::{Node, Shape};
use crate::fields::Selection;

/// Most levels of references; deeper ones stay `{id}`. Recursion over data that forms a circle ends here.
const MAX_LEVELS: usize = 8;
/// Most records that are put into one answer, so that a short text cannot ask for an endless one.
const MAX_RECORDS: usize = 20_000;

/// Records of one type that are named beyond their id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct References {
    /// Wire name of the type, such as `TD_MemberProfile`.
    pub type_name: String,
    /// Ids, each once.
    pub ids: BTreeSet<String>,
    /// Fields that at least one of them is asked for.
    pub fields: BTreeSet<String>,
}

/// A value on its way to an answer.
pub struct Expansion<'a> {
    shape: &'a Shape,
    selection: Option<&'a Selection>,
    value: Value,
    loaded: HashMap<(String, String), Map<String, Value>>,
    asked: HashSet<(String, String)>,
    levels: usize,
    records: usize,
}

/// Gets each record that lacks fields: the name of its type, itself, and the fields.
type Visit<'v> = dyn FnMut(&str, &mut Map<String, Value>, &[&str]) -> Then + 'v;

/// Whether to look at what a record holds.
#[derive(PartialEq, Eq)]
enum Then {
    Enter,
    Leave,
}

impl Shape {
    /// Begins to expand a value. Nothing is loaded when [`Expansion::wanted`] is not called.
    pub fn expand<'a>(&'a self, value: Value, selection: Option<&'a Selection>) -> Expansion<'a> {
        Expansion {
            shape: self,
            selection,
            value,
            loaded: HashMap::new(),
            asked: HashSet::new(),
            levels: 0,
            records: 0,
        }
    }

    fn records(&self, value: &mut Value, node: usize, want: &Want<'_>, place: Place, visit: &mut Visit<'_>) {
        let Some(shape) = self.nodes.get(node) else { return };
        if shape.scalar || (shape.settled && want.is_default()) {
            return;
        }
        match value {
            Value::Array(elements) => {
                let node = shape.element.unwrap_or(node);
                for element in elements {
                    self.records(element, node, want, place, visit);
                }
            }
            Value::Object(object) => {
                let Some(shape) = self.variant(node, object) else { return };
                if let Some(node) = shape.element {
                    object.values_mut().for_each(|value| self.records(value, node, want, place, visit));
                    return;
                }
                if shape.record {
                    let lacking = lacking(shape, object, want, place);
                    if let Some(name) = &shape.name
                        && !lacking.is_empty()
                        && visit(name, object, &lacking) == Then::Leave
                    {
                        return;
                    }
                }
                for (name, value) in object.iter_mut() {
                    if let Some(field) = shape.fields.get(name)
                        && let Some(want) = want.of(name, shape.covers(name, place))
                    {
                        self.records(value, field.node, &want, shape.place_below(place), visit);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Fields that are wanted of a record and not there, in alphabetical order.
fn lacking<'s>(shape: &'s Node, object: &Map<String, Value>, want: &Want<'_>, place: Place) -> Vec<&'s str> {
    let absent = shape.fields.keys().filter(|name| !object.contains_key(*name) && *name != "className");
    let mut lacking: Vec<&str> =
        absent.filter(|name| want.of(name, shape.covers(name, place)).is_some()).map(String::as_str).collect();
    lacking.sort_unstable();
    lacking
}

impl Expansion<'_> {
    /// What has to be loaded next, once per type; empty when nothing is left to ask for.
    pub fn wanted(&mut self) -> Vec<References> {
        while self.levels < MAX_LEVELS {
            self.levels += 1;
            let before = self.records;
            let wanted = self.put_in();
            if !wanted.is_empty() || self.records == before {
                return wanted;
            }
        }
        Vec::new()
    }

    /// Puts in what is loaded, one level deep, and finds what is not.
    fn put_in(&mut self) -> Vec<References> {
        let mut wanted: BTreeMap<String, References> = BTreeMap::new();
        let (loaded, asked, records) = (&self.loaded, &mut self.asked, &mut self.records);
        let mut visit = |type_name: &str, object: &mut Map<String, Value>, lacking: &[&str]| {
            let Some(id) = object.get("id").and_then(Value::as_str) else { return Then::Enter };
            let key = (type_name.to_owned(), id.to_owned());
            if let Some(known) = loaded.get(&key) {
                if *records == MAX_RECORDS || lacking.iter().all(|name| !known.contains_key(*name)) {
                    return Then::Enter;
                }
                *records += 1;
                for (name, value) in known {
                    if !object.contains_key(name) {
                        object.insert(name.clone(), value.clone());
                    }
                }
                // What it brought is looked at in the next round, so that circles end.
                return Then::Leave;
            }
            let of_type = wanted.get(type_name);
            if asked.insert(key) || of_type.is_some_and(|references| references.ids.contains(id)) {
                let references = wanted.entry(type_name.to_owned()).or_insert_with(|| References {
                    type_name: type_name.to_owned(),
                    ids: BTreeSet::new(),
                    fields: BTreeSet::new(),
                });
                references.ids.insert(id.to_owned());
                references.fields.extend(lacking.iter().map(|name| (*name).to_owned()));
            }
            Then::Enter
        };
        let want = Want::of_answer(self.selection);
        self.shape.records(&mut self.value, self.shape.root, &want, Place::Asked, &mut visit);
        wanted.into_values().collect()
    }

    /// Gives loaded records, by id, each with all that may be asked of it. One that is missing stays a
    /// reference.
    pub fn supply(&mut self, type_name: &str, records: impl IntoIterator<Item = (String, Value)>) {
        for (id, record) in records {
            if let Value::Object(record) = record {
                self.loaded.insert((type_name.to_owned(), id), record);
            }
        }
    }

    /// The answer: selected from, with an inline error where fields were asked for that could not be
    /// loaded (wire-protocol 2.3).
    pub fn finish(mut self) -> Value {
        // Puts in what was supplied last.
        let _ = self.put_in();
        let mut mark = |_: &str, object: &mut Map<String, Value>, lacking: &[&str]| {
            let quoted: Vec<String> = lacking.iter().map(|name| format!("'{name}'")).collect();
            let message = format!("Could not access following fields: {}.", quoted.join(", "));
            let class = "HA_InlineError.InaccessibleFields";
            object.insert("$errors".to_owned(), json!([{ "className": class, "fields": lacking, "message": message }]));
            Then::Enter
        };
        let want = Want::of_answer(self.selection);
        self.shape.records(&mut self.value, self.shape.root, &want, Place::Asked, &mut mark);
        self.shape.project(self.value, self.selection)
    }
}
