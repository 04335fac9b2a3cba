//! Payloads: what applications receive.

use serde_json::Value;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::webhook::PayloadForm;

use crate::fields::Selection;
use crate::payload_fields::{Withheld, project};
use crate::template::Template;

/// What is made of a webhook request before it is sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Shape {
    /// Nothing.
    #[default]
    Whole,
    /// Only these fields are kept.
    Fields(Selection),
    /// It is replaced by what a template makes of its event.
    Template(Template),
}

impl Shape {
    /// Reads the setting of a webhook.
    ///
    /// # Errors
    /// Names the setting, what is wrong, and at which character.
    pub fn parse(form: &PayloadForm) -> Result<Self, Invalid> {
        match form {
            PayloadForm::Whole => Ok(Self::Whole),
            PayloadForm::Fields(text) => {
                Selection::parse(text).map(Self::Fields).map_err(|fault| fault.within("payloadFields"))
            }
            PayloadForm::Template(text) => {
                Template::parse(text).map(Self::Template).map_err(|fault| fault.within("payloadTemplate"))
            }
        }
    }

    /// The body around an event's canonical payload. Without fields and template it is put together without reading it.
    pub fn body(&self, client_id: &str, webhook_id: &str, payload: &str, verification_token: Option<&str>) -> String {
        match self {
            Self::Template(template) => template.render(payload),
            Self::Whole => webhook_request(client_id, webhook_id, payload, verification_token),
            Self::Fields(selection) => {
                let whole = webhook_request(client_id, webhook_id, payload, verification_token);
                project(&whole, Some(selection), &Withheld::default()).unwrap_or(whole)
            }
        }
    }
}

/// A webhook request around an event's canonical payload, put together without reading it again.
///
/// Keys are in the order of the recorded request of 2024 (semantics 3.6). The verification token is null for all but
/// old applications.
pub fn webhook_request(client_id: &str, webhook_id: &str, payload: &str, verification_token: Option<&str>) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    format!(
        r#"{{"className":"WebhookRequestPayload","clientId":{},"payload":{payload},"verificationToken":{},"webhookId":{}}}"#,
        quoted(client_id),
        verification_token.map_or_else(|| "null".to_owned(), quoted),
        quoted(webhook_id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::canonical;

    #[test]
    fn the_envelope_is_canonical() {
        let payload = r#"{"className":"PingWebhookEvent","webhookName":"Grüße 🎉 </x>"}"#;
        for (token, shown) in [(None, "null"), (Some("t"), r#""t""#)] {
            let body = webhook_request("c-1", "w1", payload, token);
            assert_eq!(canonical(&body).unwrap(), body);
            assert!(body.contains(&format!(r#""verificationToken":{shown},"webhookId""#)), "{body}");
        }
    }
}
