//! OpenPGP public keys (RFC 9580) of the versions 4 and 6, in ASCII armor.
//!
//! What a key says of itself counts only where its own signature says so: user ids, expiry, subkeys and
//! revocations without a valid signature of the primary key are left out. Signatures of others are not
//! looked at.

mod armor;
mod packets;
mod signatures;

use pgp::composed::{Deserializable as _, SignedPublicKey, SignedPublicSubKey};
use pgp::types::{KeyDetails, KeyVersion, PublicParams};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;

use signatures::{Judge, key_expiry, moment};

/// Longest armored text in bytes. With the signatures of many others on it, a key can be longer; the
/// refusal says how to export it without them.
pub const MAX_TEXT: usize = 64 * 1024;
/// RSA keys must have as many bits.
const MIN_RSA_BITS: usize = 2_048;

/// A public key that was read and found consistent. It may be expired or revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenPgpKey {
    /// Version of its format: 4 or 6.
    pub version: u8,
    /// Upper-case hex digits without spaces: 40 for version 4, 64 for version 6.
    pub fingerprint: String,
    /// The short name in signatures: 16 upper-case hex digits.
    pub key_id: String,
    /// User ids that the key itself signed and did not take back, in the order they stand in it.
    pub user_ids: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether it holds its own revocation.
    pub revocation: Option<Revocation>,
    /// Subkeys bound to it.
    pub subkeys: Vec<Subkey>,
}

/// That a key was taken back by its own signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// When.
    pub at: Timestamp,
    /// Why, in the words of whoever did it; often empty.
    pub reason: String,
}

/// A subkey of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subkey {
    /// As [`OpenPgpKey::fingerprint`].
    pub fingerprint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// Whether it may sign; then it has signed that it belongs to this primary key.
    pub signs: bool,
}

/// Reads one armored public key; `now` tells which of its signatures count.
///
/// Costs up to half a second of CPU for the worst key that fits the limits: not for an async thread.
///
/// # Errors
/// Says what the text is instead: a private key, something else of OpenPGP, several keys, broken, too
/// large, too weak, or without any valid self-signature.
pub fn parse(text: &str, now: Timestamp) -> Result<OpenPgpKey, Invalid> {
    let bytes = armor::decode(text)?;
    let packets = packets::split(&bytes)?;
    let clean = packets::own_packets(&packets)?;
    let key = SignedPublicKey::from_bytes(clean.as_slice()).map_err(|_| broken())?;
    judge(&key, now)
}

fn broken() -> Invalid {
    Invalid::new("", "must be a whole OpenPGP public key; this one is broken")
}

fn judge(key: &SignedPublicKey, now: Timestamp) -> Result<OpenPgpKey, Invalid> {
    let primary = &key.primary_key;
    let version = match primary.version() {
        KeyVersion::V4 => 4,
        KeyVersion::V6 => 6,
        other => {
            let expected = format!("must be an OpenPGP key of version 4 or 6, is {}", u8::from(other));
            return Err(Invalid::new("", expected));
        }
    };
    check_strength(primary.public_params())?;
    let judge = Judge::new(primary, now);
    let direct = judge.newest_direct(&key.details.direct_signatures);
    let revocation = judge.revocation(&key.details.revocation_signatures);
    let (mut user_ids, mut newest) = (Vec::new(), None::<&pgp::packet::Signature>);
    for user in &key.details.users {
        if let Some(certification) = judge.certification(user) {
            user_ids.push(shown(user.id.id()));
            if newest.is_none_or(|known| known.created() < certification.created()) {
                newest = Some(certification);
            }
        }
    }
    // Version 4 says everything in the certifications of user ids, version 6 in direct signatures
    // (RFC 9580, 10.1); where a version 4 key has both, the direct signature goes first, as in GnuPG.
    if direct.is_none() && newest.is_none() && revocation.is_none() {
        return Err(Invalid::new("", "must have a user id that the key itself has signed and not taken back"));
    }
    let expires_at = direct
        .and_then(|signature| key_expiry(primary, signature))
        .or_else(|| newest.and_then(|signature| key_expiry(primary, signature)));
    let mut subkeys = Vec::new();
    for subkey in &key.public_subkeys {
        subkeys.extend(bound(&judge, subkey));
    }
    Ok(OpenPgpKey {
        version,
        fingerprint: format!("{:X}", primary.fingerprint()),
        key_id: primary.legacy_key_id().to_string().to_uppercase(),
        user_ids,
        created_at: moment(primary.created_at()),
        expires_at,
        revocation,
        subkeys,
    })
}

fn bound(judge: &Judge<'_>, subkey: &SignedPublicSubKey) -> Option<Subkey> {
    let binding = judge.binding(subkey)?;
    Some(Subkey {
        fingerprint: format!("{:X}", subkey.key.fingerprint()),
        created_at: moment(subkey.key.created_at()),
        expires_at: key_expiry(&subkey.key, binding),
        revoked_at: judge.subkey_revocation(subkey),
        signs: binding.key_flags().sign(),
    })
}

fn check_strength(params: &PublicParams) -> Result<(), Invalid> {
    use rsa_size::bits;
    match params {
        PublicParams::RSA(rsa) if bits(rsa) < MIN_RSA_BITS => {
            Err(Invalid::new("", format!("must be an RSA key of at least {MIN_RSA_BITS} bits, has {}", bits(rsa))))
        }
        PublicParams::Unknown { .. } => {
            Err(Invalid::new("", "must use an algorithm that this server can check: RSA, DSA, ECDSA or EdDSA"))
        }
        _ => Ok(()),
    }
}

/// Text from inside a key as it can be stored and shown: whatever is no text is replaced.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\0', "\u{fffd}")
}

/// The size of an RSA key, without a library for its numbers.
mod rsa_size {
    use pgp::ser::Serialize as _;
    use pgp::types::RsaPublicParams;

    /// Bits of the modulus: it comes first, and its length before it (RFC 9580, 3.2).
    pub(super) fn bits(params: &RsaPublicParams) -> usize {
        let mut bytes = Vec::new();
        let written = params.to_writer(&mut bytes);
        match (written, bytes.first_chunk::<2>()) {
            (Ok(()), Some(length)) => usize::from(u16::from_be_bytes(*length)),
            _ => 0,
        }
    }
}
