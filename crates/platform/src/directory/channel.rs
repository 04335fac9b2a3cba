//! Channels: where people talk.

use crate::directory::project::Openness;
use crate::directory::{check_description, check_id, check_name};
use crate::invalid::Invalid;
use crate::time::Timestamp;

/// A channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Channel {
    /// The id.
    pub id: String,
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

/// Checks a channel before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(channel: &Channel) -> Result<(), Invalid> {
    check_id("id", &channel.id)?;
    check_name(&channel.name)?;
    check_description(channel.description.as_deref())?;
    channel.icon.as_deref().map_or(Ok(()), |icon| check_id("icon", icon))
}
