//! People as the API shows them.

use spaceport_platform::profile::{Profile, Relation};
use spaceport_wire::profile::{MemberProfile, ProfileEmail, ProfileName};
use spaceport_wire::scalar::DateTime;

/// Whether the caller may see how to reach a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EmailsShown {
    /// He may.
    Yes,
    /// He may not: they are left out, so that it does not look as if there were none.
    No,
}

/// A profile.
pub fn profile_out(profile: &Profile, emails: EmailsShown) -> MemberProfile {
    let email = |(index, email): (usize, &String)| ProfileEmail {
        id: format!("{}-{}", profile.id, index + 1),
        email: email.clone(),
    };
    MemberProfile {
        id: profile.id.to_string(),
        username: profile.username.clone(),
        name: ProfileName { first_name: profile.first_name.clone(), last_name: profile.last_name.clone() },
        small_avatar: profile.picture.small.clone(),
        avatar: profile.picture.medium.clone(),
        profile_picture: profile.picture.full.clone(),
        archived: profile.archived_at.is_some(),
        left_at: profile.archived_at.map(DateTime),
        suspended: Some(profile.suspended_at.is_some()),
        suspended_at: profile.suspended_at.map(DateTime),
        not_a_member: profile.relation == Relation::Guest,
        external: Some(profile.relation == Relation::Guest),
        emails: match emails {
            EmailsShown::Yes => Some(profile.emails.iter().enumerate().map(email).collect()),
            EmailsShown::No => None,
        },
        phones: Vec::new(),
        messengers: Vec::new(),
        links: Vec::new(),
        external_id: profile.external_id.clone(),
    }
}
