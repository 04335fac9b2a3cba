//! A user takes back what an application was allowed; every token that rests on it ends at once.

use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::{ApplicationId, ApprovedScopeId, ProfileId, RefreshTokenId};
use spaceport_store::{StoreError, Tx};

use crate::http::access::Cx;
use crate::http::error::ApiError;

fn withdrawn(profile: &ProfileId, application: &ApplicationId) -> (AuditTarget, Option<AuditChange>) {
    let target = AuditTarget::of_application(application, "consent", profile.as_str());
    (target, AuditChange::between("consent", Some("given"), None))
}

/// Ends a user's consent to an application. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn withdraw_application<A>(
    cx: &Cx<A>,
    profile: &ProfileId,
    application: &ApplicationId,
) -> Result<bool, ApiError> {
    let (profile, application, now, trail) = (profile.clone(), application.clone(), cx.now(), cx.trail());
    let work = move |tx: &mut Tx<'_>| {
        let existed = tx.withdraw_consent(&profile, &application, now)?;
        if existed {
            let (target, change) = withdrawn(&profile, &application);
            trail.record(tx, target, change)?;
        }
        Ok(existed)
    };
    let existed = cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.callers.forget();
    Ok(existed)
}

/// Ends one approved scope of a user. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn withdraw_scope<A>(cx: &Cx<A>, profile: &ProfileId, scope: &ApprovedScopeId) -> Result<bool, ApiError> {
    let (profile, scope, now, trail) = (profile.clone(), scope.clone(), cx.now(), cx.trail());
    let work = move |tx: &mut Tx<'_>| {
        let Some(application) = tx.withdraw_scope(&profile, &scope, now)? else { return Ok(false) };
        let (target, _) = withdrawn(&profile, &application);
        trail.record(tx, target, AuditChange::between("approvedScope", Some(scope.as_str()), None))?;
        Ok(true)
    };
    let existed = cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.callers.forget();
    Ok(existed)
}

/// Ends one refresh token of a user and all that rests on the same delegation. Answers whether there was one.
///
/// # Errors
/// When the database fails.
pub async fn withdraw_refresh_token<A>(
    cx: &Cx<A>,
    profile: &ProfileId,
    token: &RefreshTokenId,
) -> Result<bool, ApiError> {
    let (profile, token, now, trail) = (profile.clone(), token.clone(), cx.now(), cx.trail());
    let work = move |tx: &mut Tx<'_>| {
        let Some(delegation) = tx.delegation_of_refresh_token(&profile, &token)? else { return Ok(false) };
        tx.revoke_delegation(&delegation, now)?;
        let target = AuditTarget::other("refresh_token", token.as_str());
        trail.record(tx, target, [AuditChange::secret("refreshToken")])?;
        Ok(true)
    };
    let existed = cx.write(work).await.map_err(|error: StoreError| ApiError::from(error))?;
    cx.services.callers.forget();
    Ok(existed)
}
