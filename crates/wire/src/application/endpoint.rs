//! Endpoints of applications and how deliveries to them prove where they come from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where payloads are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointDTO")]
pub struct Endpoint {
    /// URL; null when there is none.
    pub url: Option<String>,
    /// Whether the certificate of the endpoint is checked.
    pub ssl_verification: bool,
}

/// How deliveries prove where they come from; holds no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointAuthDTO")]
pub struct EndpointAuth {
    /// The method in use.
    pub app_level_auth: EndpointAuthRead,
    /// Client certificate, by name of its keystore.
    pub ssl_keystore: Option<SslKeystore>,
    /// Whether payloads carry a verification token.
    pub verification_token: bool,
}

/// A client certificate, by name of its keystore.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SSLKeystoreEndpointAuth")]
pub struct SslKeystore {
    /// Name of the keystore.
    pub ssl_keystore: String,
}

/// The method by which deliveries prove where they come from, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum EndpointAuthRead {
    /// Signature that published keys verify.
    #[serde(rename = "EndpointAuthRead.PublicKeySignature")]
    PublicKeySignature,
    /// HMAC with a shared key.
    #[serde(rename = "EndpointAuthRead.SigningKey")]
    SigningKey,
    /// User name and password.
    #[serde(rename = "EndpointAuthRead.Basic")]
    Basic {
        /// The user name.
        username: String,
    },
    /// Bearer token.
    #[serde(rename = "EndpointAuthRead.Bearer")]
    Bearer,
    /// A method this version does not know.
    #[serde(rename = "EndpointAuthRead.Unknown")]
    Unknown,
}

/// The method by which deliveries shall prove where they come from.
// No Debug: it holds secrets.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum EndpointAuthCreate {
    /// Signature that published keys verify.
    #[serde(rename = "EndpointAuthCreate.PublicKeySignature")]
    PublicKeySignature,
    /// HMAC with a key that is generated.
    #[serde(rename = "EndpointAuthCreate.SigningKey")]
    SigningKey,
    /// User name and password.
    #[serde(rename = "EndpointAuthCreate.Basic")]
    Basic {
        /// The user name.
        username: String,
        /// The password.
        password: String,
    },
    /// Bearer token.
    #[serde(rename = "EndpointAuthCreate.Bearer")]
    Bearer {
        /// The token.
        token: String,
    },
}

/// The method an update changes to; its secret travels beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EndpointAppLevelAuthUpdateType")]
pub enum EndpointAuthType {
    /// Signature that published keys verify.
    PublicKeySignature,
    /// HMAC with a key that is generated.
    SigningKey,
    /// Bearer token.
    Bearer,
    /// User name and password.
    Basic,
}

/// Endpoint of a webhook to be made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointCreateDTO")]
pub struct EndpointCreation {
    /// URL.
    #[serde(default)]
    pub url: Option<String>,
    /// Whether the certificate of the endpoint is checked.
    #[serde(default = "verified")]
    pub ssl_verification: bool,
}

const fn verified() -> bool {
    true
}

/// Authentication of a webhook to be made.
// No Debug: it holds secrets.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointAuthCreateDTO")]
pub struct EndpointAuthCreation {
    /// The method.
    pub app_level_auth: EndpointAuthCreate,
    /// Client certificate, by name of its keystore.
    #[serde(default)]
    pub ssl_keystore: Option<SslKeystore>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_carry_the_dotted_class_name() {
        let basic = EndpointAuthRead::Basic { username: "ann".to_owned() };
        let text = serde_json::to_string(&basic).unwrap();
        assert_eq!(text, r#"{"className":"EndpointAuthRead.Basic","username":"ann"}"#);
        assert_eq!(
            serde_json::to_string(&EndpointAuthRead::Bearer).unwrap(),
            r#"{"className":"EndpointAuthRead.Bearer"}"#
        );
    }

    #[test]
    fn unknown_properties_of_a_chosen_method_are_ignored() {
        let chosen: EndpointAuthCreate =
            serde_json::from_str(r#"{"token":"t","$errors":[],"className":"EndpointAuthCreate.Bearer"}"#).unwrap();
        assert!(chosen == EndpointAuthCreate::Bearer { token: "t".to_owned() });
    }
}
