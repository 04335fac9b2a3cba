//! `/api/http/organization`: whose server this is.

use spaceport_store::StoreError;
use spaceport_wire::organization::Organization;

use crate::http::access::{Authenticated, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.get("/api/http/organization", "api.organization.get", "Get organization", get)
}

/// The organization.
///
/// # Errors
/// Those of access.
pub async fn get(cx: Cx<Authenticated>) -> Result<Json<Organization>, ApiError> {
    let found = cx.read(|tx| tx.organization()).await.map_err(|error: StoreError| ApiError::from(error))?;
    let organization = found.ok_or_else(|| ApiError::internal("the organization was never made"))?;
    Ok(Json(Organization {
        id: organization.id.clone(),
        org_id: organization.id,
        name: organization.name,
        slogan: organization.slogan,
        logo_id: organization.logo,
        created_at: Some(organization.created_at.millis()),
    }))
}
