//! The page on which a user sees which applications may act for him, and ends that.

use askama::Template;
use spaceport_platform::id::ApplicationId;
use spaceport_store::StoreError;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::oauth::withdrawal::withdraw_application;
use crate::pages::html::Html;
use crate::pages::visitor::Visitor;
use crate::pages::words::ScopeWords;

/// What the page shows.
#[derive(Template)]
#[template(path = "applications.html")]
pub struct ApplicationsPage {
    /// Who looks.
    pub user: String,
    /// Whether something has just been withdrawn.
    pub withdrawn: bool,
    /// Applications with a consent.
    pub applications: Vec<Allowed>,
}

/// An application that may act for the user.
pub struct Allowed {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ScopeWords>,
    /// Binds the form to this session and application.
    pub token: String,
}

/// The page.
///
/// # Errors
/// When the database fails.
pub async fn page(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let session = match visitor.signed_in("/account/applications") {
        Ok(session) => session,
        Err(way) => return Ok(way),
    };
    let (catalogue, id) = (cx.services.catalogue.current(), session.profile.id.clone());
    let found = cx.read(move |tx| {
        let mut found = Vec::new();
        for consent in tx.consents(&id)? {
            let Some(application) = tx.application(&consent.application)? else { continue };
            let scopes = consent.scopes.iter();
            let scopes = scopes.map(|it| ScopeWords::of(tx, &catalogue, &id, &it.scope, it.presence));
            found.push((application.id, application.name, scopes.collect::<Result<Vec<_>, _>>()?));
        }
        Ok::<_, StoreError>(found)
    });
    let allowed = |(id, name, scopes): (ApplicationId, String, Vec<ScopeWords>)| Allowed {
        token: visitor.form_token("withdraw", id.as_str()),
        id: id.to_string(),
        name,
        scopes,
    };
    let page = ApplicationsPage {
        user: session.profile.display_name(),
        withdrawn: visitor.parameter("done").is_some(),
        applications: found.await?.into_iter().map(allowed).collect(),
    };
    Html::page(&page)
}

/// Ends a consent.
///
/// # Errors
/// `403` for a form that was not ours.
pub async fn withdraw(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let session = match visitor.signed_in("/account/applications") {
        Ok(session) => session,
        Err(way) => return Ok(way),
    };
    let id = visitor.field("application");
    visitor.check_form("withdraw", id)?;
    withdraw_application(&cx, &session.profile.id, &ApplicationId::new(id)).await?;
    Ok(Html::see_other("/account/applications?done=1"))
}

#[cfg(test)]
impl super::samples::Sampled for ApplicationsPage {
    fn samples() -> Vec<Self> {
        let evil = super::samples::EVIL;
        let scope = |everything: bool| ScopeWords { everything, places: vec![], offline: true };
        let allowed = |name: &str| Allowed {
            id: "a1".to_owned(),
            name: name.to_owned(),
            scopes: vec![scope(true), scope(false)],
            token: "t".to_owned(),
        };
        let page =
            |user: &str, applications: Vec<Allowed>| Self { user: user.to_owned(), withdrawn: true, applications };
        vec![
            page("Ann A", vec![]),
            page("Ann A", vec![allowed("Tracker"), allowed("Mail")]),
            page(evil, vec![allowed(evil)]),
        ]
    }
}
