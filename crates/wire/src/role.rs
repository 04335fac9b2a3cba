//! Roles as the API shows and changes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identifier::PermissionContextIdentifier;
use crate::scalar::List;

/// A role: rights in one context that people and teams are given together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RoleDTO")]
pub struct Role {
    /// Id of the role.
    pub role_id: String,
    /// Where it comes from.
    #[serde(rename = "type")]
    pub kind: RoleType,
    /// What code calls it; null for roles that were made.
    pub code: Option<String>,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether members can be added and removed.
    pub members_editable: bool,
    /// Whether rights can be added and removed.
    pub rights_editable: Option<bool>,
}

/// Where a role comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "PermissionRoleType")]
pub enum RoleType {
    /// It is always there.
    Predefined,
    /// Somebody made it.
    Custom,
    /// It stands for an application.
    Authorizable,
    /// Everybody has it, signed in or not.
    Anonymous,
}

/// Body of the operation that lists the roles of a context.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PermissionRolesGetPostRequest")]
pub struct GetRoles {
    /// The context.
    pub context_identifier: PermissionContextIdentifier,
}

/// Body of the operation that makes a role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PermissionRolesCreatePostRequest")]
pub struct CreateRole {
    /// Where its rights will hold.
    pub context_identifier: PermissionContextIdentifier,
    /// What people read; unique in the context.
    pub name: String,
}

/// Body of the operation that renames a role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PermissionRolesForRoleIdPatchRequest")]
pub struct UpdateRole {
    /// What people read; unique in the context.
    pub name: String,
}

/// Body of the operation that gives rights to a role.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PermissionRolesForRoleIdPermissionsPostRequest")]
pub struct GrantRoleRights {
    /// Codes of the rights.
    pub right_codes: List<String>,
}
