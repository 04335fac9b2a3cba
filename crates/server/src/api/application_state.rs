//! How applications end, come back and report about themselves: archive, restore, force-remove, error message, health.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::application::{Application, MAX_TEXT};
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::ApplicationId;
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_platform::lifecycle;
use spaceport_store::{StoreError, Tx};

use crate::events::application as events;
use crate::http::access::{Cx, DeleteApplications, EditApplications, OnApplication};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::own_access::CallingApplication;
use crate::http::reply::Done;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .delete("/api/http/applications/{application}", "api.application.delete", "Delete application", delete)
        .post("/api/http/applications/{application}/restore", "api.application.restore", "Restore application", restore)
        .post(
            "/api/http/applications/{application}/force-remove",
            "api.application.force_remove",
            "Force-remove application",
            force_remove,
        )
        .post(
            "/api/http/applications/error-message",
            "api.application.error_message.set",
            "Set error message",
            set_error_message,
        )
        .post(
            "/api/http/applications/report-application-as-healthy",
            "api.application.healthy",
            "Report application as healthy",
            report_healthy,
        )
}

/// Archives the application: its tokens end, its deliveries stop, nothing is deleted.
///
/// # Errors
/// `validation-error` when it is archived already.
pub async fn delete(cx: Cx<OnApplication<DeleteApplications>>) -> Result<Done, ApiError> {
    archive(cx, lifecycle::require_not_archived_twice).await
}

/// Archives an application that failed to answer that it was uninstalled, without asking it again.
///
/// # Errors
/// `validation-error` unless it failed to answer at least once.
pub async fn force_remove(cx: Cx<OnApplication<DeleteApplications>>) -> Result<Done, ApiError> {
    archive(cx, lifecycle::require_failed_uninstallation).await
}

async fn archive(
    cx: Cx<OnApplication<DeleteApplications>>,
    rule: fn(&Application) -> Result<(), Invalid>,
) -> Result<Done, ApiError> {
    let (id, now, trail, news) = (cx.access.application.id.clone(), cx.now(), cx.trail(), cx.news());
    cx.write(move |tx| {
        let application = loaded(tx, &id)?;
        rule(&application)?;
        tx.archive_application(&id, now)?;
        let archived = AuditChange::between("archived", Some("false"), Some("true"));
        trail.record(tx, AuditTarget::application(&id), archived)?;
        events::archived(&news, tx, &application)?;
        Ok::<_, ApiError>(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// Brings an archived application back. Its tokens from before stay dead.
///
/// # Errors
/// `validation-error` when it is not archived.
pub async fn restore(cx: Cx<OnApplication<EditApplications>>) -> Result<Done, ApiError> {
    let (id, now, trail, news) = (cx.access.application.id.clone(), cx.now(), cx.trail(), cx.news());
    cx.write(move |tx| {
        let archived = loaded(tx, &id)?;
        let mut application = archived.clone();
        lifecycle::restore(&mut application, now)?;
        tx.update_application(&application)?;
        trail.record(tx, AuditTarget::application(&id), changes(Some(&archived), &application))?;
        events::restored(&news, tx, &application)?;
        Ok::<_, ApiError>(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

/// An application inside a transaction, where nobody else changes it.
///
/// # Errors
/// `not-found`, or that the database failed.
pub fn loaded(tx: &mut Tx<'_>, id: &ApplicationId) -> Result<Application, ApiError> {
    tx.application(id)?.ok_or_else(|| ApiError::not_found(format!("Application id:{id} not found")))
}

/// A message for the application's page.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "SetErrorMessage")]
pub struct ErrorMessage {
    /// The message; null takes it away.
    #[serde(default)]
    message: Option<String>,
}

/// The calling application reports what its problem is.
///
/// # Errors
/// `validation-error` when the message is too long.
pub async fn set_error_message(cx: Cx<CallingApplication>, Body(body): Body<ErrorMessage>) -> Result<Done, ApiError> {
    if let Some(message) = &body.message {
        text_length("message", message, 0, MAX_TEXT)?;
    }
    let (id, trail, message) =
        (cx.access.application.clone(), cx.trail(), body.message.filter(|text| !text.is_empty()));
    cx.write(move |tx| {
        let before = loaded(tx, &id)?;
        tx.set_error_message(&id, message.as_deref())?;
        let change = AuditChange::between("errorMessage", before.error_message.as_deref(), message.as_deref());
        if change.is_some() {
            trail.record(tx, AuditTarget::application(&id), change)?;
        }
        Ok::<_, ApiError>(())
    })
    .await?;
    Ok(Done)
}

/// The calling application reports that it works.
///
/// # Errors
/// Those of access.
pub async fn report_healthy(cx: Cx<CallingApplication>) -> Result<Done, ApiError> {
    let (id, now) = (cx.access.application.clone(), cx.now());
    // Not in the audit trail: it changes no setting and comes every few minutes.
    cx.write(move |tx| tx.set_healthy(&id, now)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Done)
}
