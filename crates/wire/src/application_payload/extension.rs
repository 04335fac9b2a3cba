//! Payloads for applications that stand for an issue tracker or a build server.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Recipient;

/// Commits or branches mention issues of the application's tracker.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewExternalIssueEventPayload {
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A person creates an issue in the application's tracker.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateExternalIssueRequestPayload {
    /// Names the request, so that the answer can be told apart.
    #[serde(default)]
    pub request_id: Option<String>,
    /// Who creates it.
    pub space_user_id: String,
    /// Title of the issue.
    #[serde(default)]
    pub summary: Option<String>,
    /// What it says.
    #[serde(default)]
    pub description: Option<String>,
    /// Prefix of the tracker's project.
    #[serde(default)]
    pub issue_prefix: Option<String>,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A merge waits for the application's build.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SafeMergeCommandPayload {
    /// What to do.
    pub command: SafeMergeCommand,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// What a build server shall do.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum SafeMergeCommand {
    /// Begin a build.
    #[serde(rename = "SafeMergeCommand.Start")]
    Start {
        /// The build server's project.
        project: String,
        /// The project of the merge request.
        space_project_id: String,
        /// The merge request.
        merge_request_id: String,
        /// What is built.
        branch: String,
        /// What is built.
        commit: String,
        /// Whether nothing is merged afterwards.
        is_dry_run: bool,
        /// Who began it.
        #[serde(default)]
        started_by_user_id: Option<String>,
    },
    /// End a build.
    #[serde(rename = "SafeMergeCommand.Stop")]
    Stop {
        /// The build server's project.
        project: String,
        /// The build.
        build_id: String,
    },
    /// Say how far a build is.
    #[serde(rename = "SafeMergeCommand.FetchStatus")]
    FetchStatus {
        /// The build server's project.
        project: String,
        /// The build.
        build_id: String,
    },
}
