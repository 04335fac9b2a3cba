//! Permanent tokens as the API shows them and takes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application::{AccessRecord, EsApp, PermissionContextApi};
use crate::right::RightDescriptor;
use crate::scalar::{DateTime, Patch};

/// A permanent token of an application, without its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ES_ApplicationPermanentToken", extend("x-record" = true))]
pub struct PermanentToken {
    /// Id of the token.
    pub id: String,
    /// What people read.
    pub name: String,
    /// The application it speaks for.
    pub application: Box<EsApp>,
    /// What it may be used for, as text.
    pub scope: String,
    /// What it may be used for, taken apart.
    pub api_scope: XScopeApi,
    /// When it was made.
    pub created: DateTime,
    /// When it ends; null when it does not.
    pub expires: Option<DateTime>,
    /// Its last use; null before the first.
    pub last_access: Option<AccessRecord>,
}

/// What a token may be used for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum XScopeApi {
    /// All that the application may do.
    #[serde(rename = "XScopeApi.All")]
    All,
    /// Nothing but to tell who calls.
    #[serde(rename = "XScopeApi.None")]
    None,
    /// Some rights.
    #[serde(rename = "XScopeApi.Scope")]
    Scope {
        /// The rights, each with the context it is for.
        grants: Vec<XScopeGrantApi>,
    },
}

/// A right in a context.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct XScopeGrantApi {
    /// The context.
    pub context: PermissionContextApi,
    /// The right.
    pub right: RightDescriptor,
}

/// Body of the operation that makes a permanent token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatePermanentToken {
    /// What people read.
    pub name: String,
    /// What it may be used for: `**`, or elements like `global:Profile.View` separated by blanks.
    pub scope: String,
    /// When it ends; never when absent or null.
    #[serde(default)]
    pub expires: Option<DateTime>,
}

/// Body of the operation that changes a permanent token; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdatePermanentToken {
    /// What people read; null leaves it as it is.
    #[serde(default)]
    pub name: Option<String>,
    /// What it may be used for; null leaves it as it is.
    #[serde(default)]
    pub scope: Option<String>,
    /// When it ends; null lets it live for ever.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub expires: Patch<DateTime>,
}
