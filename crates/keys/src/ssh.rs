//! Public SSH keys in the form of OpenSSH: `ssh-ed25519 AAAA… comment`.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ParsedPublicKey, VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use md5::{Digest as _, Md5};
use spaceport_platform::invalid::Invalid;
use ssh_key::public::{EcdsaPublicKey, KeyData, RsaPublicKey};
use ssh_key::{HashAlg, Mpint};

use crate::hex;

/// Longest key text in bytes, comment included. An RSA key of 16384 bits needs 2.8 KiB.
pub const MAX_TEXT: usize = 16 * 1024;
/// Longest comment in characters.
pub const MAX_COMMENT: usize = 255;
/// RSA keys must have as many bits (security statement on weak keys; OpenSSH itself refuses less than 1024).
const MIN_RSA_BITS: usize = 2_048;
/// The largest RSA key that OpenSSH makes, in bits.
const MAX_RSA_BITS: usize = 16_384;
/// Longest RSA exponent in bits; larger ones only make verification slow.
const MAX_EXPONENT_BITS: usize = 64;

/// A public key that was read and found good.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SshKey {
    /// Name of its algorithm, such as `ssh-ed25519`.
    pub algorithm: String,
    /// Fingerprint with MD5, such as `9f:f1:…`, without the prefix `MD5:`.
    pub md5_fingerprint: String,
    /// Fingerprint with SHA-256, such as `SHA256:AbC…`, as OpenSSH prints it.
    pub sha256_fingerprint: String,
    /// Algorithm and key, without the comment.
    pub public_key: String,
    /// What stood behind the key; often empty.
    pub comment: String,
}

/// Reads one public key.
///
/// # Errors
/// Says what the text is instead: a private key, a certificate, several keys, broken, or too weak.
pub fn parse(text: &str) -> Result<SshKey, Invalid> {
    let refused = |expected: &str| Invalid::new("", expected);
    if text.len() > MAX_TEXT {
        return Err(Invalid::new("", format!("must have at most {MAX_TEXT} bytes, has {}", text.len())));
    }
    let text = text.trim();
    if let Some(expected) = foreign(text) {
        return Err(refused(expected));
    }
    if text.lines().filter(|line| !line.trim().is_empty()).count() > 1 {
        return Err(refused("must be one key on one line"));
    }
    let mut parts = text.splitn(3, [' ', '\t']).map(str::trim);
    let (Some(algorithm), Some(encoded)) = (parts.next(), parts.next()) else {
        return Err(refused("must be a public key like `ssh-ed25519 AAAA…`"));
    };
    check_algorithm(algorithm)?;
    let comment = parts.next().unwrap_or_default();
    if comment.chars().count() > MAX_COMMENT {
        return Err(Invalid::new("", format!("must have a comment of at most {MAX_COMMENT} characters")));
    }
    let blob = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded));
    let blob = blob.map_err(|_| refused("must have the key itself in base64, which is broken here"))?;
    let broken = || Invalid::new("", format!("must hold a whole key of the kind {algorithm}; this one is broken"));
    let key = ssh_key::PublicKey::from_bytes(&blob).map_err(|_| broken())?;
    if key.algorithm().as_str() != algorithm {
        return Err(Invalid::new("", format!("must be what it says: {algorithm}, but a key of another kind follows")));
    }
    check_strength(key.key_data(), &broken)?;
    Ok(SshKey {
        algorithm: algorithm.to_owned(),
        md5_fingerprint: hex::with_colons(&Md5::digest(&blob)),
        sha256_fingerprint: key.fingerprint(HashAlg::Sha256).to_string(),
        public_key: format!("{algorithm} {}", STANDARD.encode(&blob)),
        comment: comment.to_owned(),
    })
}

/// A fingerprint as somebody may write it, in the form that [`SshKey`] holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fingerprint {
    /// Without the prefix, in lower case.
    Md5(String),
    /// With the prefix.
    Sha256(String),
}

impl Fingerprint {
    /// Reads `aa:bb:…`, `MD5:aa:bb:…` or `SHA256:…`. `None` for what is no fingerprint.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(digest) = text.strip_prefix("SHA256:") {
            let digest = digest.trim_end_matches('=');
            let whole = STANDARD_NO_PAD.decode(digest).is_ok_and(|bytes| bytes.len() == 32);
            return whole.then(|| Self::Sha256(format!("SHA256:{digest}")));
        }
        let digest = text.strip_prefix("MD5:").unwrap_or(text);
        let byte = |part: &str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        let whole = digest.len() == 47 && digest.split(':').all(byte);
        whole.then(|| Self::Md5(digest.to_ascii_lowercase()))
    }
}

