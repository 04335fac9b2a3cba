//! Teams as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TD_Team", extend("x-record" = true))]
pub struct Team {
    /// Id of the team.
    pub id: String,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it is gone.
    pub archived: bool,
    /// Id that another system knows it under.
    pub external_id: Option<String>,
}
