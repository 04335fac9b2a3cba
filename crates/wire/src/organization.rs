//! The organization as the API shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The organization that this server belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrganizationRecord", extend("x-record" = true))]
pub struct Organization {
    /// Id of the organization.
    pub id: String,
    /// The same id, under its older name.
    pub org_id: String,
    /// What people read.
    pub name: String,
    /// A line about it.
    pub slogan: Option<String>,
    /// Attachment id of its picture.
    pub logo_id: Option<String>,
    /// When this server was set up, in milliseconds since 1970.
    pub created_at: Option<i64>,
}
