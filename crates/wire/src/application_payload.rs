//! What an application's endpoint receives: the seventeen payload classes (wire-protocol 5.2), complete and canonical.
//!
//! Events travel in a `WebhookRequestPayload` too, but theirs are put together from text that is canonical already,
//! in [`crate::payload`].

mod action;
mod extension;
mod identifier;
mod lifecycle;
mod message;
mod unfurl;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::invalid::Invalid;

pub use self::action::{ActionResult, Command, Commands, MenuActionPayload, PermissionsToRequest};
pub use self::action::{CustomActionPayload, ListCommandsPayload, MenuActionContext, ParameterValue};
pub use self::extension::{
    CreateExternalIssueRequestPayload, NewExternalIssueEventPayload, SafeMergeCommand, SafeMergeCommandPayload,
};
pub use self::identifier::IdentifierObject;
pub use self::lifecycle::{
    AppPublicationCheckPayload, ApplicationUninstalledPayload, ChangeClientSecretPayload, ChangeServerUrlPayload,
    InitPayload, RefreshTokenPayload, WebhookRequestPayload,
};
pub use self::message::{ChatMessage, MessageActionPayload, MessageContext, MessagePayload};
pub use self::unfurl::{NewUnfurlQueueItemsPayload, UnfurlActionPayload, UnfurlContext};
use crate::canonical::canonical;

/// For whom a payload is; the server fills it in when it sends.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recipient {
    /// Client id of the application.
    #[serde(default)]
    pub client_id: String,
    /// Null for all but old applications.
    #[serde(default)]
    pub verification_token: Option<String>,
}

/// A payload. What it holds besides its recipient is what its class says.
// No Debug: some hold secrets.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className")]
#[expect(missing_docs, reason = "each variant is documented by its content")]
pub enum ApplicationPayload {
    InitPayload(InitPayload),
    ChangeClientSecretPayload(ChangeClientSecretPayload),
    ChangeServerUrlPayload(ChangeServerUrlPayload),
    RefreshTokenPayload(RefreshTokenPayload),
    ApplicationUninstalledPayload(ApplicationUninstalledPayload),
    AppPublicationCheckPayload(AppPublicationCheckPayload),
    ListCommandsPayload(ListCommandsPayload),
    MessagePayload(MessagePayload),
    MessageActionPayload(MessageActionPayload),
    MenuActionPayload(MenuActionPayload),
    UnfurlActionPayload(UnfurlActionPayload),
    NewUnfurlQueueItemsPayload(NewUnfurlQueueItemsPayload),
    WebhookRequestPayload(WebhookRequestPayload),
    NewExternalIssueEventPayload(NewExternalIssueEventPayload),
    CreateExternalIssueRequestPayload(CreateExternalIssueRequestPayload),
    CustomActionPayload(CustomActionPayload),
    SafeMergeCommandPayload(SafeMergeCommandPayload),
}

impl ApplicationPayload {
    /// Its class.
    pub const fn class(&self) -> PayloadClass {
        match self {
            Self::InitPayload(_) => PayloadClass::Init,
            Self::ChangeClientSecretPayload(_) => PayloadClass::ChangeClientSecret,
            Self::ChangeServerUrlPayload(_) => PayloadClass::ChangeServerUrl,
            Self::RefreshTokenPayload(_) => PayloadClass::RefreshToken,
            Self::ApplicationUninstalledPayload(_) => PayloadClass::ApplicationUninstalled,
            Self::AppPublicationCheckPayload(_) => PayloadClass::AppPublicationCheck,
            Self::ListCommandsPayload(_) => PayloadClass::ListCommands,
            Self::MessagePayload(_) => PayloadClass::Message,
            Self::MessageActionPayload(_) => PayloadClass::MessageAction,
            Self::MenuActionPayload(_) => PayloadClass::MenuAction,
            Self::UnfurlActionPayload(_) => PayloadClass::UnfurlAction,
            Self::NewUnfurlQueueItemsPayload(_) => PayloadClass::NewUnfurlQueueItems,
            Self::WebhookRequestPayload(_) => PayloadClass::WebhookRequest,
            Self::NewExternalIssueEventPayload(_) => PayloadClass::NewExternalIssueEvent,
            Self::CreateExternalIssueRequestPayload(_) => PayloadClass::CreateExternalIssueRequest,
            Self::CustomActionPayload(_) => PayloadClass::CustomAction,
            Self::SafeMergeCommandPayload(_) => PayloadClass::SafeMergeCommand,
        }
    }

