//! The token endpoint's answers.

use http::header;
use serde_json::{Value, json};
use spaceport_platform::scope::Scope;

use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::oauth::delegated::Issued;
use crate::oauth::form::printable;
use crate::services::Services;

/// Characters of a token id: 143 bits.
pub const TOKEN_ID: usize = 24;

/// A document that is not to be kept anywhere (RFC 6749 5.1).
pub fn unstored(value: &Value) -> Document {
    let mut document = Document::json(value);
    document.headers = vec![(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")];
    document
}

/// The answer with tokens of a user.
pub fn tokens(services: &Services, issued: Issued) -> Document {
    let mut answer = json!({
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": services.tokens.lifetime(),
        "scope": issued.scope.to_string(),
    });
    // No refresh_token member at all when there is none: the Kotlin SDK fails on null (wire-protocol rule 10).
    if let (Some(refresh), Some(answer)) = (issued.refresh_token, answer.as_object_mut()) {
        answer.insert("refresh_token".to_owned(), Value::from(refresh));
    }
    unstored(&answer)
}

/// Reads a scope of which every right exists. Contexts are not looked up: one that does not exist gives nothing.
///
/// # Errors
/// `invalid_scope` that names the element or the right.
pub fn known_scope(services: &Services, asked: &str) -> Result<Scope, ApiError> {
    let invalid = |description: String| ApiError::oauth("invalid_scope", printable(&description));
    let scope = Scope::parse(asked).map_err(|fault| invalid(fault.to_string()))?;
    if let Scope::Elements(elements) = &scope {
        let catalogue = services.catalogue.current();
        let unknown = elements.iter().find(|element| catalogue.right(element.right.code()).is_none());
        if let Some(element) = unknown {
            return Err(invalid(format!("There is no right {}", element.right)));
        }
    }
    Ok(scope)
}

/// The code, refresh token, user name or password is not (or no longer) good.
pub fn invalid_grant(description: &'static str) -> ApiError {
    ApiError::oauth("invalid_grant", description)
}

/// The flow is switched off for this application.
pub fn flow_off(flow: &str) -> ApiError {
    ApiError::oauth("unauthorized_client", format!("The {flow} flow is switched off for this application"))
}

/// A parameter that has to be sent.
///
/// # Errors
/// `invalid_request` that names it.
pub fn required<'f>(form: &'f crate::oauth::form::Form, name: &str) -> Result<&'f str, ApiError> {
    form.get(name).ok_or_else(|| ApiError::oauth("invalid_request", format!("The parameter {name} is missing")))
}
