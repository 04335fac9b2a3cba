//! What a key says of itself, as far as its own signatures hold.

use std::time::Duration;

use pgp::composed::SignedPublicSubKey;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PublicKey, Signature, SignatureType};
use pgp::types::{KeyDetails, SignedUser, Tag};
use spaceport_platform::time::Timestamp;

use super::{Revocation, shown};

/// Judges signatures of one primary key at one moment.
pub(super) struct Judge<'a> {
    primary: &'a PublicKey,
    now: Timestamp,
}

/// A moment of OpenPGP, which counts seconds.
pub(super) fn moment(time: pgp::types::Timestamp) -> Timestamp {
    Timestamp::from_millis(i64::from(time.as_secs()) * 1000)
}

/// When the signature lets the key end; zero and nothing mean never (RFC 9580, 5.2.3.13).
pub(super) fn key_expiry(key: &impl KeyDetails, signature: &Signature) -> Option<Timestamp> {
    let seconds = signature.key_expiration_time()?.as_secs();
    (seconds > 0).then(|| moment(key.created_at()).plus(Duration::from_secs(seconds.into())))
}

impl<'a> Judge<'a> {
    pub(super) fn new(primary: &'a PublicKey, now: Timestamp) -> Self {
        Self { primary, now }
    }

    /// The newest direct signature on the key.
    pub(super) fn newest_direct<'s>(&self, signatures: &'s [Signature]) -> Option<&'s Signature> {
        let held = |signature: &Signature| {
            signature.typ() == Some(SignatureType::Key) && self.in_force(signature) && self.own(signature)
        };
        newest(signatures.iter().filter(|signature| held(signature) && signature.verify_key(self.primary).is_ok()))
    }

    /// The earliest revocation of the key: nothing that was signed since counts.
    pub(super) fn revocation(&self, signatures: &[Signature]) -> Option<Revocation> {
        let valid = signatures.iter().filter(|signature| {
            signature.typ() == Some(SignatureType::KeyRevocation)
                && self.is_strong(signature)
                && self.own(signature)
                && signature.verify_key(self.primary).is_ok()
        });
        let found = valid.min_by_key(|signature| signature.created())?;
        let reason = found.revocation_reason_string().map(|reason| shown(reason));
        Some(Revocation { at: moment(found.created()?), reason: reason.unwrap_or_default() })
    }

    /// The newest certification of a user id; `None` when the key never signed it or took it back.
    pub(super) fn certification<'s>(&self, user: &'s SignedUser) -> Option<&'s Signature> {
        let valid = user.signatures.iter().filter(|signature| {
            self.in_force(signature)
                && self.own(signature)
                && signature.verify_certification(self.primary, Tag::UserId, &user.id).is_ok()
        });
        newest(valid).filter(|signature| signature.typ() != Some(SignatureType::CertRevocation))
    }

    /// The newest binding of a subkey. One that signs must have signed the binding too, or somebody
    /// could claim the signatures of another's subkey (RFC 9580, 5.2.3.34).
    pub(super) fn binding<'s>(&self, subkey: &'s SignedPublicSubKey) -> Option<&'s Signature> {
        let valid = subkey.signatures.iter().filter(|signature| {
            signature.typ() == Some(SignatureType::SubkeyBinding)
                && self.in_force(signature)
                && signature.verify_subkey_binding(self.primary, &subkey.key).is_ok()
        });
        newest(valid).filter(|signature| !signature.key_flags().sign() || self.consents(subkey, signature))
    }

    fn consents(&self, subkey: &SignedPublicSubKey, binding: &Signature) -> bool {
        let embedded = binding.embedded_signature();
        embedded.is_some_and(|consent| {
            self.is_strong(consent) && consent.verify_primary_key_binding(&subkey.key, self.primary).is_ok()
        })
    }

    /// When the subkey was taken back.
    pub(super) fn subkey_revocation(&self, subkey: &SignedPublicSubKey) -> Option<Timestamp> {
        let valid = subkey.signatures.iter().filter(|signature| {
            signature.typ() == Some(SignatureType::SubkeyRevocation)
                && self.is_strong(signature)
                && signature.verify_subkey_binding(self.primary, &subkey.key).is_ok()
        });
        valid.filter_map(Signature::created).min().map(moment)
    }

    /// Whether the signature names this key, or nobody, as its maker: cheaper than to find out by arithmetic.
    fn own(&self, signature: &Signature) -> bool {
        let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
        let (id, fingerprint) = (self.primary.legacy_key_id(), self.primary.fingerprint());
        (ids.is_empty() && fingerprints.is_empty()) || ids.contains(&&id) || fingerprints.contains(&&fingerprint)
    }

    /// Whether the signature has begun, has not ended, and is made with a hash that can be trusted.
    fn in_force(&self, signature: &Signature) -> bool {
        let Some(created) = signature.created().map(moment) else { return false };
        let lifetime = signature.signature_expiration_time().map_or(0, |time| time.as_secs());
        let ended = lifetime > 0 && created.plus(Duration::from_secs(lifetime.into())) <= self.now;
        // A day of grace for clocks that are ahead.
        let begun = created <= self.now.plus(Duration::from_secs(24 * 60 * 60));
        begun && !ended && self.is_strong(signature)
    }

    fn is_strong(&self, signature: &Signature) -> bool {
        // SHA-1 stays: without it keys from before about 2010 are lost, and whoever could forge here
        // would have to be the key's owner.
        !matches!(signature.hash_alg(), None | Some(HashAlgorithm::Md5 | HashAlgorithm::Ripemd160))
    }
}

fn newest<'s>(signatures: impl Iterator<Item = &'s Signature>) -> Option<&'s Signature> {
    signatures.max_by_key(|signature| signature.created())
}
