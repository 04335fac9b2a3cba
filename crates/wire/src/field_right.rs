//! Rights on fields of payloads, as hosts say and read them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Body of the operation that puts rights on fields of an event type's payload.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefineFieldRights {
    /// The fields, each with a right.
    pub fields: Vec<FieldRightEntry>,
}

/// Rights on fields of an event type's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldRightsOfType {
    /// Code of the event type, such as `Issue.Created`.
    pub event_type: String,
    /// The fields, each with a right.
    pub fields: Vec<FieldRightEntry>,
}

/// A field that is left out for applications without a right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldRightEntry {
    /// Keys from the top of the payload to the field, with dots between; lists are passed through.
    pub path: String,
    /// Code of the right that an application needs in the event's context.
    pub right: String,
}
