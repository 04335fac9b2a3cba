//! What still stands behind a token when it is used.

use spaceport_platform::application::Application;
use spaceport_platform::delegation::Delegation;
use spaceport_platform::id::{ApplicationId, DelegationId, ProfileId};
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};

use crate::oauth::jwt::Claims;

/// Until when an access token of `application` is good; `None` when it has been ended.
///
/// # Errors
/// When the database fails.
pub fn until(tx: &mut Tx<'_>, claims: &Claims, application: &Application) -> Result<Option<Timestamp>, StoreError> {
    if application.archived_at.is_some() || tx.is_access_token_revoked(&claims.token_id)? {
        return Ok(None);
    }
    if claims.grant.stamp == application.tokens_not_before {
        return Ok(Some(claims.expires_at));
    }
    // A token of the secret before the present one ends with it.
    let overlap = tx.client_secret_overlap(application)?.filter(|overlap| claims.grant.stamp == overlap.stamp);
    Ok(overlap.map(|overlap| claims.expires_at.min(overlap.until)))
}

/// What has become of the delegation that a user token rests on.
pub enum Standing {
    /// It stands.
    Stands(Delegation),
    /// It was revoked, and with it a refresh token.
    RefreshTokenRevoked,
    /// There is nothing of it any more.
    Ended,
}

/// The delegation of a user token.
///
/// # Errors
/// When the database fails.
pub fn delegation(
    tx: &mut Tx<'_>,
    id: &DelegationId,
    application: &ApplicationId,
    subject: &str,
) -> Result<Standing, StoreError> {
    let Some(delegation) = tx.delegation(id)? else { return Ok(Standing::Ended) };
    let right = delegation.application == *application && delegation.profile.as_str() == subject;
    if !right || !has_user(tx, &delegation.profile, delegation.created_at)? {
        return Ok(Standing::Ended);
    }
    match delegation.revoked_at {
        None => Ok(Standing::Stands(delegation)),
        Some(_) if tx.had_refresh_token(id)? => Ok(Standing::RefreshTokenRevoked),
        Some(_) => Ok(Standing::Ended),
    }
}

/// Whether a person may still act, and what began at `since` has not been ended for all.
///
/// # Errors
/// When the database fails.
pub fn has_user(tx: &mut Tx<'_>, profile: &ProfileId, since: Timestamp) -> Result<bool, StoreError> {
    let profile = tx.profile(profile)?;
    Ok(profile.is_some_and(|profile| profile.is_active() && since >= profile.tokens_not_before))
}
