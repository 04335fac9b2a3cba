//! Roles: rights that are given together, in one context, to people and teams.

use std::fmt;

use crate::context::Context;
use crate::directory::membership::{Group, Position};
use crate::directory::{check_description, check_id, check_name};
use crate::id::RoleId;
use crate::invalid::Invalid;
use crate::right::Right;
use crate::time::Timestamp;

/// Id of the role that every member of the organization has without being listed.
pub const MEMBERS: &str = "Member";
/// Id of the role of those who hold `Superadmin` globally themselves.
pub const ADMINISTRATORS: &str = "SystemAdmin";
/// What the role of all members holds at first, and after a reset.
pub const RIGHTS_OF_MEMBERS: [Right; 5] = [
    Right::BELONG_TO_ORGANIZATION,
    Right::CREATE_OWN_TOKENS,
    Right::VIEW_PROFILES,
    Right::VIEW_PROFILE_BASICS,
    Right::VIEW_TEAMS,
];
/// What stands between the code and the group in ids of roles that come with a group; no id holds it.
const MARK: char = '~';

/// A role by its id: one that is stored, or one that is always there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoleName {
    /// A stored one.
    Stored(RoleId),
    /// Those who hold `Superadmin` globally themselves.
    Administrators,
    /// Those who have a position in a project or channel.
    Holders(Group, Position),
}

impl RoleName {
    /// Reads an id. What names no predefined role is taken for the id of a stored one.
    pub fn from_id(id: &str) -> Self {
        if id == ADMINISTRATORS {
            return Self::Administrators;
        }
        let predefined = id.split_once(MARK).and_then(|(code, group)| {
            let group = group.to_owned();
            match code {
                "ProjectAdmin" => Some(Self::Holders(Group::Project(group), Position::Admin)),
                "ProjectMember" => Some(Self::Holders(Group::Project(group), Position::Member)),
                "ChannelAdmin" => Some(Self::Holders(Group::Channel(group), Position::Admin)),
                "ChannelMember" => Some(Self::Holders(Group::Channel(group), Position::Member)),
                _ => None,
            }
        });
        predefined.unwrap_or_else(|| Self::Stored(RoleId::new(id)))
    }

    /// What code calls a predefined role.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Stored(id) if id.as_str() == MEMBERS => Some(MEMBERS),
            Self::Stored(_) | Self::Holders(Group::Team(_), _) => None,
            Self::Administrators => Some(ADMINISTRATORS),
            Self::Holders(Group::Project(_), Position::Admin) => Some("ProjectAdmin"),
            Self::Holders(Group::Project(_), Position::Member) => Some("ProjectMember"),
            Self::Holders(Group::Channel(_), Position::Admin) => Some("ChannelAdmin"),
            Self::Holders(Group::Channel(_), Position::Member) => Some("ChannelMember"),
        }
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(id) => id.fmt(f),
            Self::Administrators => f.write_str(ADMINISTRATORS),
            Self::Holders(group, _) => write!(f, "{}{MARK}{}", self.code().unwrap_or("Role"), group.parts().1),
        }
    }
}

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
    if role.id.as_str() == ADMINISTRATORS {
        return Err(Invalid::new(
            "id",
            "must not be that of the administrators, who are those with the right Superadmin",
        ));
    }
    check_name(&role.name)?;
    check_description(role.description.as_deref())?;
    if role.is_of_everybody() && role.context != Context::Global {
        return Err(Invalid::new("context", "must be global for the role of all members"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_predefined_roles_survive_a_round_trip() {
        let of = |group: Group, position| RoleName::Holders(group, position);
        let (project, channel) = (Group::Project("p.1".to_owned()), Group::Channel("c_1".to_owned()));
        for name in [
            RoleName::Administrators,
            RoleName::Stored(RoleId::new("r1")),
            RoleName::Stored(RoleId::new(MEMBERS)),
            of(project.clone(), Position::Admin),
            of(project, Position::Member),
            of(channel.clone(), Position::Admin),
            of(channel, Position::Member),
        ] {
            assert_eq!(RoleName::from_id(&name.to_string()), name);
        }
        assert_eq!(RoleName::from_id("Other~x"), RoleName::Stored(RoleId::new("Other~x")));
    }
}
