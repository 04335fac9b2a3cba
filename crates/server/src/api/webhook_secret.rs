//! The secrets by which deliveries of a webhook prove where they come from: its own, or its application's.

use std::sync::Arc;

use spaceport_platform::application::{AuthenticationMethod, SecretKind};
use spaceport_platform::audit::AuditChange;
use spaceport_platform::id::random_text;
use spaceport_platform::secret::Secret;
use spaceport_store::Overlap;

use crate::api::application::SECRET_LENGTH;
use crate::api::application_state::loaded;
use crate::api::webhook::{WebhookPath, changeable, found, target};
use crate::api::webhook_out::authenticated;
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplicationSecrets};
use crate::http::error::ApiError;
use crate::http::input::Path;
use crate::http::reply::{Done, OptionalText};
use crate::http::routes::Routes;

/// The operations of a webhook's secrets.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/http/applications/{application}/webhooks/{webhookId}/bearer-token",
            "api.webhook.bearer_token.get",
            "Bearer token",
            bearer_token,
        )
        .post(
            "/api/http/applications/{application}/webhooks/{webhookId}/signing-key/regenerate",
            "api.webhook.signing_key.regenerate",
            "Regenerate",
            regenerate,
        )
        .get(
            "/api/http/applications/{application}/webhooks/{webhookId}/signing-key",
            "api.webhook.signing_key.get",
            "Get signing key",
            signing_key,
        )
}

/// The token that deliveries carry as `Authorization: Bearer`; null unless that is the method in use.
///
/// # Errors
/// `not-found`.
pub async fn bearer_token(
    cx: Cx<OnApplication<ViewApplicationSecrets>>,
    Path(path): Path<WebhookPath>,
) -> Result<OptionalText, ApiError> {
    reveal(&cx, path, SecretKind::BearerToken).await
}

/// The signing key: the webhook's own where it authenticates by itself, else the one of its application. It exists,
/// whether it is the method in use or not.
///
/// # Errors
/// `not-found`.
pub async fn signing_key(
    cx: Cx<OnApplication<ViewApplicationSecrets>>,
    Path(path): Path<WebhookPath>,
) -> Result<OptionalText, ApiError> {
    reveal(&cx, path, SecretKind::SigningKey).await
}

async fn reveal(
    cx: &Cx<OnApplication<ViewApplicationSecrets>>,
    path: WebhookPath,
    kind: SecretKind,
) -> Result<OptionalText, ApiError> {
    let application = cx.access.application.id.clone();
    let secret = cx.read(move |tx| {
        let webhook = found(tx, &application, &path.id())?;
        let application = loaded(tx, &application)?;
        let (method, _) = authenticated(&application, &webhook);
        if kind == SecretKind::BearerToken && *method != AuthenticationMethod::Bearer {
            return Ok(None);
        }
        let owner = if webhook.authentication.is_some() { webhook.id.as_str() } else { application.id.as_str() };
        Ok::<_, ApiError>(tx.secret(owner, kind)?)
    });
    Ok(OptionalText(secret.await?.map(|secret| secret.reveal().to_owned())))
}

/// Makes a new signing key for a webhook that authenticates by itself. Attempts from now on are signed with it, and
/// with the old one too for as long as the overlap that is configured.
///
/// # Errors
/// `not-found`; `validation-error` while the webhook follows the authentication of its application.
pub async fn regenerate(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<WebhookPath>,
) -> Result<Done, ApiError> {
    let (application, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    let (random, length) = (Arc::clone(&cx.services.random), cx.services.settings.overlap.signing_key);
    cx.write(move |tx| {
        let webhook = changeable(tx, &application, &path.id())?;
        if webhook.authentication.is_none() {
            return Err(ApiError::validation(
                "The webhook has no signing key of its own: it follows the authentication of its application; \
                 regenerate the key of the application",
            ));
        }
        let secret = Secret::new(random_text(SECRET_LENGTH, random.as_ref()));
        let stamp = loaded(tx, &application)?.tokens_not_before;
        let overlap = (!length.is_zero()).then(|| Overlap { until: now.plus(length), stamp, next_stamp: stamp });
        match &overlap {
            Some(overlap) => tx.replace_secret(webhook.id.as_str(), SecretKind::SigningKey, &secret, overlap)?,
            None => tx.set_secret(webhook.id.as_str(), SecretKind::SigningKey, &secret)?,
        }
        tx.touch_webhook(&webhook.id)?;
        let until = overlap.map(|overlap| overlap.until.to_iso());
        let until = AuditChange::between("previousValidUntil", None, until.as_deref());
        let recorded = [AuditChange::secret("signingKey")].into_iter().chain(until);
        Ok(trail.record(tx, target(&webhook), recorded)?)
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}
