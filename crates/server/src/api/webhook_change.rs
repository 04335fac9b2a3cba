//! Webhooks are changed, archived and restored.

use spaceport_delivery::guard::Guard;
use spaceport_platform::application::{Application, ChosenAuthentication, Endpoint, SecretKind, VerificationToken};
use spaceport_platform::audit::AuditChange;
use spaceport_platform::id::random_text;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::lifecycle;
use spaceport_platform::secret::Secret;
use spaceport_platform::webhook::{self, PayloadForm, Webhook};
use spaceport_platform::webhook_changes::changes;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::payload::Shape;
use spaceport_wire::scalar::Patch;
use spaceport_wire::webhook_request::{EndpointAuthUpdate, EndpointUpdate, UpdateWebhook};

use crate::api::application::SECRET_LENGTH;
use crate::api::application_attached::require_keystore;
use crate::api::application_state::loaded;
use crate::api::change::{AuthenticationParts, BasicParts, check_address, flat_authentication, set_flag, set_text};
use crate::api::webhook::{WebhookPath, changeable, found, require_room, target};
use crate::http::access::{Cx, EditApplications, OnApplication};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::Done;
use crate::http::routes::Routes;

/// The operations of one webhook.
pub fn routes(routes: Routes) -> Routes {
    const WEBHOOK: &str = "/api/http/applications/{application}/webhooks/{webhookId}";
    routes
        .post(WEBHOOK, "api.webhook.restore", "Post webhook", restore)
        .patch(WEBHOOK, "api.webhook.update", "Update webhook", update)
        .delete(WEBHOOK, "api.webhook.delete", "Delete webhook", delete)
}

/// Changes settings: absent keeps, null clears. Deliveries that wait follow the new settings; those of a webhook that
/// is switched off are cancelled.
///
/// # Errors
/// `not-found`; `validation-error` naming the argument.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<WebhookPath>,
    Body(mut body): Body<UpdateWebhook>,
) -> Result<Done, ApiError> {
    complete(&cx, &path, &mut body).await?;
    let change = Change::read(body)?;
    let (now, trail, guard) = (cx.now(), cx.trail(), cx.services.guard.clone());
    let application = cx.access.application.id.clone();
    let signing_key = Secret::new(random_text(SECRET_LENGTH, cx.services.random.as_ref()));
    cx.write(move |tx| {
        let before = changeable(tx, &application, &path.id())?;
        let application = loaded(tx, &application)?;
        let mut webhook = before.clone();
        change.apply(&mut webhook, &application)?;
        webhook::check(&webhook)?;
        check(tx, &guard, &before, &webhook)?;
        let mut recorded = changes(Some(&before), &webhook);
        recorded.extend(change.store_secrets(tx, &webhook, &signing_key)?);
        tx.update_webhook(&webhook)?;
        if before.enabled && !webhook.enabled {
            tx.cancel_waiting(&webhook.id, now)?;
        }
        let leads_elsewhere = webhook.endpoint != before.endpoint || webhook.authentication != before.authentication;
        if leads_elsewhere || webhook.enabled && !before.enabled {
            tx.begin_patience(&application.id, Some(&webhook.id), now)?;
        }
        if !recorded.is_empty() {
            trail.record(tx, target(&webhook), recorded)?;
        }
        Ok::<_, ApiError>(())
    })
    .await?;
    Ok(Done)
}

/// Completes a body that names one half of what basic authentication needs.
async fn complete<A>(cx: &Cx<OnApplication<A>>, path: &WebhookPath, body: &mut UpdateWebhook) -> Result<(), ApiError> {
    let Patch::Value(own) = &mut body.endpoint_auth else { return Ok(()) };
    if own.basic_auth_username.is_some() == own.basic_auth_password.is_some() {
        return Ok(());
    }
    let (application, id) = (cx.access.application.id.clone(), path.id());
    let found = cx.read(move |tx| tx.webhook(&application, &id)).await;
    let Some(webhook) = found.map_err(|error: StoreError| ApiError::from(error))? else { return Ok(()) };
    let present = webhook.authentication.as_ref();
    let parts = BasicParts { owner: webhook.id.as_str(), present, named: own.app_level_auth };
    parts.complete(cx, &mut own.basic_auth_username, &mut own.basic_auth_password).await
}

