//! Typed identifiers: short, opaque, ordered by creation time.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;

use crate::random::Random;
use crate::time::Timestamp;

/// Digits in ASCII order, so that the text order of ids is their creation order.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Seven base-62 digits hold milliseconds until the year 2081.
const TIME_DIGITS: usize = 7;
/// Nine base-62 digits: 53 bits, so two ids of one millisecond practically never collide.
const RANDOM_DIGITS: usize = 9;

/// An identifier of a `K`. Callers treat it as text; nothing may be read out of it.
///
/// Generated ones have 16 characters of `[0-9A-Za-z]`, so they never need escaping in a path, in
/// a compact identifier (`{a:…,b:…}`, wire-protocol 3) or in JSON.
pub struct Id<K> {
    text: Arc<str>,
    kind: PhantomData<fn() -> K>,
}

/// Marker: an application.
pub enum ApplicationKind {}
/// Marker: a person's profile.
pub enum ProfileKind {}
/// Marker: a team.
pub enum TeamKind {}
/// Marker: a role.
pub enum RoleKind {}
/// Marker: a webhook.
pub enum WebhookKind {}
/// Marker: a subscription of a webhook.
pub enum SubscriptionKind {}
/// Marker: a published event.
pub enum EventKind {}
/// Marker: a delivery.
pub enum DeliveryKind {}
/// Marker: a stored (permanent) token.
pub enum TokenKind {}
/// Marker: an entry of the audit trail.
pub enum AuditEntryKind {}
/// Marker: an uploaded file.
pub enum AttachmentKind {}
/// Marker: a user's delegation of rights to an application.
pub enum DelegationKind {}
/// Marker: a user's consent to an application.
pub enum ConsentKind {}
/// Marker: one scope that a user approved.
pub enum ApprovedScopeKind {}
/// Marker: a refresh token.
pub enum RefreshTokenKind {}
/// Marker: a browser's session.
pub enum SessionKind {}
/// Marker: a cryptographic key pair.
pub enum KeyKind {}

/// Names an application.
pub type ApplicationId = Id<ApplicationKind>;
/// Names a profile.
pub type ProfileId = Id<ProfileKind>;
/// Names a team.
pub type TeamId = Id<TeamKind>;
/// Names a role.
pub type RoleId = Id<RoleKind>;
/// Names a webhook.
pub type WebhookId = Id<WebhookKind>;
/// Names a subscription.
pub type SubscriptionId = Id<SubscriptionKind>;
/// Names an event; the publisher may choose it, it is the idempotency key.
pub type EventId = Id<EventKind>;
/// Names a delivery.
pub type DeliveryId = Id<DeliveryKind>;
/// Names a stored token.
pub type TokenId = Id<TokenKind>;
/// Names an entry of the audit trail.
pub type AuditEntryId = Id<AuditEntryKind>;
/// Names an uploaded file.
pub type AttachmentId = Id<AttachmentKind>;
/// Names a delegation: what one redeemed code, or another user grant, allows an application to do.
pub type DelegationId = Id<DelegationKind>;
/// Names a consent.
pub type ConsentId = Id<ConsentKind>;
/// Names an approved scope.
pub type ApprovedScopeId = Id<ApprovedScopeKind>;
/// Names a refresh token.
pub type RefreshTokenId = Id<RefreshTokenKind>;
/// Names a session.
pub type SessionId = Id<SessionKind>;
/// Names a key pair (`kid`).
pub type KeyId = Id<KeyKind>;

impl<K> Id<K> {
    /// Takes an identifier that came from outside or from the database as it is.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), kind: PhantomData }
    }

    /// Makes a fresh identifier.
    pub fn generate(now: Timestamp, random: &dyn Random) -> Self {
        let mut digits = [0_u8; TIME_DIGITS + RANDOM_DIGITS];
        let (time, noise) = digits.split_at_mut(TIME_DIGITS);
        write_base62(time, u128::from(now.millis().unsigned_abs()));
        let mut bytes = [0_u8; 16];
        random.fill(&mut bytes);
        write_base62(noise, u128::from_be_bytes(bytes));
        Self::new(String::from_utf8_lossy(&digits).into_owned())
    }

    /// The text of the identifier.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// What every identifier made at `now` or later begins with, or comes after, in the order of text.
pub fn id_prefix(now: Timestamp) -> String {
    let mut digits = [0_u8; TIME_DIGITS];
    write_base62(&mut digits, u128::from(now.millis().unsigned_abs()));
    String::from_utf8_lossy(&digits).into_owned()
}

/// Writes the last `digits.len()` base-62 digits of `value`.
fn write_base62(digits: &mut [u8], mut value: u128) {
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(value % 62).unwrap_or(0);
        *digit = ALPHABET.get(index).copied().unwrap_or(b'0');
        value /= 62;
    }
}

/// Random text of `[0-9A-Za-z]`, about 5.95 bits a character: secrets, tokens and codes.
///
/// Only unreserved characters, so that Basic credentials read the same raw and form-decoded
/// (security T5).
pub fn random_text(length: usize, random: &dyn Random) -> String {
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 64];
    while text.len() < length {
        random.fill(&mut bytes);
        for byte in bytes {
            // 248 = 4 * 62: larger bytes would make some characters likelier than others.
            if byte < 248 && text.len() < length {
                let index = usize::from(byte % 62);
                text.push(char::from(ALPHABET.get(index).copied().unwrap_or(b'0')));
            }
        }
    }
    text
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self { text: Arc::clone(&self.text), kind: PhantomData }
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.text.cmp(&other.text)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Counting;

    #[test]
    fn ids_sort_by_creation_time() {
        let random = Counting::default();
        let early: ApplicationId = Id::generate(Timestamp::from_millis(1_700_000_000_000), &random);
        let late: ApplicationId = Id::generate(Timestamp::from_millis(1_700_000_000_001), &random);
        assert!(early < late);
        assert_eq!(early.as_str().len(), 16);
    }

    #[test]
    fn random_text_has_the_asked_length_and_only_unreserved_characters() {
        let text = random_text(64, &Counting::default());
        assert_eq!(text.len(), 64);
        assert!(text.chars().all(|c| c.is_ascii_alphanumeric()));
    }
}
