//! How applications end, come back and report about themselves: archive, restore, force-remove, error message, health.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::application::{Application, MAX_TEXT};
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::installation::{self, Progress, Removal, told};
use spaceport_platform::invalid::text_length;
use spaceport_platform::lifecycle;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application_payload::{ApplicationPayload, ApplicationUninstalledPayload, Recipient};

use crate::dispatch;
use crate::events::application as events;
use crate::http::access::{Cx, DeleteApplications, LookAfterApplications, OnApplication};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::news::News;
use crate::http::own_access::CallingApplication;
use crate::http::reply::Done;
use crate::http::routes::Routes;
use crate::http::trail::Trail;

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

/// Archives the application: its tokens end, its deliveries stop, nothing is deleted. A connected one is told first, and
/// archived once it has answered or the tries are over.
///
/// # Errors
/// `validation-error` when it is archived already.
pub async fn delete(cx: Cx<OnApplication<DeleteApplications>>) -> Result<Done, ApiError> {
    remove(&cx, &cx.access.application.id).await?;
    Ok(Done)
}

/// The same for a caller who was admitted already.
///
/// # Errors
/// Those of [`delete`].
pub async fn remove<A>(cx: &Cx<A>, id: &ApplicationId) -> Result<(), ApiError> {
    let (id, now, trail, news) = (id.clone(), cx.now(), cx.trail(), cx.news());
    cx.write(move |tx| {
        let before = loaded(tx, &id)?;
        lifecycle::require_not_archived_twice(&before)?;
        let mut application = before.clone();
        match installation::remove(&mut application, now) {
            Removal::UnderWay => return Ok(()),
            Removal::AtOnce => return archive_now(tx, &trail, &news, &application),
            Removal::AfterTelling => {}
        }
        // What was not told until now need not be told any more.
        tx.cancel_waiting_dispatches(&id, now)?;
        let payload = ApplicationPayload::ApplicationUninstalledPayload(ApplicationUninstalledPayload {
            server_url: news.server_url().to_owned(),
            recipient: Recipient::default(),
        });
        dispatch::put(&news, tx, &id, &payload)?;
        tx.update_application(&application)?;
        Ok::<_, ApiError>(trail.record(tx, AuditTarget::application(&id), changes(Some(&before), &application))?)
    })
    .await?;
    cx.services.callers.forget();
    Ok(())
}

/// Archives an application that failed to answer that it was uninstalled, without asking it again.
///
/// # Errors
/// `validation-error` unless it failed to answer at least once.
pub async fn force_remove(cx: Cx<OnApplication<DeleteApplications>>) -> Result<Done, ApiError> {
    let (id, trail, news) = (cx.access.application.id.clone(), cx.trail(), cx.news());
    cx.write(move |tx| {
        let before = loaded(tx, &id)?;
        lifecycle::require_failed_uninstallation(&before)?;
        let mut application = before.clone();
        told(&mut application, PayloadClass::ApplicationUninstalled, Progress::GivenUp, None);
        tx.update_application(&application)?;
        trail.record(tx, AuditTarget::application(&id), changes(Some(&before), &application))?;
        archive_now(tx, &trail, &news, &application)
    })
    .await?;
    cx.services.callers.forget();
    Ok(Done)
}

fn archive_now(tx: &mut Tx<'_>, trail: &Trail, news: &News, application: &Application) -> Result<(), ApiError> {
    tx.archive_application(&application.id, news.now)?;
    tx.cancel_dispatches(&application.id, news.now)?;
    let archived = AuditChange::between("archived", Some("false"), Some("true"));
    trail.record(tx, AuditTarget::application(&application.id), archived)?;
    Ok(events::archived(news, tx, application)?)
}

/// Brings an archived application back. Its tokens from before stay dead. A connected one is installed anew.
///
/// # Errors
/// `validation-error` when it is not archived.
pub async fn restore(cx: Cx<OnApplication<LookAfterApplications>>) -> Result<Done, ApiError> {
    let (id, now, trail, news) = (cx.access.application.id.clone(), cx.now(), cx.trail(), cx.news());
    cx.write(move |tx| {
        let archived = loaded(tx, &id)?;
        let mut application = archived.clone();
        lifecycle::restore(&mut application, now)?;
        tx.update_application(&application)?;
        trail.record(tx, AuditTarget::application(&id), changes(Some(&archived), &application))?;
        events::restored(&news, tx, &application)?;
        if application.connection.is_some() && application.endpoint.is_some() {
            dispatch::put_init_again(&news, tx, &id)?;
        }
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
