//! Payloads about chat messages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Recipient;

/// A person wrote to the application.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessagePayload {
    /// The message.
    pub message: MessageContext,
    /// Who wrote it.
    pub user_id: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A person pressed a button in a message of the application.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageActionPayload {
    /// Which action the button stands for.
    pub action_id: String,
    /// The value that the application gave it.
    pub action_value: String,
    /// The message with the button.
    pub message: MessageContext,
    /// Who pressed.
    pub user_id: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A message and where it is.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageContext {
    /// Its id.
    pub message_id: String,
    /// Its channel.
    pub channel_id: String,
    /// What the application attached to it.
    #[serde(default)]
    pub message_data: Option<String>,
    /// What it says.
    #[serde(default)]
    pub body: Option<ChatMessage>,
    /// Files and the like, as the chat describes them.
    #[serde(default)]
    pub attachments: Option<Vec<Value>>,
    /// The id that its author gave it.
    #[serde(default)]
    pub external_id: Option<String>,
    /// When it was written, as ISO text.
    pub created_time: String,
}

/// What a message says.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum ChatMessage {
    /// Text.
    #[serde(rename = "ChatMessage.Text")]
    Text {
        /// The text.
        text: String,
    },
    /// Sections with texts, fields, buttons.
    #[serde(rename = "ChatMessage.Block")]
    Block {
        /// How it looks.
        #[serde(default)]
        style: Option<String>,
        /// What stands above it.
        #[serde(default)]
        outline: Option<Value>,
        /// Its parts, as the chat describes them.
        sections: Vec<Value>,
        /// What the application attached to it.
        #[serde(default)]
        message_data: Option<String>,
    },
}
