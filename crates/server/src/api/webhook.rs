//! `/api/http/applications/{application}/webhooks`: where events go. Changes, secrets, headers and subscriptions have
//! files of their own beside this one.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::application::{ChosenAuthentication, Endpoint, SecretKind};
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::{ApplicationId, Id, WebhookId, random_text};
use spaceport_platform::lifecycle;
use spaceport_platform::secret::Secret;
use spaceport_platform::sending::Sending;
use spaceport_platform::webhook::{self, MAX_SUBSCRIPTIONS, MAX_WEBHOOKS, PayloadForm, Webhook};
use spaceport_platform::webhook_changes::changes;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::batch::Batch;
use spaceport_wire::payload::Shape;
use spaceport_wire::webhook::{FullWebhook, WebhookRecord};
use spaceport_wire::webhook_request::CreateWebhook;

use crate::api::application::SECRET_LENGTH;
use crate::api::application_attached::require_keystore;
use crate::api::application_state::loaded;
use crate::api::change::{authentication, check_address};
use crate::api::filter::resolve;
use crate::api::page::{Page, page_size};
use crate::api::subscription::subscription_in;
use crate::api::subscription_out::Shown;
use crate::api::webhook_out::{full, record};
use crate::api::{subscription, webhook_change, webhook_header, webhook_secret};
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::{Body, Query};
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of webhooks, in the order of the reference page.
pub fn routes(routes: Routes) -> Routes {
    const WEBHOOKS: &str = "/api/http/applications/{application}/webhooks";
    let routes = routes.post(WEBHOOKS, "api.webhook.create", "Create webhook", create).get(
        WEBHOOKS,
        "api.webhook.list",
        "Get all webhooks",
        list,
    );
    routes
        .with(webhook_change::routes)
        .with(webhook_secret::routes)
        .with(webhook_header::routes)
        .with(subscription::routes)
}

/// Creates a webhook, with its subscriptions if any are given.
///
/// # Errors
/// `validation-error` naming the argument.
pub async fn create(
    cx: Cx<OnApplication<EditApplications>>,
    Body(body): Body<CreateWebhook>,
) -> Result<Json<WebhookRecord>, ApiError> {
    lifecycle::require_active(&cx.access.application)?;
    let (now, random) = (cx.now(), cx.services.random.as_ref());
    let application = cx.access.application.id.clone();
    let chosen = match &body.endpoint_auth {
        Some(own) => {
            Some(authentication(&own.app_level_auth).map_err(|fault| fault.within("endpointAuth.appLevelAuth"))?)
        }
        None => None,
    };
    let webhook = Webhook {
        id: Id::generate(now, random),
        application: application.clone(),
        name: body.name.trim().to_owned(),
        description: body.description,
        // An endpoint without URL follows the application's (client code sends `{"url":null}`).
        endpoint: body.endpoint.and_then(|own| {
            own.url
                .filter(|url| !url.trim().is_empty())
                .map(|url| Endpoint { url, ssl_verification: own.ssl_verification })
        }),
        authentication: chosen.as_ref().map(ChosenAuthentication::method),
        ssl_keystore: body.endpoint_auth.and_then(|own| own.ssl_keystore).map(|named| named.ssl_keystore),
        payload: PayloadForm::new(body.payload_fields, body.payload_template)?,
        enabled: body.enabled,
        accepted_codes: body.accepted_http_response_codes.map(|codes| codes.0).unwrap_or_default(),
        retries: body.do_retries,
        sending: Sending::default(),
        created_at: now,
        archived_at: None,
        revision: 1,
    };
    webhook::check(&webhook)?;
    check_address(&cx.services.guard, "endpoint.url", webhook.endpoint.as_ref())?;
    Shape::parse(&webhook.payload)?;
    let definitions = body.subscriptions.map(|list| list.0).unwrap_or_default();
    if definitions.len() > MAX_SUBSCRIPTIONS {
        return Err(ApiError::validation(format!("subscriptions must hold at most {MAX_SUBSCRIPTIONS} entries")));
    }
    let mut subscriptions = Vec::new();
    let catalogue = cx.services.catalogue.current();
    for (index, definition) in definitions.into_iter().enumerate() {
        let made = subscription_in(definition, &webhook.id, Id::generate(now, random), &catalogue);
        subscriptions.push(made.map_err(|fault| fault.within(&format!("subscriptions[{index}]")))?);
    }
    let signing_key = Secret::new(random_text(SECRET_LENGTH, random));
    let (trail, caller) = (cx.trail(), cx.caller.clone());
    let created = cx
        .write(move |tx| {
            let application = loaded(tx, &application)?;
            lifecycle::require_active(&application)?;
            require_room(tx, &application.id)?;
            if let Some(name) = &webhook.ssl_keystore {
                require_keystore(tx, "endpointAuth.sslKeystore.sslKeystore", name)?;
            }
            let mut subscriptions = subscriptions.clone();
            for (index, made) in subscriptions.iter_mut().enumerate() {
                let field = format!("subscriptions[{index}].subscription.filters");
                resolve(tx, &caller, &catalogue, &field, &mut made.filters)?;
            }
            tx.insert_webhook(&webhook, &subscriptions)?;
            if let Some(chosen) = &chosen {
                let owner = webhook.id.as_str();
                tx.set_secret(owner, SecretKind::SigningKey, &signing_key)?;
                if let Some((kind, secret)) = chosen.secret() {
                    tx.set_secret(owner, kind, secret)?;
                }
            }
            let types: Vec<&str> = subscriptions.iter().flat_map(|one| &one.event_types).map(String::as_str).collect();
            let types = (!types.is_empty()).then(|| types.join(", "));
            let types = AuditChange::between("eventTypeCodes", None, types.as_deref());
            trail.record(tx, target(&webhook), changes(None, &webhook).into_iter().chain(types))?;
            Ok::<_, ApiError>(record(tx, Shown::new(&catalogue, &application, &caller), &webhook)?)
        })
        .await?;
    Ok(Json(created))
}

