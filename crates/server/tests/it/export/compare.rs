//! The differences between two descriptions, as sentences.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Description;
use super::shape::{Field, Fields, Shape, field, fields, kind, resolved, shape};

/// Every difference between what both describe, and which operations only one of them has.
pub(super) fn differences(ours: &Description, export: &Description) -> BTreeSet<String> {
    let mut comparison = Comparison { ours, export, found: BTreeSet::new(), compared: BTreeSet::new() };
    for name in export.operations.keys().filter(|name| !ours.operations.contains_key(*name)) {
        comparison.found.insert(format!("{name}: not served"));
    }
    for (name, operation) in &ours.operations {
        match export.operations.get(name) {
            Some(expected) => comparison.operation(name, operation, expected),
            None => comparison.note(format!("{name}: not in the export")),
        }
    }
    comparison.found
}

struct Comparison<'a> {
    ours: &'a Description,
    export: &'a Description,
    found: BTreeSet<String>,
    compared: BTreeSet<String>,
}

impl Comparison<'_> {
    fn note(&mut self, difference: String) {
        self.found.insert(difference);
    }

    fn operation(&mut self, name: &str, ours: &Value, export: &Value) {
        self.fields(&format!("{name}: parameter"), &parameters(ours), &parameters(export));
        let (our_body, their_body) = (self.body(ours, true), self.body(export, false));
        self.fields(&format!("{name}: argument"), &our_body, &their_body);
        let (our_answer, their_answer) = (&ours["answer"], &export["answer"]);
        if our_answer.is_null() != their_answer.is_null() {
            let says = |answer: &Value| if answer.is_null() { "nothing".to_owned() } else { kind(answer) };
            self.note(format!("{name}: answers {}, in the export {}", says(our_answer), says(their_answer)));
        } else if !our_answer.is_null() {
            self.answer(name, our_answer, their_answer);
        }
    }

    /// An answer of its own shape, such as a page, is compared in place; a type under its name.
    fn answer(&mut self, name: &str, ours: &Value, export: &Value) {
        let (our, their) = (field(ours, true), field(export, true));
        let in_place = kind(export) == "object";
        if in_place {
            let (our, their) = (shape(ours, &self.ours.types), shape(export, &self.export.types));
            self.shapes(&format!("{name}: answer"), &our, &their);
            return;
        }
        self.field(&format!("{name}: answer"), &our, &their);
    }

    fn body(&self, operation: &Value, is_ours: bool) -> Fields {
        let types = if is_ours { &self.ours.types } else { &self.export.types };
        fields(resolved(&operation["body"], types))
    }

    fn fields(&mut self, place: &str, ours: &Fields, export: &Fields) {
        for (name, expected) in export {
            match ours.get(name) {
                Some(found) => self.field(&format!("{place} {name}"), found, expected),
                None => self.note(format!("{place} {name}: missing")),
            }
        }
        for name in ours.keys().filter(|name| !export.contains_key(*name)) {
            self.note(format!("{place} {name}: not in the export"));
        }
    }

    fn field(&mut self, place: &str, ours: &Field, export: &Field) {
        if ours.kind != export.kind {
            self.note(format!("{place}: {}, in the export {}", ours.kind, export.kind));
        } else {
            self.named(&ours.kind);
        }
        let says = |nullable: bool| if nullable { "may be null" } else { "is never null" };
        if ours.nullable != export.nullable {
            self.note(format!("{place}: {}, in the export it {}", says(ours.nullable), says(export.nullable)));
        }
        let says = |required: bool| if required { "always there" } else { "may be absent" };
        if ours.required != export.required {
            self.note(format!("{place}: {}, in the export {}", says(ours.required), says(export.required)));
        }
        let says = |default: &Option<String>| default.clone().unwrap_or_else(|| "none".to_owned());
        if ours.default != export.default {
            self.note(format!("{place}: default {}, in the export {}", says(&ours.default), says(&export.default)));
        }
    }

    /// A type that both know by the same name, once.
    fn named(&mut self, kind: &str) {
        let name = kind.rsplit(' ').next().unwrap_or(kind);
        if name == "DateTime" || !self.compared.insert(name.to_owned()) {
            return;
        }
        let (Some(ours), Some(export)) = (self.ours.types.get(name), self.export.types.get(name)) else { return };
        let (ours, export) = (shape(ours, &self.ours.types), shape(export, &self.export.types));
        self.shapes(&format!("type {name}"), &ours, &export);
    }

    fn shapes(&mut self, place: &str, ours: &Shape, export: &Shape) {
        match (ours, export) {
            (Shape::Record(ours), Shape::Record(export)) => self.fields(&format!("{place}: property"), ours, export),
            (Shape::Union(ours), Shape::Union(export)) => self.variants(place, ours, export),
            (Shape::Values(ours), Shape::Values(export)) => {
                for value in export.difference(ours) {
                    self.note(format!("{place}: value {value}: missing"));
                }
                for value in ours.difference(export) {
                    self.note(format!("{place}: value {value}: not in the export"));
                }
            }
            (Shape::Plain(ours), Shape::Plain(export)) if ours == export => {}
            (ours, export) => self.note(format!("{place}: {}, in the export {}", words(ours), words(export))),
        }
    }

    fn variants(&mut self, place: &str, ours: &BTreeMap<String, Fields>, export: &BTreeMap<String, Fields>) {
        for (class, expected) in export {
            match ours.get(class) {
                Some(found) => self.fields(&format!("type {class}: property"), found, expected),
                None => self.note(format!("{place}: class {class}: missing")),
            }
        }
        for class in ours.keys().filter(|class| !export.contains_key(*class)) {
            self.note(format!("{place}: class {class}: not in the export"));
        }
    }
}

fn words(shape: &Shape) -> &str {
    match shape {
        Shape::Record(_) => "a record",
        Shape::Union(_) => "one of several classes",
        Shape::Values(_) => "one of several texts",
        Shape::Plain(name) => name,
    }
}

fn parameters(operation: &Value) -> Fields {
    let all = operation["parameters"].as_object().into_iter().flatten();
    all.map(|(name, parameter)| (name.clone(), field(&parameter["schema"], parameter["required"] == true))).collect()
}
