//! The sign-in page.

use askama::Template;
use http::StatusCode;
use spaceport_platform::audit::AuditTarget;
use spaceport_platform::secret::Secret;
use spaceport_store::StoreError;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::oauth::authorization_request::{AnswerPlace, AuthorizationRequest};
use crate::pages::html::Html;
use crate::pages::provider;
use crate::pages::visitor::{Visitor, local_path};
use crate::people::login::{Attempt, sign_in};
use crate::people::session::{NewSession, Via, remove_cookie};
use crate::services::Services;

/// What the sign-in page shows.
#[derive(Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    /// The application that waits for the user.
    pub application: Option<String>,
    /// What was entered before.
    pub username: String,
    /// Whether name or password were wrong.
    pub failed: bool,
    /// What the identity provider is called, and the way to it.
    pub provider: Option<(String, String)>,
    /// Where to go afterwards.
    pub return_path: String,
    /// Binds the form to this browser.
    pub token: String,
}

/// What waits behind the sign-in page, if an application does.
async fn waiting(path: &str, services: &Services) -> Option<(String, AnswerPlace)> {
    let query = path.strip_prefix("/oauth/auth?")?;
    let request = AuthorizationRequest::read(query, services).await.ok()?;
    Some((request.application.name, request.answer))
}

async fn show(visitor: &Visitor, path: &str, failed: Option<&str>, services: &Services) -> Result<Html, ApiError> {
    let waiting = waiting(path, services).await;
    let page = LoginPage {
        application: waiting.as_ref().map(|(name, _)| name.clone()),
        username: failed.unwrap_or_default().to_owned(),
        failed: failed.is_some(),
        provider: services.provider.as_ref().map(|known| (known.settings.label.clone(), provider::way(path))),
        return_path: path.to_owned(),
        token: visitor.form_token("login", path),
    };
    let html = Html::page(&page)?.ending_at(waiting.as_ref().map(|(_, answer)| answer.uri.as_str()));
    Ok(html.cookie(visitor.visit_cookie()))
}

/// Shows the sign-in page, or goes on when somebody is signed in.
///
/// # Errors
/// When the database fails.
pub async fn page(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let asked = visitor.parameter("return").unwrap_or_default();
    let path = local_path(&asked);
    if visitor.session.is_some() {
        return Ok(Html::see_other(path));
    }
    show(&visitor, path, None, &cx.services).await
}

/// Signs in.
///
/// # Errors
/// `403` for a form that was not ours.
pub async fn submit(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let path = local_path(visitor.field("return"));
    visitor.check_form("login", path)?;
    let username = visitor.field("username").trim().to_owned();
    let attempt =
        Attempt { username: username.clone(), password: Secret::new(visitor.field("password")), peer: visitor.peer };
    let Some(profile) = sign_in(&cx.services, attempt).await? else {
        let html = show(&visitor, path, Some(&username), &cx.services).await?;
        return Ok(html.status(StatusCode::UNPROCESSABLE_ENTITY));
    };
    let (now, trail) = (cx.now(), cx.trail());
    let session = NewSession::generate(&cx.services, Via::Password, now);
    let cookie = session.set_cookie(&cx.services);
    let before = visitor.session.as_ref().map(|session| session.hash());
    let work = move |tx: &mut spaceport_store::Tx<'_>| {
        session.insert(tx, &profile.id, before.as_deref(), now)?;
        trail.record_with(tx, AuditTarget::other("profile", profile.id.as_str()), None, Some("signed in by password"))
    };
    cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    let gone = remove_cookie(cx.services.cookies().visit, &cx.services);
    Ok(Html::see_other(path).cookie(Some(cookie)).cookie(Some(gone)))
}

#[cfg(test)]
impl super::samples::Sampled for LoginPage {
    fn samples() -> Vec<Self> {
        let page = |application: Option<&str>, username: &str, failed: bool| Self {
            application: application.map(str::to_owned),
            username: username.to_owned(),
            failed,
            provider: application.map(|name| (name.to_owned(), provider::way("/oauth/auth?a=b"))),
            return_path: "/account".to_owned(),
            token: "t".to_owned(),
        };
        let evil = super::samples::EVIL;
        vec![page(None, "", false), page(Some("Tracker"), "ann", true), page(Some(evil), evil, true)]
    }
}
