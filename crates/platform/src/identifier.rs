//! How callers name things: the compact identifier forms of wire-protocol section 3.

use std::fmt;

use crate::context::Context;
use crate::id::{ApplicationId, ProfileId, TeamId};
use crate::invalid::Invalid;

/// Names an application: `id:X`, `clientId:X` or `me`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ApplicationIdentifier {
    /// By its id; a bare value is read as this (early clients sent raw ids).
    Id(ApplicationId),
    /// By the client id it signs in with.
    ClientId(String),
    /// The calling application.
    Me,
}

/// Names a profile: `id:X`, `username:X`, `externalId:X`, `email:X` or `me`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ProfileIdentifier {
    /// By its id; a bare value is read as this.
    Id(ProfileId),
    /// By the username.
    Username(String),
    /// By the id the host knows the person under.
    ExternalId(String),
    /// By an e-mail address (some published applications use it).
    Email(String),
    /// The calling user.
    Me,
}

/// Names a project: `id:X` or `key:X`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ProjectIdentifier {
    /// By its id; a bare value is read as this.
    Id(String),
    /// By its key, such as `DEMO`.
    Key(String),
}

/// Names a team: `id:X`, `name:X` or `externalId:X`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TeamIdentifier {
    /// By its id; a bare value is read as this.
    Id(TeamId),
    /// By its name.
    Name(String),
    /// By the id that another system knows it under.
    ExternalId(String),
}

/// Names a channel: `id:X`, `channel:id:X`, `channel:name:X`, or by what it belongs to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ChannelIdentifier {
    /// By its id; a bare value is read as this.
    Id(String),
    /// By its name.
    Name(String),
    /// By something that the host's channels do not belong to here, such as an issue or a person.
    Elsewhere(String),
}

/// Names a permission context: `global`, `project:<project>`, `channel:X`, `packageRepository:X`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum PermissionContextIdentifier {
    /// The whole organization.
    Global,
    /// One project.
    Project(ProjectIdentifier),
    /// One channel.
    Channel(String),
    /// One package repository.
    PackageRepository(String),
}

/// Longest identifier that is looked at; longer ones cannot exist.
const MAX_LENGTH: usize = 512;

/// Splits `prefix:value` at the first colon; the value may hold more of them.
fn split(text: &str) -> Result<(Option<&str>, &str), Invalid> {
    if text.is_empty() || text.len() > MAX_LENGTH {
        return Err(Invalid::new("", format!("must have 1 to {MAX_LENGTH} characters")));
    }
    match text.split_once(':') {
        Some((_, "")) => Err(Invalid::new("", format!("has nothing after the colon in `{text}`"))),
        Some((prefix, value)) => Ok((Some(prefix), value)),
        None => Ok((None, text)),
    }
}

impl ApplicationIdentifier {
    /// Reads the compact form.
    ///
    /// # Errors
    /// Says which forms exist when the prefix is unknown or the value empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match split(text)? {
            (None, "me") => Ok(Self::Me),
            (None, id) | (Some("id"), id) => Ok(Self::Id(ApplicationId::new(id))),
            (Some("clientId"), client_id) => Ok(Self::ClientId(client_id.to_owned())),
            _ => Err(Invalid::new("", format!("must be `id:…`, `clientId:…` or `me`, not `{text}`"))),
        }
    }
}

impl ProfileIdentifier {
    /// Reads the compact form.
    ///
    /// # Errors
    /// Says which forms exist when the prefix is unknown or the value empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match split(text)? {
            (None, "me") => Ok(Self::Me),
            (None, id) | (Some("id"), id) => Ok(Self::Id(ProfileId::new(id))),
            (Some("username"), name) => Ok(Self::Username(name.to_owned())),
            (Some("externalId"), id) => Ok(Self::ExternalId(id.to_owned())),
            (Some("email"), address) => Ok(Self::Email(address.to_owned())),
            _ => Err(Invalid::new(
                "",
                format!("must be `id:…`, `username:…`, `externalId:…`, `email:…` or `me`, not `{text}`"),
            )),
        }
    }
}

impl ProjectIdentifier {
    /// Reads the compact form.
    ///
    /// # Errors
    /// Says which forms exist when the prefix is unknown or the value empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match split(text)? {
            (None, id) | (Some("id"), id) => Ok(Self::Id(id.to_owned())),
            (Some("key"), key) => Ok(Self::Key(key.to_owned())),
            _ => Err(Invalid::new("", format!("must be `id:…` or `key:…`, not `{text}`"))),
        }
    }
}

impl TeamIdentifier {
    /// Reads the compact form.
    ///
    /// # Errors
    /// Says which forms exist when the prefix is unknown or the value empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match split(text)? {
            (None | Some("id"), id) => Ok(Self::Id(TeamId::new(id))),
            (Some("name"), name) => Ok(Self::Name(name.to_owned())),
            (Some("externalId"), id) => Ok(Self::ExternalId(id.to_owned())),
            _ => Err(Invalid::new("", format!("must be `id:…`, `name:…` or `externalId:…`, not `{text}`"))),
        }
    }
}

