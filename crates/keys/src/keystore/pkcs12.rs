//! A keystore as a PKCS #12 file (RFC 7292), as OpenSSL, Java and browsers write it.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::secret::Secret;
use x509_parser::asn1_rs::{Any, FromDer as _, Tag};

use super::{Keystore, MAX_BYTES, assemble};

/// Rounds of key derivation that a whole file may ask for; OpenSSL asks for 2048 three times, Java for 10000.
const MAX_ROUNDS: u64 = 2_000_000;
/// How deep containers of a file lie in each other; real ones stay below 20.
const MAX_DEPTH: usize = 40;
/// 1.3.6.1.4.1.11591.4.11: scrypt.
const SCRYPT: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b];

/// Reads a file. Costs up to a second of CPU for the work its password asks for: not for an async thread.
///
/// # Errors
/// The field is `pkcs12` or `password`; says what is wrong with it.
pub fn from_pkcs12(file: &[u8], password: &Secret) -> Result<Keystore, Invalid> {
    const FILE: &str = "pkcs12";
    let broken = || Invalid::new(FILE, "must be a whole PKCS #12 file");
    if file.len() > MAX_BYTES {
        return Err(Invalid::new(FILE, format!("must have at most {MAX_BYTES} bytes, has {}", file.len())));
    }
    let mut cost = Cost::default();
    cost.add(file, 0).ok_or_else(broken)?;
    if cost.scrypt || cost.rounds > MAX_ROUNDS {
        return Err(Invalid::new(
            FILE,
            format!("must use PBKDF2 or PKCS #12's own key derivation with at most {MAX_ROUNDS} rounds in all"),
        ));
    }
    let archive = Pkcs12Archive::from_pkcs12(file, password.reveal()).map_err(|error| match error {
        Error::MacError(_) => Invalid::new("password", "must be the password of the PKCS #12 file; it does not open it"),
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => Invalid::new(
            FILE,
            "must be encrypted in a way this server knows: AES with PBES2, or Triple-DES or RC2 as older programs do it",
        ),
        _ => broken(),
    })?;
    let mut keys = archive.keys.into_iter();
    let key =
        keys.next().ok_or_else(|| Invalid::new(FILE, "must hold a private key; this one has certificates only"))?;
    if keys.next().is_some() {
        return Err(Invalid::new(FILE, "must hold one private key"));
    }
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.key.as_der().to_vec()));
    let mut certificates: Vec<Vec<u8>> = Vec::new();
    for bag in archive.certs {
        let der = bag.cert.as_der();
        // Java writes a certificate twice when it is in a chain and trusted too.
        if !certificates.iter().any(|known| known == der) {
            certificates.push(der.to_vec());
        }
    }
    assemble(certificates, key, FILE, FILE)
}

/// What opening a file would cost, as far as that can be seen from outside: each part of a file names its
/// own number of rounds, and the library bounds only each one, to a million. What hides inside an encrypted part is
/// counted by the library alone; whoever sends such a file knows its password and is an administrator.
#[derive(Default)]
struct Cost {
    rounds: u64,
    scrypt: bool,
}

impl Cost {
    /// Walks through the values in `bytes`; `None` when they are no DER or lie too deep.
    fn add(&mut self, bytes: &[u8], depth: usize) -> Option<()> {
        (depth < MAX_DEPTH).then_some(())?;
        let (mut rest, mut numbers, mut salted) = (bytes, 0_u64, false);
        while !rest.is_empty() {
            let (after, value) = Any::from_der(rest).ok()?;
            rest = after;
            match value.tag() {
                Tag::Oid => self.scrypt |= value.data == SCRYPT,
                Tag::Integer => numbers = numbers.saturating_add(number(value.data)),
                // Contents are wrapped in octet strings; those that hold no DER have nothing to count.
                Tag::OctetString => {
                    salted = true;
                    let mut inner = Self::default();
                    if inner.add(value.data, depth + 1).is_some() {
                        self.rounds = self.rounds.saturating_add(inner.rounds);
                        self.scrypt |= inner.scrypt;
                    }
                }
                _ if value.header.is_constructed() => self.add(value.data, depth + 1)?,
                _ => {}
            }
        }
        // Rounds always stand beside their salt, which sets them apart from versions and serial numbers.
        if salted {
            self.rounds = self.rounds.saturating_add(numbers);
        }
        Some(())
    }
}

/// The value of an integer, as far as it fits.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0_u64, |value, byte| value.saturating_mul(256).saturating_add(u64::from(*byte)))
}
