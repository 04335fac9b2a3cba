//! Payloads about previews of links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{IdentifierObject, Recipient};

/// New links wait for the application to say what is behind them.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewUnfurlQueueItemsPayload {
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A person pressed a button in a preview.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnfurlActionPayload {
    /// Which action the button stands for.
    pub action_id: String,
    /// The value that the application gave it.
    pub action_value: String,
    /// The link.
    pub link: String,
    /// Where the link is.
    pub context: UnfurlContext,
    /// Who pressed.
    pub user_id: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// Where a link is.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
#[schemars(rename = "ApplicationUnfurlContext")]
pub enum UnfurlContext {
    /// In a message.
    #[serde(rename = "ChatMessageUnfurlContext")]
    ChatMessage {
        /// The channel.
        channel: String,
        /// The message.
        message_id: IdentifierObject,
    },
    /// In an issue.
    #[serde(rename = "IssueUnfurlContext")]
    Issue {
        /// The issue.
        issue_id: String,
    },
    /// In an article.
    #[serde(rename = "ArticleAppUnfurlContext")]
    Article {
        /// The article.
        article_id: String,
    },
    /// In a code review.
    #[serde(rename = "CodeReviewUnfurlContext")]
    CodeReview {
        /// The review.
        review_id: String,
        /// In which of its texts.
        #[serde(default)]
        field: Option<CodeReviewField>,
    },
    /// In a commit message.
    #[serde(rename = "CommitMessageUnfurlContext")]
    CommitMessage {
        /// The project.
        project_id: String,
        /// The repository.
        repo: String,
        /// The commit.
        commit_id: String,
    },
    /// In a document.
    #[serde(rename = "DocumentAppUnfurlContext")]
    Document {
        /// The document.
        document_id: String,
    },
    /// In a to-do item.
    #[serde(rename = "TodoItemUnfurlContext")]
    TodoItem {
        /// Whose.
        user_id: String,
        /// The item.
        todo_item_id: String,
    },
}

/// A text of a code review.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "CodeReviewUnfurlContextField")]
pub enum CodeReviewField {
    /// Its title.
    Title,
    /// Its description.
    Description,
}
