//! `/api/host/v1/applications/{application}/refresh-tokens`: whether an application keeps its refresh tokens.

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::delegation::Rotation;
use spaceport_store::StoreError;
use spaceport_wire::host::{RefreshRotation, RefreshTokenPolicy};

use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const POLICY: &str = "/api/host/v1/applications/{application}/refresh-tokens";
    routes.get(POLICY, "host.application.refresh_tokens.get", "Read whether refresh tokens are used once", get).patch(
        POLICY,
        "host.application.refresh_tokens.update",
        "Set whether refresh tokens are used once",
        update,
    )
}

/// Whether the application's refresh tokens are used once.
///
/// # Errors
/// Those of access.
pub async fn get(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<RefreshTokenPolicy>, ApiError> {
    let id = cx.access.application.id.clone();
    let rotation =
        cx.read(move |tx| tx.refresh_rotation(&id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    let rotation = match rotation {
        Rotation::PublicClients => RefreshRotation::PublicClients,
        Rotation::AllClients => RefreshRotation::AllClients,
    };
    Ok(Json(RefreshTokenPolicy { rotation }))
}

/// Sets it; tokens that are out there follow from their next use on.
///
/// # Errors
/// Those of access.
pub async fn update(
    cx: Cx<OnApplication<EditApplications>>,
    Body(body): Body<RefreshTokenPolicy>,
) -> Result<Done, ApiError> {
    let rotation = match body.rotation {
        RefreshRotation::PublicClients => Rotation::PublicClients,
        RefreshRotation::AllClients => Rotation::AllClients,
    };
    let (id, trail) = (cx.access.application.id.clone(), cx.trail());
    let done = cx.write(move |tx| {
        let before = tx.refresh_rotation(&id)?;
        tx.set_refresh_rotation(&id, rotation)?;
        let change = AuditChange::between("refreshTokenRotation", Some(before.name()), Some(rotation.name()));
        trail.record(tx, AuditTarget::application(&id), change)
    });
    done.await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Done)
}
