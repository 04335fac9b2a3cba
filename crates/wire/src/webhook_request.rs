//! Webhooks, subscriptions and custom headers as the API takes them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::application::{EndpointAuthCreation, EndpointAuthType, EndpointCreation};
use crate::scalar::{List, Patch};

/// Body of the operation that makes a webhook.
// No Debug: it holds secrets.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateWebhook {
    /// What people read.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Where deliveries go; to the endpoint of the application when absent.
    #[serde(default)]
    pub endpoint: Option<EndpointCreation>,
    /// How deliveries prove where they come from; as those to the application when absent.
    #[serde(default)]
    pub endpoint_auth: Option<EndpointAuthCreation>,
    /// Whether events are delivered.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Status codes that count as success besides every 2xx.
    #[serde(default)]
    pub accepted_http_response_codes: Option<List<u16>>,
    /// Whether failed deliveries are tried again.
    #[serde(default = "yes")]
    pub do_retries: bool,
    /// Fields of the event that payloads hold; all when absent.
    #[serde(default)]
    pub payload_fields: Option<String>,
    /// Template that makes the payload.
    #[serde(default)]
    pub payload_template: Option<String>,
    /// Subscriptions made together with the webhook.
    #[serde(default)]
    pub subscriptions: Option<List<SubscriptionDefinition>>,
}

const fn yes() -> bool {
    true
}

/// A subscription to be made.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionDefinition {
    /// What people read.
    pub name: String,
    /// Subject, filters and event types.
    pub subscription: GenericSubscriptionIn,
}

/// Subject, filters and event types of a subscription to be made.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CustomGenericSubscriptionIn")]
pub struct GenericSubscriptionIn {
    /// Code of the subject.
    pub subject_code: String,
    /// Filters, each with its `className`.
    pub filters: List<Map<String, Value>>,
    /// Codes of the event types.
    pub event_type_codes: List<String>,
}

/// Body of the operation that changes a webhook; what is absent stays.
// No Debug: it holds secrets. About the attributes see `UpdateApplication`.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateWebhook {
    /// What people read.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub name: Patch<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub description: Patch<String>,
    /// Whether events are delivered.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub enabled: Patch<bool>,
    /// Where deliveries go; null follows the application again.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub endpoint: Patch<EndpointUpdate>,
    /// How deliveries prove where they come from; null follows the application again.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub endpoint_auth: Patch<EndpointAuthUpdate>,
    /// Status codes that count as success besides every 2xx.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "List<u16>")]
    pub accepted_http_response_codes: Patch<List<u16>>,
    /// Whether failed deliveries are tried again.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub do_retries: Patch<bool>,
    /// Fields of the request that are sent; all when null.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub payload_fields: Patch<String>,
    /// Template that makes the body.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub payload_template: Patch<String>,
}

/// A change of a webhook's endpoint; what is absent or null stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExternalEndpointUpdateDTO")]
pub struct EndpointUpdate {
    /// URL; blank follows the application again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Whether the certificate of the endpoint is checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub ssl_verification: Option<bool>,
}

/// A change of how deliveries prove where they come from; what is absent or null stays.
// No Debug: it holds secrets.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointAuthUpdateDTO")]
pub struct EndpointAuthUpdate {
    /// The method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "EndpointAuthType")]
    pub app_level_auth: Option<EndpointAuthType>,
    /// User name for basic authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub basic_auth_username: Option<String>,
    /// Password for basic authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub basic_auth_password: Option<String>,
    /// Token for bearer authentication.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub bearer_auth_token: Option<String>,
    /// Whether payloads carry a verification token. It is the application's; here it can only be confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "bool")]
    pub has_verification_token: Option<bool>,
    /// Name of the keystore that holds the client certificate; blank shows none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_keystore_auth: Option<String>,
}

/// Body of the operation that changes a subscription; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSubscription {
    /// What people read.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "String")]
    pub name: Patch<String>,
    /// Whether it counts.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub enabled: Patch<bool>,
    /// Subject, filters and event types, all anew.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "GenericSubscriptionIn")]
    pub subscription: Patch<GenericSubscriptionIn>,
}

/// A header field of a webhook's requests.
// No Debug: the value is a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CustomHttpHeaderDTO")]
pub struct CustomHttpHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
}

/// Body of the operation that sets the custom headers of a webhook.
// No Debug: it holds secrets.
#[derive(Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SetCustomHeaders {
    /// The headers, in place of those that were there.
    pub headers: List<CustomHttpHeader>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_webhook_is_enabled_and_retries() {
        let create: CreateWebhook = serde_json::from_str(r#"{"name":"n","endpoint":{"url":null}}"#).unwrap();
        assert!(create.enabled && create.do_retries);
        assert!(create.endpoint.unwrap().ssl_verification);
    }

    #[test]
    fn one_event_type_code_is_taken_for_a_list_of_one() {
        let definition: SubscriptionDefinition = serde_json::from_str(
            r#"{"name":"n","subscription":{"subjectCode":"Issue","filters":[],"eventTypeCodes":"Issue.Created"}}"#,
        )
        .unwrap();
        let codes = serde_json::to_value(Vec::from_iter(definition.subscription.event_type_codes.0.iter())).unwrap();
        assert_eq!(codes, serde_json::json!(["Issue.Created"]));
    }
}
