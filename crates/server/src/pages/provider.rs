//! `/login/provider`: the way to the identity provider, and back.

use http::StatusCode;
use spaceport_platform::audit::AuditTarget;
use spaceport_platform::id::random_text;
use spaceport_platform::profile::Profile;
use spaceport_platform::secret::Secret;
use spaceport_store::{StoreError, Tx};

use crate::config::provider::Matching;
use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::pages::error::Trouble;
use crate::pages::html::Html;
use crate::pages::visitor::{Visitor, local_path};
use crate::people::provider::id_token::Identity;
use crate::people::provider::ticket::{LIFETIME, Ticket};
use crate::people::provider::{Fault, Provider, Return};
use crate::people::session::{NewSession, Via, passing_cookie, remove_cookie};
use crate::services::Services;

/// Characters of the cookie that a sign-in is bound to: 285 bits.
const COOKIE: usize = 48;
/// Where the provider sends people back to.
const BACK: &str = "/login/provider/back";

/// The way to the provider, from a page that leads to `path` afterwards.
pub fn way(path: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return", path).finish();
    format!("/login/provider?{query}")
}

fn back(services: &Services) -> String {
    format!("{}{BACK}", services.public_url)
}

/// Sends the person to the provider.
///
/// # Errors
/// When the page cannot be made.
pub async fn leave(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let services = &cx.services;
    let Some(provider) = &services.provider else { return none() };
    let metadata = match provider.metadata(services.clock.as_ref()).await {
        Ok(metadata) => metadata,
        Err(fault) => return told(&fault),
    };
    let Ok(mut url) = url::Url::parse(&metadata.authorization_endpoint) else { return none() };
    let cookie = random_text(COOKIE, services.random.as_ref());
    let set = passing_cookie(services.cookies().provider, &cookie, LIFETIME, services);
    let ticket = Ticket::new(&Secret::new(cookie));
    let asked = visitor.parameter("return").unwrap_or_default();
    let scope = match provider.settings.matching {
        Matching::Email => "openid email",
        Matching::Subject => "openid",
    };
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.settings.client_id)
        .append_pair("redirect_uri", &back(services))
        .append_pair("scope", scope)
        .append_pair("state", &ticket.state(local_path(&asked), cx.now()))
        .append_pair("nonce", &ticket.nonce())
        .append_pair("code_challenge", &crate::oauth::pkce::s256(&ticket.verifier()))
        .append_pair("code_challenge_method", "S256");
    Ok(Html::see_other(url).cookie(Some(set)))
}

/// Signs in whoever comes back.
///
/// # Errors
/// When the database fails.
pub async fn arrive(cx: Cx<Anyone>, visitor: Visitor) -> Result<Html, ApiError> {
    let services = &cx.services;
    let Some(provider) = &services.provider else { return none() };
    let parameter = |name: &str| visitor.parameter(name).unwrap_or_default();
    let ticket = visitor.provider.as_ref().map(Ticket::new);
    let Some((ticket, path)) =
        ticket.and_then(|ticket| ticket.path(&parameter("state"), cx.now()).map(|path| (ticket, path)))
    else {
        let text =
            "It was not begun in this browser, or it took too long. Go back to where you came from and try again.";
        return Trouble::new(StatusCode::BAD_REQUEST, "This sign-in is not known", text).html();
    };
    let gone = remove_cookie(services.cookies().provider, services);
    let arrived = match code(&visitor, provider, services).await {
        Ok(Some(code)) => identify(provider, &code, &ticket, services).await,
        Ok(None) => return Ok(refused()?.cookie(Some(gone))),
        Err(fault) => Err(fault),
    };
    let identity = match arrived {
        Ok(identity) => identity,
        Err(fault) => return Ok(told(&fault)?.cookie(Some(gone))),
    };
    let Some(profile) = person(&cx, provider, identity).await? else { return Ok(unknown()?.cookie(Some(gone))) };
    let (now, trail) = (cx.now(), cx.trail());
    let session = NewSession::generate(services, Via::Provider, now);
    let cookie = session.set_cookie(services);
    let before = visitor.session.as_ref().map(|session| session.hash());
    let work = move |tx: &mut Tx<'_>| {
        session.insert(tx, &profile.id, before.as_deref(), now)?;
        let target = AuditTarget::other("profile", profile.id.as_str());
        trail.record_with(tx, target, None, Some("signed in at the identity provider"))
    };
    cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(Html::see_other(local_path(&path)).cookie(Some(cookie)).cookie(Some(gone)))
}

/// The code that came; `None` when the provider or the person refused.
async fn code(visitor: &Visitor, provider: &Provider, services: &Services) -> Result<Option<String>, Fault> {
    let metadata = provider.metadata(services.clock.as_ref()).await?;
    // Another provider's answer must not be redeemed at this one (RFC 9207).
    let issuer = visitor.parameter("iss");
    let named = issuer.as_ref().is_some_and(|issuer| *issuer == provider.settings.issuer);
    if !named && (issuer.is_some() || metadata.authorization_response_iss_parameter_supported) {
        return Err(Fault::Untrustworthy("the answer comes from another issuer".to_owned()));
    }
    Ok(visitor.parameter("code").filter(|code| !code.is_empty() && visitor.parameter("error").is_none()))
}

async fn identify(provider: &Provider, code: &str, ticket: &Ticket, services: &Services) -> Result<Identity, Fault> {
    let (redirect_uri, verifier, nonce) = (back(services), ticket.verifier(), ticket.nonce());
    let back = Return { code, redirect_uri: &redirect_uri, verifier: &verifier, nonce: &nonce };
    provider.identify(&back, services.clock.as_ref()).await
}

/// The person here who is meant. Nobody is made: the directory is the host's.
async fn person(cx: &Cx<Anyone>, provider: &Provider, identity: Identity) -> Result<Option<Profile>, ApiError> {
    let matching = provider.settings.matching;
    let found = cx.read(move |tx| match (matching, &identity.verified_email) {
        (Matching::Email, Some(address)) => tx.profile_by_email(address),
        (Matching::Email, None) => Ok(None),
        (Matching::Subject, _) => tx.profile_by_external_id(&identity.subject),
    });
    let found = found.await.map_err(|error: StoreError| ApiError::from(error))?;
    Ok(found.filter(Profile::is_active))
}

fn none() -> Result<Html, ApiError> {
    Trouble::new(StatusCode::NOT_FOUND, "This does not work", "There is no other way to sign in here.").html()
}

fn refused() -> Result<Html, ApiError> {
    let text = "The sign-in was refused or given up where you went. Go back to where you came from and try again.";
    Trouble::new(StatusCode::FORBIDDEN, "You were not signed in", text).html()
}

fn unknown() -> Result<Html, ApiError> {
    let text = "You signed in, but nobody here is known by that account, or its e-mail address has not been verified. Ask whoever \
                looks after this server.";
    Trouble::new(StatusCode::FORBIDDEN, "You are not known here", text).html()
}

/// The person learns that it did not work; why is for the operator.
fn told(fault: &Fault) -> Result<Html, ApiError> {
    let (status, text) = match fault {
        Fault::Unavailable(why) => {
            tracing::warn!(%why, "the identity provider is of no use at this moment");
            (StatusCode::BAD_GATEWAY, "The service that signs you in does not answer. Try again in a minute.")
        }
        Fault::Untrustworthy(why) => {
            tracing::warn!(%why, "an answer of the identity provider was not believed");
            (StatusCode::FORBIDDEN, "The answer of the service that signs you in was not accepted. Try again.")
        }
    };
    Trouble::new(status, "You were not signed in", text).html()
}
