//! What an application adds to the product's pages: a chat bot, pages and menu items (semantics 5).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identifier::PermissionContextIdentifier;
use crate::scalar::List;

/// Body of the operation by which an application says what it adds to the pages of a context.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateUiExtensions {
    /// Where.
    pub context_identifier: PermissionContextIdentifier,
    /// All of them; what is not named is dropped.
    pub extensions: List<AppUiExtensionIn>,
}

/// A UI extension as applications send it; also the stored form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
pub enum AppUiExtensionIn {
    /// People can write to the application.
    ChatBotUiExtensionIn,
    /// A page about the application itself.
    ApplicationHomepageUiExtensionIn(ApplicationHomepage),
    /// A page in the main menu.
    TopLevelPageUiExtensionIn(TopLevelPage),
    /// Where whoever installed the application goes on.
    GettingStartedUiExtensionIn(GettingStarted),
    /// Issues are kept elsewhere.
    ExternalIssueTrackerUiExtensionIn(ExternalIssueTracker),
    /// An item in the menu of a message.
    ChatMessageMenuItemUiExtensionIn(MenuItem<ChatMessageFilter>),
    /// An item in the menu of an issue.
    IssueMenuItemUiExtensionIn(MenuItem<IssueFilter>),
    /// An item in the menu of a code review.
    CodeReviewMenuItemUiExtensionIn(CodeReviewMenuItem),
    /// An item in the menu of a document.
    DocumentMenuItemUiExtensionIn(MenuItem<DocumentFilter>),
    /// An item in the menu of a folder of documents.
    DocumentFolderMenuItemUiExtensionIn(MenuItem<DocumentFolderFilter>),
    /// An item in the menu of a meeting.
    MeetingMenuItemUiExtensionIn(MeetingMenuItem),
}

/// A UI extension as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
pub enum AppUiExtensionApi {
    /// People can write to the application.
    ChatBotUiExtensionApi,
    /// A page about the application itself.
    ApplicationHomepageUiExtensionApi(ApplicationHomepage),
    /// A page in the main menu.
    TopLevelPageUiExtensionApi(TopLevelPage),
    /// Where whoever installed the application goes on.
    GettingStartedUiExtensionApi(GettingStarted),
    /// Issues are kept elsewhere.
    ExternalIssueTrackerUiExtensionApi(ExternalIssueTracker),
    /// An item in the menu of a message.
    ChatMessageMenuItemUiExtensionApi(MenuItem<ChatMessageFilter>),
    /// An item in the menu of an issue.
    IssueMenuItemUiExtensionApi(MenuItem<IssueFilter>),
    /// An item in the menu of a code review.
    CodeReviewMenuItemUiExtensionApi(CodeReviewMenuItem),
    /// An item in the menu of a document.
    DocumentMenuItemUiExtensionApi(MenuItem<DocumentFilter>),
    /// An item in the menu of a folder of documents.
    DocumentFolderMenuItemUiExtensionApi(MenuItem<DocumentFolderFilter>),
    /// An item in the menu of a meeting.
    MeetingMenuItemUiExtensionApi(MeetingMenuItem),
}

impl From<AppUiExtensionIn> for AppUiExtensionApi {
    fn from(sent: AppUiExtensionIn) -> Self {
        use AppUiExtensionIn as In;
        match sent {
            In::ChatBotUiExtensionIn => Self::ChatBotUiExtensionApi,
            In::ApplicationHomepageUiExtensionIn(page) => Self::ApplicationHomepageUiExtensionApi(page),
            In::TopLevelPageUiExtensionIn(page) => Self::TopLevelPageUiExtensionApi(page),
            In::GettingStartedUiExtensionIn(start) => Self::GettingStartedUiExtensionApi(start),
            In::ExternalIssueTrackerUiExtensionIn(tracker) => Self::ExternalIssueTrackerUiExtensionApi(tracker),
            In::ChatMessageMenuItemUiExtensionIn(item) => Self::ChatMessageMenuItemUiExtensionApi(item),
            In::IssueMenuItemUiExtensionIn(item) => Self::IssueMenuItemUiExtensionApi(item),
            In::CodeReviewMenuItemUiExtensionIn(item) => Self::CodeReviewMenuItemUiExtensionApi(item),
            In::DocumentMenuItemUiExtensionIn(item) => Self::DocumentMenuItemUiExtensionApi(item),
            In::DocumentFolderMenuItemUiExtensionIn(item) => Self::DocumentFolderMenuItemUiExtensionApi(item),
            In::MeetingMenuItemUiExtensionIn(item) => Self::MeetingMenuItemUiExtensionApi(item),
        }
    }
}

/// A page about the application itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ApplicationHomepage {
    /// URL of the page, or its path on the server of the endpoint; `/iframe/app-homepage` below the endpoint when absent.
    pub iframe_url: Option<String>,
}

/// A page in the main menu.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct TopLevelPage {
    /// What people read.
    pub display_name: String,
    /// One sentence.
    pub description: Option<String>,
    /// Code, unique within the application.
    pub unique_code: String,
    /// URL of the page, or its path on the server of the endpoint; `/iframe/top-level-page/` and the code below the
    /// endpoint when absent.
    pub iframe_url: Option<String>,
}

