//! A person's own page: password and sessions.

use askama::Template;
use http::StatusCode;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::secret::Secret;
use spaceport_store::{StoreError, Tx};
use std::time::Duration;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::pages::html::Html;
use crate::pages::visitor::Visitor;
use crate::people::password;
use crate::people::session::{NewSession, Session, Via, remove_cookie};

/// How long after a one-time link a password can be replaced without knowing it.
const FRESH: Duration = Duration::from_secs(15 * 60);

/// What the account page shows.
#[derive(Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    /// The person's name.
    pub name: String,
    /// The name to sign in with.
    pub username: String,
    /// Whether there is a password already.
    pub has_password: bool,
    /// Whether the present password has to be entered to replace it.
    pub needs_present: bool,
    /// What was wrong with the password that was entered.
    pub complaint: Option<String>,
    /// Fewest characters of a password.
    pub min_length: usize,
    /// What has just been done.
    pub done: Option<&'static str>,
    /// Binds the password form to this session.
    pub password_token: String,
    /// Binds the sign-out form to this session.
    pub sign_out_token: String,
    /// Binds the other sign-out form to this session.
    pub everywhere_token: String,
}

/// The account page.
///
/// # Errors
/// When the database fails.
pub async fn page(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let session = match visitor.signed_in("/account") {
        Ok(session) => session,
        Err(way) => return Ok(way),
    };
    let done = (visitor.parameter("done").as_deref() == Some("password")).then_some("Your password was set.");
    show(&cx, &visitor, &session, None, done).await
}

async fn show(
    cx: &Cx<Anyone>,
    visitor: &Visitor,
    session: &Session,
    complaint: Option<String>,
    done: Option<&'static str>,
) -> Result<Html, ApiError> {
    let id = session.profile.id.clone();
    let stored = cx.read(move |tx| tx.password_hash(&id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    let page = AccountPage {
        name: session.profile.display_name(),
        username: session.profile.username.clone(),
        has_password: stored.is_some(),
        needs_present: stored.is_some() && !is_fresh(cx, session),
        complaint,
        min_length: password::MIN_LENGTH,
        done,
        password_token: visitor.form_token("password", ""),
        sign_out_token: visitor.form_token("sign out", ""),
        everywhere_token: visitor.form_token("sign out everywhere", ""),
    };
    Html::page(&page)
}

/// Whoever has just come by a link that works once may have forgotten the password.
fn is_fresh(cx: &Cx<Anyone>, session: &Session) -> bool {
    session.via == Via::Link && cx.now() < session.began_at.plus(FRESH)
}

/// Sets or replaces the password. Other sessions end, this one gets a new cookie.
///
/// # Errors
/// `403` for a form that was not ours.
pub async fn set_password(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let session = match visitor.signed_in("/account") {
        Ok(session) => session,
        Err(way) => return Ok(way),
    };
    visitor.check_form("password", "")?;
    let chosen = Secret::new(visitor.field("password"));
    let complaint = complaint(&cx, &visitor, &session, &chosen).await?;
    if complaint.is_some() {
        let html = show(&cx, &visitor, &session, complaint, None).await?;
        return Ok(html.status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let hash = cx.services.passwords.hash(chosen, cx.services.random.as_ref()).await?;
    let (now, trail, id) = (cx.now(), cx.trail(), session.profile.id.clone());
    let fresh = NewSession::generate(&cx.services, Via::Password, now);
    let cookie = fresh.set_cookie(&cx.services);
    let work = move |tx: &mut Tx<'_>| {
        tx.set_password_hash(&id, &hash, now)?;
        tx.end_sessions_of(&id)?;
        fresh.insert(tx, &id, None, now)?;
        trail.record(tx, AuditTarget::other("profile", id.as_str()), [AuditChange::secret("password")])
    };
    cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Html::see_other("/account?done=password").cookie(Some(cookie)))
}

async fn complaint(
    cx: &Cx<Anyone>,
    visitor: &Visitor,
    session: &Session,
    chosen: &Secret,
) -> Result<Option<String>, ApiError> {
    if let Err(fault) = password::check(chosen) {
        return Ok(Some(format!("The new {fault}.")));
    }
    if visitor.field("again") != chosen.reveal() {
        return Ok(Some("The new password was not the same both times.".to_owned()));
    }
    let id = session.profile.id.clone();
    let stored = cx.read(move |tx| tx.password_hash(&id)).await.map_err(|error: StoreError| ApiError::from(error))?;
    if stored.is_none() || is_fresh(cx, session) {
        return Ok(None);
    }
    if cx.services.passwords.verify(Secret::new(visitor.field("present")), stored, visitor.peer).await? {
        return Ok(None);
    }
    let account = format!("account {}", session.profile.username.to_lowercase());
    tokio::time::sleep(cx.services.failed_sign_ins.failed(&account, visitor.peer, cx.now())).await;
    Ok(Some("The present password is wrong.".to_owned()))
}

/// Ends this session.
///
/// # Errors
/// `403` for a form that was not ours.
pub async fn sign_out(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    leave(cx, visitor, "sign out").await
}

/// Ends every session of the person.
///
/// # Errors
/// `403` for a form that was not ours.
pub async fn sign_out_everywhere(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    leave(cx, visitor, "sign out everywhere").await
}

async fn leave(cx: Cx<Anyone>, visitor: Visitor, purpose: &'static str) -> Result<Html, ApiError> {
    let session = match visitor.signed_in("/account") {
        Ok(session) => session,
        Err(way) => return Ok(way),
    };
    visitor.check_form(purpose, "")?;
    let (hash, id, trail) = (session.hash(), session.profile.id.clone(), cx.trail());
    let work = move |tx: &mut Tx<'_>| {
        match purpose {
            "sign out" => tx.end_session(&hash)?,
            _ => drop(tx.end_sessions_of(&id)?),
        }
        trail.record_with(tx, AuditTarget::other("profile", id.as_str()), None, Some(purpose))
    };
    cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    let gone = remove_cookie(cx.services.cookies().session, &cx.services);
    Ok(Html::see_other("/login").cookie(Some(gone)))
}

#[cfg(test)]
impl super::samples::Sampled for AccountPage {
    fn samples() -> Vec<Self> {
        let page = |name: &str, has_password: bool, complaint: Option<&str>| Self {
            name: name.to_owned(),
            username: "ann".to_owned(),
            has_password,
            needs_present: has_password,
            complaint: complaint.map(str::to_owned),
            min_length: 12,
            done: (!has_password).then_some("Your password was set."),
            password_token: "p".to_owned(),
            sign_out_token: "s".to_owned(),
            everywhere_token: "e".to_owned(),
        };
        let evil = super::samples::EVIL;
        vec![page("Ann A", false, None), page("Ann A", true, Some("Too short.")), page(evil, true, Some(evil))]
    }
}
