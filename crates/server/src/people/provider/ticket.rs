//! What ties a person's return from the provider to the browser he left with, without a table.
//!
//! The browser gets a random cookie. `state`, `nonce` and the PKCE verifier are made from it, so only this browser can bring
//! them back, on whichever node.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;

/// How long somebody may take at the provider.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A sign-in that was begun in one browser.
pub struct Ticket {
    cookie: Secret,
}

impl Ticket {
    /// Of this cookie.
    pub fn new(cookie: &Secret) -> Self {
        Self { cookie: cookie.clone() }
    }

    /// What the ID token must hold.
    pub fn nonce(&self) -> String {
        self.made("nonce")
    }

    /// The PKCE verifier: 43 characters.
    pub fn verifier(&self) -> String {
        self.made("verifier")
    }

    /// What the provider gives back, with the path to go to afterwards.
    pub fn state(&self, path: &str, now: Timestamp) -> String {
        let said = format!("{}.{}", now.seconds(), URL_SAFE_NO_PAD.encode(path));
        format!("{said}.{}", self.made(&format!("state {said}")))
    }

    /// The path in a state that this browser left with; `None` for every other, and when it took too long.
    pub fn path(&self, state: &str, now: Timestamp) -> Option<String> {
        let (said, tag) = state.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.key(), format!("state {said}").as_bytes(), &tag).ok()?;
        let (began, path) = said.split_once('.')?;
        let began = Timestamp::from_millis(began.parse::<i64>().ok()?.checked_mul(1_000)?);
        let in_time = now < began.plus(LIFETIME);
        String::from_utf8(URL_SAFE_NO_PAD.decode(path).ok()?).ok().filter(|_| in_time)
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.cookie.reveal().as_bytes())
    }

    fn made(&self, what: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key(), what.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_counts_in_its_browser_for_a_quarter_of_an_hour() {
        let now = Timestamp::from_millis(1_700_000_000_000);
        let (own, other) = (Ticket::new(&Secret::new("own")), Ticket::new(&Secret::new("other")));
        let state = own.state("/account?a=b", now);
        assert_eq!(own.path(&state, now).as_deref(), Some("/account?a=b"));
        assert_eq!(other.path(&state, now), None);
        assert_eq!(own.path(&state, now.plus(LIFETIME)), None);
        let later = state.replacen("1700000000", "1700009999", 1);
        for forged in [later.as_str(), "", ".", "..", "a.b.c", &state[1..], &format!("{state}A")] {
            assert_eq!(own.path(forged, now), None, "{forged}");
        }
        assert_eq!(own.verifier().len(), 43);
        assert_ne!(own.verifier(), own.nonce());
    }
}
