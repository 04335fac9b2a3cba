//! How far an installation has come: the payloads that were sent to an application, and how the application does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::application::AppConnectionStatus;
use crate::application_payload::{ActionResult, Command};
use crate::delivery::StateName;
use crate::identifier::PermissionContextIdentifier;
use crate::right::PermissionIdentifier;
use crate::scalar::DateTime;

/// A payload that is no event, on its way to an application. What it says is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentPayload {
    /// Its id; the application gets it as `X-Space-Delivery-Id`.
    pub id: String,
    /// Class of the payload.
    #[serde(rename = "className")]
    #[schemars(rename = "className")]
    pub class_name: String,
    /// Where it stands.
    pub state: StateName,
    /// How often it was sent.
    pub attempts: u32,
    /// When it was made.
    pub created_at: DateTime,
    /// When it is sent next; null unless it waits.
    pub next_attempt_at: Option<DateTime>,
    /// When it ended; null until then.
    pub finished_at: Option<DateTime>,
    /// What came of the last attempt; null before the first has ended.
    pub last_attempt: Option<SentPayloadAttempt>,
}

/// What came of an attempt to send a payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentPayloadAttempt {
    /// When it began.
    pub at: DateTime,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// Status of the answer; null when none came.
    pub status: Option<u16>,
    /// What kept the answer away, such as `timeout`, `connect`, `untrusted_certificate`; null when one came.
    pub error: Option<String>,
    /// The same in words, with what can be done about it.
    pub message: Option<String>,
}

/// How an application does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationHealth {
    /// When the application last reported itself healthy; null when it never did.
    pub healthy_at: Option<DateTime>,
    /// What it last reported as its problem.
    pub error_message: Option<String>,
    /// When it last signed in with its client secret.
    pub last_signed_in_at: Option<DateTime>,
    /// How far connecting has come; null for an application that lives here alone.
    pub connection_status: Option<AppConnectionStatus>,
    /// Whether the certificate of its endpoint is checked.
    pub ssl_verification: bool,
    /// The last payload that it was sent, besides events.
    pub last_payload: Option<SentPayload>,
}

/// What came of asking an endpoint whether it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndpointCheck {
    /// Whether it answered with a status of success.
    pub answered: bool,
    /// What came of it.
    pub attempt: SentPayloadAttempt,
}

/// What an application asks for and nobody has answered yet.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ApplicationApprovals")]
#[serde(rename_all = "camelCase")]
pub struct Approvals {
    /// Rights, by place and code.
    pub rights: Vec<RequestedRight>,
    /// Domains whose links it wants to preview.
    pub unfurl_domains: Vec<RequestedUnfurlDomain>,
    /// Patterns of ids that it wants to preview.
    pub unfurl_patterns: Vec<RequestedUnfurlPattern>,
}

/// A domain whose links an application wants to preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestedUnfurlDomain {
    /// The domain.
    pub domain: String,
    /// Whether the caller may say yes or no.
    pub may_answer: bool,
}

/// A pattern of ids that an application wants to preview.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestedUnfurlPattern {
    /// Text that ids begin with.
    pub prefix: String,
    /// URL that they stand for.
    pub link_replacement: String,
    /// Whether the caller may say yes or no.
    pub may_answer: bool,
}

/// A right that an application asked for.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestedRight {
    /// Where.
    pub context_identifier: PermissionContextIdentifier,
    /// Which.
    pub right_code: PermissionIdentifier,
    /// In words.
    pub name: String,
    /// Whether the caller may say yes.
    pub may_approve: bool,
    /// Whether the caller may say no.
    pub may_reject: bool,
}

/// Answers to what an application asks for.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AnswerApprovals {
    /// Whether everything is approved that the caller may approve and that is not rejected here.
    pub approve_all: bool,
    /// What is approved.
    pub approve: Vec<NamedRight>,
    /// What is rejected.
    pub reject: Vec<NamedRight>,
    /// Domains that are approved.
    pub approve_unfurl_domains: Vec<String>,
    /// Domains that are rejected.
    pub reject_unfurl_domains: Vec<String>,
    /// Patterns that are approved, by prefix.
    pub approve_unfurl_patterns: Vec<String>,
    /// Patterns that are rejected, by prefix.
    pub reject_unfurl_patterns: Vec<String>,
    /// Why, for the audit trail.
    pub comment: Option<String>,
}

/// A right in a place.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedRight {
    /// Where.
    pub context_identifier: PermissionContextIdentifier,
    /// Which.
    pub right_code: PermissionIdentifier,
}

/// What came of a payload that the host had sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HostPayloadResult {
    /// Where nobody waits: the payload is stored, and sent until it is accepted or the tries end.
    pub stored: bool,
    /// Where a person waits: what came of the call.
    pub attempt: Option<SentPayloadAttempt>,
    /// What to tell the person; whatever went wrong is a failure with a text for him.
    pub result: Option<ActionResult>,
    /// The commands of a chat bot, when it was asked for them and answered.
    pub commands: Option<Vec<Command>>,
}
