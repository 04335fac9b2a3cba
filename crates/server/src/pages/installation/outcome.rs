//! The page that shows how far an installation has come, and on which somebody answers what the application asks for.

use askama::Template;
use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::Caller;
use spaceport_platform::application::Application;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::connection::{ConnectionStatus, UninstallationStatus};
use spaceport_platform::dispatch::{Dispatch, PayloadClass};
use spaceport_platform::id::ApplicationId;
use spaceport_platform::unfurl::{NUMBER, TargetKind, UnfurlTarget};
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::ui_extension::GettingStarted;

use crate::api::application_state;
use crate::approval::{self, Answer, Answers, Asked, Power, TargetAnswer, Waiting};
use crate::host::installation;
use crate::http::access::{Anyone, Cx, DeleteApplications, Demand, EditApplications, ViewApplications, allowed_on};
use crate::http::error::ApiError;
use crate::http::input::Path;
use crate::pages::html::Html;
use crate::pages::installation::outcome_path;
use crate::pages::visitor::Visitor;
use crate::pages::words::place_name;
use crate::people::session::Session;
use crate::ui_extension;

/// How often a browser looks again while something is under way, in seconds.
const LOOK_AGAIN: u32 = 1;

/// What the page shows.
#[derive(Template)]
#[template(path = "installation.html")]
pub struct InstallationPage {
    /// Where forms about this application go.
    pub path: String,
    /// The application's name.
    pub name: String,
    /// Its OAuth client id.
    pub client_id: String,
    /// Where it receives payloads.
    pub endpoint: String,
    /// How far it has come.
    pub stage: Stage,
    /// Where it leads whoever installed it, once it is connected.
    pub start: Option<GettingStarted>,
    /// What somebody has just answered.
    pub answered: bool,
    /// What it asks for: rights place by place, then link previews.
    pub asked: Vec<AskedPlace>,
    /// Whether the person may approve something of it.
    pub may_approve: bool,
    /// Whether the person may answer something of it.
    pub may_answer: bool,
    /// Whether the person may have it connected again.
    pub may_retry: bool,
    /// Whether the person may remove it.
    pub may_remove: bool,
    /// Binds the form with answers to session and application.
    pub answer_token: String,
    /// Binds the form that connects it again.
    pub again_token: String,
    /// Binds the form that removes it.
    pub remove_token: String,
}

/// How far an application has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It was not to be told anything.
    Registered,
    /// It has not answered yet.
    Connecting,
    /// It accepted its installation.
    Connected,
    /// It did not; why.
    Failed(String),
    /// It is being told that the server moved.
    Reconnecting,
    /// It is being told that it is removed.
    Leaving,
    /// It is archived.
    Removed,
}

impl Stage {
    /// Whether something will change soon without anybody doing anything.
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Connecting | Self::Leaving)
    }
}

/// What is asked for in one place.
#[derive(Clone, Debug)]
pub struct AskedPlace {
    /// Such as `In the project Demo`.
    pub place: String,
    /// The single things.
    pub rights: Vec<AskedRight>,
}

/// A single thing that is asked for.
#[derive(Clone, Debug)]
pub struct AskedRight {
    /// Names it in the form.
    pub value: String,
    /// Its place on the page, for the label.
    pub index: usize,
    /// What it allows.
    pub title: String,
    /// Whether the person may say anything about it.
    pub may_answer: bool,
    /// Whether that can be yes.
    pub may_approve: bool,
}

/// Names an application by its id, also behind its name and a dash, as links of applications do.
#[derive(Deserialize, JsonSchema)]
pub struct Named {
    /// Such as `Tracker-Vc9FPvNYWq791im7`.
    pub application: String,
}

impl Named {
    fn id(&self) -> ApplicationId {
        ApplicationId::new(self.application.rsplit('-').next().unwrap_or_default())
    }
}

/// A signed-in person and the application the page is about.
struct Found {
    session: std::sync::Arc<Session>,
    caller: Caller,
    application: Application,
}

