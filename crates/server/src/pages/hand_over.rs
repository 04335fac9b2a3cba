//! `GET /session`: the link by which the host's signed-in user comes to our pages without signing in again.
//!
//! The link works once and for a minute; the host answers its user with a redirect to it, so that nobody else reads
//! it. Following it signs in, because a page with a button in between would be a second sign-in.

use http::StatusCode;
use spaceport_platform::audit::AuditTarget;
use spaceport_store::{StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::pages::error::Trouble;
use crate::pages::html::Html;
use crate::pages::visitor::{Visitor, local_path};
use crate::people::session::{NewSession, Via};

/// What such links are stored as.
pub const PURPOSE: &str = "session";

/// Signs in and goes on.
///
/// # Errors
/// When the database fails.
pub async fn follow(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let (now, trail) = (cx.now(), cx.trail());
    let hash = token_hash(&visitor.parameter("code").unwrap_or_default());
    let session = NewSession::generate(&cx.services, Via::Link, now);
    let cookie = session.set_cookie(&cx.services);
    let before = visitor.session.as_ref().map(|session| session.hash());
    let work = move |tx: &mut Tx<'_>| {
        let Some(profile) = tx.use_link(&hash, PURPOSE, now)? else { return Ok(false) };
        if !tx.profile(&profile)?.is_some_and(|profile| profile.is_active()) {
            return Ok(false);
        }
        session.insert(tx, &profile, before.as_deref(), now)?;
        let target = AuditTarget::other("profile", profile.as_str());
        trail.record_with(tx, target, None, Some("signed in by a link of the host"))?;
        Ok::<_, StoreError>(true)
    };
    if !cx.write(work).await? {
        let text = "It was used already, or it is older than a minute. Go back to where you came from and try again.";
        return Trouble::new(StatusCode::GONE, "This link does not work", text).html();
    }
    let path = visitor.parameter("to").unwrap_or_default();
    Ok(Html::see_other(local_path(&path)).cookie(Some(cookie)))
}
