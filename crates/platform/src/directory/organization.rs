//! The organization that the server belongs to.

use crate::directory::{check_id, check_name, check_one_line};
use crate::invalid::Invalid;
use crate::time::Timestamp;

/// The organization.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Organization {
    /// The id, made at the first start.
    pub id: String,
    /// What people read.
    pub name: String,
    /// A line about it.
    pub slogan: Option<String>,
    /// Attachment id of its picture.
    pub logo: Option<String>,
    /// When the server was set up.
    pub created_at: Timestamp,
}

/// Checks the organization before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(organization: &Organization) -> Result<(), Invalid> {
    check_name(&organization.name)?;
    organization.slogan.as_deref().map_or(Ok(()), |slogan| check_one_line("slogan", slogan, 0))?;
    organization.logo.as_deref().map_or(Ok(()), |logo| check_id("logoId", logo))
}
