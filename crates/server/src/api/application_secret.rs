//! Secrets and public keys of an application: client secret, signing key, JWKS.

use std::sync::Arc;

use spaceport_platform::application::SecretKind;
use spaceport_platform::id::random_text;
use spaceport_platform::secret::Secret;
use spaceport_store::StoreError;

use crate::api::application::SECRET_LENGTH;
use crate::http::access::{Cx, Demand, EditApplications, OnApplication, ViewApplicationSecrets, ViewApplications};
use crate::http::error::ApiError;
use crate::http::reply::{Done, Text};
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
}

/// The client secret.
///
/// # Errors
/// Those of access.
pub async fn client_secret(cx: Cx<OnApplication<ViewApplicationSecrets>>) -> Result<Text, ApiError> {
    reveal(cx, SecretKind::ClientSecret).await
}

/// The signing key.
///
/// # Errors
/// Those of access.
pub async fn signing_key(cx: Cx<OnApplication<ViewApplicationSecrets>>) -> Result<Text, ApiError> {
    reveal(cx, SecretKind::SigningKey).await
}

/// Makes a new client secret. The old one ends at once, and so do the tokens it brought.
///
/// # Errors
/// Those of access.
pub async fn regenerate_client_secret(cx: Cx<OnApplication<EditApplications>>) -> Result<Done, ApiError> {
    regenerate(cx, SecretKind::ClientSecret).await
}

/// Makes a new signing key. Attempts from now on are signed with it.
///
/// # Errors
/// Those of access.
pub async fn regenerate_signing_key(cx: Cx<OnApplication<EditApplications>>) -> Result<Done, ApiError> {
    regenerate(cx, SecretKind::SigningKey).await
}

async fn reveal<R: Demand>(cx: Cx<OnApplication<R>>, kind: SecretKind) -> Result<Text, ApiError> {
    let id = cx.access.application.id.clone();
    let secret =
        cx.read(move |tx| tx.secret(id.as_str(), kind)).await.map_err(|error: StoreError| ApiError::from(error))?;
    let missing = || ApiError::not_found("The application has no such secret");
    Ok(Text(secret.ok_or_else(missing)?.reveal().to_owned()))
}

async fn regenerate<R: Demand>(cx: Cx<OnApplication<R>>, kind: SecretKind) -> Result<Done, ApiError> {
    let (id, now) = (cx.access.application.id.clone(), cx.now());
    let random = Arc::clone(&cx.services.random);
    cx.write(move |tx| {
        let secret = Secret::new(random_text(SECRET_LENGTH, random.as_ref()));
        tx.set_secret(id.as_str(), kind, &secret)?;
        if let Some(mut application) = tx.application(&id)? {
            application.updated_at = now;
            if kind == SecretKind::ClientSecret {
                application.tokens_not_before = now;
            }
            // Counts a revision, so that senders on every node load the new secret.
            tx.update_application(&application)?;
        }
        Ok::<_, StoreError>(())
    })
    .await
    .map_err(ApiError::from)?;
    cx.services.callers.forget();
    Ok(Done)
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
