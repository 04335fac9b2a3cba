//! `grant_type=password`: off unless the operator allows it (security T17). The application sees the password, so
//! no application should want this.

use spaceport_platform::consent::Presence;
use spaceport_platform::delegation::ClientKind;
use spaceport_platform::id::Id;
use spaceport_platform::secret::Secret;
use spaceport_store::{StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::oauth::answer::{invalid_grant, known_scope, required, tokens};
use crate::oauth::client::{SignedIn, authenticate};
use crate::oauth::delegated::{NewDelegation, Parties};
use crate::oauth::form::Form;
use crate::oauth::token::TokenRequest;
use crate::people::login::{Attempt, sign_in};

/// Signs a user in by name and password.
///
/// # Errors
/// The codes of RFC 6749 5.2.
pub async fn grant(cx: Cx<Anyone>, request: &TokenRequest, form: &Form) -> Result<Document, ApiError> {
    if !cx.services.oauth.password_grant {
        return Err(ApiError::oauth("unsupported_grant_type", "The grant type password is not offered"));
    }
    let SignedIn { application, stamp } = authenticate(&request.headers, form, request.peer, &cx.services).await?;
    let attempt = Attempt {
        username: required(form, "username")?.to_owned(),
        password: Secret::new(required(form, "password")?),
        peer: request.peer,
    };
    let scope = known_scope(&cx.services, form.get("scope").unwrap_or_default())?;
    let presence = match form.get("access_type") {
        Some("offline") => Presence::Offline,
        Some("online") | None => Presence::Online,
        Some(_) => return Err(ApiError::oauth("invalid_request", "access_type must be online or offline")),
    };
    let wrong = || invalid_grant("The user name or the password is wrong");
    let known = sign_in(&cx.services, attempt).await?.ok_or_else(wrong)?;
    let (services, now) = (cx.services.clone(), cx.now());
    let parties = Parties {
        application: &application,
        stamp,
        client: ClientKind::Confidential,
        profile: &known.profile.id,
        scope: &scope,
        presence,
    };
    let id = Id::generate(now, services.random.as_ref());
    let delegation = NewDelegation::prepare(&services, id, &parties, now);
    let stored = delegation.clone();
    let work = move |tx: &mut Tx<'_>| {
        let still = known.still(tx)?;
        if still {
            stored.insert(tx, now)?;
        }
        Ok(still)
    };
    if !cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))? {
        return Err(wrong());
    }
    Ok(tokens(&services, delegation.issue(&services, &application.client_id, now).await?))
}
