//! Roles: rights that are given together, in one context, to people and teams.

use crate::context::Context;
use crate::directory::{check_description, check_id, check_name};
use crate::id::RoleId;
use crate::invalid::Invalid;
use crate::time::Timestamp;

/// Id of the role that every member of the organization has without being listed.
pub const MEMBERS: &str = "Member";

/// A role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    /// The id.
    pub id: RoleId,
    /// Where its rights hold.
    pub context: Context,
    /// What people read; unique in the context.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Role {
    /// Whether everybody of the organization has it.
    pub fn is_of_everybody(&self) -> bool {
        self.id.as_str() == MEMBERS
    }
}

/// Checks a role before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(role: &Role) -> Result<(), Invalid> {
    check_id("id", role.id.as_str())?;
    check_name(&role.name)?;
    check_description(role.description.as_deref())?;
    if role.is_of_everybody() && role.context != Context::Global {
        return Err(Invalid::new("context", "must be global for the role of all members"));
    }
    Ok(())
}
