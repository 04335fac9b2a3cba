//! The host API: how the product that embeds the platform publishes events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::identifier::{PermissionContextIdentifier, ProfileIdentifier};
use crate::scalar::DateTime;

/// Body of the operation that publishes events.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishEvents {
    /// Events, in the order they happened.
    pub events: Vec<PublishEvent>,
}

/// One event of the host product.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishEvent {
    /// Id chosen by the host; an event with a known id is reported as a duplicate and not sent again.
    #[serde(default)]
    pub id: Option<String>,
    /// Code of a subject in the catalogue.
    pub subject: String,
    /// Code of an event type of that subject.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Permission context the event belongs to; global when absent.
    #[serde(default)]
    pub context: Option<PermissionContextIdentifier>,
    /// When it happened; now when absent.
    #[serde(default)]
    pub occurred_at: Option<DateTime>,
    /// Who did it.
    #[serde(default)]
    pub actor: Option<Value>,
    /// What applications receive; the text is kept as the host wrote it.
    #[schemars(with = "serde_json::Map<String, Value>")]
    pub payload: Box<RawValue>,
    /// What subscription filters look at; the payload when absent.
    #[serde(default)]
    pub attributes: Option<Value>,
}

/// Body of the operation that hands a user over to the pages.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewSession {
    /// Who is signed in at the host.
    pub profile: ProfileIdentifier,
    /// Path of this server to go to; the account page when absent.
    #[serde(default)]
    pub path: Option<String>,
}

/// A link that signs a user in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionLink {
    /// Where to send the user's browser. Works once.
    pub url: String,
    /// Until when it works.
    pub expires_at: DateTime,
}

/// Answer to published events, in the order of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishResults {
    /// One result for each event.
    pub results: Vec<PublishResult>,
}

/// What became of one published event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PublishResult {
    /// Id of the event, the host's own where it gave one.
    pub id: String,
    /// Whether the event was new.
    pub status: PublishStatus,
    /// Number of deliveries the event causes.
    pub deliveries: u32,
}

/// Whether a published event was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PublishStatus {
    /// The event is stored with its deliveries.
    Accepted,
    /// An event with this id is stored already; nothing was done.
    Duplicate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_keeps_its_text() {
        let event: PublishEvent =
            serde_json::from_str(r#"{"subject":"Issue","type":"Issue.Created","payload":{"b":1.50,"a":2}}"#).unwrap();
        assert_eq!(event.payload.get(), r#"{"b":1.50,"a":2}"#);
        assert_eq!(event.event_type, "Issue.Created");
    }

    #[test]
    fn a_payload_is_described_as_an_object() {
        let schema = serde_json::to_value(schemars::schema_for!(PublishEvent)).unwrap();
        assert_eq!(schema["properties"]["payload"]["type"], "object");
    }
}

/// Whether an application keeps its refresh tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshTokenPolicy {
    /// Which refresh tokens are used once, each use bringing the next.
    pub rotation: RefreshRotation,
}

/// Which refresh tokens are used once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefreshRotation {
    /// Those of clients without a secret; the SDKs of Space use the others again and again.
    PublicClients,
    /// All of them.
    AllClients,
}

/// How long the secret before the present one stays valid.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretOverlap {
    /// Until when; null when only the present one is valid.
    pub valid_until: Option<DateTime>,
}

/// A key pair that signs what an application is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationPublicKey {
    /// Its id, `kid` in the published keys.
    pub key_id: String,
    /// When it was made and published.
    pub created_at: DateTime,
    /// Whether it signs.
    pub state: PublicKeyState,
    /// From when on it signs.
    pub signs_from: DateTime,
    /// When it is not published any more; null while no newer one signs.
    pub retires_at: Option<DateTime>,
}

/// Whether a key pair signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PublicKeyState {
    /// Not yet: it is published, so that those who keep keys know it in time.
    Waits,
    /// It does.
    Signs,
    /// Not any more: it is published for those who verify what was signed before.
    Retires,
}

/// How a key pair is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RotatePublicKey {
    /// Whether the new one signs at once and the others are taken away, because they may be known to somebody else.
    pub immediately: bool,
}

/// What verifies the asymmetric signatures of Standard Webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StandardWebhooksKey {
    /// The Ed25519 public key in the form `whpk_…`; null when the application has no key pair.
    pub public_key: Option<String>,
}
