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
use crate::pages::visitor::{Form, Visitor, local_path};
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
    /// Whether the form came from a page that had become too old.
    pub stale: bool,
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

/// Why the page is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Somebody came.
    Asked,
    /// Name or password were wrong.
    Failed,
    /// The form that came was too old.
    Stale,
}

async fn show(visitor: &Visitor, path: &str, why: Why, services: &Services) -> Result<Html, ApiError> {
    let waiting = waiting(path, services).await;
    let page = LoginPage {
        application: waiting.as_ref().map(|(name, _)| name.clone()),
        username: visitor.field("username").trim().to_owned(),
        failed: why == Why::Failed,
        stale: why == Why::Stale,
        provider: services.provider.as_ref().map(|known| (known.settings.label.clone(), provider::way(path))),
        return_path: path.to_owned(),
        token: visitor.form_token("login", path),
    };
    let html = Html::page(&page)?.ending_at(waiting.as_ref().map(|(_, answer)| answer.uri.as_str()));
    let html = html.cookie(visitor.visit_cookie());
    Ok(match why {
        Why::Asked => html,
        Why::Failed => html.status(StatusCode::UNPROCESSABLE_ENTITY),
        Why::Stale => html.status(StatusCode::FORBIDDEN),
    })
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
    show(&visitor, path, Why::Asked, &cx.services).await
}

/// Signs in. A form that is too old does nothing: whoever is signed in by now goes on, and everybody else is asked again.
///
/// # Errors
/// `403` for a form from another site.
pub async fn submit(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let path = local_path(visitor.field("return"));
    if visitor.form("login", path)? == Form::Stale {
        if visitor.session.is_some() {
            return Ok(Html::see_other(path));
        }
        return show(&visitor, path, Why::Stale, &cx.services).await;
    }
    let attempt = Attempt {
        username: visitor.field("username").trim().to_owned(),
        password: Secret::new(visitor.field("password")),
        peer: visitor.peer,
    };
    let Some(known) = sign_in(&cx.services, attempt).await? else {
        return show(&visitor, path, Why::Failed, &cx.services).await;
    };
    let (now, trail) = (cx.now(), cx.trail());
    let session = NewSession::generate(&cx.services, Via::Password, now);
    let cookie = session.set_cookie(&cx.services);
    let before = visitor.session.as_ref().map(|session| session.hash());
    let work = move |tx: &mut spaceport_store::Tx<'_>| {
        if !known.still(tx)? {
            return Ok(false);
        }
        let profile = &known.profile.id;
        session.insert(tx, profile, before.as_deref(), now)?;
        let target = AuditTarget::other("profile", profile.as_str());
        trail.record_with(tx, target, None, Some("signed in by password"))?;
        Ok(true)
    };
    if !cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))? {
        return show(&visitor, path, Why::Failed, &cx.services).await;
    }
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
            stale: !failed && application.is_some(),
            provider: application.map(|name| (name.to_owned(), provider::way("/oauth/auth?a=b"))),
            return_path: "/account".to_owned(),
            token: "t".to_owned(),
        };
        let evil = super::samples::EVIL;
        vec![
            page(None, "", false),
            page(Some("Tracker"), "ann", true),
            page(Some("Tracker"), "ann", false),
            page(Some(evil), evil, true),
        ]
    }
}
