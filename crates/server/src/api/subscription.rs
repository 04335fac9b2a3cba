//! Subscriptions: which events a webhook hears of, and the rights they need.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::authorization::{Capacity, Wish};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::id::{Id, SubscriptionId, WebhookId};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::subscription::{Subscription, check};
use spaceport_platform::webhook::{MAX_SUBSCRIPTIONS, Webhook};
use spaceport_platform::webhook_changes::subscription_changes;
use spaceport_store::Tx;
use spaceport_wire::filter::filters_in;
use spaceport_wire::scalar::Patch;
use spaceport_wire::webhook::Subscription as SubscriptionOut;
use spaceport_wire::webhook_request::{GenericSubscriptionIn, SubscriptionDefinition, UpdateSubscription};

use crate::api::application_state::loaded;
use crate::api::change::set_flag;
use crate::api::filter::resolve;
use crate::api::subscription_out::{Shown, missing};
use crate::api::webhook::{WebhookPath, changeable, found};
use crate::authorization::{Change, apply};
use crate::http::access::{Cx, EditApplications, LookAfterApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of subscriptions.
pub fn routes(routes: Routes) -> Routes {
    const SUBSCRIPTIONS: &str = "/api/http/applications/{application}/webhooks/{webhookId}/subscriptions";
    const SUBSCRIPTION: &str =
        "/api/http/applications/{application}/webhooks/{webhookId}/subscriptions/{subscriptionId}";
    routes
        .post(SUBSCRIPTIONS, "api.subscription.create", "Create subscription", create)
        .get(SUBSCRIPTIONS, "api.subscription.list", "Get all subscriptions", list)
        .post(
            "/api/http/applications/{application}/webhooks/{webhookId}/subscriptions/{subscriptionId}/request-missing-rights",
            "api.subscription.request_missing_rights",
            "Request missing rights",
            request_missing_rights,
        )
        .patch(SUBSCRIPTION, "api.subscription.update", "Update subscription", update)
        .delete(SUBSCRIPTION, "api.subscription.delete", "Delete subscription", delete)
}

/// Where filters stand in the body.
const FILTERS: &str = "subscription.filters";

/// A subscription as somebody asked for it, checked.
///
/// # Errors
/// Names the field, and the nearest known code when a code is unknown.
pub fn subscription_in(
    definition: SubscriptionDefinition,
    webhook: &WebhookId,
    id: SubscriptionId,
    catalogue: &Catalogue,
) -> Result<Subscription, Invalid> {
    let mut subscription = Subscription {
        id,
        webhook: webhook.clone(),
        name: definition.name.trim().to_owned(),
        enabled: true,
        subject: String::new(),
        event_types: Vec::new(),
        filters: Vec::new(),
    };
    listen(&mut subscription, &definition.subscription, catalogue)?;
    check(&subscription, catalogue)?;
    Ok(subscription)
}

fn listen(subscription: &mut Subscription, to: &GenericSubscriptionIn, catalogue: &Catalogue) -> Result<(), Invalid> {
    catalogue.subject(&to.subject_code).map_err(|fault| fault.within("subscription.subjectCode"))?;
    subscription.filters =
        filters_in(&to.filters.0, &to.subject_code, catalogue).map_err(|fault| fault.within("subscription"))?;
    subscription.subject.clone_from(&to.subject_code);
    subscription.event_types.clear();
    for code in &to.event_type_codes.0 {
        if !subscription.event_types.contains(code) {
            subscription.event_types.push(code.clone());
        }
    }
    Ok(())
}

/// A subscription in the audit trail.
pub fn target(webhook: &Webhook, id: &SubscriptionId) -> AuditTarget {
    AuditTarget::of_application(&webhook.application, "subscription", id.as_str())
}

/// The subscription in the path.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionPath {
    /// Id of the webhook.
    webhook_id: String,
    /// Id of the subscription.
    subscription_id: String,
}

impl SubscriptionPath {
    fn find(&self, tx: &mut Tx<'_>, webhook: &Webhook) -> Result<Subscription, ApiError> {
        let known = tx.subscriptions(std::slice::from_ref(&webhook.id))?;
        let named = known.into_iter().find(|known| known.id.as_str() == self.subscription_id);
        named.ok_or_else(|| ApiError::not_found(format!("Subscription {} not found", self.subscription_id)))
    }

    fn webhook(&self) -> WebhookId {
        WebhookId::new(self.webhook_id.as_str())
    }
}

