//! Payloads about the life of an application: installed, told a new secret or URL, authorized, uninstalled.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Recipient;

/// The application is being installed: its credentials, and where the server is.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitPayload {
    /// What the application signs in with, together with the client id.
    pub client_secret: String,
    /// URL of the server, without trailing slash.
    pub server_url: String,
    /// What the install link or the creating call said.
    pub state: Option<String>,
    /// Who installed it; null when an application did.
    pub user_id: Option<String>,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// The client secret changes. The one before works until this was answered.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeClientSecretPayload {
    /// The secret from now on.
    pub new_client_secret: String,
    /// Who changed it; null when an application did.
    pub user_id: Option<String>,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// The server moved.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeServerUrlPayload {
    /// Its URL from now on, without trailing slash.
    pub new_server_url: String,
    /// Who moved it; null when its configuration did.
    pub user_id: Option<String>,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// A person approved what the application asked for: the token that stands for it.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshTokenPayload {
    /// The token.
    pub refresh_token: String,
    /// What it is good for.
    pub scope: String,
    /// Who approved.
    pub user_id: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// The application is being removed; its credentials end once this was answered.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationUninstalledPayload {
    /// URL of the server, without trailing slash.
    pub server_url: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}

/// Asks whether the endpoint answers. It is for no installation in particular and holds nothing.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AppPublicationCheckPayload {}

/// An event for a webhook.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookRequestPayload {
    /// The event; its class is the one that its event type promises.
    pub payload: Value,
    /// Id of the webhook.
    pub webhook_id: String,
    /// For whom.
    #[serde(flatten)]
    pub recipient: Recipient,
}
