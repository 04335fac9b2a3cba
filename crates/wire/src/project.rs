//! Projects and package repositories as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::MemberProfile;
use crate::scalar::DateTime;
use crate::team::Team;

/// A project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PR_Project", extend("x-record" = true))]
pub struct Project {
    /// Id of the project.
    pub id: String,
    /// Unique short name.
    pub key: ProjectKey,
    /// What people read.
    pub name: String,
    /// Whether only those see it who may view it by right.
    pub private: bool,
    /// What it is for.
    pub description: Option<String>,
    /// Attachment id of a picture.
    pub icon: Option<String>,
    /// When it was made known.
    pub created_at: Option<DateTime>,
    /// Whether it is gone.
    pub archived: bool,
    /// People who administer it.
    #[schemars(extend("x-extension" = true))]
    pub admin_profiles: Vec<MemberProfile>,
    /// Teams whose members administer it.
    #[schemars(extend("x-extension" = true))]
    pub admin_teams: Vec<Team>,
    /// People who belong to it, without its administrators.
    #[schemars(extend("x-extension" = true))]
    pub member_profiles: Vec<MemberProfile>,
    /// Teams whose members belong to it.
    #[schemars(extend("x-extension" = true))]
    pub member_teams: Vec<Team>,
}

/// Key of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectKey {
    /// The key, such as `DEMO`.
    pub key: String,
}

/// A package repository.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-record" = true))]
pub struct ProjectPackageRepository {
    /// Id of the repository.
    pub id: String,
    /// Its project.
    pub project: Project,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether it is gone.
    pub archived: bool,
}
