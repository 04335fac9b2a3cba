//! The directory as the host feeds it: one entry, many entries, what became of them.
//!
//! An entry says everything about a thing: what it leaves out has its default. Unknown fields are refused
//! here, because one that is misspelt would silently take something away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identifier::PermissionContextIdentifier;
use crate::profile::ProfileName;
use crate::scalar::List;

/// A person.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryProfile")]
pub struct ProfileEntry {
    /// The id; in the path when one entry is put.
    pub id: Option<String>,
    /// Unique name to sign in with, in any case.
    pub username: String,
    /// First and last name.
    pub name: Option<ProfileName>,
    /// Addresses, the main one first.
    pub emails: Option<List<String>>,
    /// Id that another system knows the person under; unique.
    pub external_id: Option<String>,
    /// Attachment id of a small picture.
    pub small_avatar: Option<String>,
    /// Attachment id of a picture.
    pub avatar: Option<String>,
    /// Attachment id of the full picture.
    pub profile_picture: Option<String>,
    /// Whether the person is a guest of the organization.
    pub not_a_member: Option<bool>,
    /// Whether the person may not act for now.
    pub suspended: Option<bool>,
    /// Whether the person has left.
    pub archived: Option<bool>,
}

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryProject")]
pub struct ProjectEntry {
    /// The id; in the path when one entry is put.
    pub id: Option<String>,
    /// Unique short name, in any case.
    pub key: String,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Attachment id of a picture.
    pub icon: Option<String>,
    /// Whether only those see it who may view it by right.
    pub private: Option<bool>,
    /// Whether it is gone.
    pub archived: Option<bool>,
}

/// A channel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryChannel")]
pub struct ChannelEntry {
    /// The id; in the path when one entry is put.
    pub id: Option<String>,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Attachment id of a picture.
    pub icon: Option<String>,
    /// Whether only those see it who may view it by right.
    pub private: Option<bool>,
    /// Whether it is gone.
    pub archived: Option<bool>,
}

/// A package repository.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryPackageRepository")]
pub struct PackageRepositoryEntry {
    /// The id; in the path when one entry is put.
    pub id: Option<String>,
    /// Id of its project.
    pub project: String,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is gone.
    pub archived: Option<bool>,
}

/// A team.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryTeam")]
pub struct TeamEntry {
    /// The id; in the path when one entry is put.
    pub id: Option<String>,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Id of the team it is a part of.
    pub parent: Option<String>,
    /// Id that another system knows it under; unique.
    pub external_id: Option<String>,
    /// Whether it is gone.
    pub archived: Option<bool>,
}

/// That somebody belongs somewhere. Exactly one of `team`, `project` and `channel` says where, exactly one of
/// `profile` and `memberTeam` who.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryMembership")]
pub struct MembershipEntry {
    /// Id of the team.
    pub team: Option<String>,
    /// Id of the project.
    pub project: Option<String>,
    /// Id of the channel.
    pub channel: Option<String>,
    /// Id of the person.
    pub profile: Option<String>,
    /// Id of the team whose members belong to the project or channel.
    pub member_team: Option<String>,
    /// As what; `MEMBER` when absent.
    pub position: Option<PositionEntry>,
}

/// As what somebody belongs somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schemars(rename = "DirectoryPosition")]
pub enum PositionEntry {
    /// An ordinary member.
    Member,
    /// Administrator of a project or channel, lead of a team.
    Admin,
}

/// A role: rights in one context, and who has them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryRole")]
pub struct RoleEntry {
    /// The id; in the path when one entry is put.
    pub id: Option<String>,
    /// Where its rights hold; globally when absent.
    pub context: Option<PermissionContextIdentifier>,
    /// What people read; unique in the context.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Codes of its rights.
    #[serde(default)]
    pub rights: List<String>,
    /// Ids of the people who have it.
    #[serde(default)]
    pub profiles: List<String>,
    /// Ids of the teams whose members have it.
    #[serde(default)]
    pub teams: List<String>,
}

/// The organization.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryOrganization")]
pub struct OrganizationEntry {
    /// What people read.
    pub name: String,
    /// A line about it.
    pub slogan: Option<String>,
    /// Attachment id of its picture.
    pub logo_id: Option<String>,
}

/// Many people.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryProfiles")]
pub struct ProfileEntries {
    /// Up to 10,000.
    pub profiles: Vec<ProfileEntry>,
}

/// Many projects.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryProjects")]
pub struct ProjectEntries {
    /// Up to 10,000.
    pub projects: Vec<ProjectEntry>,
}

/// Many channels.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryChannels")]
pub struct ChannelEntries {
    /// Up to 10,000.
    pub channels: Vec<ChannelEntry>,
}

/// Many package repositories.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "DirectoryPackageRepositories")]
pub struct PackageRepositoryEntries {
    /// Up to 10,000.
    pub package_repositories: Vec<PackageRepositoryEntry>,
}

/// Many teams.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryTeams")]
pub struct TeamEntries {
    /// Up to 10,000.
    pub teams: Vec<TeamEntry>,
}

/// Many memberships.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryMemberships")]
pub struct MembershipEntries {
    /// Up to 10,000.
    pub memberships: Vec<MembershipEntry>,
}

/// Many roles.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryRoles")]
pub struct RoleEntries {
    /// Up to 10,000.
    pub roles: Vec<RoleEntry>,
}

/// Ids of what shall go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DirectoryIds")]
pub struct Ids {
    /// Up to 10,000.
    pub ids: Vec<String>,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "DirectoryResult")]
pub struct Outcome {
    /// Entries that are new.
    pub created: usize,
    /// Entries that are now different, or gone.
    pub changed: usize,
    /// Entries that were that way before.
    pub unchanged: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::parse_body;

    #[test]
    fn a_fault_names_the_entry_and_the_field() {
        let fault = |text: &str| parse_body::<ProfileEntries>(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(fault(r#"{"profiles":[{"username":"a"},{"id":"x"}]}"#), "profiles[1].username is required");
        assert_eq!(
            fault(r#"{"profiles":[{"username":"a","archived":"yes"}]}"#),
            "profiles[0].archived must be a boolean, not string \"yes\""
        );
        let unknown = fault(r#"{"profiles":[{"username":"a","arhived":true}]}"#);
        assert!(unknown.starts_with("profiles[0]") && unknown.contains("`arhived`"), "{unknown}");
    }
}
