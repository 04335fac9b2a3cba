//! Profiles of people as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scalar::DateTime;

/// A person of the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TD_MemberProfile", extend("x-record" = true))]
pub struct MemberProfile {
    /// Id of the profile.
    pub id: String,
    /// Name the person signs in with.
    pub username: String,
    /// First and last name.
    pub name: ProfileName,
    /// Attachment id of a small picture.
    pub small_avatar: Option<String>,
    /// Attachment id of a picture.
    pub avatar: Option<String>,
    /// Attachment id of the full picture.
    pub profile_picture: Option<String>,
    /// Whether the person has left.
    pub archived: bool,
    /// When the person left.
    pub left_at: Option<DateTime>,
    /// Whether the person may not act for now.
    pub suspended: Option<bool>,
    /// Since when.
    pub suspended_at: Option<DateTime>,
    /// Whether the profile belongs to somebody outside of the organization.
    pub not_a_member: bool,
    /// The same, under its newer name.
    pub external: Option<bool>,
    /// Addresses, the main one first; left out for callers who may not see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(required)]
    pub emails: Option<Vec<ProfileEmail>>,
    /// Telephone numbers; the host keeps them, so always empty.
    pub phones: Vec<String>,
    /// Names in messengers; always empty.
    pub messengers: Vec<String>,
    /// Pages of the person; always empty.
    pub links: Vec<String>,
    /// Id given by the host product.
    pub external_id: Option<String>,
}

/// Name of a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TD_ProfileName")]
pub struct ProfileName {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
}

/// An address of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TD_ProfileEmail")]
pub struct ProfileEmail {
    /// Id of the address.
    pub id: String,
    /// The address.
    pub email: String,
}