/// What has to be looked up to know whether a change is possible.
fn check(tx: &mut Tx<'_>, guard: &Guard, before: &Webhook, webhook: &Webhook) -> Result<(), ApiError> {
    check_address(guard, "endpoint.url", webhook.endpoint.as_ref())?;
    match &webhook.ssl_keystore {
        Some(name) if webhook.ssl_keystore != before.ssl_keystore => {
            require_keystore(tx, "endpointAuth.sslKeystoreAuth", name)
        }
        _ => Ok(()),
    }
}

/// A change, its secrets taken out and checked.
struct Change {
    authentication: Option<ChosenAuthentication>,
    body: UpdateWebhook,
}

impl Change {
    fn read(mut body: UpdateWebhook) -> Result<Self, Invalid> {
        let authentication = match &mut body.endpoint_auth {
            Patch::Value(own) => chosen(own).map_err(|fault| fault.within("endpointAuth"))?,
            Patch::Absent | Patch::Null => None,
        };
        Ok(Self { authentication, body })
    }

    fn apply(&self, webhook: &mut Webhook, application: &Application) -> Result<(), Invalid> {
        let body = &self.body;
        match &body.name {
            Patch::Absent => {}
            Patch::Null => return Err(Invalid::new("name", "must not be null")),
            Patch::Value(name) => name.trim().clone_into(&mut webhook.name),
        }
        set_text(&mut webhook.description, &body.description);
        set_flag(&mut webhook.enabled, &body.enabled, "enabled")?;
        set_flag(&mut webhook.retries, &body.do_retries, "doRetries")?;
        match &body.accepted_http_response_codes {
            Patch::Absent => {}
            Patch::Null => return Err(Invalid::new("acceptedHttpResponseCodes", "must be a list, not null")),
            Patch::Value(codes) => webhook.accepted_codes.clone_from(&codes.0),
        }
        apply_payload(webhook, body)?;
        match &body.endpoint {
            Patch::Absent => {}
            Patch::Null => webhook.endpoint = None,
            Patch::Value(endpoint) => apply_endpoint(webhook, endpoint).map_err(|fault| fault.within("endpoint"))?,
        }
        match &body.endpoint_auth {
            Patch::Absent => Ok(()),
            Patch::Null => {
                webhook.authentication = None;
                webhook.ssl_keystore = None;
                Ok(())
            }
            Patch::Value(own) => {
                self.apply_authentication(webhook, application, own).map_err(|fault| fault.within("endpointAuth"))
            }
        }
    }

    fn apply_authentication(
        &self,
        webhook: &mut Webhook,
        application: &Application,
        own: &EndpointAuthUpdate,
    ) -> Result<(), Invalid> {
        if let Some(chosen) = &self.authentication {
            webhook.authentication = Some(chosen.method());
        }
        let sent = application.verification_token == VerificationToken::Sent;
        if own.has_verification_token.is_some_and(|wanted| wanted != sent) {
            return Err(Invalid::new(
                "hasVerificationToken",
                format!("must be {sent} or absent: the verification token is the application's; change it there"),
            ));
        }
        match own.ssl_keystore_auth.as_deref().map(str::trim) {
            None => {}
            Some("") => webhook.ssl_keystore = None,
            Some(_) if webhook.authentication.is_none() => {
                return Err(Invalid::new(
                    "sslKeystoreAuth",
                    "needs appLevelAuth: the webhook follows the authentication of its application",
                ));
            }
            Some(name) => webhook.ssl_keystore = Some(name.to_owned()),
        }
        Ok(())
    }

    /// Stores what the new method needs; answers what the audit trail tells of it.
    fn store_secrets(
        &self,
        tx: &mut Tx<'_>,
        webhook: &Webhook,
        signing_key: &Secret,
    ) -> Result<Vec<AuditChange>, ApiError> {
        let mut recorded = Vec::new();
        let Some(chosen) = &self.authentication else { return Ok(recorded) };
        let owner = webhook.id.as_str();
        if tx.secret(owner, SecretKind::SigningKey)?.is_none() {
            tx.set_secret(owner, SecretKind::SigningKey, signing_key)?;
            recorded.push(AuditChange::secret("signingKey"));
        }
        if let Some((kind, secret)) = chosen.secret() {
            tx.set_secret(owner, kind, secret)?;
            recorded.push(AuditChange::secret(match kind {
                SecretKind::BearerToken => "endpointAuth.bearerAuthToken",
                _ => "endpointAuth.basicAuthPassword",
            }));
        }
        Ok(recorded)
    }
}

