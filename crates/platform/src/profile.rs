//! People: the profiles that own applications and administer the server.

use crate::id::ProfileId;
use crate::time::Timestamp;

/// A person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// The id.
    pub id: ProfileId,
    /// Unique name to sign in with, such as `ann`.
    pub username: String,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// When the profile was made.
    pub created_at: Timestamp,
    /// Since when the person has left; `None` while active.
    pub archived_at: Option<Timestamp>,
}
