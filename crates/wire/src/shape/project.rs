//! Selection from a value by `$fields`, in place.

use serde_json::{Map, Value};

use super::{Node, Shape};
use crate::fields::{At, Selection};

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the answer itself, or an entry of a list, page or pair that is.
    Asked,
    /// It is a field of something: records collapse.
    Nested,
}

/// What is wanted of a value.
pub(super) struct Want<'a> {
    /// Its default content.
    pub(super) defaults: bool,
    /// What these levels say, added up.
    levels: Vec<At<'a>>,
}

impl<'a> Want<'a> {
    /// What a selection says of the answer; without one, as if `*` were asked.
    pub(super) fn of_answer(selection: Option<&'a Selection>) -> Self {
        Want { defaults: selection.is_none(), levels: selection.map(Selection::root).into_iter().collect() }
    }

    /// Whether only the default content is wanted.
    pub(super) const fn is_default(&self) -> bool {
        self.defaults && self.levels.is_empty()
    }

    /// What is wanted of a field, `None` when nothing is.
    pub(super) fn of(&self, name: &str, covered: Covered) -> Option<Self> {
        let mut want = Want { defaults: self.defaults && covered.by_default, levels: Vec::new() };
        let mut named = false;
        for level in &self.levels {
            match level.wants(name) {
                // `*` does not open what the same level names.
                None => want.defaults |= covered.by_star && level.wants_defaults(),
                Some(wanted) => {
                    named = true;
                    want.defaults |= wanted.plain;
                    for below in wanted.below {
                        // Recursion reaches one level by many ways; it counts once.
                        if !want.levels.contains(&below) {
                            want.levels.push(below);
                        }
                    }
                }
            }
        }
        (named || want.defaults).then_some(want)
    }
}

/// What a field is covered by when it is not named.
#[derive(Clone, Copy)]
pub(super) struct Covered {
    /// By the name of the object it is a field of.
    by_default: bool,
    /// By `*` in the parentheses behind that name.
    by_star: bool,
}

impl Node {
    /// What covers a field of an object in this place; nothing where there is no such field.
    pub(super) fn covers(&self, name: &str, place: Place) -> Covered {
        let by_star = self.fields.get(name).is_some_and(|field| !field.extension);
        let reference = self.record && place == Place::Nested;
        Covered { by_default: by_star && (!reference || name == "id"), by_star }
    }

    /// The place of what an object in `place` holds.
    pub(super) const fn place_below(&self, place: Place) -> Place {
        if self.container { place } else { Place::Nested }
    }
}

impl Shape {
    /// Selects from a value. Without a selection the outermost level is as if `*` were asked.
    pub fn project(&self, mut value: Value, selection: Option<&Selection>) -> Value {
        self.apply(&mut value, self.root, &Want::of_answer(selection), Place::Asked);
        value
    }

    fn apply(&self, value: &mut Value, node: usize, want: &Want<'_>, place: Place) {
        let Some(shape) = self.nodes.get(node) else { return };
        if shape.scalar || (shape.settled && want.is_default()) {
            return;
        }
        match value {
            Value::Array(elements) => {
                let node = shape.element.unwrap_or(node);
                for element in elements {
                    self.apply(element, node, want, place);
                }
            }
            Value::Object(object) => {
                let Some(shape) = self.variant(node, object) else { return };
                match shape.element {
                    Some(node) => object.values_mut().for_each(|value| self.apply(value, node, want, place)),
                    None if shape.is_open() => self.open(object, node, want),
                    // A class this version does not know goes out as it is.
                    None if shape.fields.is_empty() => {}
                    None => self.object(object, shape, want, place),
                }
            }
            _ => {}
        }
    }

    fn object(&self, object: &mut Map<String, Value>, shape: &Node, want: &Want<'_>, place: Place) {
        object.retain(|name, value| {
            if name == "className" || name == "$errors" {
                return true;
            }
            let Some(field) = shape.fields.get(name) else { return false };
            let Some(want) = want.of(name, shape.covers(name, place)) else { return false };
            self.apply(value, field.node, &want, shape.place_below(place));
            true
        });
    }

    fn open(&self, object: &mut Map<String, Value>, node: usize, want: &Want<'_>) {
        if want.defaults {
            return;
        }
        object.retain(|name, value| {
            let Some(want) = want.of(name, Covered { by_default: true, by_star: true }) else {
                return name == "className";
            };
            self.apply(value, node, &want, Place::Nested);
            true
        });
    }
}
