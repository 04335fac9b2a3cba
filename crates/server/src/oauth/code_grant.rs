//! `grant_type=authorization_code`: a code becomes tokens, once (security T9 to T12).

use spaceport_platform::audit::AuditTarget;
use spaceport_platform::delegation::{AuthorizationCode, ClientKind};
use spaceport_store::{StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::oauth::answer::{flow_off, invalid_grant, required, tokens};
use crate::oauth::delegated::{NewDelegation, Parties};
use crate::oauth::form::Form;
use crate::oauth::pkce::proves;
use crate::oauth::public_client::{Client, identify};
use crate::oauth::standing::has_user;
use crate::oauth::token::TokenRequest;

/// One text for each way in which a code is not good: which one it was is nobody's business.
const NOT_GOOD: &str = "The code is unknown, expired, used, or was issued for something else";

/// What came of a redemption. Refusals are no errors of the transaction, because what they change must stay.
enum Redeemed {
    Granted,
    Refused,
    Replayed,
}

/// Redeems a code.
///
/// # Errors
/// The codes of RFC 6749 5.2.
pub async fn redeem(cx: Cx<Anyone>, request: &TokenRequest, form: &Form) -> Result<Document, ApiError> {
    let client = identify(&request.headers, form, request.peer, &cx.services).await?;
    if !client.application.flows.code {
        return Err(flow_off("authorization code"));
    }
    let hash = token_hash(required(form, "code")?);
    let redirect_uri = required(form, "redirect_uri")?.to_owned();
    let verifier = form.get("code_verifier").map(str::to_owned);
    let wanted = hash.clone();
    let code = cx.read(move |tx| tx.code(&wanted)).await.map_err(|error: StoreError| ApiError::from(error))?;
    // A code of another client is left alone: whoever holds it may still redeem it (security T11).
    let code = code.filter(|code| code.application == client.application.id).ok_or_else(|| invalid_grant(NOT_GOOD))?;
    let (services, now) = (cx.services.clone(), cx.now());
    let parties = Parties {
        application: &client.application,
        stamp: client.stamp,
        client: client.kind,
        profile: &code.profile,
        scope: &code.scope,
        presence: code.presence,
    };
    let delegation = NewDelegation::prepare(&services, code.delegation.clone(), &parties, now);
    let bound = is_bound(&client, &code, &redirect_uri, verifier.as_deref());
    let client_id = client.application.client_id;
    let (stored, trail) = (delegation.clone(), cx.trail());
    let work = move |tx: &mut Tx<'_>| {
        if !tx.use_code(&hash, now)? {
            // Somebody else has it too. The tokens of the first use may be the thief's (RFC 6749 4.1.2).
            tx.revoke_delegation(&code.delegation, now)?;
            let target = AuditTarget::of_application(&code.application, "delegation", code.delegation.as_str());
            trail.record_with(tx, target, None, Some("an authorization code was used twice"))?;
            return Ok(Redeemed::Replayed);
        }
        if !bound || now >= code.expires_at || !has_user(tx, &code.profile, code.issued_at)? {
            return Ok(Redeemed::Refused);
        }
        stored.insert(tx, now)?;
        Ok::<_, StoreError>(Redeemed::Granted)
    };
    match cx.write(work).await? {
        Redeemed::Granted => Ok(tokens(&services, delegation.issue(&services, &client_id, now).await?)),
        Redeemed::Refused => Err(invalid_grant(NOT_GOOD)),
        Redeemed::Replayed => {
            services.callers.forget();
            Err(invalid_grant(NOT_GOOD))
        }
    }
}

/// Whether the request fits what the code was issued for.
fn is_bound(client: &Client, code: &AuthorizationCode, redirect_uri: &str, verifier: Option<&str>) -> bool {
    let proved = proves(code.challenge.as_ref(), verifier);
    let has_challenge = code.challenge.is_some() || client.kind == ClientKind::Confidential;
    code.redirect_uri == redirect_uri && proved && has_challenge
}
