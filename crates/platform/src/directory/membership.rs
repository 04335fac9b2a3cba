//! Memberships: which person or team belongs to a team, a project or a channel, and what that gives.

use std::fmt;

use crate::access::Grant;
use crate::context::Context;
use crate::id::{ProfileId, TeamId};
use crate::right::Right;

/// What somebody can belong to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Group {
    /// A team.
    Team(TeamId),
    /// A project, by id.
    Project(String),
    /// A channel, by id.
    Channel(String),
}

/// Who belongs to it. A team stands for all its members.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Member {
    /// A person.
    Profile(ProfileId),
    /// A team.
    Team(TeamId),
}

/// As what.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Position {
    /// An ordinary member.
    Member,
    /// Somebody who decides there: administrator of a project or channel, lead of a team.
    Admin,
}

/// One membership.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Membership {
    /// Where.
    pub group: Group,
    /// Who.
    pub member: Member,
    /// As what.
    pub position: Position,
}

impl Group {
    /// The stored kind and id.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Team(id) => ("team", id.as_str()),
            Self::Project(id) => ("project", id),
            Self::Channel(id) => ("channel", id),
        }
    }

    /// Reads the stored kind and id.
    pub fn from_parts(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "team" => Some(Self::Team(TeamId::new(id))),
            "project" => Some(Self::Project(id.to_owned())),
            "channel" => Some(Self::Channel(id.to_owned())),
            _ => None,
        }
    }
}

impl Member {
    /// The stored kind and id.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Profile(id) => ("profile", id.as_str()),
            Self::Team(id) => ("team", id.as_str()),
        }
    }

    /// Reads the stored kind and id.
    pub fn from_parts(kind: &str, id: &str) -> Option<Self> {
        match kind {
            "profile" => Some(Self::Profile(ProfileId::new(id))),
            "team" => Some(Self::Team(TeamId::new(id))),
            _ => None,
        }
    }
}

impl Position {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// Reads the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Member, Self::Admin].into_iter().find(|position| position.name() == name)
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = self.parts();
        write!(f, "{kind}:{id}")
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, id) = self.parts();
        write!(f, "{kind}:{id}")
    }
}

/// What belonging to a group gives there: members see it, administrators decide about rights in it.
pub fn rights(group: &Group, position: Position) -> Vec<Grant> {
    let (context, member, admin): (_, &[Right], _) = match group {
        Group::Team(_) => return Vec::new(),
        Group::Project(id) => (Context::Project(id.clone()), &[Right::VIEW_PROJECT], Right::ADMINISTER_PROJECT),
        Group::Channel(id) => (
            Context::Channel(id.clone()),
            &[Right::VIEW_CHANNEL, Right::VIEW_CHANNEL_PARTICIPANTS],
            Right::ADMINISTER_CHANNEL,
        ),
    };
    let admin = (position == Position::Admin).then_some(admin);
    member.iter().cloned().chain(admin).map(|right| Grant { right, context: context.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_hold_what_members_hold_and_one_right_more() {
        for group in [Group::Project("p".to_owned()), Group::Channel("c".to_owned())] {
            let member = rights(&group, Position::Member);
            let admin = rights(&group, Position::Admin);
            assert!(member.iter().all(|grant| admin.contains(grant)));
            assert_eq!(admin.len(), member.len() + 1);
            assert!(admin.iter().all(|grant| grant.context.to_string() == group.to_string()));
        }
        assert_eq!(rights(&Group::Team(TeamId::new("t")), Position::Admin), []);
    }

    #[test]
    fn stored_forms_survive_a_round_trip() {
        for group in [Group::Team(TeamId::new("t")), Group::Project("p".to_owned()), Group::Channel("c".to_owned())] {
            let (kind, id) = group.parts();
            assert_eq!(Group::from_parts(kind, id), Some(group.clone()));
        }
        for member in [Member::Profile(ProfileId::new("u")), Member::Team(TeamId::new("t"))] {
            let (kind, id) = member.parts();
            assert_eq!(Member::from_parts(kind, id), Some(member.clone()));
        }
        for position in [Position::Member, Position::Admin] {
            assert_eq!(Position::from_name(position.name()), Some(position));
        }
    }
}