/// Adds a subscription to a webhook.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument.
pub async fn create(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<WebhookPath>,
    Body(body): Body<SubscriptionDefinition>,
) -> Result<Json<SubscriptionOut>, ApiError> {
    let id = Id::generate(cx.now(), cx.services.random.as_ref());
    let catalogue = cx.services.catalogue.current();
    let made = subscription_in(body, &path.id(), id, &catalogue)?;
    let (application, trail, caller) = (cx.access.application.id.clone(), cx.trail(), cx.caller.clone());
    let created = cx.write(move |tx| {
        let webhook = changeable(tx, &application, &made.webhook)?;
        if tx.subscriptions(std::slice::from_ref(&webhook.id))?.len() >= MAX_SUBSCRIPTIONS {
            let full = format!("The webhook has {MAX_SUBSCRIPTIONS} subscriptions; delete one first");
            return Err(ApiError::validation(full));
        }
        let mut made = made.clone();
        resolve(tx, &caller, &catalogue, FILTERS, &mut made.filters)?;
        tx.insert_subscription(&made)?;
        trail.record(tx, target(&webhook, &made.id), subscription_changes(None, &made))?;
        let application = loaded(tx, &application)?;
        Ok(Shown::new(&catalogue, &application, &caller).one(tx, &made)?)
    });
    Ok(Json(created.await?))
}

/// Subscriptions of a webhook.
///
/// # Errors
/// `not-found`.
pub async fn list(
    cx: Cx<OnApplication<ViewApplications>>,
    Path(path): Path<WebhookPath>,
) -> Result<Json<Vec<SubscriptionOut>>, ApiError> {
    let (application, catalogue) = (cx.access.application.clone(), cx.services.catalogue.current());
    let caller = cx.caller.clone();
    let listed = cx.read(move |tx| {
        let webhook = found(tx, &application.id, &path.id())?;
        let subscriptions = tx.subscriptions(&[webhook.id])?;
        Ok::<_, ApiError>(Shown::new(&catalogue, &application, &caller).all(tx, &subscriptions)?)
    });
    Ok(Json(listed.await?))
}

/// Changes a subscription: absent keeps; `subscription` is taken as a whole. It counts for events from now on.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<SubscriptionPath>,
    Body(body): Body<UpdateSubscription>,
) -> Result<Json<SubscriptionOut>, ApiError> {
    let (application, trail, catalogue) =
        (cx.access.application.id.clone(), cx.trail(), cx.services.catalogue.current());
    let caller = cx.caller.clone();
    let changed = cx.write(move |tx| {
        let webhook = changeable(tx, &application, &path.webhook())?;
        let before = path.find(tx, &webhook)?;
        let mut subscription = before.clone();
        match &body.name {
            Patch::Absent => {}
            Patch::Null => return Err(Invalid::new("name", "must not be null").into()),
            Patch::Value(name) => name.trim().clone_into(&mut subscription.name),
        }
        set_flag(&mut subscription.enabled, &body.enabled, "enabled")?;
        match &body.subscription {
            Patch::Absent => {}
            Patch::Null => return Err(Invalid::new("subscription", "must not be null").into()),
            Patch::Value(to) => {
                listen(&mut subscription, to, &catalogue)?;
                resolve(tx, &caller, &catalogue, FILTERS, &mut subscription.filters)?;
            }
        }
        check(&subscription, &catalogue)?;
        let recorded = subscription_changes(Some(&before), &subscription);
        if !recorded.is_empty() {
            tx.update_subscription(&subscription)?;
            trail.record(tx, target(&webhook, &subscription.id), recorded)?;
        }
        let application = loaded(tx, &application)?;
        Ok::<_, ApiError>(Shown::new(&catalogue, &application, &caller).one(tx, &subscription)?)
    });
    Ok(Json(changed.await?))
}

/// Deletes a subscription. Events that it has matched already are still delivered.
///
/// # Errors
/// `not-found`.
pub async fn delete(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<SubscriptionPath>,
) -> Result<Done, ApiError> {
    let (application, trail) = (cx.access.application.id.clone(), cx.trail());
    cx.write(move |tx| {
        let webhook = changeable(tx, &application, &path.webhook())?;
        let subscription = path.find(tx, &webhook)?;
        tx.delete_subscription(&subscription.id)?;
        let deleted = AuditChange::between("name", Some(&subscription.name), None);
        Ok::<_, ApiError>(trail.record(tx, target(&webhook, &subscription.id), deleted)?)
    })
    .await?;
    Ok(Done)
}

/// Asks for the rights that the subscription needs and the application lacks, where it needs them.
///
/// # Errors
/// `not-found`.
pub async fn request_missing_rights(
    cx: Cx<OnApplication<LookAfterApplications>>,
    Path(path): Path<SubscriptionPath>,
) -> Result<Done, ApiError> {
    let (application, trail, news) = (cx.access.application.id.clone(), cx.trail(), cx.news());
    let catalogue = cx.services.catalogue.current();
    cx.write(move |tx| {
        let webhook = changeable(tx, &application, &path.webhook())?;
        let subscription = path.find(tx, &webhook)?;
        for (place, rights) in missing(tx, &catalogue, &application, &subscription)? {
            let change = Change {
                application: application.clone(),
                places: vec![place],
                wishes: rights.into_iter().map(|right| (right, Wish::Request)).collect(),
                capacity: Capacity::Manager,
                actor: None,
                comment: None,
            };
            apply(tx, &trail, &news, &change)?;
        }
        Ok::<_, ApiError>(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}
