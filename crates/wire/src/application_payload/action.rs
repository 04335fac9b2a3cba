//! Payloads about what a person does, and what the application answers to them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdentifierObject, Recipient, identifier};

/// A person typed `/` in the application's channel.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListCommandsPayload {
    /// Who.
    pub user_id: Option<String>,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A person picked one of the application's menu items.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MenuActionPayload {
    /// Which item, by the code that the application gave it.
    pub menu_item_unique_code: String,
    /// What the menu belongs to.
    pub context: Option<MenuActionContext>,
    /// What the person filled in, if the item has a form.
    #[serde(default)]
    pub parameter_values: Option<Vec<ParameterValue>>,
    /// Who.
    pub user_id: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A person used another action of the application.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomActionPayload {
    /// Which.
    pub action_id: String,
    /// With which value.
    pub action_value: Option<String>,
    /// Who.
    pub user_id: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// What a menu belongs to.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum MenuActionContext {
    /// A message in a channel.
    #[serde(rename = "ChannelMessageMenuActionContext")]
    ChannelMessage {
        /// The channel.
        #[serde(deserialize_with = "identifier::channel")]
        #[schemars(with = "IdentifierObject")]
        channel_identifier: IdentifierObject,
        /// The message.
        #[serde(deserialize_with = "identifier::message")]
        #[schemars(with = "IdentifierObject")]
        message_identifier: IdentifierObject,
    },
    /// An issue.
    #[serde(rename = "IssueMenuActionContext")]
    Issue {
        /// Its project.
        #[serde(deserialize_with = "identifier::project")]
        #[schemars(with = "IdentifierObject")]
        project_identifier: IdentifierObject,
        /// The issue.
        #[serde(deserialize_with = "identifier::issue")]
        #[schemars(with = "IdentifierObject")]
        issue_identifier: IdentifierObject,
    },
    /// A code review.
    #[serde(rename = "CodeReviewMenuActionContext")]
    CodeReview {
        /// Its project.
        #[serde(deserialize_with = "identifier::project")]
        #[schemars(with = "IdentifierObject")]
        project_identifier: IdentifierObject,
        /// The review.
        #[serde(deserialize_with = "identifier::review")]
        #[schemars(with = "IdentifierObject")]
        code_review_identifier: IdentifierObject,
    },
    /// A document.
    #[serde(rename = "DocumentMenuActionContext")]
    Document {
        /// The document.
        document_id: String,
        /// Its project; null when it is in none.
        #[serde(default, deserialize_with = "identifier::project_or_null")]
        #[schemars(with = "Option<IdentifierObject>")]
        project_identifier: Option<IdentifierObject>,
    },
    /// A folder of documents.
    #[serde(rename = "DocumentFolderMenuActionContext")]
    DocumentFolder {
        /// The folder.
        #[serde(deserialize_with = "identifier::folder")]
        #[schemars(with = "IdentifierObject")]
        folder_identifier: IdentifierObject,
        /// Its project; null when it is in none.
        #[serde(default, deserialize_with = "identifier::project_or_null")]
        #[schemars(with = "Option<IdentifierObject>")]
        project_identifier: Option<IdentifierObject>,
    },
    /// A meeting.
    #[serde(rename = "MeetingMenuActionContext")]
    Meeting {
        /// The meeting.
        meeting_id: String,
    },
    /// An event in a blog.
    #[serde(rename = "BlogEventMenuActionContext")]
    BlogEvent {
        /// The event.
        blog_event_id: String,
    },
}

/// What a person filled into one field of a form.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
pub enum ParameterValue {
    /// A box that is ticked or not.
    #[serde(rename = "ExtensionActionFormParameterValue.Boolean")]
    Boolean {
        /// The field.
        key: String,
        /// What is in it.
        value: bool,
    },
    /// A text.
    #[serde(rename = "ExtensionActionFormParameterValue.Text")]
    Text {
        /// The field.
        key: String,
        /// What is in it.
        value: String,
    },
}

/// What an application answers to an action of a person (wire-protocol 5.3). Other members are ignored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
#[schemars(rename = "AppUserActionExecutionResult")]
pub enum ActionResult {
    /// It is done.
    #[serde(rename = "AppUserActionExecutionResult.Success")]
    Success {
        /// For the person; null for nothing to say.
        #[serde(default)]
        message: Option<String>,
    },
    /// It could not be done.
    #[serde(rename = "AppUserActionExecutionResult.Failure")]
    Failure {
        /// For the person.
        message: String,
    },
    /// The person has to approve first what the application wants to do in his name.
    #[serde(rename = "AppUserActionExecutionResult.AuthCodeFlowRequired")]
    AuthCodeFlowRequired {
        /// What it wants to do.
        permissions_to_request: Vec<PermissionsToRequest>,
    },
}

impl ActionResult {
    /// Reads the body of an answer with a status of success. An empty body is a success with nothing to say.
    ///
    /// # Errors
    /// For whoever looks after the application: what is wrong with its answer.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        if body.trim_ascii().is_empty() {
            return Ok(Self::Success { message: None });
        }
        serde_json::from_slice(body).map_err(|fault| {
            format!(
                "the application's answer is no AppUserActionExecutionResult.Success, .Failure or .AuthCodeFlowRequired: {fault}"
            )
        })
    }
}

/// What an application wants to do in a person's name, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PermissionsToRequest {
    /// The scope that it asks for.
    pub scope: String,
    /// For the person.
    #[serde(default)]
    pub purpose: String,
}

/// What an application answers to a [`ListCommandsPayload`].
#[derive(Clone, Default, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Commands {
    /// In the order they are shown.
    pub commands: Vec<Command>,
}

/// A command of a chat bot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CommandDetail")]
pub struct Command {
    /// What is typed.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: String,
}
