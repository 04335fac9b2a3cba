//! The server's source of randomness: the operating system's, through the crypto library.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use spaceport_platform::random::Random;

/// Cryptographically secure random bytes.
#[derive(Default)]
pub struct SecureRandom(SystemRandom);

impl Random for SecureRandom {
    #[expect(clippy::panic, reason = "a server that cannot make secrets must not go on with guessable ones")]
    fn fill(&self, bytes: &mut [u8]) {
        if self.0.fill(bytes).is_err() {
            panic!("the operating system gave no random bytes");
        }
    }
}
