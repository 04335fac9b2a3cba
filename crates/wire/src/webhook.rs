//! Webhooks and subscriptions as the API shows them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::application::{Endpoint, EndpointAuth, EsApp, PermissionContextApi};
use crate::project::Project;
use crate::scalar::DateTime;

/// A webhook of an application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-record" = true))]
pub struct WebhookRecord {
    /// Id of the webhook.
    pub id: String,
    /// Whether it was deleted.
    pub archived: bool,
    /// The application it belongs to.
    pub app: Box<EsApp>,
    /// What it listens to.
    pub subscriptions: Vec<Subscription>,
    /// What people read.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Whether deliveries go to the endpoint of the application.
    pub use_app_endpoint: bool,
    /// Where deliveries go.
    pub endpoint: Endpoint,
    /// Whether deliveries prove where they come from as those to the application do.
    pub use_app_endpoint_auth: bool,
    /// How deliveries prove where they come from.
    pub endpoint_auth: EndpointAuth,
    /// Whether events are delivered.
    pub enabled: bool,
    /// Status codes that count as success besides every 2xx.
    pub accepted_http_response_codes: Vec<u16>,
    /// Whether failed deliveries are tried again.
    pub do_retries: bool,
    /// Fields of the event that payloads hold; all when null.
    pub payload_fields: Option<String>,
    /// Template that makes the payload.
    pub payload_template: Option<String>,
    /// Which of the two is in use.
    pub payload_type: Option<PayloadType>,
}

/// Whether fields or a template decide what requests hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PayloadType {
    /// Fields.
    FieldSelection,
    /// A template.
    StringTemplate,
}

/// A webhook and what became of its last delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "FullWebhookDTO")]
pub struct FullWebhook {
    /// The webhook.
    pub webhook: WebhookRecord,
    /// What became of its last delivery; null before the first.
    pub status: Option<WebhookDeliveryStatus>,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
#[schemars(rename = "WebhookDeliveryStatusDTO")]
pub enum WebhookDeliveryStatus {
    /// The endpoint accepted it.
    #[serde(rename = "WebhookDeliveryStatusDTO.Successful")]
    Successful {
        /// Id of the delivery.
        delivery_id: String,
        /// HTTP status code.
        response_code: u16,
        /// When it was sent.
        sent_time: DateTime,
    },
    /// The endpoint answered with a status code that does not count as success.
    #[serde(rename = "WebhookDeliveryStatusDTO.FailedDelivery")]
    FailedDelivery {
        /// Id of the delivery.
        delivery_id: String,
        /// HTTP status code.
        response_code: u16,
        /// What the endpoint said.
        message: String,
        /// When it was sent.
        sent_time: DateTime,
    },
    /// The endpoint did not answer.
    #[serde(rename = "WebhookDeliveryStatusDTO.ExpectedHttpClientError")]
    ExpectedHttpClientError {
        /// Why not.
        client_error: DeliveryClientError,
        /// Id of the delivery.
        delivery_id: String,
        /// When it was sent.
        sent_time: DateTime,
    },
    /// We failed before sending.
    #[serde(rename = "WebhookDeliveryStatusDTO.InternalError")]
    InternalError {
        /// Id of the delivery.
        delivery_id: String,
        /// When it would have been sent.
        sent_time: DateTime,
    },
}

/// Why an endpoint did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppMessageDeliveryClientErrorDTO")]
pub struct DeliveryClientError {
    /// Kind of the failure; an ordinary property here, although it is called like the class of a union.
    pub class_name: String,
    /// What the caller can read.
    pub message: Option<String>,
    /// Kind of the cause.
    pub cause_class_name: Option<String>,
    /// Text of the cause.
    pub cause_message: Option<String>,
}

/// A named part of what a webhook listens to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SubscriptionDTO")]
pub struct Subscription {
    /// Id of the subscription.
    pub id: String,
    /// What people read.
    pub name: String,
    /// Whether its events are delivered.
    pub enabled: bool,
    /// Subject, filters and event types.
    pub subscription: GenericSubscription,
    /// The application that listens.
    pub application: Option<Box<EsApp>>,
    /// Rights the application still lacks to receive the events.
    pub requested_authentication: Option<RequestedAuthorizations>,
}

/// Subject, filters and event types of a subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CustomGenericSubscription")]
pub struct GenericSubscription {
    /// Code of the subject.
    pub subject_code: String,
    /// Filters, of which one must match; every event matches when there are none.
    pub filters: Vec<Map<String, Value>>,
    /// Codes of the event types.
    pub event_type_codes: Vec<String>,
}

/// Rights an application still lacks to receive the events of a subscription.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SubscriptionRequestedAuthorizations")]
pub struct RequestedAuthorizations {
    /// The rights, with what they apply to.
    pub rights: Vec<RightReference>,
    /// The codes of the rights.
    pub right_codes: Vec<String>,
    /// Where they are needed, when that is one place.
    pub permission_context: Option<PermissionContextApi>,
    /// The projects in which they are needed.
    pub projects: Vec<Project>,
}

/// A right and what it applies to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Right")]
pub struct RightReference {
    /// What it applies to, such as `Project`.
    pub type_code: String,
    /// Code of the right.
    pub code: String,
}
