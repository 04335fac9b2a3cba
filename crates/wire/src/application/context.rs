//! Where an application appears: permission contexts, UI extensions, link previews.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ui_extension::AppUiExtensionApi;
use crate::channel::Channel;
use crate::principal::CPrincipal;
use crate::project::{Project, ProjectPackageRepository};
use crate::scalar::{DateTime, List};

/// A permission context as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum PermissionContextApi {
    /// The whole organization.
    GlobalPermissionContext,
    /// A project.
    ProjectPermissionContext {
        /// The project.
        project: Box<Project>,
    },
    /// A channel.
    ChannelPermissionContext {
        /// The channel.
        channel: Box<Channel>,
    },
    /// A package repository.
    PackageRepositoryPermissionContext {
        /// The repository.
        repository: Box<ProjectPackageRepository>,
    },
    /// A project the caller may not see.
    PrivateProjectPermissionContext {
        /// Id of the project.
        project_id: String,
    },
    /// A channel the caller may not see.
    PrivateChannelPermissionContext {
        /// Id of the channel.
        channel_id: String,
    },
}

/// UI extensions of an application in one context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppUiExtContextData {
    /// The context.
    pub context: PermissionContextApi,
    /// The extensions.
    pub extensions: Option<Vec<AppUiExtensionApi>>,
    /// Who sees them.
    pub app_ui_enabled_state: UiEnabledState,
}

/// Who sees UI extensions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppUiEnabledState")]
pub struct UiEnabledState {
    /// Whether everybody sees them who did not choose otherwise.
    pub enabled_by_default: bool,
    /// What the calling person chose.
    pub enabled_for_me: Option<bool>,
}

/// A domain whose links an application previews.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationUnfurlDomain {
    /// The domain.
    pub domain: String,
    /// Whether previews are allowed.
    pub status: RightStatus,
    /// Who brought that about.
    pub modification_author: Option<CPrincipal>,
    /// When the status changed.
    pub modification_timestamp: Option<DateTime>,
}

/// A text pattern an application turns into links.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationUnfurlPattern {
    /// Text the pattern starts with.
    pub prefix: String,
    /// URL that replaces it.
    pub link_replacement: String,
    /// Whether replacing is allowed.
    pub status: RightStatus,
    /// Who brought that about.
    pub modification_author: Option<CPrincipal>,
    /// When the status changed.
    pub modification_timestamp: Option<DateTime>,
}

/// Body of the operation by which an application says whose links it previews.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct UpdateUnfurlDomains {
    /// All of them; what is not named is dropped.
    pub domains: List<String>,
}

/// Body of the operation by which an application says which ids it knows links for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct UpdateUnfurlPatterns {
    /// All of them; what is not named is dropped.
    pub patterns: List<ApplicationUnfurlPatternRequest>,
}

/// A text pattern that an application asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationUnfurlPatternRequest {
    /// Text that ids begin with.
    pub prefix: String,
    /// URL that they stand for; its end, `<?>`, is replaced by the number of the id.
    pub link_replacement: String,
}

/// Body of the operation that answers an application about domains.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct AuthorizeUnfurlDomains {
    /// Which of them.
    pub domains: List<String>,
    /// Yes or no.
    pub approve: bool,
}

/// Body of the operation that answers an application about patterns.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct AuthorizeUnfurlPatterns {
    /// Which of them, by prefix.
    pub patterns: List<String>,
    /// Yes or no.
    pub approve: bool,
}

/// How far a request for a right has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RightStatus {
    /// Never asked for.
    None,
    /// Asked for.
    Requested,
    /// Given.
    Granted,
    /// Refused.
    Rejected,
}
