//! The page on which a user sees which applications may act for him, and ends that.

use askama::Template;
use spaceport_platform::consent::Presence;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::scope::Scope;
use spaceport_store::StoreError;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::oauth::allowed::{Allowed, allowed_by};
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
    /// Applications that may act for the user, by consent or by tokens that rest on none.
    pub applications: Vec<Entry>,
}

/// An application that may act for the user.
pub struct Entry {
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
    let (catalogue, id, now) = (cx.services.catalogue.current(), session.profile.id.clone(), cx.now());
    let found = cx.read(move |tx| {
        let mut found = Vec::new();
        for allowed in allowed_by(tx, &id, now)? {
            let Some(application) = tx.application(&allowed.application)? else { continue };
            let scopes = scopes_of(&allowed).into_iter();
            let scopes = scopes.map(|(scope, presence)| ScopeWords::of(tx, &catalogue, &id, scope, presence));
            found.push((application.id, application.name, scopes.collect::<Result<Vec<_>, _>>()?));
        }
        Ok::<_, StoreError>(found)
    });
    let entry = |(id, name, scopes): (ApplicationId, String, Vec<ScopeWords>)| Entry {
        token: visitor.form_token("withdraw", id.as_str()),
        id: id.to_string(),
        name,
        scopes,
    };
    let page = ApplicationsPage {
        user: session.profile.display_name(),
        withdrawn: visitor.parameter("done").is_some(),
        applications: found.await?.into_iter().map(entry).collect(),
    };
    Html::page(&page)
}

/// What an application may do: what was agreed to, and what tokens allow that rest on no agreement, each once.
fn scopes_of(allowed: &Allowed) -> Vec<(&Scope, Presence)> {
    let agreed = allowed.consent.iter().flat_map(|consent| &consent.scopes);
    let mut scopes: Vec<_> = agreed.map(|approved| (&approved.scope, approved.presence)).collect();
    for (_, delegation) in &allowed.tokens {
        if scopes.iter().all(|(known, _)| **known != delegation.scope) {
            scopes.push((&delegation.scope, Presence::Offline));
        }
    }
    scopes
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
        let entry = |name: &str| Entry {
            id: "a1".to_owned(),
            name: name.to_owned(),
            scopes: vec![scope(true), scope(false)],
            token: "t".to_owned(),
        };
        let page = |user: &str, applications: Vec<Entry>| Self { user: user.to_owned(), withdrawn: true, applications };
        vec![page("Ann A", vec![]), page("Ann A", vec![entry("Tracker"), entry("Mail")]), page(evil, vec![entry(evil)])]
    }
}
