//! `…/ui-extensions`: what an application adds to the product's pages.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::application::Application;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::context::Context;
use spaceport_platform::lifecycle;
use spaceport_store::StoreError;
use spaceport_wire::application::ui_extension::{AppUiExtensionApi, UpdateUiExtensions};
use spaceport_wire::identifier::PermissionContextIdentifier;

use crate::api::application_state::loaded;
use crate::http::access::{Cx, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::in_context::{known_place, knows};
use crate::http::input::{Body, Query};
use crate::http::own_access::CallingApplication;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;
use crate::ui_extension::{check, read, stored, tracker_domain};

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.patch("/api/http/applications/ui-extensions", "api.ui_extension.update", "Set ui extensions", update).get(
        "/api/http/applications/{application}/ui-extensions",
        "api.ui_extension.list",
        "Get ui extensions",
        list,
    )
}

/// The context of the call, if it names one.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InContextOrAll {
    /// Where; in every context when absent.
    pub context_identifier: Option<PermissionContextIdentifier>,
}

/// Says everything that the calling application adds in the context.
///
/// # Errors
/// `validation-error` naming the extension and its field; `not-found` for a context that the application neither sees nor
/// holds a right in.
pub async fn update(cx: Cx<CallingApplication>, Body(body): Body<UpdateUiExtensions>) -> Result<Done, ApiError> {
    let place = known_place(&cx, &cx.access.application, body.context_identifier.0).await?;
    let (id, now, trail, extensions) = (cx.access.application.clone(), cx.now(), cx.trail(), body.extensions.0);
    cx.write(move |tx| {
        let application = loaded(tx, &id)?;
        lifecycle::require_active(&application)?;
        check(&extensions, application.endpoint.as_ref())?;
        let (context, after) = (place.context(), stored(&extensions)?);
        let before = tx.ui_extensions_in(&id, context)?.unwrap_or_else(|| "[]".to_owned());
        let change = AuditChange::between("extensions", Some(&before), Some(&after));
        if change.is_some() {
            tx.set_ui_extensions(&id, context, &after, now)?;
            let tracker = tracker_domain(&tx.ui_extensions(&id)?)?;
            if tracker != application.external_issue_tracker_domain {
                tx.update_application(&Application { external_issue_tracker_domain: tracker, ..application })?;
            }
            trail.record(tx, AuditTarget::of_application(&id, "uiExtensions", context.to_string()), change)?;
        }
        Ok::<_, ApiError>(())
    })
    .await?;
    Ok(Done)
}

/// What the application adds in the context, or in all that the caller knows of. While it is archived that is nothing; what it
/// added is kept.
///
/// # Errors
/// Those of access; `not-found` for a context that the caller does not know of.
pub async fn list(
    cx: Cx<OnApplication<ViewApplications>>,
    Query(asked): Query<InContextOrAll>,
) -> Result<Json<Vec<AppUiExtensionApi>>, ApiError> {
    let asked: Option<Context> = match asked.context_identifier {
        Some(named) => Some(known_place(&cx, &cx.access.application.id, named.0).await?.context().clone()),
        None => None,
    };
    if cx.access.application.archived_at.is_some() {
        return Ok(Json(Vec::new()));
    }
    let (application, caller) = (cx.access.application.clone(), cx.caller.clone());
    let found = cx.read(move |tx| {
        let mut found = Vec::new();
        for (context, text) in tx.ui_extensions(&application.id)? {
            let wanted = match &asked {
                Some(asked) => *asked == context,
                None => {
                    let place = tx.place_of(context)?;
                    knows(tx, &caller, &application, &place)?
                }
            };
            if wanted {
                found.extend(read(&text)?.into_iter().map(AppUiExtensionApi::from));
            }
        }
        Ok::<_, StoreError>(found)
    });
    found.await.map(Json).map_err(ApiError::from)
}
