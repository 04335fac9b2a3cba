//! Passwords: argon2id, off the async threads, a few at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_platform::random::Random;
use spaceport_platform::secret::Secret;
use tokio::sync::Semaphore;

use crate::http::error::ApiError;
use crate::oauth::throttle::network;

/// Fewest characters of a password. Length is the only demand: it is what makes guessing hard (NIST SP 800-63B, 5.1.1).
pub const MIN_LENGTH: usize = 12;
/// Most characters of a password.
pub const MAX_LENGTH: usize = 200;
/// Memory of one hash in KiB, passes, lanes: 19 MiB, 2, 1 (security, decision 1).
const COST: (u32, u32, u32) = (19 * 1024, 2, 1);
/// Hashes that are computed at once. Each takes 19 MiB and some 20 ms of CPU.
const AT_ONCE: usize = 2;
/// Hashes that may wait for their turn: some ten seconds of work.
const WAITING: usize = 1_000;
/// Of these, from one address: whatever it sends, there is room for others.
const WAITING_OF_ONE: usize = 500;

/// Computes and checks hashes of passwords.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    of_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    nobody: Arc<str>,
}

impl Default for Passwords {
    fn default() -> Self {
        // What the password of somebody unknown is compared with, so that it takes as long as any other.
        let nobody = hash("nobody has this password", &[7; 16]).unwrap_or_default();
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            queue: Arc::new(Semaphore::new(WAITING)),
            of_address: Arc::default(),
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
        self.in_turn(None, move || hash(password.reveal(), &salt)).await?.map_err(ApiError::internal)
    }

    /// Whether `password`, which came from `address`, is the one that was stored as `stored`. Takes as long when nothing is
    /// stored.
    ///
    /// # Errors
    /// When too many wait, or the work fails.
    pub async fn verify(
        &self,
        password: Secret,
        stored: Option<String>,
        address: Option<IpAddr>,
    ) -> Result<bool, ApiError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.to_string());
        let right = self.in_turn(address, move || {
            PasswordHash::new(&stored)
                .is_ok_and(|stored| Argon2::default().verify_password(password.reveal().as_bytes(), &stored).is_ok())
        });
        Ok(right.await? && known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        address: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = || ApiError::unavailable("Too many people sign in at this moment; try again in a few seconds");
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        let _share = Share::of(&self.of_address, address).ok_or_else(busy)?;
        let _turn = self.turns.acquire().await.map_err(ApiError::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
    }
}

/// A place in the queue that counts for an address.
struct Share<'a> {
    counts: &'a Mutex<HashMap<IpAddr, usize>>,
    address: Option<IpAddr>,
}

impl<'a> Share<'a> {
    /// `None` when the address has all of its places. Nobody's places are not counted.
    fn of(counts: &'a Mutex<HashMap<IpAddr, usize>>, address: Option<IpAddr>) -> Option<Self> {
        let address = address.map(network);
        if let Some(address) = address {
            let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
            let count = counts.entry(address).or_default();
            if *count >= WAITING_OF_ONE {
                return None;
            }
            *count += 1;
        }
        Some(Self { counts, address })
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&address);
            }
        }
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
        assert!(passwords.verify(password(), Some(stored.clone()), None).await.unwrap());
        assert!(!passwords.verify(Secret::new("correct horse batter"), Some(stored), None).await.unwrap());
        assert!(!passwords.verify(Secret::new("nobody has this password"), None, None).await.unwrap());
        assert!(!passwords.verify(password(), Some("garbage".to_owned()), None).await.unwrap());
    }

    #[test]
    fn one_address_leaves_places_to_others() {
        let (counts, [one, two]) = (Mutex::default(), [IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2])]);
        let mut taken: Vec<_> = (0..WAITING_OF_ONE).map(|_| Share::of(&counts, Some(one)).unwrap()).collect();
        assert!(Share::of(&counts, Some(one)).is_none());
        assert!(Share::of(&counts, Some(two)).is_some() && Share::of(&counts, None).is_some());
        taken.pop();
        assert!(Share::of(&counts, Some(one)).is_some());
        drop(taken);
        assert!(counts.lock().unwrap().is_empty(), "nothing is remembered of who has gone");
        const { assert!(WAITING_OF_ONE * 2 <= WAITING) };
    }

    #[test]
    fn a_password_is_long_and_may_be_anything_else() {
        assert!(check(&Secret::new("short")).is_err());
        assert!(check(&Secret::new("twelve chars")).is_ok());
        assert!(check(&Secret::new("ü".repeat(201))).is_err());
    }
}
