//! Secrets and public keys of an application: client secret, signing key, tokens, JWKS; when the secret was used.

use std::sync::Arc;
use std::time::Duration;

use spaceport_platform::application::{Application, AuthenticationMethod, SecretKind, VerificationToken};
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::random_text;
use spaceport_platform::installation;
use spaceport_platform::lifecycle;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;
use spaceport_store::{Overlap, StoreError, Tx};
use spaceport_wire::application::AccessRecord;
use spaceport_wire::application_payload::{ApplicationPayload, ChangeClientSecretPayload, Recipient};
use spaceport_wire::scalar::DateTime;

use crate::api::application::SECRET_LENGTH;
use crate::api::application_state::loaded;
use crate::config::Overlaps;
use crate::dispatch;
use crate::events::application::{NewSecrets, updated};
use crate::http::access::{
    Cx, Demand, EditApplications, LookAfterApplications, OnApplication, ViewApplicationSecrets, ViewApplications,
};
use crate::http::error::ApiError;
use crate::http::reply::{Done, Json, OptionalText, Text};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/http/applications/{application}/client-secret",
            "api.application.client_secret.get",
            "Get client secret",
            client_secret,
        )
        .post(
            "/api/http/applications/{application}/client-secret/regenerate",
            "api.application.client_secret.regenerate",
            "Regenerate client secret",
            regenerate_client_secret,
        )
        .get(
            "/api/http/applications/{application}/public-keys",
            "api.application.public_keys.get",
            "Get public keys",
            public_keys,
        )
        .get(
            "/api/http/applications/{application}/signing-key",
            "api.application.signing_key.get",
            "Get signing key",
            signing_key,
        )
        .post(
            "/api/http/applications/{application}/signing-key/regenerate",
            "api.application.signing_key.regenerate",
            "Regenerate signing key",
            regenerate_signing_key,
        )
        .get(
            "/api/http/applications/{application}/bearer-token",
            "api.application.bearer_token.get",
            "Get bearer token",
            bearer_token,
        )
        .get(
            "/api/http/applications/{application}/verification-token",
            "api.application.verification_token.get",
            "Get verification token",
            verification_token,
        )
        .post(
            "/api/http/applications/{application}/verification-token/regenerate",
            "api.application.verification_token.regenerate",
            "Regenerate verification token",
            regenerate_verification_token,
        )
        .get(
            "/api/http/applications/{application}/last-client-credentials-access",
            "api.application.last_client_credentials_access.get",
            "Get last client credentials access info",
            last_client_credentials_access,
        )
}

/// The client secret.
///
/// # Errors
/// Those of access.
pub async fn client_secret(cx: Cx<OnApplication<ViewApplicationSecrets>>) -> Result<Text, ApiError> {
    let secret = reveal(cx, SecretKind::ClientSecret).await?.0;
    secret.map(Text).ok_or_else(|| ApiError::internal("an application without a client secret"))
}

/// The signing key. It exists, whether it is the active method or not.
///
/// # Errors
/// Those of access.
pub async fn signing_key(cx: Cx<OnApplication<ViewApplicationSecrets>>) -> Result<OptionalText, ApiError> {
    reveal(cx, SecretKind::SigningKey).await
}

/// Makes a new client secret. The old one and the tokens it brought end together: at once, or after the overlap
/// that is configured. A connected application is told: the old one ends when it has accepted the new one, and comes
/// back when it has not.
///
/// # Errors
/// Those of access; `validation-error` while a connected application is being told something about its credentials.
pub async fn regenerate_client_secret(cx: Cx<OnApplication<LookAfterApplications>>) -> Result<Done, ApiError> {
    regenerate(cx, SecretKind::ClientSecret).await
}

/// Makes a new signing key. Attempts from now on are signed with it, and with the old one too for as long as the
/// overlap that is configured.
///
/// # Errors
/// Those of access.
pub async fn regenerate_signing_key(cx: Cx<OnApplication<EditApplications>>) -> Result<Done, ApiError> {
    regenerate(cx, SecretKind::SigningKey).await
}

/// The token that deliveries carry as `Authorization: Bearer`; null unless that is the application's method.
///
/// # Errors
/// Those of access.
pub async fn bearer_token(cx: Cx<OnApplication<ViewApplicationSecrets>>) -> Result<OptionalText, ApiError> {
    if cx.access.application.authentication != AuthenticationMethod::Bearer {
        return Ok(OptionalText(None));
    }
    reveal(cx, SecretKind::BearerToken).await
}

