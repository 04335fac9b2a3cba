//! `POST /oauth/revoke`: an application gives a token back (RFC 7009).

use serde_json::Value;
use spaceport_platform::access::Principal;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::delegation::ClientKind;
use spaceport_store::{StoreError, Tx};

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::reply::Document;
use crate::oauth::answer::{required, unstored};
use crate::oauth::form::Form;
use crate::oauth::public_client::identify;
use crate::oauth::token::TokenRequest;

/// Ends a token of the calling application. Of a token that is unknown, over or somebody else's nothing is told, and nothing
/// happens to it (security R1). The hint is ignored: every token tells its kind by itself (R2).
///
/// # Errors
/// `invalid_client`, and `503` when the database fails: what was not revoked is not called revoked (R4).
pub async fn revoke(cx: Cx<Anyone>, request: TokenRequest) -> Result<Document, ApiError> {
    let form = Form::read(&request.headers, &request.body).await?;
    let client = identify(&request.headers, &form, request.peer, &cx.services).await?;
    let token = required(&form, "token")?.to_owned();
    let now = cx.now();
    let claims = cx.services.tokens.verify_looking(&token, &cx.services.store, cx.services.clock.as_ref()).await?.ok();
    let (application, trail) = (client.application, cx.trail());
    let work = move |tx: &mut Tx<'_>| {
        if let Some(claims) = &claims {
            if claims.grant.client_id == application.client_id {
                tx.revoke_access_token(&claims.token_id, claims.expires_at)?;
            }
            return Ok(());
        }
        let Some(refresh) = tx.refresh_token(&token_hash(&token))? else {
            let Some(permanent) = tx.token_by_hash(&token_hash(&token))? else { return Ok(()) };
            let own = permanent.principal == Principal::Application(application.id.clone());
            if own && client.kind == ClientKind::Confidential && permanent.revoked_at.is_none() {
                tx.revoke_token(&permanent.id, now)?;
                let target = AuditTarget::of_application(&application.id, "permanent_token", permanent.id.as_str());
                trail.record(tx, target, [AuditChange::secret("token")])?;
            }
            return Ok(());
        };
        let Some(delegation) = tx.delegation(&refresh.delegation)? else { return Ok(()) };
        // A token that needs the secret to be used needs it to be ended.
        let proved = client.kind == ClientKind::Confidential || delegation.client == ClientKind::Public;
        if delegation.application == application.id && proved && delegation.revoked_at.is_none() {
            tx.revoke_delegation(&delegation.id, now)?;
            let target = AuditTarget::of_application(&application.id, "delegation", delegation.id.as_str());
            trail.record(tx, target, [AuditChange::secret("refreshToken")])?;
        }
        Ok::<_, StoreError>(())
    };
    cx.write(work).await?;
    cx.services.callers.forget();
    // Empty, as RFC 7009 has it, and JSON all the same: simple-oauth2 fails on an answer that is not.
    Ok(Document { body: String::new(), ..unstored(&Value::Null) })
}
