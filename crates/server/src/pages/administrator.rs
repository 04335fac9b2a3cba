//! The one-time administrator link: signs in, and shows an access token for scripts.
//!
//! Opening the link changes nothing, so that a mail scanner cannot use it up; the secret is in the query because the
//! page must work without script.

use askama::Template;
use http::StatusCode;
use spaceport_platform::access::Principal;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::Id;
use spaceport_platform::scope::Scope;
use spaceport_store::{NewToken, StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::oauth::permanent;
use crate::pages::error::Trouble;
use crate::pages::html::Html;
use crate::pages::visitor::Visitor;
use crate::people::session::{NewSession, Via};

/// What such links are stored as.
pub const PURPOSE: &str = "administrator";

/// The page behind the link.
#[derive(Template)]
#[template(path = "administrator.html")]
pub struct LinkPage {
    /// The link's secret.
    pub code: String,
    /// Binds the form to this browser.
    pub token: String,
}

/// The page behind the button.
#[derive(Template)]
#[template(path = "administrator_token.html")]
pub struct TokenPage {
    /// The access token.
    pub access_token: String,
    /// The server's URL.
    pub url: String,
}

/// Shows the page behind the link.
///
/// # Errors
/// None.
pub async fn page(_: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let code = visitor.parameter("code").unwrap_or_default();
    let page = LinkPage { token: visitor.form_token(PURPOSE, &code), code };
    Ok(Html::page(&page)?.cookie(visitor.visit_cookie()))
}

/// Uses the link up: signs in and shows a fresh administrator token.
///
/// # Errors
/// `403` for a form that was not ours.
pub async fn redeem(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let code = visitor.field("code");
    visitor.check_form(PURPOSE, code)?;
    let (now, trail, hash) = (cx.now(), cx.trail(), token_hash(code));
    let access_token = permanent::make(cx.services.random.as_ref());
    let stored = NewToken {
        hash: token_hash(&access_token),
        id: Id::generate(now, cx.services.random.as_ref()),
        name: "administrator link".to_owned(),
        scope: Scope::Everything.to_string(),
        created_at: now,
        expires_at: None,
    };
    let session = NewSession::generate(&cx.services, Via::Link, now);
    let cookie = session.set_cookie(&cx.services);
    let before = visitor.session.as_ref().map(|session| session.hash());
    let work = move |tx: &mut Tx<'_>| {
        let Some(profile) = tx.use_link(&hash, PURPOSE, now)? else { return Ok(false) };
        session.insert(tx, &profile, before.as_deref(), now)?;
        tx.insert_token(&stored, &Principal::User(profile.clone()))?;
        let (target, owner) = (AuditTarget::other("permanentToken", stored.id.as_str()), profile.as_str());
        let owner = AuditChange::between("owner", None, Some(owner));
        trail.record_with(tx, target, owner, Some("the administrator link signed in and made a token"))?;
        Ok::<_, StoreError>(true)
    };
    if !cx.write(work).await? {
        let text = "It was used already, it is too old, or it was copied in part. Whoever runs this server makes another with \
                    the command `spaceport admin-link`.";
        return Trouble::new(StatusCode::GONE, "This link does not work", text).html();
    }
    let page = TokenPage { access_token, url: cx.services.public_url.clone() };
    Ok(Html::page(&page)?.cookie(Some(cookie)))
}

#[cfg(test)]
impl super::samples::Sampled for LinkPage {
    fn samples() -> Vec<Self> {
        let page = |code: &str| Self { code: code.to_owned(), token: "t".to_owned() };
        vec![page("abc"), page(super::samples::EVIL)]
    }
}

#[cfg(test)]
impl super::samples::Sampled for TokenPage {
    fn samples() -> Vec<Self> {
        vec![Self { access_token: "x".repeat(50), url: "http://127.0.0.1:8080".to_owned() }]
    }
}
