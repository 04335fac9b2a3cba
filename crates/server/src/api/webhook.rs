//! `/api/http/applications/{application}/webhooks`: where events go.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::application::{AuthenticationMethod, ChosenAuthentication, Endpoint, SecretKind};
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::{Id, WebhookId, random_text};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::secret::Secret;
use spaceport_platform::subscription::{self, Subscription};
use spaceport_platform::webhook::{self, Webhook};
use spaceport_store::StoreError;
use spaceport_wire::batch::Batch;
use spaceport_wire::webhook::{
    CreateWebhook, FullWebhook, Subscription as SubscriptionOut, SubscriptionDefinition, WebhookRecord,
};

use crate::api::application::SECRET_LENGTH;
use crate::api::application_attached::require_keystore;
use crate::api::change::{authentication, check_address};
use crate::api::page::{Page, page_size};
use crate::api::webhook_out::{full, record, subscription_out};
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path, Query};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const WEBHOOKS: &str = "/api/http/applications/{application}/webhooks";
    const WEBHOOK: &str = "/api/http/applications/{application}/webhooks/{webhookId}";
    routes
        .post(WEBHOOKS, "api.webhook.create", "Create webhook", create)
        .get(WEBHOOKS, "api.webhook.list", "Get all webhooks", list)
        .delete(WEBHOOK, "api.webhook.delete", "Delete webhook", delete)
        .get(
            "/api/http/applications/{application}/webhooks/{webhookId}/subscriptions",
            "api.subscription.list",
            "Get all subscriptions",
            subscriptions,
        )
}

/// Creates a webhook, with its subscriptions if any are given.
///
/// # Errors
/// `validation-error` naming the argument.
pub async fn create(
    cx: Cx<OnApplication<EditApplications>>,
    Body(body): Body<CreateWebhook>,
) -> Result<Json<WebhookRecord>, ApiError> {
    let application = cx.access.application.clone();
    if application.archived_at.is_some() {
        return Err(ApiError::validation("The application is archived; restore it first"));
    }
    refuse_unavailable(&body)?;
    let (now, random) = (cx.now(), cx.services.random.as_ref());
    let chosen = match &body.endpoint_auth {
        Some(own) => {
            Some(authentication(&own.app_level_auth).map_err(|fault| fault.within("endpointAuth.appLevelAuth"))?)
        }
        None => None,
    };
    let webhook = Webhook {
        id: Id::generate(now, random),
        application: application.id.clone(),
        name: body.name.trim().to_owned(),
        description: body.description,
        // An endpoint without URL follows the application's (client code sends `{"url":null}`).
        endpoint: body.endpoint.and_then(|own| {
            own.url.filter(|url| !url.is_empty()).map(|url| Endpoint { url, ssl_verification: own.ssl_verification })
        }),
        authentication: chosen.as_ref().map(ChosenAuthentication::method),
        ssl_keystore: body.endpoint_auth.and_then(|own| own.ssl_keystore).map(|named| named.ssl_keystore),
        enabled: body.enabled,
        accepted_codes: body.accepted_http_response_codes.map(|codes| codes.0).unwrap_or_default(),
        retries: body.do_retries,
        created_at: now,
        archived_at: None,
        revision: 1,
    };
    webhook::check(&webhook)?;
    check_address(&cx.services.guard, "endpoint.url", webhook.endpoint.as_ref())?;
    let mut subscriptions = Vec::new();
    for (index, definition) in body.subscriptions.map(|list| list.0).unwrap_or_default().into_iter().enumerate() {
        let made = subscription_in(definition, &webhook.id, Id::generate(now, random));
        let made = made.and_then(|made| subscription::check(&made, &cx.services.catalogue.current()).map(|()| made));
        subscriptions.push(made.map_err(|fault| fault.within(&format!("subscriptions[{index}]")))?);
    }
    let signing_key = Secret::new(random_text(SECRET_LENGTH, random));
    let trail = cx.trail();
    let created = cx
        .write(move |tx| {
            if let Some(name) = &webhook.ssl_keystore {
                require_keystore(tx, "endpointAuth.sslKeystore.sslKeystore", name)?;
            }
            tx.insert_webhook(&webhook, &subscriptions)?;
            if let Some(chosen) = &chosen {
                let owner = webhook.id.as_str();
                tx.set_secret(owner, SecretKind::SigningKey, &signing_key)?;
                if let Some((kind, secret)) = chosen.secret() {
                    tx.set_secret(owner, kind, secret)?;
                }
            }
            let target = AuditTarget::of_application(&application.id, "webhook", webhook.id.as_str());
            trail.record(tx, target, made(&webhook, &subscriptions))?;
            Ok::<_, ApiError>(record(tx, &application, &webhook, &subscriptions)?)
        })
        .await?;
    Ok(Json(created))
}