fn chosen(own: &mut EndpointAuthUpdate) -> Result<Option<ChosenAuthentication>, Invalid> {
    let parts = AuthenticationParts {
        named: own.app_level_auth,
        username: own.basic_auth_username.take(),
        password: own.basic_auth_password.take(),
        token: own.bearer_auth_token.take(),
    };
    parts.method()?.map(|method| flat_authentication(&method)).transpose()
}

/// Absent and null stay; a blank URL follows the application again.
fn apply_endpoint(webhook: &mut Webhook, change: &EndpointUpdate) -> Result<(), Invalid> {
    match change.url.as_deref().map(str::trim) {
        None => {}
        Some("") => webhook.endpoint = None,
        Some(url) => {
            let ssl_verification = webhook.endpoint.as_ref().is_none_or(|own| own.ssl_verification);
            webhook.endpoint = Some(Endpoint { url: url.to_owned(), ssl_verification });
        }
    }
    match (change.ssl_verification, &mut webhook.endpoint) {
        // Clients repeat the default.
        (None | Some(true), None) | (None, Some(_)) => Ok(()),
        (Some(false), None) => {
            Err(Invalid::new("sslVerification", "needs a url: the webhook follows the endpoint of its application"))
        }
        (Some(verify), Some(own)) => {
            own.ssl_verification = verify;
            Ok(())
        }
    }
}

/// Setting one clears the other; null and empty text clear the one they stand for.
fn apply_payload(webhook: &mut Webhook, body: &UpdateWebhook) -> Result<(), Invalid> {
    let text = |patch: &Patch<String>| patch.clone().into_value().filter(|text| !text.is_empty());
    let (fields, template) = (text(&body.payload_fields), text(&body.payload_template));
    if fields.is_some() || template.is_some() {
        webhook.payload = PayloadForm::new(fields, template)?;
    } else if (!body.payload_fields.is_absent() && webhook.payload.fields().is_some())
        || (!body.payload_template.is_absent() && webhook.payload.template().is_some())
    {
        webhook.payload = PayloadForm::Whole;
    }
    Shape::parse(&webhook.payload).map(drop)
}

/// Archives the webhook: its deliveries stop, those in the queue included.
///
/// # Errors
/// `not-found`; `validation-error` when it is archived already.
pub async fn delete(cx: Cx<OnApplication<EditApplications>>, Path(path): Path<WebhookPath>) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    cx.write(move |tx| {
        let webhook = found(tx, &application, &path.id())?;
        if webhook.archived_at.is_some() {
            return Err(ApiError::validation("The webhook is archived already"));
        }
        tx.archive_webhook(&webhook.id, now)?;
        Ok(trail.record(tx, target(&webhook), AuditChange::between("archived", Some("false"), Some("true")))?)
    })
    .await?;
    Ok(Done)
}

/// Brings an archived webhook back, with its subscriptions. It hears of what happens from now on.
///
/// # Errors
/// `not-found`; `validation-error` when it is not archived, or its application is.
pub async fn restore(cx: Cx<OnApplication<EditApplications>>, Path(path): Path<WebhookPath>) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    cx.write(move |tx| {
        lifecycle::require_active(&loaded(tx, &application)?)?;
        let archived = found(tx, &application, &path.id())?;
        if archived.archived_at.is_none() {
            return Err(ApiError::validation("The webhook is not archived"));
        }
        require_room(tx, &application)?;
        let webhook = Webhook { archived_at: None, ..archived.clone() };
        tx.update_webhook(&webhook)?;
        tx.begin_patience(&application, Some(&webhook.id), now)?;
        Ok(trail.record(tx, target(&webhook), changes(Some(&archived), &webhook))?)
    })
    .await?;
    Ok(Done)
}
