//! `GET /oauth/jwks.json`: the keys that sign access tokens.

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;

/// The public keys as a JWK set.
///
/// # Errors
/// None.
pub async fn keys(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(Document::json(&cx.services.tokens.jwks()))
}
