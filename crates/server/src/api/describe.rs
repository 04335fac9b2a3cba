//! Self-description: `/openapi.json`, `/api/http/http-api-model`, `/about`, generated from the list of
//! operations that is served.

use std::sync::LazyLock;

use http::StatusCode;
use spaceport_wire::describe::{api_model, openapi};

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::operations;

/// Stands for the server's URL in what is generated once for all servers of the process.
const SERVER: &str = "http://server.invalid";

/// Made at the first request: it is too much work for everybody who asks.
static OPENAPI: LazyLock<String> = LazyLock::new(|| openapi(&operations::described(), SERVER, VERSION).to_string());
static MODEL: LazyLock<String> = LazyLock::new(|| api_model(&operations::described()).to_string());

/// The OpenAPI 3.1 document.
///
/// # Errors
/// None.
pub async fn openapi_document(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    let quoted = |url: &str| serde_json::Value::from(url).to_string();
    Ok(json(OPENAPI.replace(&quoted(SERVER), &quoted(&cx.services.public_url))))
}

/// The model that the official SDK generators read.
///
/// # Errors
/// None.
pub async fn http_api_model(_: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(json(MODEL.clone()))
}

fn json(body: String) -> Document {
    Document { status: StatusCode::OK, content_type: "application/json", headers: Vec::new(), body }
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