async fn find(cx: &Cx<Anyone>, visitor: &Visitor, named: &Named) -> Result<Result<Found, Html>, ApiError> {
    let session = match visitor.signed_in(&outcome_path(&named.application)) {
        Ok(session) => session,
        Err(way) => return Ok(Err(way)),
    };
    let (caller, id) = (session.acting(cx).await?, named.id());
    let wanted = id.clone();
    let found = cx.read(move |tx| tx.application(&wanted)).await.map_err(|error: StoreError| ApiError::from(error))?;
    let hidden = || ApiError::not_found("There is no such application, or you may not see it");
    let application = found.ok_or_else(hidden)?;
    if !allowed_on(&caller, &application, &ViewApplications::RIGHT) {
        return Err(hidden());
    }
    Ok(Ok(Found { session, caller, application }))
}

/// The page.
///
/// # Errors
/// `404` for what is not there or hidden.
pub async fn page(cx: Cx<Anyone>, Path(named): Path<Named>, visitor: Visitor) -> Result<Html, ApiError> {
    let found = match find(&cx, &visitor, &named).await? {
        Ok(found) => found,
        Err(way) => return Ok(way),
    };
    let (catalogue, id, caller) = (cx.services.catalogue.current(), found.application.id.clone(), found.caller.clone());
    let endpoint = found.application.endpoint.clone();
    let read = cx.read(move |tx| {
        let asked = Asked::of(tx, &caller, &id)?;
        let names =
            asked.rights.iter().map(|one| place_name(tx, one.place.context())).collect::<Result<Vec<_>, _>>()?;
        let start = ui_extension::start_of(tx, &id, endpoint.as_ref())?;
        Ok::<_, StoreError>((asked, names, last_init(tx, &id)?, start))
    });
    let (asked, names, init, start) = read.await.map_err(ApiError::from)?;
    let Found { caller, application, .. } = found;
    let (stage, id) = (stage(&application, init), application.id.as_str());
    // What is on its way out, or gone, gets nothing any more.
    let asked = match stage {
        Stage::Leaving | Stage::Removed => Vec::new(),
        _ => by_place(&catalogue, &asked, names),
    };
    let page = InstallationPage {
        path: outcome_path(id),
        client_id: application.client_id.clone(),
        endpoint: application.endpoint.as_ref().map(|endpoint| endpoint.url.clone()).unwrap_or_default(),
        start: start.filter(|_| stage == Stage::Connected),
        answered: visitor.parameter("done").is_some(),
        may_approve: asked.iter().flat_map(|place| &place.rights).any(|one| one.may_approve),
        may_answer: asked.iter().flat_map(|place| &place.rights).any(|one| one.may_answer),
        may_retry: matches!(stage, Stage::Failed(_) | Stage::Reconnecting)
            && allowed_on(&caller, &application, &EditApplications::RIGHT),
        may_remove: !matches!(stage, Stage::Leaving | Stage::Removed)
            && allowed_on(&caller, &application, &DeleteApplications::RIGHT),
        asked,
        answer_token: visitor.form_token("approvals", id),
        again_token: visitor.form_token("connect again", id),
        remove_token: visitor.form_token("remove", id),
        name: application.name,
        stage,
    };
    let look_again = page.stage.is_under_way().then_some(LOOK_AGAIN);
    Ok(Html::page(&page)?.looking_again(look_again))
}

/// What an application asks for, as the page shows it. `names` are the names of the places of its rights.
fn by_place(catalogue: &Catalogue, asked: &Asked, names: Vec<String>) -> Vec<AskedPlace> {
    let rights = asked.rights.iter().zip(names).map(|(one, place)| {
        let code = one.right.code();
        let title = catalogue.right(code).map_or_else(|| code.to_owned(), |entry| entry.title.clone());
        (place, value_of(one), title, one.power != Power::None, one.power == Power::Approve)
    });
    let may = asked.decides_unfurls;
    let domains = asked.domains.iter().map(|target| {
        let name = &target.wanted.name;
        let title = format!("{name} and the domains below it");
        ("Previews of links to".to_owned(), target_value(TargetKind::Domain, target), title, may, may)
    });
    let patterns = asked.patterns.iter().map(|target| {
        let link = target.wanted.link.as_deref().unwrap_or_default();
        let title = format!("{}1, as a link to {}", target.wanted.name, link.replace(NUMBER, "1"));
        ("Previews of ids such as".to_owned(), target_value(TargetKind::Pattern, target), title, may, may)
    });
    let mut places: Vec<AskedPlace> = Vec::new();
    for (index, (place, value, title, may_answer, may_approve)) in rights.chain(domains).chain(patterns).enumerate() {
        let one = AskedRight { value, index, title, may_answer, may_approve };
        match places.iter_mut().find(|known| known.place == place) {
            Some(known) => known.rights.push(one),
            None => places.push(AskedPlace { place, rights: vec![one] }),
        }
    }
    places
}

