//! People: the profiles that own applications, hold rights and administer the server.

use crate::directory::{check_id, check_one_line};
use crate::id::ProfileId;
use crate::invalid::{Invalid, text_length};
use crate::time::Timestamp;

/// Longest username, in characters.
pub const MAX_USERNAME: usize = 100;
/// Most addresses of a person.
pub const MAX_EMAILS: usize = 20;
/// Longest address, in characters.
pub const MAX_EMAIL: usize = 320;

/// A person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Profile {
    /// The id.
    pub id: ProfileId,
    /// Unique name to sign in with, such as `ann`; its case does not tell people apart.
    pub username: String,
    /// Given name; may be empty.
    pub first_name: String,
    /// Family name; may be empty.
    pub last_name: String,
    /// E-mail addresses, the main one first. Of the people who have not left, only one has an address.
    pub emails: Vec<String>,
    /// Id that another system knows the person under; unique.
    pub external_id: Option<String>,
    /// Attachment ids of the person's picture in three sizes.
    pub picture: Picture,
    /// Whether the person belongs to the organization.
    pub relation: Relation,
    /// When the profile was made.
    pub created_at: Timestamp,
    /// Since when the person has left; `None` while here.
    pub archived_at: Option<Timestamp>,
    /// Since when the person may not act for now.
    pub suspended_at: Option<Timestamp>,
    /// Tokens and sessions that began before this moment are dead.
    pub tokens_not_before: Timestamp,
}

/// Attachment ids of a picture; all absent for people without one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Picture {
    /// The smallest, for lists.
    pub small: Option<String>,
    /// For pages.
    pub medium: Option<String>,
    /// The whole picture.
    pub full: Option<String>,
}

/// How a person stands to the organization.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// Belongs to it and holds what every member holds.
    Member,
    /// Somebody from outside, who holds only what was given to him.
    Guest,
}

impl Relation {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Guest => "guest",
        }
    }

    /// Reads the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Member, Self::Guest].into_iter().find(|relation| relation.name() == name)
    }
}

impl Profile {
    /// A member with a name and nothing else.
    pub fn new(id: ProfileId, username: impl Into<String>, now: Timestamp) -> Self {
        Self {
            id,
            username: username.into(),
            first_name: String::new(),
            last_name: String::new(),
            emails: Vec::new(),
            external_id: None,
            picture: Picture::default(),
            relation: Relation::Member,
            created_at: now,
            archived_at: None,
            suspended_at: None,
            tokens_not_before: Timestamp::from_millis(0),
        }
    }

    /// Whether the person may act: neither gone nor suspended.
    pub fn is_active(&self) -> bool {
        self.archived_at.is_none() && self.suspended_at.is_none()
    }

    /// Both names, or the username of somebody who has none.
    pub fn display_name(&self) -> String {
        let name = format!("{} {}", self.first_name, self.last_name);
        match name.trim() {
            "" => self.username.clone(),
            name => name.to_owned(),
        }
    }
}

/// The form in which usernames, addresses and keys are compared: their case does not matter.
pub fn folded(text: &str) -> String {
    text.to_lowercase()
}

/// Checks a profile before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(profile: &Profile) -> Result<(), Invalid> {
    check_id("id", profile.id.as_str())?;
    text_length("username", &profile.username, 1, MAX_USERNAME)?;
    if profile.username.chars().any(|c| c.is_whitespace() || c.is_control() || "/\\:,{}".contains(c)) {
        return Err(Invalid::new("username", "must hold no blanks and none of `/\\:,{}`"));
    }
    check_one_line("name.firstName", &profile.first_name, 0)?;
    check_one_line("name.lastName", &profile.last_name, 0)?;
    if profile.emails.len() > MAX_EMAILS {
        return Err(Invalid::new("emails", format!("must hold at most {MAX_EMAILS} addresses")));
    }
    for (index, email) in profile.emails.iter().enumerate() {
        let field = format!("emails[{index}]");
        text_length(&field, email, 3, MAX_EMAIL)?;
        let parts = email.rsplit_once('@').filter(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if parts.is_none() || email.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(Invalid::new(field, "must be an e-mail address"));
        }
        if profile.emails.iter().take(index).any(|other| folded(other) == folded(email)) {
            return Err(Invalid::new(field, "must not repeat an address"));
        }
    }
    if let Some(external_id) = &profile.external_id {
        check_one_line("externalId", external_id, 1)?;
    }
    let pictures = [
        ("smallAvatar", &profile.picture.small),
        ("avatar", &profile.picture.medium),
        ("profilePicture", &profile.picture.full),
    ];
    pictures.into_iter().try_for_each(|(field, id)| id.as_deref().map_or(Ok(()), |id| check_id(field, id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> Profile {
        Profile::new(ProfileId::new("u1"), "ann", Timestamp::from_millis(0))
    }

    #[test]
    fn names_of_any_script_are_fine_and_missing_ones_fall_back_to_the_username() {
        let named = |first: &str, last: &str| Profile {
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            emails: vec!["ann@example.org".to_owned()],
            ..ann()
        };
        for (first, last) in [("Ann", "Å"), ("🎉", "👩‍👩‍👧"), ("مريم", "الأحمد"), ("", "")] {
            assert_eq!(check(&named(first, last)), Ok(()));
        }
        assert_eq!(named("Ann", "Å").display_name(), "Ann Å");
        assert_eq!(named("", "").display_name(), "ann");
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let field = |profile: Profile| check(&profile).unwrap_err().field;
        assert_eq!(field(Profile { id: ProfileId::new("a:b"), ..ann() }), "id");
        for username in ["", "a b", "a:b", &"x".repeat(MAX_USERNAME + 1)] {
            assert_eq!(field(Profile { username: username.to_owned(), ..ann() }), "username", "{username}");
        }
        assert_eq!(field(Profile { first_name: "a\nb".to_owned(), ..ann() }), "name.firstName");
        let emails = |list: &[&str]| list.iter().map(|email| (*email).to_owned()).collect();
        assert_eq!(field(Profile { emails: emails(&["a@b", "@b"]), ..ann() }), "emails[1]");
        assert_eq!(field(Profile { emails: emails(&["a@b", "A@B"]), ..ann() }), "emails[1]");
        assert_eq!(field(Profile { external_id: Some(String::new()), ..ann() }), "externalId");
    }
}
