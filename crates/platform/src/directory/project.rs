//! Projects.

use crate::directory::{check_description, check_id, check_name};
use crate::invalid::{Invalid, text_length};
use crate::time::Timestamp;

/// Longest key, in characters.
pub const MAX_KEY: usize = 50;

/// A project.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// The id.
    pub id: String,
    /// Unique short name, such as `DEMO`; its case does not tell projects apart.
    pub key: String,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Attachment id of a picture.
    pub icon: Option<String>,
    /// Who may see it.
    pub openness: Openness,
    /// When it was made known.
    pub created_at: Timestamp,
    /// Since when it is gone.
    pub archived_at: Option<Timestamp>,
}

/// Who may see a project or a channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Openness {
    /// Every member of the organization, and whoever may view it by right.
    Public,
    /// Only those who may view it by right; its own members do.
    Private,
}

impl Openness {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
        }
    }

    /// Reads the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Public, Self::Private].into_iter().find(|openness| openness.name() == name)
    }
}

/// Checks a project before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(project: &Project) -> Result<(), Invalid> {
    check_id("id", &project.id)?;
    text_length("key", &project.key, 1, MAX_KEY)?;
    if !project.key.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        return Err(Invalid::new("key", "must hold only letters, digits and `-_`"));
    }
    check_name(&project.name)?;
    check_description(project.description.as_deref())?;
    project.icon.as_deref().map_or(Ok(()), |icon| check_id("icon", icon))
}
