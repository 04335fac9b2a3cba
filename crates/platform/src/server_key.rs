//! The keys that sign access tokens: their states, and when one takes the place of another.
//!
//! ```text
//!   made ──► next ──(published long enough)──► active ──(successor took over)──► retired ──► deleted
//! ```
//!
//! A key is published before it signs, so that whoever caches the key set knows it in time, and stays
//! published until the last token that it signed has expired (security J1).

use std::fmt;
use std::time::Duration;

use crate::id::KeyId;
use crate::time::Timestamp;

/// How a key signs; fixed when the key is made and never read from a token (security J2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-512: what Space used.
    Rs512,
    /// ECDSA on P-256 with SHA-256: some ten times faster to sign.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// The name in tokens and key sets (RFC 7518, RFC 8037).
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Rs512, Self::Es256, Self::EdDsa].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a key is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyState {
    /// Published, signs nothing yet.
    Next,
    /// Signs.
    Active,
    /// Signs no more; tokens that it signed may still live.
    Retired,
}

impl KeyState {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Next, Self::Active, Self::Retired].into_iter().find(|state| state.name() == name)
    }
}

/// What the plan needs to know of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerKeyFacts {
    /// Its id (`kid`).
    pub id: KeyId,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when it is in that state.
    pub changed_at: Timestamp,
}

/// When keys change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPolicy {
    /// How keys that are made from now on sign.
    pub algorithm: Algorithm,
    /// How long a key signs.
    pub period: Duration,
    /// How long a key is published before it signs; at least as long as key sets may be cached.
    pub published_before: Duration,
    /// How long a key is published after it signed last; longer than any token lives.
    pub published_after: Duration,
}

/// One thing to do with the keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyStep {
    /// Make a key that comes next.
    Make(Algorithm),
    /// Let the next key sign and retire the active one.
    Activate(KeyId),
    /// Delete a key whose tokens have all expired, or one that came next and is no longer wanted.
    Delete(KeyId),
}

/// What is to be done now. Doing it and asking again ends in nothing to do.
pub fn plan(keys: &[ServerKeyFacts], policy: &KeyPolicy, now: Timestamp) -> Vec<KeyStep> {
    let in_state = |state: KeyState| keys.iter().filter(move |key| key.state == state);
    let mut steps: Vec<KeyStep> = in_state(KeyState::Retired)
        .filter(|key| now >= key.changed_at.plus(policy.published_after))
        .map(|key| KeyStep::Delete(key.id.clone()))
        .collect();
    let Some(active) = in_state(KeyState::Active).next() else { return steps };
    let replaced_at = active.changed_at.plus(policy.period);
    let other_algorithm = active.algorithm != policy.algorithm;
    match in_state(KeyState::Next).next() {
        Some(next) if next.algorithm != policy.algorithm => steps.push(KeyStep::Delete(next.id.clone())),
        Some(next) => {
            let known = now >= next.changed_at.plus(policy.published_before);
            if known && (other_algorithm || now >= replaced_at) {
                steps.push(KeyStep::Activate(next.id.clone()));
            }
        }
        None if other_algorithm || now >= replaced_at.minus(policy.published_before) => {
            steps.push(KeyStep::Make(policy.algorithm));
        }
        None => {}
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn policy(algorithm: Algorithm) -> KeyPolicy {
        KeyPolicy { algorithm, period: HOUR * 100, published_before: HOUR * 10, published_after: HOUR * 5 }
    }

    fn key(id: &str, state: KeyState, hour: u32) -> ServerKeyFacts {
        ServerKeyFacts { id: KeyId::new(id), algorithm: Algorithm::Rs512, state, changed_at: at(hour) }
    }

    fn at(hour: u32) -> Timestamp {
        Timestamp::from_millis(0).plus(HOUR * hour)
    }

    fn steps(keys: &[ServerKeyFacts], hour: u32) -> Vec<KeyStep> {
        plan(keys, &policy(Algorithm::Rs512), at(hour))
    }

    #[test]
    fn the_next_key_is_made_early_signs_when_it_is_known_and_the_old_one_goes_when_its_tokens_have() {
        let active = key("a", KeyState::Active, 0);
        assert_eq!(steps(std::slice::from_ref(&active), 89), []);
        assert_eq!(steps(std::slice::from_ref(&active), 90), [KeyStep::Make(Algorithm::Rs512)]);
        let late = [active.clone(), key("b", KeyState::Next, 95)];
        assert_eq!(steps(&late, 100), [], "nobody may know the key yet");
        assert_eq!(steps(&late, 105), [KeyStep::Activate(KeyId::new("b"))]);
        let turned = [key("a", KeyState::Retired, 105), key("b", KeyState::Active, 105)];
        assert_eq!(steps(&turned, 109), []);
        assert_eq!(steps(&turned, 110), [KeyStep::Delete(KeyId::new("a"))]);
    }

    #[test]
    fn another_algorithm_comes_by_the_same_way_without_waiting_for_the_period() {
        let keys = [key("a", KeyState::Active, 0)];
        let wanted = policy(Algorithm::Es256);
        assert_eq!(plan(&keys, &wanted, at(1)), [KeyStep::Make(Algorithm::Es256)]);
        let next = ServerKeyFacts { algorithm: Algorithm::Es256, ..key("b", KeyState::Next, 1) };
        let keys = [key("a", KeyState::Active, 0), next];
        assert_eq!(plan(&keys, &wanted, at(10)), []);
        assert_eq!(plan(&keys, &wanted, at(11)), [KeyStep::Activate(KeyId::new("b"))]);
        assert_eq!(steps(&keys, 11), [KeyStep::Delete(KeyId::new("b"))], "the setting went back");
    }

    #[test]
    fn names_survive_a_round_trip() {
        for algorithm in [Algorithm::Rs512, Algorithm::Es256, Algorithm::EdDsa] {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
        }
        for state in [KeyState::Next, KeyState::Active, KeyState::Retired] {
            assert_eq!(KeyState::from_name(state.name()), Some(state));
        }
        assert_eq!(Algorithm::from_name("none"), None);
    }
}
