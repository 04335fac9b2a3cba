//! Profiles of people as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Whether the profile belongs to somebody outside of the organization.
    pub not_a_member: bool,
    /// Addresses, the main one first.
    pub emails: Vec<ProfileEmail>,
    /// Id given by the host product.
    pub external_id: Option<String>,
}

/// Name of a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
