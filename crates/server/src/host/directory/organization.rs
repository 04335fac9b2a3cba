//! The organization, as the host says it.

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::directory::organization::check;
use spaceport_wire::directory::{OrganizationEntry, Outcome};

use crate::host::directory::Feeding;
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.put("/api/host/v1/directory/organization", "host.organization.put", "Put the organization", put)
}

/// Says how the organization is called.
///
/// # Errors
/// `validation-error` naming the field.
pub async fn put(cx: Feeding, Body(body): Body<OrganizationEntry>) -> Result<Json<Outcome>, ApiError> {
    let trail = cx.trail();
    let outcome = cx
        .write(move |tx| {
            let known = tx.organization()?.ok_or_else(|| ApiError::internal("the organization was never made"))?;
            let mut organization = known.clone();
            organization.name.clone_from(&body.name);
            organization.slogan.clone_from(&body.slogan);
            organization.logo.clone_from(&body.logo_id);
            check(&organization)?;
            if organization == known {
                return Ok(Outcome { unchanged: 1, ..Outcome::default() });
            }
            let changes = [
                AuditChange::between("name", Some(&known.name), Some(&organization.name)),
                AuditChange::between("slogan", known.slogan.as_deref(), organization.slogan.as_deref()),
                AuditChange::between("logoId", known.logo.as_deref(), organization.logo.as_deref()),
            ];
            tx.save_organization(&organization)?;
            trail.record(
                tx,
                AuditTarget::other("organization", organization.id.as_str()),
                changes.into_iter().flatten(),
            )?;
            Ok::<_, ApiError>(Outcome { changed: 1, ..Outcome::default() })
        })
        .await?;
    Ok(Json(outcome))
}
