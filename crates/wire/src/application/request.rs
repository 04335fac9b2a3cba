//! What callers send to make and change applications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{EndpointAuthCreate, EndpointAuthType};
use crate::scalar::Patch;

/// Body of the operation that makes an application.
// No Debug: it holds secrets.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateApplication {
    /// Name people read; need not be unique.
    pub name: String,
    /// What the application is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Attachment id of an uploaded picture.
    #[serde(default)]
    pub picture_attachment_id: Option<String>,
    /// URL of a picture used when none was uploaded.
    #[serde(default)]
    pub default_external_picture: Option<String>,
    /// Address used as committer.
    #[serde(default)]
    pub email: Option<String>,
    /// OAuth client id; generated when absent.
    #[serde(default)]
    pub client_id: Option<String>,
    /// OAuth client secret; generated when absent.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// Whether the application may get tokens of its own.
    #[serde(default = "on")]
    pub client_credentials_flow_enabled: Option<bool>,
    /// Whether the authorization code flow is on.
    #[serde(default = "off")]
    pub code_flow_enabled: Option<bool>,
    /// Redirect URIs of the code flow, one a line.
    #[serde(default, rename = "codeFlowRedirectURIs")]
    pub code_flow_redirect_uris: Option<String>,
    /// Whether the code flow demands PKCE (RFC 7636).
    #[serde(default)]
    pub pkce_required: Option<bool>,
    /// Whether clients without a secret may use the code flow.
    #[serde(default)]
    pub public_clients_allowed: Option<bool>,
    /// Whether the implicit flow is on.
    #[serde(default = "off")]
    pub implicit_flow_enabled: Option<bool>,
    /// Redirect URIs of the implicit flow, one a line.
    #[serde(default, rename = "implicitFlowRedirectURIs")]
    pub implicit_flow_redirect_uris: Option<String>,
    /// URL where the application receives payloads.
    #[serde(default)]
    pub endpoint_uri: Option<String>,
    /// Whether the certificate of the endpoint is checked.
    #[serde(default)]
    pub endpoint_ssl_verification: Option<bool>,
    /// How deliveries prove where they come from.
    #[serde(default)]
    pub app_level_auth: Option<EndpointAuthCreate>,
    /// Name of the keystore that holds the client certificate.
    #[serde(default)]
    pub ssl_keystore_auth: Option<String>,
    /// Old way to choose a signing key.
    #[serde(default)]
    pub has_signing_key: Option<bool>,
    /// Old way to choose the public key signature.
    #[serde(default)]
    pub has_public_key_signature: Option<bool>,
    /// Old way to choose basic authentication: the user name.
    #[serde(default)]
    pub basic_auth_username: Option<String>,
    /// Old way to choose basic authentication: the password.
    #[serde(default)]
    pub basic_auth_password: Option<String>,
    /// Old way to choose a bearer token.
    #[serde(default)]
    pub bearer_auth_token: Option<String>,
    /// Whether the application lives elsewhere and is told about its installation.
    #[serde(default = "off")]
    pub connect_to_space: Option<bool>,
    /// Text handed to the application with its first payload.
    #[serde(default)]
    pub state: Option<String>,
    /// Which known product the application connects.
    #[serde(default)]
    pub featured_integration_type: Option<FeaturedIntegrationType>,
}

const fn on() -> Option<bool> {
    Some(true)
}

const fn off() -> Option<bool> {
    Some(false)
}

/// Body of the operation that changes an application; what is absent stays.
// No Debug: it holds secrets. `skip_serializing_if` keeps null, which clears, from being described as the default;
// `with` describes what null does not clear.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateApplication {
    /// Name people read.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub name: Patch<String>,
    /// What the application is for.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub description: Patch<String>,
    /// Attachment id of an uploaded picture.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub picture_attachment_id: Patch<String>,
    /// URL of a picture used when none was uploaded.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub default_external_picture: Patch<String>,
    /// New OAuth client secret.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub client_secret: Patch<String>,
    /// Whether the application may get tokens of its own.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub client_credentials_flow_enabled: Patch<bool>,
    /// Whether the authorization code flow is on.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub code_flow_enabled: Patch<bool>,
    /// Redirect URIs of the code flow, one a line.
    #[serde(default, skip_serializing_if = "Patch::is_absent", rename = "codeFlowRedirectURIs")]
    pub code_flow_redirect_uris: Patch<String>,
    /// Whether the code flow demands PKCE (RFC 7636).
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub pkce_required: Patch<bool>,
    /// Whether clients without a secret may use the code flow.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub public_clients_allowed: Patch<bool>,
    /// Whether the implicit flow is on.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub implicit_flow_enabled: Patch<bool>,
    /// Redirect URIs of the implicit flow, one a line.
    #[serde(default, skip_serializing_if = "Patch::is_absent", rename = "implicitFlowRedirectURIs")]
    pub implicit_flow_redirect_uris: Patch<String>,
    /// URL where the application receives payloads.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub endpoint_uri: Patch<String>,
    /// Whether the certificate of the endpoint is checked.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub endpoint_ssl_verification: Patch<bool>,
    /// Whether payloads carry a verification token.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub has_verification_token: Patch<bool>,
    /// Old way to choose the public key signature.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub has_public_key_signature: Patch<bool>,
    /// Old way to choose a signing key.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub has_signing_key: Patch<bool>,
    /// How deliveries prove where they come from.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "EndpointAuthType")]
    pub app_level_auth: Patch<EndpointAuthType>,
    /// User name for basic authentication.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub basic_auth_username: Patch<String>,
    /// Password for basic authentication.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub basic_auth_password: Patch<String>,
    /// Token for bearer authentication.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub bearer_auth_token: Patch<String>,
    /// Name of the keystore that holds the client certificate.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub ssl_keystore_auth: Patch<String>,
}

/// Products that applications are known to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FeaturedIntegrationType {
    /// None of those below.
    Unknown,
    /// Jenkins.
    Jenkins,
    /// TeamCity.
    TeamCity,
    /// Jira.
    Jira,
    /// YouTrack.
    YouTrack,
    /// Slack.
    Slack,
}

/// Order of a list of applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AppsOrdering {
    /// By name.
    #[serde(rename = "NAME_A_TO_Z")]
    NameAscending,
    /// By name, backwards.
    #[serde(rename = "NAME_Z_TO_A")]
    NameDescending,
    /// The last changed first.
    #[serde(rename = "LAST_EDITED")]
    LastEdited,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_of_a_new_application_have_their_documented_defaults() {
        let create: CreateApplication = serde_json::from_str(r#"{"name":"n","$errors":[]}"#).unwrap();
        assert_eq!(create.client_credentials_flow_enabled, Some(true));
        assert_eq!(create.code_flow_enabled, Some(false));
        assert_eq!(create.pkce_required, None);
    }

    #[test]
    fn redirect_uris_keep_their_wire_spelling() {
        let create: CreateApplication =
            serde_json::from_str(r#"{"name":"n","codeFlowRedirectURIs":"https://a.example"}"#).unwrap();
        assert_eq!(create.code_flow_redirect_uris.as_deref(), Some("https://a.example"));
    }
}
