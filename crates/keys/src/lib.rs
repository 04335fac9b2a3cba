//! Key material: what people paste is read and judged here, as pure functions.
//!
//! * [`openpgp`]: armored OpenPGP public keys (RFC 9580), versions 4 and 6;
//! * [`ssh`]: public keys in the form of OpenSSH;
//! * [`certificate`]: certificates of authorities, in PEM or as DER in base64;
//! * [`keystore`]: a private key with its certificates, from a pair of PEM texts or from PKCS #12.
//!
//! Everything comes from outside and may be hostile: sizes and counts are bounded before a library sees
//! them, and each refusal is an [`Invalid`](spaceport_platform::invalid::Invalid) that says what was wrong.

pub mod certificate;
mod hex;
pub mod keystore;
pub mod openpgp;
pub mod ssh;
