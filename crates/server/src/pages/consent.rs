//! The page that asks a user whether an application may act for him.

use askama::Template;
use http::StatusCode;
use spaceport_platform::access::Owner;
use spaceport_platform::consent::missing;
use spaceport_platform::scope::Scope;
use spaceport_store::StoreError;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::oauth::authorization_request::AuthorizationRequest;
use crate::pages::html::Html;
use crate::pages::visitor::{Form, Visitor};
use crate::pages::words::ScopeWords;
use crate::people::session::Session;

/// What consent forms are bound to, besides the request.
pub const PURPOSE: &str = "consent";

/// What the consent page shows.
#[derive(Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// Who asks.
    pub application: String,
    /// What the application says about itself.
    pub description: Option<String>,
    /// Who made it.
    pub maker: Option<String>,
    /// Where the answer goes, in short.
    pub destination: String,
    /// Who is asked.
    pub user: String,
    /// What is asked.
    pub new: ScopeWords,
    /// Whether the user has agreed to something before.
    pub more: bool,
    /// Whether an answer came from a page that had become too old.
    pub stale: bool,
    /// The request, to be looked at again when the answer comes.
    pub request: String,
    /// The scope that is shown, so that nothing else is agreed to.
    pub shown: String,
    /// Binds the form to session and request.
    pub token: String,
}

/// What a form is bound to: the request, and the scope that was shown.
pub fn subject(request: &str, shown: &str) -> String {
    format!("{request}\n{shown}")
}

/// Shows the page. `new` is what the user has not agreed to yet, or has to agree to again.
///
/// # Errors
/// When the database fails.
pub async fn show(
    cx: &Cx<Anyone>,
    visitor: &Visitor,
    session: &Session,
    request: &AuthorizationRequest,
    (new, form): (Scope, Form),
) -> Result<Html, ApiError> {
    let shown = new.to_string();
    let (catalogue, asked, presence) = (cx.services.catalogue.current(), new, request.presence);
    let (application, profile) = (request.application.clone(), session.profile.id.clone());
    let found = cx.read(move |tx| {
        let words = ScopeWords::of(tx, &catalogue, &profile, &asked, presence)?;
        let maker = match &application.owner {
            Owner::User(id) => tx.profile(id)?.map(|profile| profile.display_name()),
            Owner::Application(id) => tx.application(id)?.map(|maker| maker.name),
        };
        // What was agreed to before is asked again without calling it new.
        let before = tx.consent(&profile, &application.id)?;
        let more = before.is_some_and(|before| missing(&before.scopes, &asked, presence).is_some());
        Ok::<_, StoreError>((words, maker, more))
    });
    let (new, maker, more) = found.await?;
    let page = ConsentPage {
        application: request.application.name.clone(),
        description: request.application.description.clone(),
        maker,
        destination: destination(&request.answer.uri),
        user: session.profile.display_name(),
        new,
        more,
        stale: form == Form::Stale,
        request: visitor.query.clone(),
        token: visitor.form_token(PURPOSE, &subject(&visitor.query, &shown)),
        shown,
    };
    let html = Html::page(&page)?.ending_at(Some(&request.answer.uri));
    Ok(if form == Form::Stale { html.status(StatusCode::FORBIDDEN) } else { html })
}

/// The host of a redirect URI, or what says that it is on this device.
fn destination(uri: &str) -> String {
    match url::Url::parse(uri) {
        Ok(url) if spaceport_platform::redirect::is_loopback(&url) => "a program on this device".to_owned(),
        Ok(url) if matches!(url.scheme(), "http" | "https") => url.host_str().unwrap_or_default().to_owned(),
        _ => "a program on this device".to_owned(),
    }
}

#[cfg(test)]
impl super::samples::Sampled for ConsentPage {
    fn samples() -> Vec<Self> {
        use crate::pages::words::PlaceWords;
        let place = |place: &str, rights: &[&str]| PlaceWords {
            place: place.to_owned(),
            rights: rights.iter().map(|right| (*right).to_owned()).collect(),
        };
        let page = |application: &str, new: ScopeWords, more: bool| Self {
            application: application.to_owned(),
            description: more.then(|| application.to_owned()),
            maker: Some("Bob B".to_owned()),
            destination: "tracker.example".to_owned(),
            user: "Ann A".to_owned(),
            new,
            more,
            stale: more,
            shown: "b".to_owned(),
            request: "client_id=a&scope=b".to_owned(),
            token: "t".to_owned(),
        };
        let evil = super::samples::EVIL;
        let places = vec![
            place("Everywhere", &["View profiles"]),
            place("In the project Demo", &["View issues", "Create issues"]),
            place(evil, &[evil]),
        ];
        vec![
            page("Tracker", ScopeWords { everything: false, places, offline: true }, false),
            page("Tracker", ScopeWords { everything: true, places: vec![], offline: false }, true),
            page("Tracker", ScopeWords::default(), false),
            page(evil, ScopeWords::default(), true),
        ]
    }
}