/// The token inside the body of payloads (legacy); null when payloads carry none.
///
/// # Errors
/// Those of access.
pub async fn verification_token(cx: Cx<OnApplication<ViewApplicationSecrets>>) -> Result<OptionalText, ApiError> {
    if cx.access.application.verification_token == VerificationToken::Unused {
        return Ok(OptionalText(None));
    }
    reveal(cx, SecretKind::VerificationToken).await
}

/// Makes a new verification token, which payloads carry from now on.
///
/// # Errors
/// Those of access.
pub async fn regenerate_verification_token(cx: Cx<OnApplication<EditApplications>>) -> Result<Done, ApiError> {
    regenerate(cx, SecretKind::VerificationToken).await
}

/// When and from where the application signed in last by client credentials; null when it never did.
///
/// # Errors
/// Those of access.
pub async fn last_client_credentials_access(
    cx: Cx<OnApplication<ViewApplications>>,
) -> Result<Json<Option<AccessRecord>>, ApiError> {
    let id = cx.access.application.id.clone();
    let stored = cx.read(move |tx| tx.client_credentials_access(&id)).await;
    let stored = stored.map_err(|error: StoreError| ApiError::from(error))?;
    let latest = cx.services.sign_ins.latest(&cx.access.application.id, stored);
    Ok(Json(latest.map(|record| AccessRecord {
        time: DateTime(record.at),
        address: record.address,
        user_agent: record.user_agent,
    })))
}

