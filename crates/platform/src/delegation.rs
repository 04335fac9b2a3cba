//! Codes and delegations: how a user's rights come to an application.

use crate::consent::Presence;
use crate::id::{ApplicationId, DelegationId, ProfileId};
use crate::scope::Scope;
use crate::time::Timestamp;

/// An authorization code, as it is stored: by hash, bound to everything that was agreed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizationCode {
    /// Who may redeem it.
    pub application: ApplicationId,
    /// Who agreed.
    pub profile: ProfileId,
    /// Where it was sent.
    pub redirect_uri: String,
    /// What was agreed.
    pub scope: Scope,
    /// The PKCE challenge, if one was given.
    pub challenge: Option<Challenge>,
    /// Whether a refresh token comes with it.
    pub presence: Presence,
    /// The delegation that its redemption makes.
    pub delegation: DelegationId,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A PKCE challenge (RFC 7636).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// How the challenge was made of the verifier.
    pub method: ChallengeMethod,
    /// 43 to 128 unreserved characters.
    pub text: String,
}

/// How a challenge is made of a verifier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChallengeMethod {
    /// It is the verifier itself.
    Plain,
    /// Base64url of its SHA-256.
    S256,
}

impl ChallengeMethod {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::S256 => "S256",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Plain, Self::S256].into_iter().find(|method| method.name() == name)
    }
}

/// Whether `text` has the form of a challenge or verifier: 43 to 128 unreserved characters (RFC 7636, 4.1, 4.2).
pub fn is_challenge(text: &str) -> bool {
    (43..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

/// How a client proved who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientKind {
    /// By its secret.
    Confidential,
    /// Not at all: it cannot keep a secret.
    Public,
}

impl ClientKind {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Confidential => "confidential",
            Self::Public => "public",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Confidential, Self::Public].into_iter().find(|kind| kind.name() == name)
    }
}

/// Which refresh tokens of an application are spent by use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// Those of clients that cannot keep a secret; the others stay, because the Kotlin SDK sends its first one for ever.
    PublicClients,
    /// All of them.
    AllClients,
}

impl Rotation {
    /// Whether a token that was issued to such a client is spent by use.
    pub fn spends(self, client: ClientKind) -> bool {
        self == Self::AllClients || client == ClientKind::Public
    }

    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::PublicClients => "PUBLIC_CLIENTS",
            Self::AllClients => "ALL_CLIENTS",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::PublicClients, Self::AllClients].into_iter().find(|rotation| rotation.name() == name)
    }
}

/// What a user delegated to an application at one time: the family of all tokens that rest on it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delegation {
    /// The id; access tokens carry it.
    pub id: DelegationId,
    /// To which application.
    pub application: ApplicationId,
    /// By whom.
    pub profile: ProfileId,
    /// What.
    pub scope: Scope,
    /// How the client proved who it was.
    pub client: ClientKind,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
    /// Since when it is revoked.
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_have_a_length_and_an_alphabet() {
        assert!(is_challenge(&"a".repeat(43)) && is_challenge(&"~".repeat(128)));
        for bad in ["a".repeat(42), "a".repeat(129), format!("{}=", "a".repeat(43)), format!("{}\0", "a".repeat(43))] {
            assert!(!is_challenge(&bad), "{bad:?}");
        }
    }

    #[test]
    fn tokens_of_public_clients_are_always_spent() {
        assert!(Rotation::PublicClients.spends(ClientKind::Public) && Rotation::AllClients.spends(ClientKind::Public));
        assert!(!Rotation::PublicClients.spends(ClientKind::Confidential));
        assert!(Rotation::AllClients.spends(ClientKind::Confidential));
    }

    #[test]
    fn names_survive_a_round_trip() {
        assert_eq!(Rotation::from_name(Rotation::AllClients.name()), Some(Rotation::AllClients));
        assert_eq!(ChallengeMethod::from_name("S256"), Some(ChallengeMethod::S256));
        assert_eq!(ChallengeMethod::from_name("s256"), None);
        assert_eq!(ClientKind::from_name(ClientKind::Public.name()), Some(ClientKind::Public));
    }
}
