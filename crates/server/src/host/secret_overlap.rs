//! `/api/host/v1/applications/{application}/…/previous`: the secret before the present one, while both are valid.

use spaceport_platform::application::SecretKind;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_store::StoreError;
use spaceport_wire::host::SecretOverlap;
use spaceport_wire::scalar::DateTime;

use crate::http::access::{
    Cx, Demand, EditApplications, LookAfterApplications, OnApplication, WatchApplicationSecrets,
};
use crate::http::error::ApiError;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const CLIENT_SECRET: &str = "/api/host/v1/applications/{application}/client-secret/previous";
    const SIGNING_KEY: &str = "/api/host/v1/applications/{application}/signing-key/previous";
    routes
        .get(
            CLIENT_SECRET,
            "host.application.client_secret.previous.get",
            "Read how long the previous client secret stays valid",
            client_secret,
        )
        .delete(
            CLIENT_SECRET,
            "host.application.client_secret.previous.end",
            "End the previous client secret at once",
            end_client_secret,
        )
        .get(
            SIGNING_KEY,
            "host.application.signing_key.previous.get",
            "Read how long deliveries are signed with the previous signing key too",
            signing_key,
        )
        .delete(
            SIGNING_KEY,
            "host.application.signing_key.previous.end",
            "End the previous signing key at once",
            end_signing_key,
        )
}

/// Until when the client secret before the present one signs in.
///
/// # Errors
/// Those of access.
pub async fn client_secret(cx: Cx<OnApplication<WatchApplicationSecrets>>) -> Result<Json<SecretOverlap>, ApiError> {
    until(cx, SecretKind::ClientSecret).await
}

/// Until when deliveries are signed with the signing key before the present one too.
///
/// # Errors
/// Those of access.
pub async fn signing_key(cx: Cx<OnApplication<WatchApplicationSecrets>>) -> Result<Json<SecretOverlap>, ApiError> {
    until(cx, SecretKind::SigningKey).await
}

async fn until<R: Demand>(cx: Cx<OnApplication<R>>, kind: SecretKind) -> Result<Json<SecretOverlap>, ApiError> {
    let (application, now) = (cx.access.application.clone(), cx.now());
    let found = cx.read(move |tx| {
        let previous = tx.previous_secret(application.id.as_str(), kind, now)?.map(|previous| previous.overlap);
        let moved = |next_stamp| kind == SecretKind::ClientSecret && next_stamp != application.tokens_not_before;
        Ok::<_, StoreError>(previous.filter(|overlap| !moved(overlap.next_stamp)))
    });
    let overlap = found.await.map_err(ApiError::from)?;
    Ok(Json(SecretOverlap { valid_until: overlap.map(|overlap| DateTime(overlap.until)) }))
}

/// From now on only the present client secret signs in, and only its tokens are good.
///
/// # Errors
/// `not-found` when there is no other one.
pub async fn end_client_secret(cx: Cx<OnApplication<LookAfterApplications>>) -> Result<Done, ApiError> {
    end(cx, SecretKind::ClientSecret, "previousClientSecret").await
}

/// From now on deliveries are signed with the present signing key alone.
///
/// # Errors
/// `not-found` when there is no other one.
pub async fn end_signing_key(cx: Cx<OnApplication<EditApplications>>) -> Result<Done, ApiError> {
    end(cx, SecretKind::SigningKey, "previousSigningKey").await
}

async fn end<R: Demand>(cx: Cx<OnApplication<R>>, kind: SecretKind, field: &'static str) -> Result<Done, ApiError> {
    let (id, now, trail) = (cx.access.application.id.clone(), cx.now(), cx.trail());
    cx.write(move |tx| {
        if !tx.end_overlap(id.as_str(), kind)? {
            return Err(ApiError::not_found("There is no previous secret any more"));
        }
        if kind == SecretKind::ClientSecret {
            // Whoever had the old secret may have got refresh tokens with it.
            tx.end_delegations_to(&id, now)?;
        }
        // Counts a revision, so that senders on every node forget the old key.
        if let Some(application) = tx.application(&id)? {
            tx.update_application(&application)?;
        }
        Ok(trail.record(tx, AuditTarget::application(&id), [AuditChange::secret(field)])?)
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}