/// A webhook in the audit trail.
pub fn target(webhook: &Webhook) -> AuditTarget {
    AuditTarget::of_application(&webhook.application, "webhook", webhook.id.as_str())
}

/// Refuses one webhook too many.
///
/// # Errors
/// `validation-error`, or that the database failed.
pub fn require_room(tx: &mut Tx<'_>, application: &ApplicationId) -> Result<(), ApiError> {
    if tx.count_webhooks(application)? >= MAX_WEBHOOKS {
        return Err(ApiError::validation(format!("The application has {MAX_WEBHOOKS} webhooks; delete one first")));
    }
    Ok(())
}

/// A webhook that can be changed, inside the transaction that changes it.
///
/// # Errors
/// `not-found`; `validation-error` while it or its application is archived.
pub fn changeable(tx: &mut Tx<'_>, application: &ApplicationId, id: &WebhookId) -> Result<Webhook, ApiError> {
    lifecycle::require_active(&loaded(tx, application)?)?;
    let webhook = found(tx, application, id)?;
    webhook::require_active(&webhook)?;
    Ok(webhook)
}

/// A webhook of an application, archived or not.
///
/// # Errors
/// `not-found`, or that the database failed.
pub fn found(tx: &mut Tx<'_>, application: &ApplicationId, id: &WebhookId) -> Result<Webhook, ApiError> {
    tx.webhook(application, id)?.ok_or_else(|| ApiError::not_found(format!("Webhook {id} not found")))
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
    let (catalogue, caller) = (cx.services.catalogue.current(), cx.caller.clone());
    let (with_archived, name) = (query.with_archived, Some(query.query).filter(|name| !name.is_empty()));
    let (found, total) = cx
        .read(move |tx| {
            let (webhooks, total) = tx.webhooks(&application.id, with_archived, name.as_deref(), offset, limit)?;
            Ok::<_, StoreError>((full(tx, Shown::new(&catalogue, &application, &caller), &webhooks)?, total))
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

impl WebhookPath {
    /// The id.
    pub fn id(&self) -> WebhookId {
        WebhookId::new(self.webhook_id.as_str())
    }
}
