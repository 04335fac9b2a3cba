//! Signing in by user name and password.
//!
//! Failures wait, by account and by address, as those of clients do. The right password never waits for wrong ones
//! of others, so nobody is locked out by a guesser.

use std::net::IpAddr;

use spaceport_platform::profile::Profile;
use spaceport_platform::secret::Secret;
use spaceport_store::{StoreError, Tx};

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

/// A person who has proved who he is.
pub struct SignedIn {
    /// Who.
    pub profile: Profile,
    hash: String,
}

impl SignedIn {
    /// Whether the password is still the one that was right, to be asked in the transaction that relies on it. Whoever sets
    /// another waits for that transaction, and ends what it made.
    ///
    /// # Errors
    /// When the database fails.
    pub fn still(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        tx.holds_password_hash(&self.profile.id, &self.hash)
    }
}

/// The person who has this name and password; `None`, late, when there is none. Which of the two was wrong is not told,
/// by text or time.
///
/// # Errors
/// When the database fails or too many sign in at once.
pub async fn sign_in(services: &Services, attempt: Attempt) -> Result<Option<SignedIn>, ApiError> {
    let account = format!("account {}", attempt.username.to_lowercase());
    let failed = || services.failed_sign_ins.failed(&account, attempt.peer, services.clock.now());
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
    let right = match services.passwords.verify(attempt.password, stored.clone(), attempt.peer).await {
        Ok(right) => right,
        Err(refused) => {
            // Otherwise whoever fills the queue would be answered faster than those who stand in it.
            tokio::time::sleep(failed()).await;
            return Err(refused);
        }
    };
    if let (true, Some(profile), Some(hash)) = (right, profile, stored) {
        return Ok(Some(SignedIn { profile, hash }));
    }
    tokio::time::sleep(failed()).await;
    Ok(None)
}
