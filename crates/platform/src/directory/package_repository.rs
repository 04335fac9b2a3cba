//! Package repositories: where a project keeps what it publishes.

use crate::directory::{check_description, check_id, check_name};
use crate::invalid::Invalid;
use crate::time::Timestamp;

/// A package repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PackageRepository {
    /// The id.
    pub id: String,
    /// Id of its project.
    pub project: String,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it was made known.
    pub created_at: Timestamp,
    /// Since when it is gone.
    pub archived_at: Option<Timestamp>,
}

/// Checks a package repository before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(repository: &PackageRepository) -> Result<(), Invalid> {
    check_id("id", &repository.id)?;
    check_id("project", &repository.project)?;
    check_name(&repository.name)?;
    check_description(repository.description.as_deref())
}
