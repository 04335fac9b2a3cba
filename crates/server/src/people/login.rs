//! Signing in by user name and password.
//!
//! Failures wait, by account and by address, as those of clients do. The right password never waits for wrong ones
//! of others, so nobody is locked out by a guesser.

use std::net::IpAddr;

use spaceport_platform::profile::Profile;
use spaceport_platform::secret::Secret;
use spaceport_store::StoreError;

use crate::http::error::ApiError;
use crate::services::Services;

/// A name and a password, and where they come from.
pub struct Attempt {
    /// User name, in any case.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The address.
    pub peer: Option<IpAddr>,
}

/// The person who has this name and password; `None`, late, when there is none. Which of the two was wrong is not told,
/// by text or time.
///
/// # Errors
/// When the database fails or too many sign in at once.
pub async fn sign_in(services: &Services, attempt: Attempt) -> Result<Option<Profile>, ApiError> {
    let username = attempt.username.clone();
    let found = services.store.read(move |tx| {
        let profile = tx.profile_by_username(&username)?.filter(Profile::is_active);
        let stored = match &profile {
            Some(profile) => tx.password_hash(&profile.id)?,
            // As many questions to the database as for somebody known.
            None => tx.password_hash(&spaceport_platform::id::ProfileId::new(""))?,
        };
        Ok::<_, StoreError>((profile, stored))
    });
    let (profile, stored) = found.await?;
    if services.passwords.verify(attempt.password, stored).await? {
        return Ok(profile);
    }
    let account = format!("account {}", attempt.username.to_lowercase());
    let wait = services.failed_sign_ins.failed(&account, attempt.peer, services.clock.now());
    tokio::time::sleep(wait).await;
    Ok(None)
}