    /// For whom it is; the publication check is for nobody in particular.
    fn recipient_mut(&mut self) -> Option<&mut Recipient> {
        Some(match self {
            Self::AppPublicationCheckPayload(_) => return None,
            Self::InitPayload(payload) => &mut payload.recipient,
            Self::ChangeClientSecretPayload(payload) => &mut payload.recipient,
            Self::ChangeServerUrlPayload(payload) => &mut payload.recipient,
            Self::RefreshTokenPayload(payload) => &mut payload.recipient,
            Self::ApplicationUninstalledPayload(payload) => &mut payload.recipient,
            Self::ListCommandsPayload(payload) => &mut payload.recipient,
            Self::MessagePayload(payload) => &mut payload.recipient,
            Self::MessageActionPayload(payload) => &mut payload.recipient,
            Self::MenuActionPayload(payload) => &mut payload.recipient,
            Self::UnfurlActionPayload(payload) => &mut payload.recipient,
            Self::NewUnfurlQueueItemsPayload(payload) => &mut payload.recipient,
            Self::WebhookRequestPayload(payload) => &mut payload.recipient,
            Self::NewExternalIssueEventPayload(payload) => &mut payload.recipient,
            Self::CreateExternalIssueRequestPayload(payload) => &mut payload.recipient,
            Self::CustomActionPayload(payload) => &mut payload.recipient,
            Self::SafeMergeCommandPayload(payload) => &mut payload.recipient,
        })
    }

    /// The body for this recipient: canonical, so that it survives being parsed and printed by JavaScript.
    ///
    /// # Errors
    /// Names the place of what JavaScript would change, which only what came from outside can hold.
    pub fn body_for(mut self, recipient: Recipient) -> Result<String, Invalid> {
        if let Some(place) = self.recipient_mut() {
            *place = recipient;
        }
        canonical(&self.to_stored())
    }

    /// The body as a log may show it: like [`Self::body_for`], with `mask` in place of secrets, and of the state of an
    /// installation, which means something to the application alone.
    ///
    /// # Errors
    /// Those of [`Self::body_for`].
    pub fn masked_body_for(mut self, mut recipient: Recipient, mask: &str) -> Result<String, Invalid> {
        let mut secrets: Vec<&mut String> = Vec::new();
        match &mut self {
            Self::InitPayload(payload) => {
                secrets.push(&mut payload.client_secret);
                secrets.extend(payload.state.as_mut());
            }
            Self::ChangeClientSecretPayload(payload) => secrets.push(&mut payload.new_client_secret),
            Self::RefreshTokenPayload(payload) => secrets.push(&mut payload.refresh_token),
            // Named one by one, so that a new class has to be thought about.
            Self::ChangeServerUrlPayload(_)
            | Self::ApplicationUninstalledPayload(_)
            | Self::AppPublicationCheckPayload(_)
            | Self::ListCommandsPayload(_)
            | Self::MessagePayload(_)
            | Self::MessageActionPayload(_)
            | Self::MenuActionPayload(_)
            | Self::UnfurlActionPayload(_)
            | Self::NewUnfurlQueueItemsPayload(_)
            | Self::WebhookRequestPayload(_)
            | Self::NewExternalIssueEventPayload(_)
            | Self::CreateExternalIssueRequestPayload(_)
            | Self::CustomActionPayload(_)
            | Self::SafeMergeCommandPayload(_) => {}
        }
        secrets.extend(recipient.verification_token.as_mut());
        for secret in secrets {
            mask.clone_into(secret);
        }
        self.body_for(recipient)
    }

    /// The text under which it is stored.
    pub fn to_stored(&self) -> String {
        // Keys are texts and numbers are finite, so nothing can fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The inverse of [`Self::to_stored`].
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn from_stored(text: &str) -> Result<Self, Invalid> {
        serde_json::from_str(text)
            .map_err(|fault| Invalid::new("payload", format!("is none of the known ones: {fault}")))
    }
}

#[cfg(test)]
#[path = "application_payload/tests.rs"]
mod tests;
