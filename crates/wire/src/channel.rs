//! Channels as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scalar::DateTime;

/// A channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "M2ChannelRecord", extend("x-record" = true))]
pub struct Channel {
    /// Id of the channel.
    pub id: String,
    /// How it is called, and what it is.
    pub contact: ChannelContact,
    /// How many messages it has; the host keeps them, so always 0.
    pub total_messages: i32,
    /// Whether it is closed.
    pub channel_archived: Option<bool>,
    /// Whether it is gone.
    pub archived: bool,
}

/// How a channel is called, and what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "M2ChannelContact")]
pub struct ChannelContact {
    /// Name.
    pub default_name: String,
    /// Key that names the channel among all contacts.
    pub key: String,
    /// What kind of channel it is.
    pub ext: Option<ChannelContactInfo>,
}

/// What kind of channel it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
#[schemars(rename = "M2ChannelContactInfo")]
pub enum ChannelContactInfo {
    /// One that many people share.
    M2SharedChannelContent {
        /// Name.
        name: String,
        /// Group it is listed in; empty for none.
        group: String,
        /// Who may see it.
        access: ChannelAccess,
        /// What it is for.
        description: String,
        /// Attachment id of a picture.
        icon_id: Option<String>,
    },
}

/// Who may see a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "M2.Access")]
pub enum ChannelAccess {
    /// Those who may view it by right.
    Private,
    /// Every member.
    Public,
}

/// A channel in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AllChannelsListEntry")]
pub struct ChannelListEntry {
    /// Id of the channel.
    pub channel_id: String,
    /// Name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Who may see it.
    pub access: ChannelAccess,
    /// Attachment id of a picture.
    pub icon: Option<String>,
    /// When it was made known.
    pub created: DateTime,
    /// How many people and teams belong to it.
    pub subscribers: i32,
    /// Whether the calling person belongs to it himself.
    pub subscribed: bool,
    /// Whether it is gone.
    pub archived: bool,
}
