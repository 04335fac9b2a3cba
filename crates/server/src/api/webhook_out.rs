//! Webhooks and subscriptions as the API shows them.

use spaceport_platform::application::{Application, AuthenticationMethod};
use spaceport_platform::id::WebhookId;
use spaceport_platform::subscription::Subscription;
use spaceport_platform::webhook::Webhook;
use spaceport_store::{LastAttempt, StoreError, Tx};
use spaceport_wire::application::EsApp;
use spaceport_wire::scalar::DateTime;
use spaceport_wire::webhook::{
    DeliveryClientError, FullWebhook, GenericSubscription, Subscription as SubscriptionOut, WebhookDeliveryStatus,
    WebhookRecord,
};

use crate::api::application_out::{authentication_out, endpoint_out, out};

/// One webhook with its subscriptions.
///
/// # Errors
/// When the database fails.
pub fn record(
    tx: &mut Tx<'_>,
    application: &Application,
    webhook: &Webhook,
    subscriptions: &[Subscription],
) -> Result<WebhookRecord, StoreError> {
    let shown = out::<StoreError>(tx, application)?;
    Ok(webhook_out(application, shown, webhook, subscriptions))
}

/// Webhooks with the status of their last delivery.
///
/// # Errors
/// When the database fails.
pub fn full(tx: &mut Tx<'_>, application: &Application, webhooks: &[Webhook]) -> Result<Vec<FullWebhook>, StoreError> {
    let ids: Vec<WebhookId> = webhooks.iter().map(|webhook| webhook.id.clone()).collect();
    let shown = out::<StoreError>(tx, application)?;
    let subscriptions = tx.subscriptions(&ids)?;
    let attempts = tx.last_attempts(&ids)?;
    let full = |webhook: &Webhook| {
        let own: Vec<Subscription> =
            subscriptions.iter().filter(|known| known.webhook == webhook.id).cloned().collect();
        FullWebhook {
            webhook: webhook_out(application, shown.clone(), webhook, &own),
            status: attempts.iter().find(|attempt| attempt.webhook == webhook.id).map(status_out),
        }
    };
    Ok(webhooks.iter().map(full).collect())
}

fn webhook_out(
    application: &Application,
    shown: EsApp,
    webhook: &Webhook,
    subscriptions: &[Subscription],
) -> WebhookRecord {
    let endpoint = webhook.endpoint.as_ref().or(application.endpoint.as_ref());
    let (method, keystore) = authenticated(application, webhook);
    WebhookRecord {
        id: webhook.id.to_string(),
        archived: webhook.archived_at.is_some(),
        app: Box::new(shown),
        subscriptions: subscriptions.iter().map(subscription_out).collect(),
        name: webhook.name.clone(),
        description: webhook.description.clone(),
        use_app_endpoint: webhook.endpoint.is_none(),
        endpoint: endpoint_out(endpoint),
        use_app_endpoint_auth: webhook.authentication.is_none(),
        endpoint_auth: authentication_out(method, keystore),
        enabled: webhook.enabled,
        accepted_http_response_codes: webhook.accepted_codes.clone(),
        do_retries: webhook.retries,
        payload_fields: None,
        payload_template: None,
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

/// A subscription.
pub fn subscription_out(subscription: &Subscription) -> SubscriptionOut {
    SubscriptionOut {
        id: subscription.id.to_string(),
        name: subscription.name.clone(),
        enabled: subscription.enabled,
        subscription: GenericSubscription {
            subject_code: subscription.subject.clone(),
            filters: Vec::new(),
            event_type_codes: subscription.event_types.clone(),
        },
        application: None,
        requested_authentication: None,
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
