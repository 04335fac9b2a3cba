//! `/api/host/v1/applications/{application}/…`: what an application was told, how it does, and trying again.

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_delivery::outcome::Outcome;
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::dispatch::{Dispatch, LastTry};
use spaceport_platform::id::{ApplicationId, DeliveryId};
use spaceport_platform::installation::{Again, connect_again};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::lifecycle;
use spaceport_store::StoreError;
use spaceport_wire::application_payload::{AppPublicationCheckPayload, ApplicationPayload};
use spaceport_wire::batch::Batch;
use spaceport_wire::delivery::StateName;
use spaceport_wire::installation::{ApplicationHealth, EndpointCheck, SentPayload, SentPayloadAttempt};
use spaceport_wire::scalar::DateTime;

use crate::api::application_out::connection_status_out;
use crate::api::application_state::loaded;
use crate::api::page::LogPage;
use crate::dispatch::ask::{Asked, ask};
use crate::dispatch::{put_init_again, server_url};
use crate::http::access::{Cx, LookAfterApplications, OnApplication, ViewApplications};
use crate::http::error::ApiError;
use crate::http::input::Query;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes
        .get(
            "/api/host/v1/applications/{application}/payloads",
            "host.application.payloads.list",
            "List the payloads an application was sent besides events",
            payloads,
        )
        .get(
            "/api/host/v1/applications/{application}/health",
            "host.application.health.get",
            "Read how an application does",
            health,
        )
        .post(
            "/api/host/v1/applications/{application}/check",
            "host.application.check",
            "Ask an application's endpoint whether it answers",
            check,
        )
        .post(
            "/api/host/v1/applications/{application}/connect",
            "host.application.connect",
            "Connect an application again whose connection failed",
            connect,
        )
}

/// Which page.
#[derive(Deserialize, JsonSchema)]
pub struct PageQuery {
    /// The `next` of the page before.
    #[serde(rename = "$skip")]
    skip: Option<String>,
    /// Most entries of the page.
    #[serde(rename = "$top")]
    top: Option<i64>,
}