async fn reveal<R: Demand>(cx: Cx<OnApplication<R>>, kind: SecretKind) -> Result<OptionalText, ApiError> {
    let id = cx.access.application.id.clone();
    let secret =
        cx.read(move |tx| tx.secret(id.as_str(), kind)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(OptionalText(secret.map(|secret| secret.reveal().to_owned())))
}

async fn regenerate<R: Demand>(cx: Cx<OnApplication<R>>, kind: SecretKind) -> Result<Done, ApiError> {
    let (id, now, trail, news) = (cx.access.application.id.clone(), cx.now(), cx.trail(), cx.news());
    let (random, overlaps) = (Arc::clone(&cx.services.random), cx.services.settings.overlap);
    cx.write(move |tx| {
        let before = loaded(tx, &id)?;
        lifecycle::require_active(&before)?;
        let told = kind == SecretKind::ClientSecret && before.connection.is_some();
        if told {
            require_nothing_under_way(tx, &before)?;
        }
        let secret = Secret::new(random_text(SECRET_LENGTH, random.as_ref()));
        let mut application = before.clone();
        application.updated_at = now;
        match kind {
            // Also when two changes fall into one millisecond.
            SecretKind::ClientSecret => {
                application.tokens_not_before = now.max(before.tokens_not_before.plus(Duration::from_millis(1)));
            }
            SecretKind::VerificationToken => application.verification_token = VerificationToken::Sent,
            _ => {}
        }
        let overlap = overlap(overlaps, &before, &application, kind, now);
        match &overlap {
            Some(overlap) => tx.replace_secret(id.as_str(), kind, &secret, overlap)?,
            None => tx.set_secret(id.as_str(), kind, &secret)?,
        }
        if overlap.is_none() && kind == SecretKind::ClientSecret {
            // Whoever had the old secret may have got refresh tokens with it.
            tx.end_delegations_to(&id, now)?;
        }
        // Counts a revision, so that senders on every node load the new secret.
        tx.update_application(&application)?;
        let mut recorded = changes(Some(&before), &application);
        recorded.push(AuditChange::secret(match kind {
            SecretKind::ClientSecret => "clientSecret",
            SecretKind::VerificationToken => "verificationToken",
            _ => "signingKey",
        }));
        let until = overlap.map(|overlap| overlap.until.to_iso());
        recorded.extend(AuditChange::between("previousValidUntil", None, until.as_deref()));
        trail.record(tx, AuditTarget::application(&id), recorded)?;
        let secrets = NewSecrets {
            client_secret: kind == SecretKind::ClientSecret,
            signing_key: kind == SecretKind::SigningKey,
            verification_token: kind == SecretKind::VerificationToken,
        };
        updated(&news, tx, &before, &application, secrets)?;
        if told && installation::is_known(&before) {
            let payload = ApplicationPayload::ChangeClientSecretPayload(ChangeClientSecretPayload {
                // Filled in when it is sent.
                new_client_secret: String::new(),
                user_id: dispatch::user_id(&news),
                recipient: Recipient::default(),
            });
            dispatch::put(&news, tx, &id, &payload)?;
        }
        Ok::<_, ApiError>(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// Puts a client secret that the caller chose in place of the present one, which stays valid for `length`. Whoever
/// chose it knows it, so nobody is told, and the overlap of connected applications plays no part (decision 56).
/// Choosing the present one again changes nothing. Answers what to record.
///
/// # Errors
/// When the database fails.
pub(crate) fn choose_client_secret(
    tx: &mut Tx<'_>,
    before: &Application,
    application: &mut Application,
    secret: &Secret,
    length: Duration,
    now: Timestamp,
) -> Result<Vec<AuditChange>, StoreError> {
    let (id, kind) = (&application.id, SecretKind::ClientSecret);
    let mut stamp = before.tokens_not_before;
    // One that was on its way is none any more; until now the application knows only the one before.
    if tx.cancel_dispatches_of(id, PayloadClass::ChangeClientSecret, now)?
        && let Some(returned) = tx.return_to_previous_secret(id.as_str(), kind)?
    {
        stamp = returned.stamp;
    } else if tx.secret_matches(id.as_str(), kind, secret.reveal())? {
        return Ok(Vec::new());
    }
    // Also when two changes fall into one millisecond.
    let next_stamp = now.max(before.tokens_not_before.plus(Duration::from_millis(1)));
    let overlap = (!length.is_zero()).then(|| Overlap { until: now.plus(length), stamp, next_stamp });
    match &overlap {
        Some(overlap) => tx.replace_secret(id.as_str(), kind, secret, overlap)?,
        None => {
            tx.set_secret(id.as_str(), kind, secret)?;
            // Whoever had the old secret may have got refresh tokens with it.
            tx.end_delegations_to(id, now)?;
        }
    }
    application.tokens_not_before = next_stamp;
    let until = overlap.map(|overlap| overlap.until.to_iso());
    let valid_until = AuditChange::between("previousValidUntil", None, until.as_deref());
    Ok([AuditChange::secret("clientSecret")].into_iter().chain(valid_until).collect())
}

/// Refuses to change the secret of a connected application that is being told something about its credentials.
fn require_nothing_under_way(tx: &mut Tx<'_>, application: &Application) -> Result<(), ApiError> {
    let connection = application.connection.as_ref();
    if connection.is_some_and(|connection| connection.uninstallation.is_some()) {
        return Err(ApiError::validation("The application is being uninstalled"));
    }
    for (class, refusal) in [
        (PayloadClass::Init, "The application is being connected; change its secret when it has answered"),
        (
            PayloadClass::ChangeClientSecret,
            "A new client secret is on its way to the application; it counts once the application has accepted it",
        ),
    ] {
        let newest = tx.newest_dispatch(&application.id, class)?;
        if newest.is_some_and(|newest| newest.dispatch.finished_at.is_none()) {
            return Err(ApiError::validation(refusal));
        }
    }
    Ok(())
}

/// How long the secret before stays valid, if it does.
fn overlap(
    overlaps: Overlaps,
    before: &Application,
    after: &Application,
    kind: SecretKind,
    now: Timestamp,
) -> Option<Overlap> {
    let length = match kind {
        // A connected application has to be told the new secret before it can use it (wire-protocol 8, row 38).
        SecretKind::ClientSecret if installation::is_known(before) => overlaps.connected_client_secret,
        SecretKind::ClientSecret if before.connection.is_some() => Duration::ZERO,
        SecretKind::ClientSecret => overlaps.client_secret,
        SecretKind::SigningKey => overlaps.signing_key,
        _ => Duration::ZERO,
    };
    let (stamp, next_stamp) = (before.tokens_not_before, after.tokens_not_before);
    (!length.is_zero()).then(|| Overlap { until: now.plus(length), stamp, next_stamp })
}

/// The public keys as a JSON string that holds a JWKS document, newest key last (wire-protocol 4.3).
///
/// # Errors
/// Those of access.
pub async fn public_keys(cx: Cx<OnApplication<ViewApplications>>) -> Result<Text, ApiError> {
    let id = cx.access.application.id.clone();
    let keys = cx.read(move |tx| tx.application_keys(&id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    let keys: Vec<_> = keys
        .iter()
        .map(|key| {
            serde_json::json!({
                "kty": "RSA", "e": key.e, "use": "sig", "kid": key.id.as_str(), "alg": "RS512", "n": key.n,
            })
        })
        .collect();
    Ok(Text(serde_json::json!({ "keys": keys }).to_string()))
}
