//! When and from where a credential was used last.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scalar::DateTime;

/// One use of a credential.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessRecord {
    /// When.
    pub time: DateTime,
    /// The address the request came from.
    pub address: String,
    /// What the client called itself.
    pub user_agent: Option<String>,
}
