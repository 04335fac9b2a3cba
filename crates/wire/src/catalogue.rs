//! The catalogue as the API shows it: subjects, event types and the rights they need.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Something that events are about, with its event types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventSubjectInfoDTO")]
pub struct EventSubjectInfo {
    /// Code, such as `Issue`.
    pub code: String,
    /// Code of the subject this one is a part of.
    pub parent_code: Option<String>,
    /// What people read.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Event types, in display order.
    pub events: Vec<EventTypeInfo>,
    /// Filters a new subscription starts with.
    pub default_filters: Vec<Map<String, Value>>,
    /// Feature flag that hides the subject; always null here.
    pub feature_flag: Option<String>,
}

/// Something that happens to a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventTypeInfoDTO")]
pub struct EventTypeInfo {
    /// Code, such as `Issue.Created`.
    pub code: String,
    /// What people read.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Rights an application needs to receive such events.
    pub rights: Vec<CRight>,
    /// Feature flag that hides the event type; always null here.
    pub feature_flag: Option<String>,
    /// Place in the list of the subject.
    pub sort_order: i32,
    /// `className` of the payload.
    pub payload_api_class_name: Option<String>,
}

/// A right as catalogues show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CRight {
    /// What the right applies to, such as `Project`.
    pub type_code: String,
    /// Code, such as `Project.Issues.View`.
    pub code: String,
    /// What people read.
    pub title: String,
    /// One sentence.
    pub description: Option<String>,
    /// Feature flag that hides the right; always null here.
    pub feature_flag: Option<String>,
}