fn target_value(kind: TargetKind, target: &UnfurlTarget) -> String {
    format!("{} {}", kind.name(), target.wanted.name)
}

/// The newest attempt to install the application.
fn last_init(tx: &mut Tx<'_>, id: &ApplicationId) -> Result<Option<Dispatch>, StoreError> {
    /// Behind so many other payloads nobody asks any more why an installation failed.
    const NEWEST: u32 = 50;
    Ok(tx.dispatches(id, None, NEWEST)?.into_iter().find(|sent| sent.class == PayloadClass::Init))
}

fn stage(application: &Application, init: Option<Dispatch>) -> Stage {
    if application.archived_at.is_some() {
        return Stage::Removed;
    }
    let Some(connection) = &application.connection else { return Stage::Registered };
    let leaving = connection.uninstallation.is_some_and(|it| it.status != UninstallationStatus::Uninstalled);
    match connection.status {
        _ if leaving => Stage::Leaving,
        None => Stage::Registered,
        Some(ConnectionStatus::Connecting) => Stage::Connecting,
        Some(ConnectionStatus::Connected) => Stage::Connected,
        Some(ConnectionStatus::Reconnecting) => Stage::Reconnecting,
        Some(ConnectionStatus::FailedToConnect) => Stage::Failed(why(init)),
    }
}

/// Why an installation failed, without what the endpoint wrote: that is between it and its maker.
fn why(init: Option<Dispatch>) -> String {
    let last = init.and_then(|init| init.last);
    match last.map(|last| (last.status, last.message)) {
        Some((Some(status), _)) => format!("The endpoint answered with the status {status}."),
        Some((None, Some(message))) => format!("The endpoint could not be reached: {message}"),
        _ => "The endpoint could not be reached.".to_owned(),
    }
}

fn value_of(one: &Waiting) -> String {
    let context: spaceport_platform::identifier::PermissionContextIdentifier = one.place.context().clone().into();
    format!("{context} {}", one.right.code())
}

/// Approves or rejects what was ticked; the rest goes on to wait.
///
/// # Errors
/// `403` for a form that was not ours, and for an answer that the person may not give.
pub async fn answer(cx: Cx<Anyone>, Path(named): Path<Named>, visitor: Visitor) -> Result<Html, ApiError> {
    let found = match find(&cx, &visitor, &named).await? {
        Ok(found) => found,
        Err(way) => return Ok(way),
    };
    let id = found.application.id.clone();
    visitor.check_form("approvals", id.as_str())?;
    let wanted = match visitor.field("decision") {
        "approve" => Answer::Approve,
        "reject" => Answer::Reject,
        other => return Err(ApiError::validation(format!("decision must be approve or reject, not {other:?}"))),
    };
    let ticked: Vec<String> = visitor.values("right").map(str::to_owned).collect();
    let (trail, news, caller, about) = (cx.trail(), cx.news(), found.caller, id.clone());
    cx.write(move |tx| {
        let asked = Asked::of(tx, &caller, &about)?;
        let rights = asked.rights.iter().filter(|one| ticked.contains(&value_of(one)));
        let rights: Vec<(Waiting, Answer)> = rights.map(|one| (one.clone(), wanted)).collect();
        let named = |kind: TargetKind, targets: &[UnfurlTarget]| {
            let ticked = targets.iter().filter(|target| ticked.contains(&target_value(kind, target)));
            let names = ticked.map(|target| target.wanted.name.clone()).collect();
            TargetAnswer { kind, names, answer: wanted, field: "right" }
        };
        let targets = vec![named(TargetKind::Domain, &asked.domains), named(TargetKind::Pattern, &asked.patterns)];
        let answers = Answers { rights, targets, comment: None };
        match answers.count() {
            0 => Ok(()),
            _ => approval::respond(tx, &trail, &news, (&about, &asked), &answers),
        }
    })
    .await?;
    cx.services.callers.forget();
    Ok(Html::see_other(format!("{}?done=1", outcome_path(id.as_str()))))
}

