//! `/oauth/auth`: a user decides whether an application gets a code (wire-protocol 1.2).

use std::time::Duration;

use http::StatusCode;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::consent::{ApprovedScope, missing};
use spaceport_platform::delegation::{AuthorizationCode, ClientKind};
use spaceport_platform::id::{Id, random_text};
use spaceport_platform::scope::Scope;
use spaceport_store::{StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::oauth::authorization_request::{AuthorizationRequest, Fault, Prompt, ResponseType};
use crate::oauth::delegated::{NewDelegation, Parties, SECRET_TEXT};
use crate::pages::consent;
use crate::pages::error::Trouble;
use crate::pages::html::Html;
use crate::pages::visitor::{Form, Visitor, sign_in_url};
use crate::people::session::{Session, remove_cookie};

/// How long a code lives (security A10).
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// What the user sees: the sign-in page, the question, or nothing but the way back to the application.
///
/// # Errors
/// When the database fails.
pub async fn ask(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let request = match AuthorizationRequest::read(&visitor.query, &cx.services).await {
        Ok(request) => request,
        Err(fault) => return told(fault),
    };
    if request.prompt == Prompt::SignIn {
        return sign_in_anew(&cx, &visitor).await;
    }
    let Some(session) = visitor.session.clone() else {
        if request.prompt == Prompt::Nothing {
            return Ok(Html::see_other(request.answer.refusal("login_required", "Nobody is signed in")));
        }
        return Ok(Html::see_other(sign_in_url(&format!("/oauth/auth?{}", visitor.query))));
    };
    match not_yet_agreed(&cx, &session, &request).await? {
        Some(new) => question(&cx, &visitor, &session, &request, (new, Form::Fresh)).await,
        None => match grant(&cx, &session, &request, None).await? {
            Some(answer) => Ok(answer),
            None => question_anew(&cx, &visitor, &session, &request, Form::Fresh).await,
        },
    }
}

/// Asks for `new`, or says that it may not be asked for.
async fn question(
    cx: &Cx<Anyone>,
    visitor: &Visitor,
    session: &Session,
    request: &AuthorizationRequest,
    (new, form): (Scope, Form),
) -> Result<Html, ApiError> {
    if request.prompt == Prompt::Nothing {
        return Ok(Html::see_other(request.answer.refusal("consent_required", "The user has not agreed to this")));
    }
    consent::show(cx, visitor, session, request, (new, form)).await
}

/// Asks for what is not agreed to by now.
async fn question_anew(
    cx: &Cx<Anyone>,
    visitor: &Visitor,
    session: &Session,
    request: &AuthorizationRequest,
    form: Form,
) -> Result<Html, ApiError> {
    let new = not_yet_agreed(cx, session, request).await?.unwrap_or_else(|| request.scope.clone());
    question(cx, visitor, session, request, (new, form)).await
}

/// What the user decided. The request is read anew, so that nothing counts that was changed on the way, and what is agreed
/// to is what the page showed. When more is to be agreed to by now, the question comes again.
///
/// # Errors
/// `403` for a form from elsewhere.
pub async fn decide(cx: Cx<Anyone>, mut visitor: Visitor) -> Result<Html, ApiError> {
    let query = visitor.field("request").to_owned();
    let form = visitor.form(consent::PURPOSE, &consent::subject(&query, visitor.field("shown")))?;
    let request = match AuthorizationRequest::read(&query, &cx.services).await {
        Ok(request) => request,
        Err(fault) => return told(fault),
    };
    let Some(session) = visitor.session.clone() else {
        return Ok(Html::see_other(sign_in_url(&format!("/oauth/auth?{query}"))));
    };
    visitor.query = query;
    if form == Form::Stale {
        return question_anew(&cx, &visitor, &session, &request, form).await;
    }
    if visitor.field("decision") != "allow" {
        return Ok(Html::see_other(request.answer.refusal("access_denied", "The user refused")));
    }
    let shown = Scope::parse(visitor.field("shown")).map_err(ApiError::internal)?;
    match grant(&cx, &session, &request, Some(shown)).await? {
        Some(answer) => Ok(answer),
        None => question_anew(&cx, &visitor, &session, &request, Form::Fresh).await,
    }
}

fn told(fault: Fault) -> Result<Html, ApiError> {
    match fault {
        Fault::Page(trouble) => trouble.html(),
        Fault::Answer(url) => Ok(Html::see_other(url)),
        Fault::Ours(error) => Err(error),
    }
}

/// `request_credentials=required`: the user is signed out, and the request goes on without that demand.
async fn sign_in_anew(cx: &Cx<Anyone>, visitor: &Visitor) -> Result<Html, ApiError> {
    let kept: Vec<&str> =
        visitor.query.split('&').filter(|pair| pair.split('=').next() != Some("request_credentials")).collect();
    let kept = kept.join("&");
    let path = format!("/oauth/auth?{kept}");
    if form_urlencoded::parse(kept.as_bytes()).any(|(name, _)| name == "request_credentials") {
        // The name was spelled with escapes; going on would ask for the sign-in for ever.
        let text = "The application that sent you here made a mistake in the link.";
        return Trouble::new(StatusCode::BAD_REQUEST, "This does not work", text).html();
    }
    let html = Html::see_other(sign_in_url(&path));
    let Some(session) = &visitor.session else { return Ok(html) };
    let hash = session.hash();
    cx.write(move |tx| tx.end_session(&hash)).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(html.cookie(Some(remove_cookie(cx.services.cookies().session, &cx.services))))
}

/// What the user is still to be asked; `None` when he has agreed to all of it before.
async fn not_yet_agreed(
    cx: &Cx<Anyone>,
    session: &Session,
    request: &AuthorizationRequest,
) -> Result<Option<Scope>, ApiError> {
    if !request.is_surely_from_its_application() {
        return Ok(Some(request.scope.clone()));
    }
    let (profile, application) = (session.profile.id.clone(), request.application.id.clone());
    let consent = cx.read(move |tx| tx.consent(&profile, &application)).await;
    let consent = consent.map_err(|error: StoreError| ApiError::from(error))?;
    let approved = consent.map(|consent| consent.scopes).unwrap_or_default();
    Ok(missing(&approved, &request.scope, request.presence))
}

/// Answers the application; `new` is what the user has just agreed to. `None` when that and what he agreed to before is not
/// all that is asked: he may have taken something back in the meantime.
async fn grant(
    cx: &Cx<Anyone>,
    session: &Session,
    request: &AuthorizationRequest,
    new: Option<Scope>,
) -> Result<Option<Html>, ApiError> {
    match request.response {
        ResponseType::Code => grant_code(cx, session, request, new).await,
        ResponseType::Token => grant_token(cx, session, request, new).await,
    }
}

/// Stores what the answer rests on, together with what the user has just agreed to, and answers whether that and what he
/// agreed to before is all that is asked; otherwise nothing is stored but his word. Nobody takes it back before the
/// transaction has ended.
async fn store_agreed(
    cx: &Cx<Anyone>,
    session: &Session,
    request: &AuthorizationRequest,
    new: Option<Scope>,
    store: impl Fn(&mut Tx<'_>) -> Result<(), StoreError> + Send + Sync + 'static,
) -> Result<bool, ApiError> {
    let (now, trail, random) = (cx.now(), cx.trail(), cx.services.random.as_ref());
    let (consent, id) = (Id::generate(now, random), Id::generate(now, random));
    let approved = new.map(|scope| ApprovedScope { id, scope, presence: request.presence, approved_at: now });
    let (profile, application) = (session.profile.id.clone(), request.application.id.clone());
    let (asked, presence) = (request.scope.clone(), request.presence);
    let work = move |tx: &mut Tx<'_>| {
        if let Some(approved) = &approved {
            tx.approve(&profile, &application, &consent, approved)?;
            let target = AuditTarget::of_application(&application, "consent", profile.as_str());
            trail.record(tx, target, AuditChange::between("scope", None, Some(&approved.scope.to_string())))?;
        }
        let held = tx.held_consent(&profile, &application)?.map(|consent| consent.scopes).unwrap_or_default();
        if missing(&held, &asked, presence).is_some() {
            return Ok(false);
        }
        store(tx)?;
        Ok(true)
    };
    cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))
}

