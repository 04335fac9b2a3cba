//! Filters of subscriptions: which classes of them exist, as the catalogue describes them, and what an application
//! filled in.
//!
//! Between the filters of a subscription there is OR, between the fields of one AND. A field without value, and a
//! subscription without filters, lets everything pass (decision 0040).

use std::collections::BTreeMap;

use crate::filter_match::normal;
use crate::invalid::{Invalid, text_length};
use crate::pattern::{Expression, Wildcard};

/// Most filters of a subscription.
pub const MAX_FILTERS: usize = 50;
/// Most values of a field.
pub const MAX_VALUES: usize = 200;
/// Longest value, in characters.
pub const MAX_VALUE: usize = 1_000;
/// Most fields of a class.
pub const MAX_FIELDS: usize = 30;

/// A class of filters: its fields, and where events hold what they look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterClass {
    /// `className` of filters that applications send, such as `CodeReviewSubscriptionFilterIn`.
    pub code: String,
    /// `className` of filters that they are shown, such as `CodeReviewSubscriptionFilter`.
    pub shown: String,
    /// Its fields, in the order they are shown.
    pub fields: Vec<FilterField>,
}

/// A field of a class of filters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterField {
    /// What applications call it; with a dot when it lies in an object, such as `spec.authors`.
    pub name: String,
    /// What they are shown it as.
    pub shown: String,
    /// How many values it has.
    pub form: Form,
    /// How its values are compared with those of an event.
    pub kind: Comparison,
    /// What its values are ids of.
    pub reference: Option<Reference>,
    /// Where events hold what is compared. The attribute of the field's own name is looked at besides.
    pub at: Vec<Location>,
}

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// One; null without.
    One,
    /// One; empty text without.
    Text,
    /// A list.
    Many,
}

/// How the values of a field are compared with those of an event. One that fits is enough.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// The same id.
    Id,
    /// The same text, in any case.
    Name,
    /// Names of branches: `+pattern` includes, `-pattern` excludes and wins, `*` stands for anything.
    Branches,
    /// The same for paths of files.
    Paths,
    /// A text in which `*` stands for anything and `?` for one character.
    Pattern,
    /// A regular expression that matches the whole text.
    Expression,
}

/// What the values of a field are ids of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reference {
    /// A project.
    Project,
    /// A person's profile.
    Profile,
    /// A team.
    Team,
    /// An application.
    Application,
    /// A package repository.
    PackageRepository,
    /// Something that only the host knows.
    Other,
}

/// Where an event holds a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Location {
    /// The project it happened in.
    Project,
    /// The channel it happened in.
    Channel,
    /// The package repository it happened in.
    PackageRepository,
    /// The payload, under these keys. Lists are looked through; of an object its `id` counts.
    Payload(Vec<String>),
    /// The attribute of this name that the publisher gave.
    Attribute(String),
}

impl Location {
    /// Reads the form in the catalogue: `context.project`, `context.channel`, `context.packageRepository`,
    /// `payload.a.b` or `attributes.a`.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "context.project" => return Some(Self::Project),
            "context.channel" => return Some(Self::Channel),
            "context.packageRepository" => return Some(Self::PackageRepository),
            _ => {}
        }
        let (place, path) = text.split_once('.')?;
        let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
        if keys.len() > 10 || keys.iter().any(|key| key.is_empty() || key.len() > 100) {
            return None;
        }
        match (place, keys.as_slice()) {
            ("payload", _) => Some(Self::Payload(keys)),
            ("attributes", [name]) => Some(Self::Attribute(name.clone())),
            _ => None,
        }
    }
}

impl FilterField {
    /// Everywhere that events hold what is compared.
    pub fn locations(&self) -> Vec<Location> {
        let own = self.name.rsplit('.').next().unwrap_or(&self.name);
        let attribute = Location::Attribute(own.to_owned());
        let mut all = self.at.clone();
        if !all.contains(&attribute) {
            all.push(attribute);
        }
        all
    }
}

/// A filter as an application filled it in.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Its class, as applications name it.
    pub class: String,
    /// Values by field; fields without value are not here.
    pub fields: BTreeMap<String, Vec<String>>,
}

/// Checks a filter before it is stored.
///
/// # Errors
/// Names the field and what is wrong; for a regular expression, where.
pub fn check(filter: &Filter, class: &FilterClass) -> Result<(), Invalid> {
    for (name, values) in &filter.fields {
        let field = class.fields.iter().find(|field| field.name == *name);
        let field = field.ok_or_else(|| Invalid::new(name, format!("is no field of {}", class.code)))?;
        if values.len() > MAX_VALUES {
            return Err(Invalid::new(name, format!("must hold at most {MAX_VALUES} values, holds {}", values.len())));
        }
        for (index, value) in values.iter().enumerate() {
            let place = if field.form == Form::Many { format!("{name}[{index}]") } else { name.clone() };
            text_length(&place, value, 1, MAX_VALUE)?;
            check_value(field.kind, value).map_err(|fault| fault.within(&place))?;
        }
    }
    Ok(())
}

fn check_value(kind: Comparison, value: &str) -> Result<(), Invalid> {
    match kind {
        Comparison::Id | Comparison::Name => Ok(()),
        Comparison::Branches | Comparison::Paths => Wildcard::new(normal(kind, spec(value).1)).map(drop),
        Comparison::Pattern => Wildcard::new(value).map(drop),
        Comparison::Expression => Expression::new(value).map(drop),
    }
}

/// Whether an item of a specification excludes, and its pattern. `+:` and `-:` are spellings of the same.
pub(crate) fn spec(item: &str) -> (Sense, &str) {
    let item = item.trim();
    match (item.strip_prefix('-'), item.strip_prefix('+')) {
        (Some(pattern), _) => (Sense::Excludes, pattern.strip_prefix(':').unwrap_or(pattern)),
        (_, Some(pattern)) => (Sense::Includes, pattern.strip_prefix(':').unwrap_or(pattern)),
        (None, None) => (Sense::Includes, item),
    }
}