/// What the application was sent besides events, the newest first: what it was about, and what came of it.
///
/// # Errors
/// `validation-error` naming the parameter.
pub async fn payloads(
    cx: Cx<OnApplication<ViewApplications>>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Batch<SentPayload>>, ApiError> {
    let page = LogPage::new(query.skip, query.top, |id| Some(DeliveryId::new(id)))?;
    let (before, limit) = (page.before.clone(), u32::try_from(page.limit).unwrap_or(u32::MAX));
    let id = cx.access.application.id.clone();
    let found = cx.read(move |tx| tx.dispatches(&id, before.as_ref(), limit)).await;
    let found = found.map_err(|error: StoreError| ApiError::from(error))?;
    let last = found.last().map(|last| last.id.to_string());
    Ok(Json(page.batch(found.into_iter().map(sent).collect(), last)))
}

/// What a dispatch looks like.
pub fn sent(dispatch: Dispatch) -> SentPayload {
    let waits = dispatch.state == DeliveryState::Waiting;
    SentPayload {
        id: dispatch.id.to_string(),
        class_name: dispatch.class.name().to_owned(),
        state: StateName(dispatch.state),
        attempts: dispatch.attempts,
        created_at: DateTime(dispatch.created_at),
        next_attempt_at: waits.then_some(DateTime(dispatch.due_at)),
        finished_at: dispatch.finished_at.map(DateTime),
        last_attempt: dispatch.last.map(attempt),
    }
}

fn attempt(last: LastTry) -> SentPayloadAttempt {
    SentPayloadAttempt {
        at: DateTime(last.at),
        duration_ms: last.duration_ms,
        status: last.status,
        error: last.error_kind,
        message: last.message,
    }
}

/// Heartbeat, reported problem, connection, last payload.
///
/// # Errors
/// Those of access.
pub async fn health(cx: Cx<OnApplication<ViewApplications>>) -> Result<Json<ApplicationHealth>, ApiError> {
    let application = cx.access.application.clone();
    let id = application.id.clone();
    let found = cx
        .read(move |tx| Ok::<_, StoreError>((tx.dispatches(&id, None, 1)?.pop(), tx.client_credentials_access(&id)?)));
    let (last, access) = found.await.map_err(ApiError::from)?;
    let access = cx.services.sign_ins.latest(&application.id, access);
    Ok(Json(ApplicationHealth {
        healthy_at: application.healthy_at.map(DateTime),
        error_message: application.error_message,
        last_signed_in_at: access.map(|access| DateTime(access.at)),
        connection_status: application.connection.and_then(|connection| connection.status).map(connection_status_out),
        ssl_verification: application.endpoint.is_none_or(|endpoint| endpoint.ssl_verification),
        last_payload: last.map(sent),
    }))
}

/// Sends the endpoint an `AppPublicationCheckPayload` and answers what came of it. It changes nothing, here or there, but the audit trail remembers it.
///
/// # Errors
/// `validation-error` when the application has no endpoint or is archived.
pub async fn check(cx: Cx<OnApplication<LookAfterApplications>>) -> Result<Json<EndpointCheck>, ApiError> {
    let application = &cx.access.application;
    lifecycle::require_active(application)?;
    if application.endpoint.is_none() {
        return Err(Invalid::new("", "The application has no endpoint").into());
    }
    let payload = ApplicationPayload::AppPublicationCheckPayload(AppPublicationCheckPayload {});
    let asked = ask(&cx.services, application, payload).await?;
    let shown = attempt_of(&asked);
    let outcome = shown.status.map(|status| status.to_string()).or_else(|| shown.error.clone());
    let (id, trail) = (application.id.clone(), cx.trail());
    let noted = AuditChange::between("endpointCheck", None, outcome.as_deref());
    let written = cx.write(move |tx| trail.record(tx, AuditTarget::application(&id), noted.clone())).await;
    written.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Json(EndpointCheck { answered: asked.accepted(), attempt: shown }))
}

/// What came of a question, without what was answered.
pub fn attempt_of(asked: &Asked) -> SentPayloadAttempt {
    let (error, message) = match &asked.outcome {
        Outcome::Answered(_) => (None, None),
        Outcome::Failed { kind, message } => (Some(kind.as_str().to_owned()), Some(message.clone())),
    };
    SentPayloadAttempt {
        at: DateTime(asked.at),
        duration_ms: i64::try_from(asked.duration.as_millis()).unwrap_or(i64::MAX),
        status: asked.outcome.status(),
        error,
        message,
    }
}

/// Sends the first payload again after it was refused, or the server's URL after it was not accepted.
///
/// # Errors
/// `validation-error` unless that failed.
pub async fn connect(cx: Cx<OnApplication<LookAfterApplications>>) -> Result<Done, ApiError> {
    connect_application(&cx, &cx.access.application.id).await?;
    Ok(Done)
}

/// The same for a caller who was admitted already.
///
/// # Errors
/// Those of [`connect`].
pub async fn connect_application<A>(cx: &Cx<A>, id: &ApplicationId) -> Result<(), ApiError> {
    let (id, trail, news) = (id.clone(), cx.trail(), cx.news());
    cx.write(move |tx| {
        let before = loaded(tx, &id)?;
        lifecycle::require_active(&before)?;
        let mut application = before.clone();
        let again = connect_again(&mut application)?;
        if application.endpoint.is_none() {
            return Err(ApiError::validation("The application has no endpoint"));
        }
        match again {
            Again::Init => {
                put_init_again(&news, tx, &id)?;
                tx.update_application(&application)?;
                trail.record(tx, AuditTarget::application(&id), changes(Some(&before), &application))?;
            }
            Again::ServerUrl => {
                let url = news.server_url().to_owned();
                server_url::tell(tx, &news, &trail, &id, &url)?;
            }
        }
        Ok(())
    })
    .await?;
    cx.services.callers.forget();
    Ok(())
}