/// What the text is, when it is surely no public key of OpenSSH.
fn foreign(text: &str) -> Option<&'static str> {
    if text.contains("PRIVATE KEY") || text.starts_with("PuTTY-User-Key-File") {
        return Some("must be a public key; this is a private key, which should never leave its owner");
    }
    if text.starts_with("-----BEGIN ") || text.starts_with("---- BEGIN ") {
        return Some("must be a public key like `ssh-ed25519 AAAA…`; `ssh-keygen -i` converts other forms to it");
    }
    None
}

fn check_algorithm(algorithm: &str) -> Result<(), Invalid> {
    match algorithm {
        "ssh-rsa"
        | "ssh-ed25519"
        | "ecdsa-sha2-nistp256"
        | "ecdsa-sha2-nistp384"
        | "ecdsa-sha2-nistp521"
        | "sk-ssh-ed25519@openssh.com"
        | "sk-ecdsa-sha2-nistp256@openssh.com" => Ok(()),
        "ssh-dss" => {
            Err(Invalid::new("", "must not be a DSA key, which is too weak; make one of the kind ssh-ed25519"))
        }
        other if other.contains("-cert-v0") => {
            Err(Invalid::new("", "must be a public key; this is a certificate for one"))
        }
        _ => Err(Invalid::new(
            "",
            "must begin with the kind of the key: ssh-ed25519, ssh-rsa, ecdsa-sha2-nistp256, -nistp384, -nistp521, \
             sk-ssh-ed25519@openssh.com or sk-ecdsa-sha2-nistp256@openssh.com",
        )),
    }
}

fn check_strength(key: &KeyData, broken: &dyn Fn() -> Invalid) -> Result<(), Invalid> {
    match key {
        KeyData::Rsa(rsa) => check_rsa(rsa, broken),
        KeyData::Ecdsa(point) => check_point(point).ok_or_else(broken),
        KeyData::SkEcdsaSha2NistP256(sk) => check_point(&EcdsaPublicKey::NistP256(*sk.ec_point())).ok_or_else(broken),
        _ => Ok(()),
    }
}

fn check_rsa(key: &RsaPublicKey, broken: &dyn Fn() -> Invalid) -> Result<(), Invalid> {
    let positive = |number: &Mpint| number.as_positive_bytes().map(<[u8]>::to_vec).filter(|bytes| !bytes.is_empty());
    let (Some(n), Some(e)) = (positive(&key.n), positive(&key.e)) else { return Err(broken()) };
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte % 2 == 1);
    let size = bits(&n);
    if size < MIN_RSA_BITS {
        return Err(Invalid::new("", format!("must be an RSA key of at least {MIN_RSA_BITS} bits, has {size}")));
    }
    if size > MAX_RSA_BITS {
        return Err(Invalid::new("", format!("must be an RSA key of at most {MAX_RSA_BITS} bits, has {size}")));
    }
    if e == [1] || !odd(&e) || !odd(&n) || bits(&e) > MAX_EXPONENT_BITS {
        return Err(Invalid::new("", "must be an RSA key with an odd exponent of 3 or more, usually 65537"));
    }
    Ok(())
}

/// Bits of a number whose first byte is not zero.
fn bits(bytes: &[u8]) -> usize {
    let first = bytes.first().map_or(0, |byte| byte.leading_zeros());
    bytes.len() * 8 - usize::try_from(first).unwrap_or(0)
}

/// `None` when the point is compressed, which OpenSSH does not read, or not on its curve.
fn check_point(key: &EcdsaPublicKey) -> Option<()> {
    let algorithm: &'static dyn VerificationAlgorithm = match key {
        EcdsaPublicKey::NistP256(_) => &ECDSA_P256_SHA256_FIXED,
        EcdsaPublicKey::NistP384(_) => &ECDSA_P384_SHA384_FIXED,
        EcdsaPublicKey::NistP521(_) => &ECDSA_P521_SHA512_FIXED,
    };
    let point = key.as_sec1_bytes();
    (point.first() == Some(&4)).then_some(())?;
    algorithm_accepts(algorithm, point)
}

fn algorithm_accepts(algorithm: &'static dyn VerificationAlgorithm, point: &[u8]) -> Option<()> {
    ParsedPublicKey::new(algorithm, point).ok().map(|_| ())
}
