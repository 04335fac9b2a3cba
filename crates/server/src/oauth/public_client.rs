//! Who asks for a token: a client with its secret, or one that cannot keep any (security T7).

use std::net::IpAddr;

use http::{HeaderMap, header};
use spaceport_platform::application::Application;
use spaceport_platform::delegation::ClientKind;
use spaceport_platform::time::Timestamp;
use spaceport_store::StoreError;

use crate::http::error::ApiError;
use crate::oauth::client::{SignedIn, authenticate, credentials};
use crate::oauth::form::Form;
use crate::services::Services;

/// A client and how it proved who it is.
pub struct Client {
    /// The application.
    pub application: Application,
    /// How.
    pub kind: ClientKind,
    /// The stamp of its tokens.
    pub stamp: Timestamp,
}

/// The id of a client that brings no secret: in the body alone, or by Basic with an empty one, as `requests-oauthlib` does.
fn bare(headers: &HeaderMap, form: &Form) -> Option<String> {
    if form.get("client_secret").is_some() {
        return None;
    }
    let named = form.get("client_id");
    if !headers.contains_key(header::AUTHORIZATION) {
        return named.map(str::to_owned);
    }
    let (client_id, _) = credentials(headers).ok()?.into_iter().find(|(_, secret)| secret.is_empty())?;
    named.is_none_or(|named| named == client_id).then_some(client_id)
}

/// Finds the client of a token request. Without any credentials, an application that allows public clients is believed to
/// be who it says; what it can do then rests on PKCE and rotation.
///
/// # Errors
/// `invalid_client`; `invalid_request` when header and body disagree.
pub async fn identify(
    headers: &HeaderMap,
    form: &Form,
    peer: Option<IpAddr>,
    services: &Services,
) -> Result<Client, ApiError> {
    let Some(client_id) = bare(headers, form) else {
        let SignedIn { application, stamp } = authenticate(headers, form, peer, services).await?;
        return Ok(Client { application, kind: ClientKind::Confidential, stamp });
    };
    let found = services.store.read(move |tx| tx.application_by_client_id(&client_id)).await;
    let found = found.map_err(|error: StoreError| ApiError::from(error))?;
    found
        .filter(|application| application.archived_at.is_none() && application.flows.public_clients_allowed)
        .map(|application| Client { kind: ClientKind::Public, stamp: application.tokens_not_before, application })
        .ok_or_else(ApiError::invalid_client)
}
