//! The armor around a key: what kind of block it is, and its bytes (RFC 9580, 6.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spaceport_platform::invalid::Invalid;

use super::MAX_TEXT;

const BEGIN: &str = "-----BEGIN PGP ";
const PUBLIC: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";

/// The bytes of the only block in `text`. Words around it are ignored, and so is the checksum, as the
/// RFC demands; the signatures inside are the better one.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, Invalid> {
    let refused = |expected: &str| Err(Invalid::new("", expected));
    if text.len() > MAX_TEXT {
        return Err(Invalid::new(
            "",
            format!(
                "must have at most {MAX_TEXT} bytes, has {}; export the key without the signatures of others: \
                 gpg --armor --export-options export-minimal --export",
                text.len()
            ),
        ));
    }
    if text.contains("-----BEGIN PGP PRIVATE KEY BLOCK-----") {
        return refused("must be a public key; this is a private key, which should never leave its owner");
    }
    let Some((before, rest)) = text.split_once(PUBLIC) else {
        return refused(match text.contains(BEGIN) {
            true => "must be a public key; this is something else of OpenPGP",
            false => "must be an armored OpenPGP public key that begins with -----BEGIN PGP PUBLIC KEY BLOCK-----",
        });
    };
    let Some((block, after)) = rest.split_once(END) else {
        return refused("must be a whole OpenPGP public key; the line -----END PGP PUBLIC KEY BLOCK----- is missing");
    };
    if before.contains(BEGIN) || after.contains(BEGIN) {
        return refused("must be one key; here are several blocks");
    }
    let broken = || Invalid::new("", "must have the key itself in base64, which is broken here");
    STANDARD.decode(body(block)).map_err(|_| broken())
}

/// The base64 text: behind the headers and their blank line, before the checksum, without white space.
fn body(block: &str) -> String {
    let headers_end = block.lines().skip(1).position(|line| line.trim().is_empty()).map_or(0, |index| index + 1);
    let lines = block.lines().skip(headers_end).map(str::trim);
    lines.take_while(|line| !line.starts_with('=')).flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
}
