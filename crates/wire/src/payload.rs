//! Payloads: what applications receive.

use std::borrow::Cow;

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

    /// The body around an event's canonical payload, without what is withheld of the payload. Without fields and template
    /// and when nothing is withheld it is put together without reading it.
    pub fn body(
        &self,
        client_id: &str,
        webhook_id: &str,
        payload: &str,
        verification_token: Option<&str>,
        withheld: &Withheld,
    ) -> String {
        let open = match withheld.is_empty() {
            true => Cow::Borrowed(payload),
            // What cannot be read is withheld whole.
            false => Cow::Owned(project(payload, None, withheld).unwrap_or_else(|| "{}".to_owned())),
        };
        match self {
            Self::Template(template) => template.render(&open),
            Self::Whole => webhook_request(client_id, webhook_id, &open, verification_token),
            // From the payload as it is: only what was wanted is reported as withheld.
            Self::Fields(selection) => {
                let whole = webhook_request(client_id, webhook_id, payload, verification_token);
                project(&whole, Some(selection), &withheld.below("payload"))
                    .unwrap_or_else(|| webhook_request(client_id, webhook_id, &open, verification_token))
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

    #[test]
    fn no_form_shows_what_is_withheld() {
        let payload = r#"{"className":"OrderEvent","order":{"id":"o1","price":7},"lines":[{"price":3}]}"#;
        let withheld = Withheld::of_paths(["order.price", "lines.price"]);
        let body = |form: PayloadForm| Shape::parse(&form).unwrap().body("c", "w", payload, None, &withheld);
        let error = r#""$errors":[{"className":"HA_InlineError.InaccessibleFields","fields":["price"],"message":"Could not access following fields: 'price'."}]"#;
        let whole = format!(
            r#"{{"className":"WebhookRequestPayload","clientId":"c","payload":{{"className":"OrderEvent","order":{{"id":"o1",{error}}},"lines":[{{{error}}}]}},"verificationToken":null,"webhookId":"w"}}"#
        );
        assert_eq!(body(PayloadForm::Whole), whole);
        assert_eq!(canonical(&whole).unwrap(), whole);
        let fields = |text: &str| body(PayloadForm::Fields(text.to_owned()));
        assert_eq!(
            fields("payload(order(id,price))"),
            format!(
                r#"{{"className":"WebhookRequestPayload","payload":{{"className":"OrderEvent","order":{{"id":"o1",{error}}}}}}}"#
            )
        );
        assert_eq!(fields("payload(order(price))").matches(error).count(), 1);
        let unasked =
            r#"{"className":"WebhookRequestPayload","payload":{"className":"OrderEvent","order":{"id":"o1"}}}"#;
        assert_eq!(fields("payload(order(id))"), unasked);
        let template = "{{order.price}}|{{json order.price}}|{{order.id}}|{{order}}|{{lines}}";
        let made = body(PayloadForm::Template(template.to_owned()));
        assert_eq!(made, format!(r#"|null|o1|{{"id":"o1",{error}}}|[{{{error}}}]"#));
    }

    #[test]
    fn a_payload_that_cannot_be_read_is_withheld_whole() {
        let withheld = Withheld::of_paths(["a"]);
        let selection = Selection::parse("payload").unwrap();
        for shape in [Shape::Whole, Shape::Fields(selection)] {
            assert!(!shape.body("c", "w", "[secret", None, &withheld).contains("secret"));
        }
    }
}
