//! What a person agreed to, as the API shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application::{AccessRecord, EsApp};
use crate::token::XScopeApi;

/// A person's consent to an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ES_OAuthConsent")]
pub struct OAuthConsent {
    /// The application.
    pub client_application: OAuthApp,
    /// What was agreed to.
    pub approved_scopes: Vec<ApprovedScope>,
    /// Refresh tokens that can still be used.
    pub refresh_tokens: Vec<RefreshToken>,
}

/// Whom a person can agree to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[schemars(rename = "ES_OAuthApp")]
pub enum OAuthApp {
    /// A registered application.
    #[serde(rename = "ES_OAuthUserApp")]
    User {
        /// The application.
        #[serde(rename = "app")]
        application: Box<EsApp>,
    },
    /// A part of the server itself.
    #[serde(rename = "ES_OAuthInternalApp", rename_all = "camelCase")]
    Internal {
        /// Its name.
        name: String,
        /// Its client id.
        client_id: String,
    },
}

/// A scope that a person approved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ES_ApprovedScope")]
pub struct ApprovedScope {
    /// Its id.
    pub id: String,
    /// What.
    pub scope: XScopeApi,
    /// Whether also while the person is away.
    pub offline_allowed: bool,
}

/// A refresh token that can still be used, without its text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ES_RefreshToken")]
pub struct RefreshToken {
    /// Its id.
    pub id: String,
    /// What it brings access tokens for.
    pub scope: XScopeApi,
    /// Its last use; null before the first.
    pub last_access: Option<AccessRecord>,
}
