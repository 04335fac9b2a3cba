//! Webhooks: where the events of subscriptions are sent, and how.

use crate::application::{AuthenticationMethod, Endpoint, MAX_NAME, MAX_TEXT, web_url};
use crate::id::{ApplicationId, WebhookId};
use crate::invalid::{Invalid, text_length};
use crate::sending::{self, Sending};
use crate::time::Timestamp;

/// Most webhooks of an application, archived ones not counted.
pub const MAX_WEBHOOKS: i64 = 1_000;
/// Most subscriptions of a webhook.
pub const MAX_SUBSCRIPTIONS: usize = 100;
/// Most status codes that count as success besides every 2xx.
pub const MAX_CODES: usize = 100;

/// A webhook of an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Webhook {
    /// The id.
    pub id: WebhookId,
    /// Whose.
    pub application: ApplicationId,
    /// What people read.
    pub name: String,
    /// Purpose.
    pub description: Option<String>,
    /// Own endpoint; `None` follows the application's.
    pub endpoint: Option<Endpoint>,
    /// Own authentication; `None` follows the application's.
    pub authentication: Option<AuthenticationMethod>,
    /// Name of the keystore with the client certificate, beside its own authentication; without own
    /// authentication the application's is used.
    pub ssl_keystore: Option<String>,
    /// What the bodies of its requests hold.
    pub payload: PayloadForm,
    /// Whether events are delivered.
    pub enabled: bool,
    /// Status codes that mean success besides every 2xx.
    pub accepted_codes: Vec<u16>,
    /// Whether a failed delivery is sent again.
    pub retries: bool,
    /// Resends, order and pace, beside the original settings.
    pub sending: Sending,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is archived; `None` while active.
    pub archived_at: Option<Timestamp>,
    /// Counts changes of what deliveries depend on.
    pub revision: i64,
}

/// What the bodies of a webhook's requests hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum PayloadForm {
    /// The whole request.
    #[default]
    Whole,
    /// The fields of the request that this expression names.
    Fields(String),
    /// What this template makes of the event.
    Template(String),
}

impl PayloadForm {
    /// From the two texts that the API and the database have for it.
    ///
    /// # Errors
    /// When both are given.
    pub fn new(fields: Option<String>, template: Option<String>) -> Result<Self, Invalid> {
        match (fields.filter(|text| !text.is_empty()), template.filter(|text| !text.is_empty())) {
            (Some(_), Some(_)) => Err(Invalid::new("payloadTemplate", "must not be given together with payloadFields")),
            (Some(fields), None) => Ok(Self::Fields(fields)),
            (None, Some(template)) => Ok(Self::Template(template)),
            (None, None) => Ok(Self::Whole),
        }
    }

    /// The expression.
    pub fn fields(&self) -> Option<&str> {
        match self {
            Self::Fields(fields) => Some(fields),
            Self::Whole | Self::Template(_) => None,
        }
    }

    /// The template.
    pub fn template(&self) -> Option<&str> {
        match self {
            Self::Template(template) => Some(template),
            Self::Whole | Self::Fields(_) => None,
        }
    }
}

/// Checks the texts, URL and codes of a webhook before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(webhook: &Webhook) -> Result<(), Invalid> {
    text_length("name", webhook.name.trim(), 1, MAX_NAME)?;
    if let Some(description) = &webhook.description {
        text_length("description", description, 0, MAX_TEXT)?;
    }
    if let Some(endpoint) = &webhook.endpoint {
        web_url("endpoint.url", &endpoint.url)?;
    }
    sending::check(&webhook.sending)?;
    if webhook.accepted_codes.len() > MAX_CODES {
        return Err(Invalid::new("acceptedHttpResponseCodes", format!("must hold at most {MAX_CODES} codes")));
    }
    match webhook.accepted_codes.iter().find(|code| !(100..=599).contains(*code)) {
        Some(code) => {
            Err(Invalid::new("acceptedHttpResponseCodes", format!("must hold HTTP status codes, not {code}")))
        }
        None => Ok(()),
    }
}

/// Refuses changes of a webhook that is archived.
///
/// # Errors
/// Says how to bring it back.
pub fn require_active(webhook: &Webhook) -> Result<(), Invalid> {
    match webhook.archived_at {
        None => Ok(()),
        Some(_) => Err(Invalid::new("", "The webhook is archived; restore it first")),
    }
}