async fn grant_code(
    cx: &Cx<Anyone>,
    session: &Session,
    request: &AuthorizationRequest,
    new: Option<Scope>,
) -> Result<Option<Html>, ApiError> {
    let (now, random) = (cx.now(), cx.services.random.as_ref());
    let text = random_text(SECRET_TEXT, random);
    let code = AuthorizationCode {
        application: request.application.id.clone(),
        profile: session.profile.id.clone(),
        redirect_uri: request.answer.uri.clone(),
        scope: request.scope.clone(),
        challenge: request.challenge.clone(),
        presence: request.presence,
        delegation: Id::generate(now, random),
        issued_at: now,
        expires_at: now.plus(CODE_LIFETIME),
    };
    let hash = token_hash(&text);
    let agreed = store_agreed(cx, session, request, new, move |tx| tx.insert_code(&hash, &code)).await?;
    Ok(agreed.then(|| Html::see_other(request.answer.success(&[("code", &text)]))))
}

/// The implicit flow: the token itself goes into the fragment of the redirect.
async fn grant_token(
    cx: &Cx<Anyone>,
    session: &Session,
    request: &AuthorizationRequest,
    new: Option<Scope>,
) -> Result<Option<Html>, ApiError> {
    let (now, services) = (cx.now(), &cx.services);
    let parties = Parties {
        application: &request.application,
        stamp: request.application.tokens_not_before,
        client: ClientKind::Public,
        profile: &session.profile.id,
        scope: &request.scope,
        presence: request.presence,
    };
    let id = Id::generate(now, services.random.as_ref());
    let delegation = NewDelegation::prepare(services, id, &parties, now);
    let stored = delegation.clone();
    if !store_agreed(cx, session, request, new, move |tx| stored.insert(tx, now)).await? {
        return Ok(None);
    }
    let issued = delegation.issue(services, &request.application.client_id, now).await?;
    Ok(Some(Html::see_other(request.answer.success(&[
        ("access_token", &issued.access_token),
        ("token_type", "Bearer"),
        ("expires_in", &services.tokens.lifetime().to_string()),
        ("scope", &issued.scope.to_string()),
    ]))))
}