/// Where whoever installed the application goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct GettingStarted {
    /// A path of this server, or a URL on the server of the endpoint.
    pub getting_started_url: String,
    /// What people read.
    pub getting_started_title: String,
    /// Whether the page that leads there stays open.
    pub open_in_new_tab: Option<bool>,
}

/// Issues are kept elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ExternalIssueTracker {
    /// Where.
    pub domain: String,
    /// What people call it.
    pub tracker_name: String,
    /// Whether new ones can be made there.
    pub can_create_issues: bool,
}

/// An item in the menu of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct MenuItem<F> {
    /// What people read.
    pub display_name: String,
    /// One sentence.
    pub description: Option<String>,
    /// Names the item when somebody chooses it.
    pub menu_item_unique_code: String,
    /// What all must be true of the thing; shown everywhere when there are none.
    pub visibility_filters: Vec<F>,
}

/// An item in the menu of a code review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct CodeReviewMenuItem {
    /// What people read.
    pub display_name: String,
    /// One sentence.
    pub description: Option<String>,
    /// Names the item when somebody chooses it.
    pub menu_item_unique_code: String,
    /// What all must be true of the review; shown everywhere when there are none.
    pub visibility_filters: Vec<CodeReviewFilter>,
    /// What whoever chooses it is asked first.
    pub parameters_form: Option<ParametersForm>,
    /// Where it is shown; in the menu when absent.
    pub action_placement: Option<ActionPlacement>,
}

/// An item in the menu of a meeting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct MeetingMenuItem {
    /// What people read.
    pub display_name: String,
    /// One sentence.
    pub description: Option<String>,
    /// Names the item when somebody chooses it.
    pub menu_item_unique_code: String,
}

/// On which messages an item is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[schemars(rename = "ChatMessageMenuItemVisibilityFilterApi")]
pub enum ChatMessageFilter {
    /// On those that the person may change.
    ChatMessageEditableByMe,
}

/// On which issues an item is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[schemars(rename = "IssueMenuItemVisibilityFilterApi")]
pub enum IssueFilter {
    /// On those that the person may change.
    IssueEditableByMe,
}

/// On which code reviews an item is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[schemars(rename = "CodeReviewMenuItemVisibilityFilterApi")]
pub enum CodeReviewFilter {
    /// On those that the person may change.
    CodeReviewEditableByMe,
    /// On those of a repository.
    CodeReviewInRepository {
        /// Its name.
        repository: String,
    },
    /// On those that are open.
    CodeReviewIsOpened,
    /// On those that could be merged.
    CodeReviewIsReadyToMerge,
    /// On those of a kind.
    CodeReviewOfType {
        /// Which.
        #[serde(rename = "type")]
        kind: ReviewType,
    },
}

/// A kind of code review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ReviewType {
    /// Of single commits.
    CommitSetReview,
    /// Of a branch before it is merged.
    MergeRequest,
}

/// On which documents an item is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[schemars(rename = "DocumentMenuItemVisibilityFilterApi")]
pub enum DocumentFilter {
    /// On those that the person may change.
    DocumentEditableByMe,
}

/// On which folders an item is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[schemars(rename = "DocumentFolderMenuItemVisibilityFilterApi")]
pub enum DocumentFolderFilter {
    /// On those that the person may change.
    DocumentFolderEditableByMe,
}

/// What whoever chooses an item is asked first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExtensionActionParametersForm")]
pub struct ParametersForm {
    /// What stands above the form.
    pub form_title: String,
    /// What stands on its button.
    pub confirm_button_title: String,
    /// Its fields.
    pub parameters: Vec<FormParameter>,
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
#[schemars(rename = "ExtensionActionFormParameter")]
pub enum FormParameter {
    /// Yes or no.
    #[serde(rename = "ExtensionActionFormParameter.Boolean")]
    Boolean {
        /// Names the field.
        key: String,
        /// What people read.
        title: String,
        /// What is there before anybody chooses.
        default_value: bool,
    },
    /// A text.
    #[serde(rename = "ExtensionActionFormParameter.Text")]
    Text {
        /// Names the field.
        key: String,
        /// What people read.
        title: String,
        /// Whether it must not be empty.
        required: bool,
        /// Whether it may have several lines.
        multiline: bool,
        /// What is there before anybody writes.
        default_value: Option<String>,
    },
    /// One of several.
    #[serde(rename = "ExtensionActionFormParameter.Select")]
    Select {
        /// Names the field.
        key: String,
        /// What people read.
        title: String,
        /// What there is to choose from.
        options: Vec<SelectOption>,
        /// Whether something else may be written.
        can_enter_new_value: bool,
        /// Whether something must be chosen.
        required: bool,
        /// Key of what is chosen before anybody chooses.
        default_value: Option<String>,
    },
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExtensionActionFormParameterSelectOption")]
pub struct SelectOption {
    /// Names it.
    pub key: String,
    /// What people read; the key when absent.
    pub title: Option<String>,
}

/// Where an action is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[schemars(rename = "ExtensionActionPlacement")]
pub enum ActionPlacement {
    /// In the menu.
    #[serde(rename = "ExtensionActionPlacement.MenuItem")]
    MenuItem,
    /// As a button.
    #[serde(rename = "ExtensionActionPlacement.PrimaryAction")]
    PrimaryAction,
}
