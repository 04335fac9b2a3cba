//! Payloads: what applications receive.

use serde_json::Value;

/// A webhook request around an event's canonical payload, put together without reading it again.
///
/// Keys are in the order of the recorded request of 2024 (semantics 3.6).
pub fn webhook_request(client_id: &str, webhook_id: &str, payload: &str) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    format!(
        r#"{{"className":"WebhookRequestPayload","clientId":{},"payload":{payload},"verificationToken":null,"webhookId":{}}}"#,
        quoted(client_id),
        quoted(webhook_id)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::canonical;

    #[test]
    fn the_envelope_is_canonical() {
        let body = webhook_request("c-1", "w1", r#"{"className":"PingWebhookEvent","webhookName":"Grüße 🎉 </x>"}"#);
        assert_eq!(canonical(&body).unwrap(), body);
    }
}
