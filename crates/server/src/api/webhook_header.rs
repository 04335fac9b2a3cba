//! Header fields that an application wants with the requests of a webhook.

use spaceport_platform::application::AuthenticationMethod;
use spaceport_platform::audit::AuditChange;
use spaceport_platform::custom_header::{Authorization, CustomHeader, check};
use spaceport_platform::secret::Secret;
use spaceport_wire::webhook_request::{CustomHttpHeader, SetCustomHeaders};

use crate::api::application_state::loaded;
use crate::api::webhook::{WebhookPath, changeable, found, target};
use crate::api::webhook_out::authenticated;
use crate::http::access::{Cx, EditApplications, OnApplication, ViewApplicationSecrets};
use crate::http::error::ApiError;
use crate::http::input::{Body, Path};
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;

/// The operations of custom headers.
pub fn routes(routes: Routes) -> Routes {
    const HEADERS: &str = "/api/http/applications/{application}/webhooks/{webhookId}/custom-headers";
    routes.post(HEADERS, "api.custom_header.set", "Post custom header", set).get(
        HEADERS,
        "api.custom_header.list",
        "Get custom header",
        list,
    )
}

/// Sets the headers in place of those that were there; an empty list takes them away.
///
/// # Errors
/// `not-found`; `validation-error` naming the header.
pub async fn set(
    cx: Cx<OnApplication<EditApplications>>,
    Path(path): Path<WebhookPath>,
    Body(body): Body<SetCustomHeaders>,
) -> Result<Done, ApiError> {
    let headers: Vec<CustomHeader> = body.headers.0.into_iter().map(header_in).collect();
    let (application, trail) = (cx.access.application.id.clone(), cx.trail());
    cx.write(move |tx| {
        let webhook = changeable(tx, &application, &path.id())?;
        let application = loaded(tx, &application)?;
        let (method, _) = authenticated(&application, &webhook);
        check(
            &headers,
            match method {
                AuthenticationMethod::Bearer | AuthenticationMethod::Basic { .. } => Authorization::Ours,
                AuthenticationMethod::PublicKey | AuthenticationMethod::SigningKey => Authorization::Free,
            },
        )?;
        let before = names(&tx.custom_headers(&webhook.id)?);
        tx.set_custom_headers(&webhook.id, &headers)?;
        tx.touch_webhook(&webhook.id)?;
        let named = AuditChange::between("headers", before.as_deref(), names(&headers).as_deref());
        let recorded = [AuditChange::secret("headers.value")].into_iter().chain(named);
        Ok::<_, ApiError>(trail.record(tx, target(&webhook), recorded)?)
    })
    .await?;
    Ok(Done)
}

fn names(headers: &[CustomHeader]) -> Option<String> {
    let names: Vec<&str> = headers.iter().map(|header| header.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Blanks around a value are no part of it (RFC 9110, section 5.5).
fn header_in(header: CustomHttpHeader) -> CustomHeader {
    let value = Secret::new(header.value.trim_matches([' ', '\t']));
    let description = header.description.filter(|description| !description.is_empty());
    CustomHeader { name: header.name, value, description }
}

/// The headers, with their values.
///
/// # Errors
/// `not-found`.
pub async fn list(
    cx: Cx<OnApplication<ViewApplicationSecrets>>,
    Path(path): Path<WebhookPath>,
) -> Result<Json<Vec<CustomHttpHeader>>, ApiError> {
    let application = cx.access.application.id.clone();
    let headers = cx.read(move |tx| {
        let webhook = found(tx, &application, &path.id())?;
        Ok::<_, ApiError>(tx.custom_headers(&webhook.id)?)
    });
    Ok(Json(headers.await?.into_iter().map(header_out).collect()))
}

fn header_out(header: CustomHeader) -> CustomHttpHeader {
    CustomHttpHeader { name: header.name, value: header.value.reveal().to_owned(), description: header.description }
}
