//! `POST /api/host/v1/applications/{application}/payloads`: a person of the product used an application, and the product
//! has the application told.

use spaceport_platform::dispatch::{PayloadClass, Waiting};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::lifecycle;
use spaceport_wire::application_payload::{ActionResult, ApplicationPayload};
use spaceport_wire::installation::HostPayloadResult;

use crate::dispatch::ask::ask;
use crate::dispatch::put;
use crate::host::installation::attempt_of;
use crate::http::access::{Cx, OnAnyApplication, PublishEvents};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::http::routes::Routes;

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    routes.post(
        "/api/host/v1/applications/{application}/payloads",
        "host.application.payloads.send",
        "Send an application what a person did",
        send,
    )
}

/// Whether the product says when payloads of a class are sent. The others tell of the application's own life, and are sent
/// by the server alone.
fn is_of_host(class: PayloadClass) -> bool {
    match class {
        PayloadClass::ListCommands
        | PayloadClass::Message
        | PayloadClass::MessageAction
        | PayloadClass::MenuAction
        | PayloadClass::UnfurlAction
        | PayloadClass::NewUnfurlQueueItems
        | PayloadClass::NewExternalIssueEvent
        | PayloadClass::CreateExternalIssueRequest
        | PayloadClass::CustomAction
        | PayloadClass::SafeMergeCommand => true,
        PayloadClass::Init
        | PayloadClass::ChangeClientSecret
        | PayloadClass::ChangeServerUrl
        | PayloadClass::RefreshToken
        | PayloadClass::ApplicationUninstalled
        | PayloadClass::AppPublicationCheck
        | PayloadClass::WebhookRequest => false,
    }
}

/// Sends a payload. `clientId` and `verificationToken` are filled in. Where a person waits (commands, menu items, buttons), the
/// call takes up to ten seconds and answers what the application said; where nobody does (messages, notices), the payload is stored.
///
/// # Errors
/// `validation-error` naming the field, for a class that only the server sends, and when the application is archived or
/// has no endpoint.
pub async fn send(
    cx: Cx<OnAnyApplication<PublishEvents>>,
    Body(payload): Body<ApplicationPayload>,
) -> Result<Json<HostPayloadResult>, ApiError> {
    let application = cx.access.application.clone();
    let class = payload.class();
    if !is_of_host(class) {
        return Err(Invalid::new("className", format!("{} is sent by the server itself", class.name())).into());
    }
    lifecycle::require_active(&application)?;
    if application.endpoint.is_none() {
        return Err(Invalid::new("", "The application has no endpoint").into());
    }
    if class.waiting() == Waiting::Nobody {
        let news = cx.news();
        cx.write(move |tx| put(&news, tx, &application.id, &payload)).await.map_err(ApiError::from)?;
        return Ok(Json(HostPayloadResult { stored: true, attempt: None, result: None, commands: None }));
    }
    let asked = ask(&cx.services, &application, payload).await?;
    let (result, commands) = match (class, asked.commands()) {
        (PayloadClass::ListCommands, Ok(found)) => (None, Some(found.commands)),
        (PayloadClass::ListCommands, Err(message)) => (Some(ActionResult::Failure { message }), None),
        _ => (Some(asked.action_result()), None),
    };
    Ok(Json(HostPayloadResult { stored: false, attempt: Some(attempt_of(&asked)), result, commands }))
}
