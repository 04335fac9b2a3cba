//! The audit trail as administrators read it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::scalar::DateTime;

/// One change that somebody made.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Id of the entry.
    pub id: String,
    /// When.
    pub at: DateTime,
    /// Who.
    pub actor: AuditActor,
    /// How the actor proved who he is; null for what the server did by itself.
    pub credential: Option<AuditCredential>,
    /// Through which stored token, if through one.
    pub token: Option<AuditName>,
    /// The application that the person's access token was issued to, if a person acted through one.
    pub through_application: Option<AuditName>,
    /// Which operation, such as `api.application.update`.
    pub operation: String,
    /// Id of the request, as logs and the header `x-request-id` show it; null for what the server did by itself.
    pub request_id: Option<String>,
    /// What was changed.
    pub target: AuditTarget,
    /// The application it belongs to.
    pub application: Option<AuditName>,
    /// How it changed.
    pub changes: Vec<AuditChange>,
    /// What the actor said about it.
    pub comment: Option<String>,
}

/// Who made a change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditActor {
    /// What kind of actor.
    pub kind: AuditActorKind,
    /// Id of the profile or application; null when nobody had signed in.
    pub id: Option<String>,
    /// Name of the person or application now; null when it is gone.
    pub name: Option<String>,
}

/// Kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum AuditActorKind {
    /// A person.
    Profile,
    /// An application.
    Application,
    /// Nobody who had signed in, or the server by itself.
    Nobody,
}

/// How an actor proved who he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub enum AuditCredential {
    /// An access token.
    AccessToken,
    /// A permanent token.
    PermanentToken,
    /// A session of a browser.
    Session,
}

/// Something with an id and a name.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditName {
    /// Its id.
    pub id: String,
    /// Its name now; null when it is gone.
    pub name: Option<String>,
}

/// What was changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditTarget {
    /// What kind of thing, such as `application`, `webhook`, `profile`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// One field's change.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditChange {
    /// The field, as the API names it.
    pub field: String,
    /// Value before; null when there was none, and for secrets.
    pub old: Option<String>,
    /// Value after; null when there is none, and for secrets.
    pub new: Option<String>,
    /// Whether the values are secret and therefore not kept.
    pub secret: bool,
}
