//! Self-description: `/openapi.json`, `/api/http/http-api-model`, `/about`, generated from the list of
//! operations that is served.

use http::StatusCode;
use spaceport_wire::describe::{api_model, openapi};

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::operations;

/// The OpenAPI 3.1 document.
///
/// # Errors
/// None.
pub async fn openapi_document(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(Document::json(&openapi(&operations::described(), &cx.services.public_url, VERSION)))
}

/// The model that the official SDK generators read.
///
/// # Errors
/// None.
pub async fn http_api_model(_: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(Document::json(&api_model(&operations::described())))
}

/// Version of the server.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A page that names the version; the .NET generator reads its lines (wire-protocol 2.14).
///
/// # Errors
/// None.
pub async fn about(_: Cx<Anyone>) -> Result<Document, ApiError> {
    let body = format!(
        "<!doctype html>\n<html lang=\"en\">\n<title>Spaceport</title>\n<h1>Spaceport</h1>\n<p>Version {VERSION}\n</p>\n\
         <p>Branch: main</p>\n</html>\n"
    );
    Ok(Document { status: StatusCode::OK, content_type: "text/html; charset=utf-8", headers: Vec::new(), body })
}
