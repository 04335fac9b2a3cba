//! Addresses that applications put together themselves for pages of their own inside the product (client-demands 14):
//! their homepage, and pages in the product's main menu. Those pages are shown by the product; here both lead to the page about
//! the application.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use spaceport_platform::id::ApplicationId;
use spaceport_store::StoreError;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::input::Path;
use crate::pages::html::Html;
use crate::pages::installation::outcome::Named;
use crate::pages::installation::outcome_path;

/// Most parts of a path that are looked at: names, and codes behind the id, may hold hyphens, too.
const PARTS: usize = 16;

/// Leads to the page about the application, which asks who is there and tells nothing about what he may not see. So an
/// application that does not exist is led to as well.
///
/// # Errors
/// When the database fails.
pub async fn follow(cx: Cx<Anyone>, Path(named): Path<Named>) -> Result<Html, ApiError> {
    let parts: Vec<String> = named.application.rsplit('-').take(PARTS).map(str::to_owned).collect();
    let last = parts.first().cloned().unwrap_or_default();
    let found = cx.read(move |tx| {
        for part in &parts {
            if let Some(application) = tx.application(&ApplicationId::new(part.as_str()))? {
                return Ok(Some(application.id.to_string()));
            }
        }
        Ok::<_, StoreError>(None)
    });
    let id = found.await.map_err(ApiError::from)?.unwrap_or(last);
    Ok(Html::see_other(outcome_path(&utf8_percent_encode(&id, NON_ALPHANUMERIC).to_string())))
}
