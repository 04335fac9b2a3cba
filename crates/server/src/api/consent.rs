//! `/api/http/team-directory/profiles/oauth-consents/{owner}`: what people allowed applications to do in their name.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::Caller;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::consent::Presence;
use spaceport_platform::id::{ApprovedScopeId, RefreshTokenId};
use spaceport_platform::identifier::ApplicationIdentifier;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::AccessRecord;
use spaceport_wire::consent::{ApprovedScope, OAuthApp, OAuthConsent, RefreshToken};
use spaceport_wire::scalar::DateTime;

use crate::api::application_out::out;
use crate::api::permanent_token_out::scope_out;
use crate::http::access::{Cx, named_application};
use crate::http::consent_access::OnConsents;
use crate::http::error::ApiError;
use crate::http::input::Path;
use crate::http::reply::{Done, Json};
use crate::http::routes::Routes;
use crate::oauth::allowed::{Allowed, allowed_by};
use crate::oauth::withdrawal::{withdraw_application, withdraw_refresh_token, withdraw_scope};

/// The operations of this resource.
pub fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/http/team-directory/profiles/oauth-consents/{owner}";
    const APPLICATION: &str = "/api/http/team-directory/profiles/oauth-consents/{owner}/applications/{application}";
    const INTERNAL: &str = "/api/http/team-directory/profiles/oauth-consents/{owner}/internal-applications/{clientId}";
    const SCOPE: &str = "/api/http/team-directory/profiles/oauth-consents/{owner}/approved-scopes/{id}";
    const TOKEN: &str = "/api/http/team-directory/profiles/oauth-consents/{owner}/refresh-tokens/{id}";
    routes
        .get(ALL, "api.consent.list", "Get OAuth consents", list)
        .delete(APPLICATION, "api.consent.delete_application", "Delete application", delete_application)
        .delete(SCOPE, "api.consent.delete_scope", "Delete approved scope", delete_scope)
        .delete(INTERNAL, "api.consent.delete_internal", "Delete internal application", delete_internal)
        .delete(TOKEN, "api.consent.delete_refresh_token", "Delete refresh token", delete_refresh_token)
}

/// An application, by any of its identifiers.
#[derive(Deserialize, JsonSchema)]
pub struct NamedApplication {
    /// The application.
    application: String,
}

/// A part of the server.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NamedPart {
    /// Its client id.
    client_id: String,
}

/// An approved scope or a refresh token.
#[derive(Deserialize, JsonSchema)]
pub struct Named {
    /// Its id.
    id: String,
}

/// Applications that may act for the person, with what each may do and the refresh tokens it holds.
///
/// # Errors
/// Those of access.
pub async fn list(cx: Cx<OnConsents>) -> Result<Json<Vec<OAuthConsent>>, ApiError> {
    let (owner, now, caller) = (cx.access.owner.clone(), cx.now(), Arc::clone(&cx.caller));
    let catalogue = cx.services.catalogue.current();
    let found = cx.read(move |tx| {
        let mut shown = Vec::new();
        for allowed in allowed_by(tx, &owner, now)? {
            shown.extend(consent_out(tx, &caller, &catalogue, &allowed)?);
        }
        Ok::<_, StoreError>(shown)
    });
    Ok(Json(found.await?))
}

fn consent_out(
    tx: &mut Tx<'_>,
    caller: &Caller,
    catalogue: &Catalogue,
    allowed: &Allowed,
) -> Result<Option<OAuthConsent>, StoreError> {
    let Some(application) = tx.application(&allowed.application)? else { return Ok(None) };
    let client_application = OAuthApp::User { application: Box::new(out::<StoreError>(tx, caller, &application)?) };
    let mut approved_scopes = Vec::new();
    for approved in allowed.consent.iter().flat_map(|consent| &consent.scopes) {
        approved_scopes.push(ApprovedScope {
            id: approved.id.to_string(),
            scope: scope_out(tx, caller, &approved.scope.to_string(), catalogue)?,
            offline_allowed: approved.presence == Presence::Offline,
        });
    }
    let mut refresh_tokens = Vec::with_capacity(allowed.tokens.len());
    for (token, delegation) in &allowed.tokens {
        refresh_tokens.push(RefreshToken {
            id: token.id.to_string(),
            scope: scope_out(tx, caller, &delegation.scope.to_string(), catalogue)?,
            last_access: token.last_used_at.map(|at| AccessRecord {
                time: DateTime(at),
                address: token.last_used_from.clone().unwrap_or_default(),
                user_agent: None,
            }),
        });
    }
    Ok(Some(OAuthConsent { client_application, approved_scopes, refresh_tokens }))
}

/// Ends all that the person allowed an application, its tokens included, at once.
///
/// # Errors
/// `not-found` when nothing was allowed.
pub async fn delete_application(cx: Cx<OnConsents>, Path(named): Path<NamedApplication>) -> Result<Done, ApiError> {
    let identifier = ApplicationIdentifier::parse(&named.application).map_err(|fault| fault.within("application"))?;
    let asked = named_application(&cx.caller, &identifier)?;
    let found = cx.read(move |tx| asked.find(tx)).await.map_err(|error: StoreError| ApiError::from(error))?;
    let withdrawn = match found {
        Some(application) => withdraw_application(&cx, &cx.access.owner, &application.id).await?,
        None => false,
    };
    existed(withdrawn, "application")
}

/// Ends one approved scope, and the tokens of its application, since each may rest on it.
///
/// # Errors
/// `not-found` when the person approved none with this id.
pub async fn delete_scope(cx: Cx<OnConsents>, Path(named): Path<Named>) -> Result<Done, ApiError> {
    existed(withdraw_scope(&cx, &cx.access.owner, &ApprovedScopeId::new(named.id)).await?, "approved scope")
}

/// Ends one refresh token and the access tokens that it brought.
///
/// # Errors
/// `not-found` when the person has none with this id.
pub async fn delete_refresh_token(cx: Cx<OnConsents>, Path(named): Path<Named>) -> Result<Done, ApiError> {
    existed(withdraw_refresh_token(&cx, &cx.access.owner, &RefreshTokenId::new(named.id)).await?, "refresh token")
}

/// Ends what was allowed to a part of the server. No part of it asks for consent: the pages act for whoever is signed in.
///
/// # Errors
/// `not-found`.
pub async fn delete_internal(_: Cx<OnConsents>, Path(named): Path<NamedPart>) -> Result<Done, ApiError> {
    Err(ApiError::not_found(format!("No part of the server has the client id {} and a consent", named.client_id)))
}

fn existed(withdrawn: bool, what: &str) -> Result<Done, ApiError> {
    match withdrawn {
        true => Ok(Done),
        false => Err(ApiError::not_found(format!("The person has allowed no such {what}"))),
    }
}
