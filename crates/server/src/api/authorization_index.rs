//! Where an application is authorized, and which ones are authorized somewhere.

use spaceport_store::StoreError;
use spaceport_wire::application::{EsApp, PermissionContextApi};

use crate::api::application_out::{ExtensionFields, out_all};
use crate::api::authorization::InOneContext;
use crate::api::context_out::contexts_out;
use crate::http::access::{Cx, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::in_context::InContext;
use crate::http::input::Query;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/http/applications/authorizations/authorized-applications",
            "api.authorized_application.list",
            "Get applications authorized in context",
            applications,
        )
        .get(
            "/api/http/applications/{application}/authorizations/authorized-contexts",
            "api.authorized_context.list",
            "Get all authorized contexts",
            contexts,
        )
}

/// Applications that hold at least one right in the context, by id; archived ones are left out.
///
/// # Errors
/// Those of access.
pub async fn applications(
    cx: Cx<InContext<ViewApplications>>,
    Query(_): Query<InOneContext>,
) -> Result<Json<Vec<EsApp>>, ApiError> {
    let (context, caller) = (cx.access.place.context().clone(), cx.caller.clone());
    let fields = ExtensionFields::needed(&cx.fields);
    let found = cx.read(move |tx| {
        let mut found = Vec::new();
        for id in tx.authorized_applications(&context)? {
            found.extend(tx.application(&id)?);
        }
        out_all(tx, &caller, &found, fields)
    });
    found.await.map(Json).map_err(|error: StoreError| ApiError::from(error))
}

/// Contexts in which the application holds at least one right. What the caller may not see shows its id alone.
///
/// # Errors
/// Those of access.
pub async fn contexts(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<Vec<PermissionContextApi>>, ApiError> {
    let (id, caller) = (cx.access.application.id.clone(), cx.caller.clone());
    let found = cx.read(move |tx| {
        let contexts = tx.authorized_contexts(&id)?;
        contexts_out(tx, &caller, &contexts)
    });
    found.await.map(Json).map_err(|error: StoreError| ApiError::from(error))
}
