//! Parameters of applications as the API shows them and takes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A text that an application keeps under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "AppParameter")]
pub struct Parameter {
    /// The key.
    pub key: String,
    /// The text.
    pub value: String,
}

/// Body of the operations that set a parameter.
// No Debug: applications may keep secrets here.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct SetParameter {
    /// The text; it replaces the one before.
    pub value: String,
}
