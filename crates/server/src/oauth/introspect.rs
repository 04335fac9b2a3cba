//! `POST /oauth/introspect`: an application asks whether a token of its own is good (RFC 7662).

use serde_json::{Value, json};
use spaceport_platform::access::Principal;
use spaceport_platform::application::Application;
use spaceport_platform::delegation::ClientKind;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::oauth::answer::{required, unstored};
use crate::oauth::form::Form;
use crate::oauth::jwt::Claims;
use crate::oauth::public_client::identify;
use crate::oauth::standing::{self, Standing, has_user};
use crate::oauth::token::TokenRequest;

/// Tells about a token of the calling application. Of all others, whatever the reason, the answer is the same (security I2).
///
/// # Errors
/// `invalid_client` without the application's secret.
pub async fn introspect(cx: Cx<Anyone>, request: TokenRequest) -> Result<Document, ApiError> {
    let form = Form::read(&request.headers, &request.body).await?;
    let client = identify(&request.headers, &form, request.peer, &cx.services).await?;
    if client.kind == ClientKind::Public {
        return Err(ApiError::invalid_client());
    }
    let token = required(&form, "token")?.to_owned();
    let now = cx.now();
    let claims = cx.services.tokens.verify_looking(&token, &cx.services.store, cx.services.clock.as_ref()).await?.ok();
    let (issuer, application) = (cx.services.public_url.clone(), client.application);
    let work = move |tx: &mut Tx<'_>| match &claims {
        Some(claims) => of_access_token(tx, &application, claims, &issuer, now),
        None => match of_refresh_token(tx, &application, &token, &issuer, now)? {
            None => of_permanent_token(tx, &application, &token, &issuer, now),
            told => Ok(told),
        },
    };
    let told = cx.read(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(unstored(&told.unwrap_or_else(|| json!({ "active": false }))))
}

/// A token that stands.
struct Active<'a> {
    application: &'a Application,
    subject: &'a str,
    scope: &'a str,
    issuer: &'a str,
    issued_at: Timestamp,
    /// Never when `None`.
    expires_at: Option<Timestamp>,
    token_type: &'static str,
}

impl Active<'_> {
    /// What is told of it (RFC 7662 2.2).
    fn told(&self) -> Value {
        let client_id = self.application.client_id.as_str();
        let mut told = json!({
            "active": true, "scope": self.scope, "client_id": client_id, "sub": self.subject, "aud": client_id,
            "iss": self.issuer, "iat": self.issued_at.seconds(), "token_type": self.token_type,
        });
        if let (Some(expires_at), Some(members)) = (self.expires_at, told.as_object_mut()) {
            members.insert("exp".to_owned(), expires_at.seconds().into());
        }
        told
    }
}

fn of_access_token(
    tx: &mut Tx<'_>,
    application: &Application,
    claims: &Claims,
    issuer: &str,
    now: Timestamp,
) -> Result<Option<Value>, StoreError> {
    let grant = &claims.grant;
    let until = standing::until(tx, claims, application)?;
    if grant.client_id != application.client_id || until.is_none_or(|until| now >= until) {
        return Ok(None);
    }
    let stands = match &grant.delegation {
        Some(id) => {
            let standing = standing::delegation(tx, id, &application.id, &grant.subject)?;
            matches!(standing, Standing::Stands(_))
        }
        None => grant.subject == grant.client_id,
    };
    let told = Active {
        application,
        subject: &grant.subject,
        scope: &grant.scope,
        issuer,
        issued_at: claims.issued_at,
        expires_at: Some(claims.expires_at),
        token_type: "Bearer",
    };
    Ok(stands.then(|| told.told()))
}

fn of_refresh_token(
    tx: &mut Tx<'_>,
    application: &Application,
    token: &str,
    issuer: &str,
    now: Timestamp,
) -> Result<Option<Value>, StoreError> {
    let Some(refresh) = tx.refresh_token(&token_hash(token))? else { return Ok(None) };
    let Some(delegation) = tx.delegation(&refresh.delegation)? else { return Ok(None) };
    let stands = delegation.application == application.id
        && application.archived_at.is_none()
        && delegation.revoked_at.is_none()
        && refresh.spent_at.is_none()
        && now < delegation.expires_at
        && has_user(tx, &delegation.profile, delegation.created_at)?;
    let told = Active {
        application,
        subject: delegation.profile.as_str(),
        scope: &delegation.scope.to_string(),
        issuer,
        issued_at: refresh.created_at,
        expires_at: Some(delegation.expires_at),
        token_type: "refresh_token",
    };
    Ok(stands.then(|| told.told()))
}

fn of_permanent_token(
    tx: &mut Tx<'_>,
    application: &Application,
    token: &str,
    issuer: &str,
    now: Timestamp,
) -> Result<Option<Value>, StoreError> {
    let Some(found) = tx.token_by_hash(&token_hash(token))? else { return Ok(None) };
    let stands = found.principal == Principal::Application(application.id.clone())
        && application.archived_at.is_none()
        && found.revoked_at.is_none()
        && found.expires_at.is_none_or(|expires_at| now < expires_at);
    let told = Active {
        application,
        subject: &application.client_id,
        scope: &found.scope,
        issuer,
        issued_at: found.created_at,
        expires_at: found.expires_at,
        token_type: "Bearer",
    };
    Ok(stands.then(|| told.told()))
}
