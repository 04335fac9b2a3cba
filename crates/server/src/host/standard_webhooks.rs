//! `/api/host/v1/applications/{application}/standard-webhooks`: what libraries of Standard Webhooks verify deliveries with.

use spaceport_store::StoreError;
use spaceport_wire::host::StandardWebhooksKey;

use crate::http::access::{Cx, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::reply::Json;
use crate::http::routes::Routes;
use crate::target;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get(
        "/api/host/v1/applications/{application}/standard-webhooks/public-key",
        "host.application.standard_webhooks.public_key",
        "Read the public key of Standard Webhooks signatures",
        public_key,
    )
}

/// The key that verifies `v1a` signatures. The secret of `v1` signatures is the signing key itself.
///
/// # Errors
/// Those of access.
pub async fn public_key(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<StandardWebhooksKey>, ApiError> {
    let (application, now) = (cx.access.application.clone(), cx.now());
    let pair = cx.read(move |tx| target::standard_pair(tx, &application, now));
    let pair = pair.await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(StandardWebhooksKey { public_key: pair.map(|pair| pair.public()) }))
}
