//! Teams: people who get rights together. A team may be a part of another one.

use crate::directory::{check_description, check_id, check_name, check_one_line};
use crate::id::TeamId;
use crate::invalid::Invalid;
use crate::time::Timestamp;

/// A team. Its members are members of its parent, too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Team {
    /// The id.
    pub id: TeamId,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The team it is a part of.
    pub parent: Option<TeamId>,
    /// Id that another system knows it under; unique.
    pub external_id: Option<String>,
    /// When it was made known.
    pub created_at: Timestamp,
    /// Since when it is gone.
    pub archived_at: Option<Timestamp>,
}

/// Checks a team before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(team: &Team) -> Result<(), Invalid> {
    check_id("id", team.id.as_str())?;
    check_name(&team.name)?;
    check_description(team.description.as_deref())?;
    if let Some(parent) = &team.parent {
        check_id("parent", parent.as_str())?;
        if *parent == team.id {
            return Err(Invalid::new("parent", "must be another team"));
        }
    }
    team.external_id.as_deref().map_or(Ok(()), |id| check_one_line("externalId", id, 1))
}
