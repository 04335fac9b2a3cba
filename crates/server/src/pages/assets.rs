//! The one stylesheet of all pages, served under a name that changes with its content, and the icon.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::input::Path;
use crate::http::reply::Document;

const STYLESHEET: &str = include_str!("../../assets/spaceport.css");

const ICON: &str = include_str!("../../assets/spaceport.svg");

static NAME: LazyLock<String> = LazyLock::new(|| {
    let hash = digest::digest(&digest::SHA256, STYLESHEET.as_bytes());
    let hash: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("spaceport-{hash}.css")
});

/// Where pages find the stylesheet.
pub fn stylesheet_url() -> String {
    format!("/assets/{}", NAME.as_str())
}

/// The icon, at the address where browsers look that come to something that is no page of ours.
///
/// # Errors
/// None.
pub async fn icon(_: Cx<Anyone>) -> Result<Document, ApiError> {
    Ok(Document {
        status: StatusCode::OK,
        content_type: "image/svg+xml",
        headers: vec![(header::CACHE_CONTROL, "public, max-age=86400")],
        body: ICON.to_owned(),
    })
}

/// Names a file.
#[derive(Deserialize, JsonSchema)]
pub struct File {
    file: String,
}

/// The stylesheet.
///
/// # Errors
/// `404` for any other name.
pub async fn asset(_: Cx<Anyone>, Path(asked): Path<File>) -> Result<Document, ApiError> {
    if asked.file != *NAME {
        return Err(ApiError::not_found("There is no such file"));
    }
    Ok(Document {
        status: StatusCode::OK,
        content_type: "text/css; charset=utf-8",
        headers: vec![(header::CACHE_CONTROL, "public, max-age=31536000, immutable")],
        body: STYLESHEET.to_owned(),
    })
}
