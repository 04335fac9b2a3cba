//! Payloads: what applications receive.

use serde_json::Value;

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
