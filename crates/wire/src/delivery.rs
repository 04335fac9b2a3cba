//! The log of deliveries, and what can be done with them: our own operations.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::dispatch::PayloadClass;

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
    /// The event; null when the payload is of no event.
    pub event_id: Option<String>,
    /// Class of the payload, which says more than `messageType`.
    pub payload_class_name: String,
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
    /// What was sent; secrets and tokens in it are `***`. Null when it is not kept any more.
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

/// What an attempt carried, in the words of the original log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MessageType {
    /// An event for a webhook.
    Webhook,
    /// A person wrote to the application.
    Message,
    /// Which commands it knows.
    ListCommands,
    /// What it adds to menus, which the original server once asked for. Nothing here is of this type.
    ListMenuExtensions,
    /// A person pressed a button in a message.
    DispatchAction,
    /// A person picked a menu item.
    DispatchMenuAction,
    /// It is being installed.
    InitPayload,
    /// The server moved.
    ChangeServerUrlPayload,
    /// Its client secret changes.
    ChangeClientSecretPayload,
    /// Links wait for previews.
    NewUnfurlQueueItemsPayload,
    /// A class of payload that the original log did not know.
    Unknown,
}

impl MessageType {
    /// Every type.
    pub const ALL: [Self; 11] = [
        Self::Webhook,
        Self::Message,
        Self::ListCommands,
        Self::ListMenuExtensions,
        Self::DispatchAction,
        Self::DispatchMenuAction,
        Self::InitPayload,
        Self::ChangeServerUrlPayload,
        Self::ChangeClientSecretPayload,
        Self::NewUnfurlQueueItemsPayload,
        Self::Unknown,
    ];

    /// The type of payloads of a class.
    pub const fn of(class: PayloadClass) -> Self {
        match class {
            PayloadClass::WebhookRequest => Self::Webhook,
            PayloadClass::Message => Self::Message,
            PayloadClass::ListCommands => Self::ListCommands,
            PayloadClass::MessageAction => Self::DispatchAction,
            PayloadClass::MenuAction => Self::DispatchMenuAction,
            PayloadClass::Init => Self::InitPayload,
            PayloadClass::ChangeServerUrl => Self::ChangeServerUrlPayload,
            PayloadClass::ChangeClientSecret => Self::ChangeClientSecretPayload,
            PayloadClass::NewUnfurlQueueItems => Self::NewUnfurlQueueItemsPayload,
            PayloadClass::RefreshToken
            | PayloadClass::ApplicationUninstalled
            | PayloadClass::AppPublicationCheck
            | PayloadClass::UnfurlAction
            | PayloadClass::NewExternalIssueEvent
            | PayloadClass::CreateExternalIssueRequest
            | PayloadClass::CustomAction
            | PayloadClass::SafeMergeCommand => Self::Unknown,
        }
    }

    /// The classes of this type.
    pub fn classes(self) -> Vec<PayloadClass> {
        PayloadClass::ALL.into_iter().filter(|class| Self::of(*class) == self).collect()
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Webhook => "Webhook",
            Self::Message => "Message",
            Self::ListCommands => "ListCommands",
            Self::ListMenuExtensions => "ListMenuExtensions",
            Self::DispatchAction => "DispatchAction",
            Self::DispatchMenuAction => "DispatchMenuAction",
            Self::InitPayload => "InitPayload",
            Self::ChangeServerUrlPayload => "ChangeServerUrlPayload",
            Self::ChangeClientSecretPayload => "ChangeClientSecretPayload",
            Self::NewUnfurlQueueItemsPayload => "NewUnfurlQueueItemsPayload",
            Self::Unknown => "Unknown",
        }
    }
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
    pub state: StateName,
    /// How often it was sent.
    pub attempts: u32,
    /// When its event came.
    pub created_at: DateTime,
    /// When it is sent next; null unless it waits.
    pub next_attempt_at: Option<DateTime>,
    /// When it ended; null until then.
    pub finished_at: Option<DateTime>,
}

/// Where a delivery stands, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateName(pub DeliveryState);

impl Serialize for StateName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de> Deserialize<'de> for StateName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let names = || DeliveryState::ALL.map(DeliveryState::name).join(", ");
        DeliveryState::from_name(&name).map(Self).ok_or_else(|| D::Error::custom(format!("must be one of {}", names())))
    }
}

impl JsonSchema for StateName {
    fn schema_name() -> Cow<'static, str> {
        "DeliveryState".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": DeliveryState::ALL.map(DeliveryState::name) })
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
    pub state: Option<StateName>,
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

/// Body of the operation that sends a webhook what it missed: events of which time.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplayMissing {
    /// Those that came at or after this moment.
    pub since: DateTime,
    /// Those that came before this moment; up to now when absent.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_types_are_named_as_they_are_written() {
        for kind in MessageType::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        let classes = MessageType::ALL.into_iter().flat_map(MessageType::classes).count();
        assert_eq!(classes, PayloadClass::ALL.len(), "each class is of one type");
        assert!(MessageType::ListMenuExtensions.classes().is_empty());
    }

    #[test]
    fn states_are_read_by_name() {
        let read = |text: &str| serde_json::from_str::<StateName>(text).map(|state| state.0);
        assert_eq!(read("\"given_up\"").unwrap(), DeliveryState::GivenUp);
        assert!(read("\"lost\"").unwrap_err().to_string().contains("given_up"));
    }
}