/// What an item of a specification does with what it fits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sense {
    Includes,
    Excludes,
}

/// Checks a class that a host adds to the catalogue.
///
/// # Errors
/// Names what breaks a rule.
pub fn check_class(class: &FilterClass) -> Result<(), Invalid> {
    let name = |field: &str, text: &str, dots: Dots| {
        let words: Vec<&str> = text.split('.').collect();
        let many = if dots == Dots::One { 2 } else { 1 };
        let word = |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric());
        if text.len() > 100 || words.len() > many || !words.iter().all(word) {
            return Err(Invalid::new(field, "must be letters and digits, at most 100 characters"));
        }
        Ok(())
    };
    name("className", &class.code, Dots::None)?;
    if !class.code.ends_with("In") {
        return Err(Invalid::new("className", "must end with `In`; without it, it names the filter that is shown"));
    }
    if class.fields.is_empty() || class.fields.len() > MAX_FIELDS {
        return Err(Invalid::new(
            "fields",
            format!("must hold 1 to {MAX_FIELDS} fields, holds {}", class.fields.len()),
        ));
    }
    for (index, field) in class.fields.iter().enumerate() {
        let within = |fault: Invalid| fault.within(&format!("fields[{index}]"));
        name("name", &field.name, Dots::One).map_err(within)?;
        name("shownAs", &field.shown, Dots::One).map_err(within)?;
        if ["className", "$errors"].contains(&field.name.as_str()) {
            return Err(within(Invalid::new("name", format!("must not be {}", field.name))));
        }
        let clashes = |other: &FilterField| {
            other.name == field.name
                || other.shown == field.shown
                || other.name.starts_with(&format!("{}.", field.name))
                || field.name.starts_with(&format!("{}.", other.name))
        };
        if class.fields.iter().take(index).any(clashes) {
            return Err(within(Invalid::new("name", format!("must not be given twice: {}", field.name))));
        }
        if field.at.len() > 10 {
            return Err(within(Invalid::new("at", "must hold at most 10 places")));
        }
        if field.reference.is_some() && field.kind != Comparison::Id {
            return Err(within(Invalid::new("reference", "fits only fields that are compared by `id`")));
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Dots {
    None,
    One,
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn field(name: &str, form: Form, kind: Comparison) -> FilterField {
        FilterField { name: name.to_owned(), shown: name.to_owned(), form, kind, reference: None, at: vec![] }
    }

    fn class() -> FilterClass {
        FilterClass {
            code: "ReviewFilterIn".to_owned(),
            shown: "ReviewFilter".to_owned(),
            fields: vec![
                field("authors", Form::Many, Comparison::Id),
                field("spec.title", Form::Text, Comparison::Expression),
                field("branches", Form::Many, Comparison::Branches),
            ],
        }
    }

    fn filter(name: &str, values: &[&str]) -> Filter {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Filter { class: "ReviewFilterIn".to_owned(), fields: [(name.to_owned(), values)].into() }
    }

    #[test]
    fn a_filter_is_refused_with_field_and_reason() {
        let refusal = |name: &str, values: &[&str]| check(&filter(name, values), &class()).unwrap_err().to_string();
        assert_eq!(check(&filter("authors", &["u1", "u2"]), &class()), Ok(()));
        assert!(refusal("autors", &["u1"]).starts_with("autors is no field"));
        assert!(refusal("authors", &["u1", ""]).starts_with("authors[1]"));
        assert!(refusal("authors", &[&"x".repeat(1_001)]).starts_with("authors[0]"));
        assert!(refusal("authors", &["u"; 201]).contains("at most 200"));
        assert!(refusal("spec.title", &["a("]).starts_with("spec.title"));
        assert!(refusal("branches", &["+ok", &format!("-{}", "*a".repeat(100))]).starts_with("branches[1]"));
    }

    #[test]
    fn locations_have_a_form_in_the_catalogue() {
        assert_eq!(Location::from_text("context.project"), Some(Location::Project));
        let keys = vec!["review".to_owned(), "title".to_owned()];
        assert_eq!(Location::from_text("payload.review.title"), Some(Location::Payload(keys)));
        assert_eq!(Location::from_text("attributes.branch"), Some(Location::Attribute("branch".to_owned())));
        for wrong in ["", "payload", "payload.", "payload..a", "attributes.a.b", "context.team", "other.a"] {
            assert_eq!(Location::from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_field_looks_at_the_attribute_of_its_name() {
        let own = Location::Attribute("title".to_owned());
        assert_eq!(class().fields[1].locations(), [own]);
    }

    #[test]
    fn classes_of_hosts_are_checked() {
        assert_eq!(check_class(&class()), Ok(()));
        let with = |change: fn(&mut FilterClass)| {
            let mut class = class();
            change(&mut class);
            check_class(&class).unwrap_err().to_string()
        };
        assert!(with(|class| class.code = "Review Filter".to_owned()).starts_with("className"));
        assert!(with(|class| class.code = "ReviewFilter".to_owned()).contains("end with `In`"));
        assert!(with(|class| class.fields.clear()).starts_with("fields"));
        assert!(with(|class| class.fields[1].name = "authors".to_owned()).starts_with("fields[1].name"));
        assert!(with(|class| class.fields[1].name = "authors.x".to_owned()).starts_with("fields[1].name"));
        assert!(with(|class| class.fields[0].name = "className".to_owned()).starts_with("fields[0].name"));
        assert!(with(|class| class.fields[2].reference = Some(Reference::Project)).starts_with("fields[2].reference"));
    }
}
