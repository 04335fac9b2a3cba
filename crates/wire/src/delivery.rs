//! The log of deliveries, and what can be done with them: our own operations.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::identifier::PermissionContextIdentifier;
use crate::scalar::{DateTime, List, Patch};
use crate::webhook::DeliveryClientError;

/// An attempt, in the shape in which Space once showed it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AppMessageDeliveryDTO")]
pub struct MessageDelivery {
    /// Names the attempt: the delivery and its number.
    pub id: String,
    /// What was sent.
    pub message_type: MessageType,
    /// For which webhook.
    pub webhook: Option<WebhookName>,
    /// The delivery, which all its attempts have in common.
    pub delivery_id: Option<String>,
    /// The event.
    pub event_id: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Whether the endpoint took it.
    pub successful: bool,
    /// When it was sent.
    pub sent_at: DateTime,
    /// How long it took, in milliseconds.
    pub duration: i64,
    /// The HTTP method.
    pub method: String,
    /// Where it was sent.
    pub url: Option<String>,
    /// What was sent in front; secrets and signatures are `***`.
    pub request_headers: Option<Vec<HeaderField>>,
    /// What was sent; a verification token in it is `***`. Null when the event is not kept any more.
    pub request_body: Option<String>,
    /// Status of the answer; null when none came.
    pub response_status_code: Option<u16>,
    /// What was answered in front.
    pub response_headers: Option<Vec<HeaderField>>,
    /// The first 16 KiB of the answer.
    pub response_body: Option<String>,
    /// Whether that is all of it.
    pub response_body_complete: bool,
    /// Why no answer came; null when one came.
    pub http_client_error: Option<DeliveryClientError>,
    /// Whether headers and bodies are left out, because only the application itself may see them.
    pub withheld: bool,
}

/// What an attempt carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MessageType {
    /// An event for a webhook.
    Webhook,
}

/// A webhook in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookName {
    /// Id of the webhook.
    pub id: String,
    /// What people read.
    pub name: String,
}

/// A header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HeaderField {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A delivery: one event for one webhook.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id; the application gets it as `X-Space-Delivery-Id` and `webhook-id`.
    pub id: String,
    /// For which webhook.
    pub webhook_id: String,
    /// Of which event.
    pub event_id: String,
    /// The event's type; null when the event is not kept any more.
    pub event_type: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was made.
    pub created_at: DateTime,
    /// When it is sent next; null unless it waits.
    pub next_attempt_at: Option<DateTime>,
    /// When it ended; null until then.
    pub finished_at: Option<DateTime>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It is sent when its time comes.
    Waiting,
    /// It is on its way.
    Sending,
    /// The endpoint took it.
    Delivered,
    /// It failed for the last time.
    GivenUp,
    /// It was not sent, because of a change: rights, the webhook, the application.
    Cancelled,
}

impl DeliveryState {
    const ALL: [Self; 5] = [Self::Waiting, Self::Sending, Self::Delivered, Self::GivenUp, Self::Cancelled];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Body of the operation that sends deliveries again: which ones. At least one field is given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayDeliveries {
    /// Those of a webhook.
    #[serde(default)]
    pub webhook_id: Option<String>,
    /// Those of an event.
    #[serde(default)]
    pub event_id: Option<String>,
    /// Those in a state; those that have not ended are never sent again.
    #[serde(default)]
    pub state: Option<DeliveryState>,
    /// Those made at or after this moment.
    #[serde(default)]
    pub since: Option<DateTime>,
    /// Those made before this moment.
    #[serde(default)]
    pub until: Option<DateTime>,
    /// The `next` of the answer before, to go on behind it.
    #[serde(default)]
    pub after: Option<String>,
}

/// How many deliveries are sent again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// How many.
    pub replayed: u32,
    /// When there may be more: what to give as `after` to go on.
    pub next: Option<String>,
}

/// A delivery that was made by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pinged {
    /// Id of the delivery, to be looked for in the log.
    pub delivery_id: String,
}

/// Body of the operation that shows what a webhook would send.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PreviewDelivery {
    /// Payload of a sample event; that of a ping when absent.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Map<String, Value>>")]
    pub payload: Option<Box<RawValue>>,
    /// Code of the event type; without it no field is left out for want of a right.
    #[serde(default, rename = "type")]
    pub event_type: Option<String>,
    /// Where the event would happen; in the whole organization when absent.
    #[serde(default)]
    pub context: Option<PermissionContextIdentifier>,
    /// Fields to try instead of what the webhook has.
    #[serde(default)]
    pub payload_fields: Option<String>,
    /// Template to try instead of what the webhook has.
    #[serde(default)]
    pub payload_template: Option<String>,
}

/// What a webhook would send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryPreview {
    /// The body, byte for byte but for a verification token, which is `***`.
    pub body: String,
}

/// How the deliveries of a webhook are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sending {
    /// Pauses before resends in milliseconds, taken exactly; null follows the server's schedule.
    pub retry_delays_millis: Option<Vec<i64>>,
    /// Whether each delivery waits until the one before it has ended.
    pub ordered: bool,
    /// Most attempts under way at the same time, on each node; null for no limit of its own.
    pub most_in_flight: Option<u32>,
    /// Most attempts in a minute, evenly spread, on each node; null for no limit.
    pub most_per_minute: Option<u32>,
}

/// Body of the operation that changes how deliveries are sent; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpdateSending {
    /// Pauses before resends in milliseconds; null follows the server's schedule.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub retry_delays_millis: Patch<List<i64>>,
    /// Whether each delivery waits until the one before it has ended.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    #[schemars(with = "bool")]
    pub ordered: Patch<bool>,
    /// Most attempts under way at the same time; null for no limit of its own.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub most_in_flight: Patch<i64>,
    /// Most attempts in a minute; null for no limit.
    #[serde(default, skip_serializing_if = "Patch::is_absent")]
    pub most_per_minute: Patch<i64>,
}
