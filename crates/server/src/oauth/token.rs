//! `POST /oauth/token`: every grant, and client credentials among them (wire-protocol 1.3, 1.4).

use std::net::IpAddr;

use bytes::Bytes;
use http::{HeaderMap, header};
use spaceport_platform::access::Principal;
use spaceport_platform::access_record::AccessRecord;
use spaceport_platform::application::Application;
use spaceport_platform::delegation::ClientKind;
use spaceport_platform::grants::Grants;
use spaceport_platform::id::random_text;
use spaceport_platform::scope::Scope;
use spaceport_store::StoreError;
use spaceport_wire::describe::Operation;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::reply::Document;
use crate::http::request::Request;
use crate::http::router::peer_text;
use crate::oauth::answer::{TOKEN_ID, flow_off, known_scope, unstored};
use crate::oauth::form::{Form, printable};
use crate::oauth::jwt::Grant;
use crate::oauth::public_client::{Client, identify};
use crate::oauth::{code_grant, password_grant, refresh_grant};

/// Largest token request, in bytes (security T6).
pub const BODY_LIMIT: usize = 64 * 1024;

/// A token request as it came in; reading the form needs to wait for multipart parts.
pub struct TokenRequest {
    /// Header fields.
    pub headers: HeaderMap,
    /// The form.
    pub body: Bytes,
    /// Where the connection comes from.
    pub peer: Option<IpAddr>,
}

impl Input for TokenRequest {
    fn describe(_: &mut Operation) {}

    fn read(request: &Request) -> Result<Self, ApiError> {
        Ok(Self { headers: request.headers.clone(), body: request.body.clone(), peer: request.peer })
    }
}

/// Issues an access token.
///
/// # Errors
/// The codes of RFC 6749 5.2.
pub async fn token(cx: Cx<Anyone>, request: TokenRequest) -> Result<Document, ApiError> {
    let form = Form::read(&request.headers, &request.body).await?;
    match form.get("grant_type") {
        Some("client_credentials") => client_credentials(cx, &request, &form).await,
        Some("authorization_code") => code_grant::redeem(cx, &request, &form).await,
        Some("refresh_token") => refresh_grant::refresh(cx, &request, &form).await,
        Some("password") => password_grant::grant(cx, &request, &form).await,
        Some(other) => Err(ApiError::oauth(
            "unsupported_grant_type",
            format!("The grant type {} is not offered", printable(other)),
        )),
        None => Err(ApiError::oauth("invalid_request", "The parameter grant_type is missing")),
    }
}

async fn client_credentials(cx: Cx<Anyone>, request: &TokenRequest, form: &Form) -> Result<Document, ApiError> {
    let Client { application, kind, stamp } = identify(&request.headers, form, request.peer, &cx.services).await?;
    if kind == ClientKind::Public {
        // Anybody can say that name (RFC 6749 4.4, security T8).
        return Err(ApiError::oauth("unauthorized_client", "The client credentials flow needs the client's secret"));
    }
    if !application.flows.client_credentials {
        return Err(flow_off("client credentials"));
    }
    let scope = effective_scope(&cx, &application, form.get("scope").unwrap_or("**")).await?;
    let (services, now) = (cx.services.clone(), cx.now());
    let user_agent = request.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    services.sign_ins.note(&application.id, AccessRecord::new(now, peer_text(request.peer), user_agent));
    let granted = scope.to_string();
    let grant = Grant {
        subject: application.client_id.clone(),
        client_id: application.client_id,
        scope: granted.clone(),
        stamp,
        delegation: None,
    };
    let token_id = random_text(TOKEN_ID, services.random.as_ref());
    let lifetime = services.tokens.lifetime();
    let token = services.tokens.issue(grant, token_id, now).await.map_err(ApiError::internal)?;
    // No refresh_token member at all: the Kotlin SDK fails on null (wire-protocol rule 10).
    let answer = serde_json::json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": granted,
    });
    Ok(unstored(&answer))
}

/// Unknown rights and broken elements are refused; known rights that were not granted are left out,
/// because applications ask for rights and a token in one go (wire-protocol 8, question 9).
async fn effective_scope(cx: &Cx<Anyone>, application: &Application, asked: &str) -> Result<Scope, ApiError> {
    let Scope::Elements(elements) = known_scope(&cx.services, asked)? else { return Ok(Scope::Everything) };
    let principal = Principal::Application(application.id.clone());
    let held = cx.read(move |tx| {
        let grants: Grants = tx.grants(&principal)?.into_iter().collect();
        let mut held = Vec::new();
        for element in &elements {
            if tx.place(&element.context)?.is_some_and(|place| grants.holds(&element.right, &place)) {
                held.push(element.clone());
            }
        }
        Ok(held)
    });
    Ok(Scope::Elements(held.await.map_err(|error: StoreError| ApiError::from(error))?))
}