impl ChannelIdentifier {
    /// Reads the compact form.
    ///
    /// # Errors
    /// Says which forms exist when the prefix is unknown or the value empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const ELSEWHERE: [&str; 7] =
            ["application", "article", "codeReview", "contactKey", "issue", "member", "message"];
        match split(text)? {
            (None | Some("id"), id) => Ok(Self::Id(id.to_owned())),
            (Some("channel"), channel) => match split(channel)? {
                (None | Some("id"), id) => Ok(Self::Id(id.to_owned())),
                (Some("name"), name) => Ok(Self::Name(name.to_owned())),
                _ => Err(Invalid::new("", format!("must be `channel:id:…` or `channel:name:…`, not `{text}`"))),
            },
            (Some(prefix), _) if ELSEWHERE.contains(&prefix) => Ok(Self::Elsewhere(text.to_owned())),
            _ => Err(Invalid::new("", format!("must be `id:…` or `channel:…`, not `{text}`"))),
        }
    }
}

impl PermissionContextIdentifier {
    /// Reads the compact form.
    ///
    /// # Errors
    /// Says which forms exist when the prefix is unknown or the value empty.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match split(text)? {
            (None, "global") => Ok(Self::Global),
            (Some("project"), project) => Ok(Self::Project(ProjectIdentifier::parse(project)?)),
            (Some("channel"), id) => Ok(Self::Channel(id.to_owned())),
            (Some("packageRepository"), id) => Ok(Self::PackageRepository(id.to_owned())),
            _ => Err(Invalid::new(
                "",
                format!("must be `global`, `project:…`, `channel:…` or `packageRepository:…`, not `{text}`"),
            )),
        }
    }
}

impl From<Context> for PermissionContextIdentifier {
    fn from(context: Context) -> Self {
        match context {
            Context::Global => Self::Global,
            Context::Project(id) => Self::Project(ProjectIdentifier::Id(id)),
            Context::Channel(id) => Self::Channel(id),
            Context::PackageRepository(id) => Self::PackageRepository(id),
        }
    }
}

impl fmt::Display for ApplicationIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id:{id}"),
            Self::ClientId(client_id) => write!(f, "clientId:{client_id}"),
            Self::Me => f.write_str("me"),
        }
    }
}

impl fmt::Display for ProfileIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Username(name) => write!(f, "username:{name}"),
            Self::ExternalId(id) => write!(f, "externalId:{id}"),
            Self::Email(address) => write!(f, "email:{address}"),
            Self::Me => f.write_str("me"),
        }
    }
}

impl fmt::Display for ProjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Key(key) => write!(f, "key:{key}"),
        }
    }
}

impl fmt::Display for TeamIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Name(name) => write!(f, "name:{name}"),
            Self::ExternalId(id) => write!(f, "externalId:{id}"),
        }
    }
}

impl fmt::Display for ChannelIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "id:{id}"),
            Self::Name(name) => write!(f, "channel:name:{name}"),
            Self::Elsewhere(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for PermissionContextIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Project(project) => write!(f, "project:{project}"),
            Self::Channel(id) => write!(f, "channel:{id}"),
            Self::PackageRepository(id) => write!(f, "packageRepository:{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_forms_survive_a_round_trip() {
        for text in ["id:2xYz", "clientId:3b5e-1", "me"] {
            assert_eq!(ApplicationIdentifier::parse(text).unwrap().to_string(), text);
        }
        for text in ["global", "project:key:DEMO", "project:id:2kaw", "channel:42P9", "packageRepository:r1"] {
            assert_eq!(PermissionContextIdentifier::parse(text).unwrap().to_string(), text);
        }
        for text in ["id:t1", "name:Crew", "externalId:e:1"] {
            assert_eq!(TeamIdentifier::parse(text).unwrap().to_string(), text);
        }
        for text in ["id:c1", "channel:name:General talk", "member:username:ann", "contactKey:x:y"] {
            assert_eq!(ChannelIdentifier::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ChannelIdentifier::parse("channel:id:c1").unwrap(), ChannelIdentifier::Id("c1".to_owned()));
        assert!(ChannelIdentifier::parse("channel:planet:x").is_err() && TeamIdentifier::parse("planet:x").is_err());
        for text in ["id:a", "username:ann", "externalId:e:1", "email:a@example.org", "me"] {
            assert_eq!(ProfileIdentifier::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_bare_value_is_an_id() {
        assert_eq!(ApplicationIdentifier::parse("2xYz").unwrap().to_string(), "id:2xYz");
    }

    #[test]
    fn unknown_prefixes_and_empty_values_are_refused_with_the_known_forms() {
        let message = ApplicationIdentifier::parse("name:x").unwrap_err().to_string();
        assert!(message.contains("clientId:…"), "{message}");
        assert!(ApplicationIdentifier::parse("id:").is_err());
        assert!(ApplicationIdentifier::parse("").is_err());
        assert!(PermissionContextIdentifier::parse("planet:earth").is_err());
    }
}
