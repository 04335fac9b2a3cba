//! The catalogue of rights, and the question whether somebody holds one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identifier::{PermissionContextIdentifier, ProfileIdentifier, ProjectIdentifier};
use crate::principal::PrincipalIn;
use crate::right::PermissionIdentifier;

/// All rights: by what they apply to, by heading, and which are of no use without which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RightsWithHierarchy {
    /// Rights by what they apply to.
    pub rights: Vec<RightTypeRight>,
    /// Rights by heading, in display order.
    pub rights_groups: Vec<RightsGroup>,
    /// Rights that are of no use without others.
    pub deps: Vec<RightsDeps>,
}

/// Rights that apply to one kind of thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RightTypeRight {
    /// The kind of thing.
    pub right_type: RightType,
    /// The rights.
    pub rights: Vec<FullRightWithoutType>,
}

/// A kind of thing that rights apply to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RightType {
    /// Code, such as `Project`.
    pub type_code: String,
    /// What people read.
    pub title: String,
}

/// A right, beside the kind of thing it applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FullRightWithoutType {
    /// Code.
    pub code: String,
    /// What people read.
    pub title: String,
    /// One sentence.
    pub description: Option<String>,
    /// Whether every person holds it on what is his own; no right is like that here.
    pub granted_for_users: bool,
    /// Feature flag that hides the right; always null here.
    pub feature_flag: Option<String>,
}

/// Rights under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RightsGroup {
    /// The heading.
    pub title: String,
    /// Place of the heading, from 0.
    pub priority: i32,
    /// The rights.
    pub rights: Vec<RightReference>,
}

/// A right, by kind and code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Right")]
pub struct RightReference {
    /// Code of the kind of thing it applies to.
    pub type_code: String,
    /// Code.
    pub code: String,
}

/// A right and those it is of no use without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RightsDeps {
    /// Code of the right.
    pub code: String,
    /// Codes of the others.
    pub deps: Vec<String>,
}

/// Body of the question whether somebody holds a right.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckPermission {
    /// Who.
    pub principal: PrincipalIn,
    /// Which right.
    pub unique_right_code: PermissionIdentifier,
    /// On what.
    pub target: PermissionTarget,
}

/// What a right is asked about.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "className")]
pub enum PermissionTarget {
    /// The whole organization.
    GlobalPermissionTarget,
    /// A project.
    ProjectPermissionTarget {
        /// Which.
        project: ProjectIdentifier,
    },
    /// A channel.
    ChannelPermissionTarget {
        /// Which: `id:X`, `channel:id:X`, a bare id, or such an object.
        channel: Value,
    },
    /// A person.
    ProfilePermissionTarget {
        /// Who.
        profile: ProfileIdentifier,
    },
    /// A team.
    TeamPermissionTarget {
        /// Which.
        team: String,
    },
}

/// Body of the host's question who holds which rights.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checks {
    /// The questions, answered in this order.
    pub checks: Vec<Check>,
}

/// Whether somebody holds a right in a context.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// Who.
    pub principal: PrincipalIn,
    /// Which right.
    pub right: PermissionIdentifier,
    /// Where; globally when absent.
    #[serde(default)]
    pub context: Option<PermissionContextIdentifier>,
}

/// Answers to the host's questions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResults {
    /// One for each question, in their order.
    pub results: Vec<CheckResult>,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Whether he does. Who or what does not exist holds nothing.
    pub allowed: bool,
}

/// A right of the host's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnRight {
    /// Its code, such as `Shop.Orders.View`.
    pub code: String,
    /// What people read.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// What it applies to.
    pub target: String,
    /// Heading that it is shown under.
    pub group: String,
    /// Codes of the rights it is of no use without.
    pub dependencies: Vec<String>,
}

/// Body of the operation that adds a right of the host's own to the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DefineRight {
    /// What people read.
    pub title: String,
    /// One sentence.
    #[serde(default)]
    pub description: Option<String>,
    /// What it applies to: `Global`, `Project`, `Channel`, `PackageRepository`, or a word of the host's.
    pub target: String,
    /// Heading that it is shown under; the first part of the code when absent.
    #[serde(default)]
    pub group: Option<String>,
    /// Codes of the rights it is of no use without.
    #[serde(default)]
    pub dependencies: Vec<String>,
}