/// A new webhook as the audit trail tells of it.
fn made(webhook: &Webhook, subscriptions: &[Subscription]) -> Vec<AuditChange> {
    let change = |field, value: Option<&str>| AuditChange::between(field, None, value);
    let url = webhook.endpoint.as_ref().map(|endpoint| endpoint.url.as_str());
    let method = webhook.authentication.as_ref().map(AuthenticationMethod::name);
    let types: Vec<&str> = subscriptions.iter().flat_map(|one| &one.event_types).map(String::as_str).collect();
    let types = (!types.is_empty()).then(|| types.join(", "));
    [
        change("name", Some(&webhook.name)),
        change("endpoint.url", url),
        change("endpointAuth", method),
        change("endpointAuth.sslKeystore", webhook.ssl_keystore.as_deref()),
        change("eventTypeCodes", types.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Arguments whose capability does not exist are refused, not ignored.
fn refuse_unavailable(body: &CreateWebhook) -> Result<(), Invalid> {
    if body.payload_fields.as_ref().is_some_and(|fields| !fields.is_empty()) {
        return Err(Invalid::new("payloadFields", "must be absent: this server sends whole payloads only"));
    }
    if body.payload_template.as_ref().is_some_and(|template| !template.is_empty()) {
        return Err(Invalid::new("payloadTemplate", "must be absent: this server sends whole payloads only"));
    }
    Ok(())
}

fn subscription_in(
    definition: SubscriptionDefinition,
    webhook: &WebhookId,
    id: Id<spaceport_platform::id::SubscriptionKind>,
) -> Result<Subscription, Invalid> {
    if !definition.subscription.filters.0.is_empty() {
        return Err(Invalid::new(
            "subscription.filters",
            "must be empty: this server delivers every event of the subscribed types",
        ));
    }
    Ok(Subscription {
        id,
        webhook: webhook.clone(),
        name: definition.name,
        enabled: true,
        subject: definition.subscription.subject_code,
        event_types: definition.subscription.event_type_codes.0,
    })
}

/// Filters of the list.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListFilter {
    /// Offset of the first entry.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top", default = "page_size")]
    top: Option<i32>,
    /// Archived ones too.
    #[serde(default)]
    with_archived: bool,
    /// Part of the name, in any case.
    #[serde(default)]
    query: String,
}

/// Webhooks with the status of their last delivery, page by page.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn list(
    cx: Cx<OnApplication<ViewApplications>>,
    Query(query): Query<ListFilter>,
) -> Result<Json<Batch<FullWebhook>>, ApiError> {
    let page = Page::new(query.skip.as_deref(), query.top.map(i64::from))?;
    let (offset, limit) = (page.offset(), page.limit);
    let application = cx.access.application.clone();
    let (with_archived, name) = (query.with_archived, Some(query.query).filter(|name| !name.is_empty()));
    let (found, total) = cx
        .read(move |tx| {
            let (webhooks, total) = tx.webhooks(&application.id, with_archived, name.as_deref(), offset, limit)?;
            Ok::<_, StoreError>((full(tx, &application, &webhooks)?, total))
        })
        .await
        .map_err(ApiError::from)?;
    Ok(Json(page.batch(found, total)))
}

/// The webhook in the path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookPath {
    /// Id of the webhook.
    webhook_id: String,
}

/// Archives the webhook: its deliveries stop, those in the queue included.
///
/// # Errors
/// `not-found`; `validation-error` when it is archived already.
pub async fn delete(cx: Cx<OnApplication<EditApplications>>, Path(path): Path<WebhookPath>) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    cx.write(move |tx| {
        let id = WebhookId::new(path.webhook_id.as_str());
        match tx.webhook(&application, &id)? {
            None => Err(missing(&id)),
            Some(webhook) if webhook.archived_at.is_some() => {
                Err(ApiError::validation("The webhook is archived already"))
            }
            Some(_) => {
                tx.archive_webhook(&id, now)?;
                let target = AuditTarget::of_application(&application, "webhook", id.as_str());
                Ok(trail.record(tx, target, AuditChange::between("archived", Some("false"), Some("true")))?)
            }
        }
    })
    .await?;
    Ok(Done)
}

/// Subscriptions of a webhook.
///
/// # Errors
/// `not-found`.
pub async fn subscriptions(
    cx: Cx<OnApplication<ViewApplications>>,
    Path(path): Path<WebhookPath>,
) -> Result<Json<Vec<SubscriptionOut>>, ApiError> {
    let application = cx.access.application.id.clone();
    let found = cx
        .read(move |tx| {
            let id = WebhookId::new(path.webhook_id.as_str());
            let webhook = tx.webhook(&application, &id)?.ok_or_else(|| missing(&id))?;
            Ok::<_, ApiError>(tx.subscriptions(&[webhook.id])?)
        })
        .await?;
    Ok(Json(found.iter().map(subscription_out).collect()))
}

fn missing(id: &WebhookId) -> ApiError {
    ApiError::not_found(format!("Webhook {id} not found"))
}
