//! Classes of filters as the catalogue's file and hosts describe them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaceport_platform::filter::{Comparison, FilterClass, FilterField, Form, Location, Reference};
use spaceport_platform::invalid::Invalid;

/// A class of filters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefineFilter {
    /// `className` of filters that applications send; it ends with `In`.
    pub class_name: String,
    /// Its fields, in the order they are shown.
    pub fields: Vec<DefineFilterField>,
}

/// Body of the operation that adds a class of filters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefineOwnFilter {
    /// Codes of the subjects whose subscriptions may have such filters.
    pub subjects: Vec<String>,
    /// Its fields, in the order they are shown.
    pub fields: Vec<DefineFilterField>,
}

/// A class of filters of the host's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnFilterClass {
    /// `className` of filters that applications send.
    pub class_name: String,
    /// Codes of the subjects whose subscriptions may have such filters.
    pub subjects: Vec<String>,
    /// Its fields, in the order they are shown.
    pub fields: Vec<DefineFilterField>,
}

/// A field of a class of filters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefineFilterField {
    /// What applications call it; `object.name` when it lies in an object.
    pub name: String,
    /// What they are shown it as; the same when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_as: Option<String>,
    /// How its values are compared with those of an event.
    #[serde(default)]
    pub compare: CompareBy,
    /// How many values it has.
    #[serde(default)]
    pub form: FieldForm,
    /// What its values are ids of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<FieldReference>,
    /// Where events hold what is compared: `payload.a.b`, `attributes.a`, `context.project`, `context.channel`,
    /// `context.packageRepository`. The attribute of the field's name is looked at besides.
    #[serde(default)]
    pub at: Vec<String>,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum CompareBy {
    /// The same id.
    #[default]
    Id,
    /// The same text, in any case.
    Name,
    /// Names of branches, with `+`, `-` and `*`.
    Branches,
    /// Paths of files, with `+`, `-` and `*`.
    Paths,
    /// A text with `*` and `?`.
    Pattern,
    /// A regular expression over the whole text.
    Expression,
}

/// How many values a field has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FieldForm {
    /// One; null without.
    One,
    /// One; an empty text without.
    Text,
    /// A list.
    #[default]
    Many,
}

/// What values are ids of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FieldReference {
    /// A project.
    Project,
    /// A person.
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

impl DefineFilter {
    /// The class.
    ///
    /// # Errors
    /// Names the place that cannot be read.
    pub fn read(self) -> Result<FilterClass, Invalid> {
        let shown = self.class_name.strip_suffix("In").unwrap_or(&self.class_name).to_owned();
        let fields = self
            .fields
            .into_iter()
            .enumerate()
            .map(|(index, field)| field.read().map_err(|fault| fault.within(&format!("fields[{index}]"))));
        Ok(FilterClass { code: self.class_name, shown, fields: fields.collect::<Result<_, _>>()? })
    }
}

impl DefineFilterField {
    fn read(self) -> Result<FilterField, Invalid> {
        let place = |(index, text): (usize, &String)| {
            let wrong = || {
                let forms = "payload.…, attributes.name, context.project, context.channel or context.packageRepository";
                Invalid::new(format!("at[{index}]"), format!("must be {forms}"))
            };
            Location::from_text(text).ok_or_else(wrong)
        };
        Ok(FilterField {
            at: self.at.iter().enumerate().map(place).collect::<Result<_, _>>()?,
            shown: self.shown_as.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            form: match self.form {
                FieldForm::One => Form::One,
                FieldForm::Text => Form::Text,
                FieldForm::Many => Form::Many,
            },
            kind: match self.compare {
                CompareBy::Id => Comparison::Id,
                CompareBy::Name => Comparison::Name,
                CompareBy::Branches => Comparison::Branches,
                CompareBy::Paths => Comparison::Paths,
                CompareBy::Pattern => Comparison::Pattern,
                CompareBy::Expression => Comparison::Expression,
            },
            reference: self.reference.map(|reference| match reference {
                FieldReference::Project => Reference::Project,
                FieldReference::Profile => Reference::Profile,
                FieldReference::Team => Reference::Team,
                FieldReference::Application => Reference::Application,
                FieldReference::PackageRepository => Reference::PackageRepository,
                FieldReference::Other => Reference::Other,
            }),
        })
    }
}
