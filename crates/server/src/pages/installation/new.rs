//! The page behind an install link: what it is, where it lives, what will happen; and the button that installs it.

use askama::Template;
use http::StatusCode;
use spaceport_platform::access::{Decision, Owner, Target, decide};
use spaceport_platform::context::Place;
use spaceport_platform::right::Right;
use spaceport_store::StoreError;

use crate::api::application_create::register;
use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::keys::uuid;
use crate::pages::error::Trouble;
use crate::pages::html::Html;
use crate::pages::installation::link::InstallLink;
use crate::pages::installation::{NEW, outcome_path};
use crate::pages::visitor::Visitor;
use crate::people::session::Session;

/// What install forms are bound to, besides the link.
const PURPOSE: &str = "install";

/// What the page shows.
#[derive(Template)]
#[template(path = "installation_new.html")]
pub struct NewInstallationPage {
    /// Who looks.
    pub user: String,
    /// What the link asks for.
    pub link: InstallLink,
    /// The name as it was changed, or as the link proposes it.
    pub name: String,
    /// The endpoint's host, alone: people compare it with the one they know.
    pub host: String,
    /// Why installing was refused.
    pub complaint: Option<String>,
    /// Client id that the application will have. The form brings it back, so that a button that was pressed twice
    /// installs once.
    pub client_id: String,
    /// The link's query.
    pub query: String,
    /// Binds the form to session, link and client id.
    pub token: String,
}

fn path_of(query: &str) -> String {
    format!("{NEW}?{query}")
}

/// What links that name no server lead to: the same page.
///
/// # Errors
/// None.
pub async fn forward(_: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    Ok(Html::see_other(path_of(&visitor.query)))
}

/// Shows what the link asks for.
///
/// # Errors
/// When the database fails.
pub async fn page(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let session = match visitor.signed_in(&path_of(&visitor.query)) {
        Ok(session) => session,
        Err(way) => return Ok(way),
    };
    let link = match link(&cx, &session, &visitor.query).await? {
        Ok(link) => link,
        Err(trouble) => return trouble.html(),
    };
    let client_id = uuid(cx.services.random.as_ref());
    let name = link.name.clone();
    show(&visitor, &session, &visitor.query, link, Chosen { name, client_id, complaint: None })
}

/// What was entered, and what was wrong with it.
struct Chosen {
    name: String,
    client_id: String,
    complaint: Option<String>,
}

fn show(
    visitor: &Visitor,
    session: &Session,
    query: &str,
    link: InstallLink,
    chosen: Chosen,
) -> Result<Html, ApiError> {
    let host = url::Url::parse(&link.endpoint).ok().and_then(|url| url.host_str().map(str::to_owned));
    let page = NewInstallationPage {
        user: session.profile.display_name(),
        host: host.unwrap_or_else(|| link.endpoint.clone()),
        name: chosen.name,
        link,
        complaint: chosen.complaint,
        token: visitor.form_token(PURPOSE, &subject(query, &chosen.client_id)),
        client_id: chosen.client_id,
        query: query.to_owned(),
    };
    Html::page(&page)
}

fn subject(query: &str, client_id: &str) -> String {
    format!("{client_id}\n{query}")
}

/// The link, if this person may install applications.
async fn link(cx: &Cx<Anyone>, session: &Session, query: &str) -> Result<Result<InstallLink, Trouble>, ApiError> {
    let link = match InstallLink::parse(query) {
        Ok(link) => link,
        Err(fault) => return Ok(Err(Trouble::new(StatusCode::BAD_REQUEST, "This link does not work", fault))),
    };
    let caller = session.acting(cx).await?;
    Ok(match decide(&caller, &Right::CREATE_APPLICATIONS, Target::Place(&Place::GLOBAL)) {
        Decision::Allowed => Ok(link),
        _ => {
            let text = format!(
                "You are signed in as {}, who may not install applications. Send the link to somebody who may, or ask \
                 an administrator for the right to create applications.",
                session.profile.display_name()
            );
            Err(Trouble::new(StatusCode::FORBIDDEN, "You cannot install applications", text))
        }
    })
}

/// Installs what the page showed, and leads to what comes of it.
///
/// # Errors
/// `403` for a form that was not given to this session for exactly this link.
pub async fn install(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let (query, client_id) = (visitor.field("link").to_owned(), visitor.field("client").to_owned());
    visitor.check_form(PURPOSE, &subject(&query, &client_id))?;
    let session = match visitor.signed_in(&path_of(&query)) {
        Ok(session) => session,
        Err(way) => return Ok(way),
    };
    let link = match link(&cx, &session, &query).await? {
        Ok(link) => link,
        Err(trouble) => return trouble.html(),
    };
    let name = visitor.field("name").trim().to_owned();
    match register(&cx, &link.application(&name, &client_id)).await {
        Ok(made) => Ok(Html::see_other(outcome_path(&made.id))),
        Err(refusal) if refusal.status.is_client_error() => {
            let (wanted, owner) = (client_id.clone(), Owner::User(session.profile.id.clone()));
            let found = cx.read(move |tx| tx.application_by_client_id(&wanted)).await;
            let found = found.map_err(|error: StoreError| ApiError::from(error))?;
            // The button was pressed twice: the first press has installed it.
            if let Some(known) = found.filter(|known| known.owner == owner) {
                return Ok(Html::see_other(outcome_path(known.id.as_str())));
            }
            let complaint = Some(refusal.description.clone());
            let html = show(&visitor, &session, &query, link, Chosen { name, client_id, complaint })?;
            Ok(html.status(StatusCode::UNPROCESSABLE_ENTITY))
        }
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
impl crate::pages::samples::Sampled for NewInstallationPage {
    fn samples() -> Vec<Self> {
        let evil = crate::pages::samples::EVIL;
        let page = |query: &str, name: &str, complaint: Option<&str>| {
            let link = InstallLink::parse(query).unwrap();
            Self {
                user: name.to_owned(),
                name: name.to_owned(),
                host: link.endpoint.clone(),
                link,
                complaint: complaint.map(str::to_owned),
                client_id: "c".to_owned(),
                query: query.to_owned(),
                token: "t".to_owned(),
            }
        };
        vec![
            page("name=My+app&endpoint=https://app.example/api", "My app", None),
            page(
                "name=a&endpoint=http://e&pair=false&client-credentials-flow-enabled=false&has-signing-key=true",
                "My app",
                Some("endpointUri must be an absolute URL"),
            ),
            page(
                &form_urlencoded::Serializer::new(String::new())
                    .extend_pairs([("name", evil), ("endpoint", evil), ("code-flow-enabled", "true")])
                    .extend_pairs([("code-flow-redirect-uris", evil), ("pkce-required", "true"), ("state", evil)])
                    .finish(),
                evil,
                Some(evil),
            ),
        ]
    }
}
