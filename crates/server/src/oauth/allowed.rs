//! Which applications may act for a person: by consent, and by refresh tokens that rest on none.

use spaceport_platform::consent::Consent;
use spaceport_platform::delegation::Delegation;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::time::Timestamp;
use spaceport_store::{RefreshToken, StoreError, Tx};

/// An application that may act for a person.
pub struct Allowed {
    /// Which.
    pub application: ApplicationId,
    /// What the person agreed to. An application that came to its tokens by password was never agreed to.
    pub consent: Option<Consent>,
    /// Refresh tokens that live, with what each rests on.
    pub tokens: Vec<(RefreshToken, Delegation)>,
}

/// Everything that is to be seen and withdrawn: those with a consent first, the oldest first.
///
/// # Errors
/// When the database fails.
pub fn allowed_by(tx: &mut Tx<'_>, person: &ProfileId, now: Timestamp) -> Result<Vec<Allowed>, StoreError> {
    let of_consent = |consent: Consent| Allowed {
        application: consent.application.clone(),
        consent: Some(consent),
        tokens: Vec::new(),
    };
    let mut found: Vec<Allowed> = tx.consents(person)?.into_iter().map(of_consent).collect();
    for token in tx.refresh_tokens_of(person, now)? {
        let Some(delegation) = tx.delegation(&token.delegation)? else { continue };
        match found.iter_mut().find(|known| known.application == delegation.application) {
            Some(known) => known.tokens.push((token, delegation)),
            None => found.push(Allowed {
                application: delegation.application.clone(),
                consent: None,
                tokens: vec![(token, delegation)],
            }),
        }
    }
    Ok(found)
}
