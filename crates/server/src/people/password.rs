//! Passwords: argon2id, off the async threads, a few at a time.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_platform::random::Random;
use spaceport_platform::secret::Secret;
use tokio::sync::Semaphore;

use crate::http::error::ApiError;

/// Fewest characters of a password. Length is the only demand: it is what makes guessing hard (NIST SP 800-63B, 5.1.1).
pub const MIN_LENGTH: usize = 12;
/// Most characters of a password.
pub const MAX_LENGTH: usize = 200;
/// Memory of one hash in KiB, passes, lanes: 19 MiB, 2, 1 (security, decision 1).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes that are computed at once. Each takes 19 MiB and some 20 ms of CPU.
const AT_ONCE: usize = 2;
/// Hashes that may wait for their turn.
const WAITING: usize = 100;

/// Computes and checks hashes of passwords.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    nobody: Arc<str>,
}

impl Default for Passwords {
    fn default() -> Self {
        // What the password of somebody unknown is compared with, so that it takes as long as any other.
        let nobody = hash("nobody has this password", &[7; 16]).unwrap_or_default();
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(WAITING)),
            nobody: Arc::from(nobody),
        }
    }
}

impl Passwords {
    /// The text a password is stored as (PHC string format).
    ///
    /// # Errors
    /// When too many wait, or the work fails.
    pub async fn hash(&self, password: Secret, random: &dyn Random) -> Result<String, ApiError> {
        let mut salt = [0_u8; 16];
        random.fill(&mut salt);
        self.in_turn(move || hash(password.reveal(), &salt)).await?.map_err(ApiError::internal)
    }

    /// Whether `password` is the one that was stored as `stored`. Takes as long when nothing is stored.
    ///
    /// # Errors
    /// When too many wait, or the work fails.
    pub async fn verify(&self, password: Secret, stored: Option<String>) -> Result<bool, ApiError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        let right = self.in_turn(move || {
            PasswordHash::new(&stored)
                .is_ok_and(|stored| Argon2::default().verify_password(password.reveal().as_bytes(), &stored).is_ok())
        });
        Ok(right.await? && known)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
        let busy = || ApiError::unavailable("Too many people sign in at this moment; try again in a few seconds");
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        let _turn = self.turns.acquire().await.map_err(ApiError::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
    }
}

fn hash(password: &str, salt: &[u8]) -> Result<String, String> {
    let (memory, passes, lanes) = COST;
    let cost = Params::new(memory, passes, lanes, None).map_err(|error| error.to_string())?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
    let hashed = argon.hash_password_with_salt(password.as_bytes(), salt).map_err(|error| error.to_string())?;
    Ok(hashed.to_string())
}

/// Checks a password that somebody chose.
///
/// # Errors
/// Says which lengths are accepted.
pub fn check(password: &Secret) -> Result<(), Invalid> {
    text_length("password", password.reveal(), MIN_LENGTH, MAX_LENGTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spaceport_platform::random::Counting;

    #[tokio::test]
    async fn only_the_right_password_is_right_and_nobody_has_one() {
        let (passwords, random) = (Passwords::default(), Counting::default());
        let password = || Secret::new("correct horse battery");
        let stored = passwords.hash(password(), &random).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert_ne!(stored, passwords.hash(password(), &random).await.unwrap(), "each has its own salt");
        assert!(passwords.verify(password(), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(Secret::new("correct horse batter"), Some(stored)).await.unwrap());
        assert!(!passwords.verify(Secret::new("nobody has this password"), None).await.unwrap());
        assert!(!passwords.verify(password(), Some("garbage".to_owned())).await.unwrap());
    }

    #[test]
    fn a_password_is_long_and_may_be_anything_else() {
        assert!(check(&Secret::new("short")).is_err());
        assert!(check(&Secret::new("twelve chars")).is_ok());
        assert!(check(&Secret::new("ü".repeat(201))).is_err());
    }
}
