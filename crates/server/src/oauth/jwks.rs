//! `GET /oauth/jwks.json`: the keys that sign access tokens.

use http::header;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;

/// The public keys as a JWK set.
///
/// # Errors
/// None.
pub async fn keys(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    let mut document = Document::json(&cx.services.tokens.jwks());
    // A key is published a day before it signs, so an hour is a safe time to keep the set.
    document.headers = vec![(header::CACHE_CONTROL, "public, max-age=3600")];
    Ok(document)
}