/// Sends the first payload again, or the server's URL.
///
/// # Errors
/// `403` for a form that was not ours, and without the right; `400` unless it had failed.
pub async fn again(cx: Cx<Anyone>, Path(named): Path<Named>, visitor: Visitor) -> Result<Html, ApiError> {
    let found = match acting_on::<EditApplications>(&cx, &visitor, &named, "connect again").await? {
        Ok(found) => found,
        Err(way) => return Ok(way),
    };
    installation::connect_application(&cx, &found.application.id).await?;
    Ok(Html::see_other(outcome_path(found.application.id.as_str())))
}

/// Removes the application.
///
/// # Errors
/// `403` for a form that was not ours, and without the right; `400` when it is removed already.
pub async fn remove(cx: Cx<Anyone>, Path(named): Path<Named>, visitor: Visitor) -> Result<Html, ApiError> {
    let found = match acting_on::<DeleteApplications>(&cx, &visitor, &named, "remove").await? {
        Ok(found) => found,
        Err(way) => return Ok(way),
    };
    application_state::remove(&cx, &found.application.id).await?;
    Ok(Html::see_other(outcome_path(found.application.id.as_str())))
}

async fn acting_on<R: Demand>(
    cx: &Cx<Anyone>,
    visitor: &Visitor,
    named: &Named,
    purpose: &str,
) -> Result<Result<Found, Html>, ApiError> {
    let found = match find(cx, visitor, named).await? {
        Ok(found) => found,
        Err(way) => return Ok(Err(way)),
    };
    visitor.check_form(purpose, found.application.id.as_str())?;
    if !allowed_on(&found.caller, &found.application, &R::RIGHT) {
        let who = found.session.profile.display_name();
        return Err(ApiError::denied(format!("{who} lacks the right {} here", R::CODE)));
    }
    Ok(Ok(found))
}

#[cfg(test)]
impl crate::pages::samples::Sampled for InstallationPage {
    fn samples() -> Vec<Self> {
        let evil = crate::pages::samples::EVIL;
        let page = |name: &str, stage: Stage, asked: Vec<AskedPlace>, may: bool| Self {
            path: outcome_path("a1"),
            name: name.to_owned(),
            client_id: "c".to_owned(),
            endpoint: "https://app.example/api".to_owned(),
            start: (stage == Stage::Connected).then(|| GettingStarted {
                getting_started_url: "/tracker/start?a=\"b\"".to_owned(),
                getting_started_title: evil.to_owned(),
                open_in_new_tab: Some(may),
            }),
            stage,
            answered: may,
            asked,
            may_approve: may,
            may_answer: may,
            may_retry: may,
            may_remove: may,
            answer_token: "t".to_owned(),
            again_token: "t".to_owned(),
            remove_token: "t".to_owned(),
        };
        let right = |index: usize, title: &str, may: bool| AskedRight {
            value: format!("global {title}"),
            index,
            title: title.to_owned(),
            may_answer: may,
            may_approve: may && index == 0,
        };
        let places = |text: &str| {
            vec![
                AskedPlace {
                    place: "Everywhere".to_owned(),
                    rights: vec![right(0, "View issues", true), right(1, text, true)],
                },
                AskedPlace { place: text.to_owned(), rights: vec![right(2, text, false)] },
            ]
        };
        vec![
            page("Tracker", Stage::Registered, vec![], true),
            page("Tracker", Stage::Connecting, vec![], false),
            page("Tracker", Stage::Connected, places("In the project Demo"), true),
            page("Tracker", Stage::Connected, places("In the project Demo"), false),
            page("Tracker", Stage::Failed("The endpoint answered with the status 500.".to_owned()), vec![], true),
            page("Tracker", Stage::Reconnecting, vec![], true),
            page("Tracker", Stage::Leaving, vec![], false),
            page("Tracker", Stage::Removed, vec![], false),
            page(evil, Stage::Failed(evil.to_owned()), places(evil), true),
        ]
    }
}
