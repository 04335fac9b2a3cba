//! Webhooks as the API shows them.

use spaceport_platform::application::{Application, AuthenticationMethod, VerificationToken};
use spaceport_platform::id::WebhookId;
use spaceport_platform::webhook::{PayloadForm, Webhook};
use spaceport_store::{LastAttempt, StoreError, Tx};
use spaceport_wire::application::{EndpointAuth, EsApp};
use spaceport_wire::scalar::DateTime;
use spaceport_wire::webhook::{
    DeliveryClientError, FullWebhook, PayloadType, Subscription as SubscriptionOut, WebhookDeliveryStatus,
    WebhookRecord,
};

use crate::api::application_out::{authentication_out, endpoint_out, out};
use crate::api::subscription_out::Shown;

/// One webhook with its subscriptions.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &mut Tx<'_>, shown: Shown<'_>, webhook: &Webhook) -> Result<WebhookRecord, StoreError> {
    let subscriptions = tx.subscriptions(std::slice::from_ref(&webhook.id))?;
    let subscriptions = shown.all(tx, &subscriptions)?;
    let application = out::<StoreError>(tx, shown.caller, shown.application)?;
    Ok(webhook_out(shown.application, application, webhook, subscriptions))
}

/// Webhooks with the status of their last delivery.
///
/// # Errors
/// When the database fails.
pub fn full(tx: &mut Tx<'_>, shown: Shown<'_>, webhooks: &[Webhook]) -> Result<Vec<FullWebhook>, StoreError> {
    let ids: Vec<WebhookId> = webhooks.iter().map(|webhook| webhook.id.clone()).collect();
    let application = out::<StoreError>(tx, shown.caller, shown.application)?;
    let stored = tx.subscriptions(&ids)?;
    let subscriptions = shown.all(tx, &stored)?;
    let attempts = tx.last_attempts(&ids)?;
    let full = |webhook: &Webhook| {
        let own = stored.iter().zip(&subscriptions).filter(|(known, _)| known.webhook == webhook.id);
        let own = own.map(|(_, shown)| shown.clone()).collect();
        FullWebhook {
            webhook: webhook_out(shown.application, application.clone(), webhook, own),
            status: attempts.iter().find(|attempt| attempt.webhook == webhook.id).map(status_out),
        }
    };
    Ok(webhooks.iter().map(full).collect())
}

fn webhook_out(
    application: &Application,
    shown: EsApp,
    webhook: &Webhook,
    subscriptions: Vec<SubscriptionOut>,
) -> WebhookRecord {
    let endpoint = webhook.endpoint.as_ref().or(application.endpoint.as_ref());
    let (method, keystore) = authenticated(application, webhook);
    WebhookRecord {
        id: webhook.id.to_string(),
        archived: webhook.archived_at.is_some(),
        app: Box::new(shown),
        subscriptions,
        name: webhook.name.clone(),
        description: webhook.description.clone(),
        use_app_endpoint: webhook.endpoint.is_none(),
        endpoint: endpoint_out(endpoint),
        use_app_endpoint_auth: webhook.authentication.is_none(),
        endpoint_auth: EndpointAuth {
            verification_token: application.verification_token == VerificationToken::Sent,
            ..authentication_out(method, keystore)
        },
        enabled: webhook.enabled,
        accepted_http_response_codes: webhook.accepted_codes.clone(),
        do_retries: webhook.retries,
        payload_fields: webhook.payload.fields().map(str::to_owned),
        payload_template: webhook.payload.template().map(str::to_owned),
        payload_type: match webhook.payload {
            PayloadForm::Whole => None,
            PayloadForm::Fields(_) => Some(PayloadType::FieldSelection),
            PayloadForm::Template(_) => Some(PayloadType::StringTemplate),
        },
    }
}

/// The method and the keystore that count for a webhook: its own, or both of the application.
pub fn authenticated<'a>(
    application: &'a Application,
    webhook: &'a Webhook,
) -> (&'a AuthenticationMethod, Option<&'a str>) {
    match &webhook.authentication {
        Some(method) => (method, webhook.ssl_keystore.as_deref()),
        None => (&application.authentication, application.ssl_keystore.as_deref()),
    }
}

fn status_out(attempt: &LastAttempt) -> WebhookDeliveryStatus {
    let (delivery_id, sent_time) = (attempt.delivery.to_string(), DateTime(attempt.started_at));
    match (attempt.status, attempt.error_kind.as_deref()) {
        (Some(response_code), _) if attempt.delivered => {
            WebhookDeliveryStatus::Successful { delivery_id, response_code, sent_time }
        }
        (Some(response_code), _) => {
            let message = format!("The endpoint answered with status {response_code}");
            WebhookDeliveryStatus::FailedDelivery { delivery_id, response_code, message, sent_time }
        }
        (None, Some("internal") | None) => WebhookDeliveryStatus::InternalError { delivery_id, sent_time },
        (None, Some(kind)) => WebhookDeliveryStatus::ExpectedHttpClientError {
            client_error: DeliveryClientError {
                class_name: kind.to_owned(),
                message: attempt.message.clone(),
                cause_class_name: Some(kind.to_owned()),
                cause_message: attempt.message.clone(),
            },
            delivery_id,
            sent_time,
        },
    }
}
