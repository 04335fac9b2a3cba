//! The packets of a key, looked through before the library sees them: what does not belong, is too large
//! or nested without end is refused here.

use spaceport_platform::invalid::Invalid;

use super::broken;

const SIGNATURE: u8 = 2;
const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;
const SECRET_SUBKEY: u8 = 7;
const MARKER: u8 = 10;
const TRUST: u8 = 12;
const USER_ID: u8 = 13;
const PUBLIC_SUBKEY: u8 = 14;
const USER_ATTRIBUTE: u8 = 17;
const PADDING: u8 = 21;
/// Type of the subpacket that holds a whole signature (RFC 9580, 5.2.3.34).
const EMBEDDED_SIGNATURE: u8 = 32;

/// Largest key packet in bytes: an RSA key of 16384 bits.
const MAX_KEY: usize = 2_200;
/// Largest user id in bytes, as in GnuPG.
const MAX_USER_ID: usize = 2_048;
/// Largest signature in bytes.
const MAX_SIGNATURE: usize = 16 * 1024;
/// Most user ids of a key, and most subkeys.
const MAX_PARTS: usize = 64;
/// Most signatures that a key has made on itself.
const MAX_SIGNATURES: usize = 128;

/// One packet.
#[derive(Clone, Copy)]
pub(super) struct Packet<'a> {
    tag: u8,
    body: &'a [u8],
    /// Header and body.
    whole: &'a [u8],
}

/// Splits bytes into packets (RFC 9580, 4.2). Lengths in parts are for streams and have no place in a key.
pub(super) fn split(mut bytes: &[u8]) -> Result<Vec<Packet<'_>>, Invalid> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let (packet, rest) = next(bytes).ok_or_else(broken)?;
        packets.push(packet);
        bytes = rest;
    }
    Ok(packets)
}

fn next(bytes: &[u8]) -> Option<(Packet<'_>, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let (tag, length, rest) = if first & 0x40 == 0 {
        let (length, rest) = match first & 3 {
            0 => number(rest, 1)?,
            1 => number(rest, 2)?,
            2 => number(rest, 4)?,
            _ => return None,
        };
        ((first >> 2) & 15, length, rest)
    } else {
        let (length, rest) = match rest.first()? {
            0..=191 => number(rest, 1)?,
            192..=223 => two_octets(rest)?,
            255 => number(rest.get(1..)?, 4)?,
            _ => return None,
        };
        (first & 63, length, rest)
    };
    let (body, after) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - after.len())?;
    Some((Packet { tag, body, whole }, after))
}

/// A number of `size` bytes and what follows.
fn number(bytes: &[u8], size: usize) -> Option<(usize, &[u8])> {
    let (digits, rest) = bytes.split_at_checked(size)?;
    let value = digits.iter().try_fold(0_usize, |value, digit| value.checked_mul(256)?.checked_add((*digit).into()))?;
    Some((value, rest))
}

/// A length of two octets, the first of them from 192 on.
fn two_octets(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (value, rest) = number(bytes, 2)?;
    Some((value.checked_sub(192 * 256)? + 192, rest))
}

/// The bytes of the key alone: its parts, and what it says of them itself. Pictures, signatures of others
/// and padding are left out.
pub(super) fn own_packets(packets: &[Packet<'_>]) -> Result<Vec<u8>, Invalid> {
    let refused = |expected: String| Err(Invalid::new("", expected));
    if packets.iter().any(|packet| matches!(packet.tag, SECRET_KEY | SECRET_SUBKEY)) {
        return refused("must be a public key; this is a private key, which should never leave its owner".to_owned());
    }
    let keys = packets.iter().filter(|packet| packet.tag == PUBLIC_KEY).count();
    if keys > 1 {
        return refused(format!("must be one key; this block holds {keys}"));
    }
    let (mut clean, mut users, mut subkeys, mut signatures) = (Vec::new(), 0, 0, 0);
    let (mut started, mut of_picture) = (false, false);
    for packet in packets {
        let limit = match packet.tag {
            MARKER | TRUST | PADDING => continue,
            PUBLIC_KEY => {
                started = true;
                MAX_KEY
            }
            // Nothing may stand before the key.
            _ if !started => return Err(broken()),
            USER_ATTRIBUTE => {
                of_picture = true;
                continue;
            }
            USER_ID => {
                (of_picture, users) = (false, users + 1);
                MAX_USER_ID
            }
            PUBLIC_SUBKEY => {
                (of_picture, subkeys) = (false, subkeys + 1);
                MAX_KEY
            }
            SIGNATURE if of_picture => continue,
            SIGNATURE => {
                check_nesting(packet.body, 0).ok_or_else(broken)?;
                signatures += 1;
                MAX_SIGNATURE
            }
            tag => {
                return refused(format!(
                    "must be an OpenPGP public key; a packet of the kind {tag} is not part of one"
                ));
            }
        };
        if packet.body.len() > limit {
            return refused(format!("must have no part of the kind {} with more than {limit} bytes", packet.tag));
        }
        clean.extend_from_slice(packet.whole);
    }
    match () {
        () if !started => Err(broken()),
        () if users > MAX_PARTS => refused(format!("must have at most {MAX_PARTS} user ids, has {users}")),
        () if subkeys > MAX_PARTS => refused(format!("must have at most {MAX_PARTS} subkeys, has {subkeys}")),
        () if signatures > MAX_SIGNATURES => refused(format!(
            "must have at most {MAX_SIGNATURES} signatures, has {signatures}; export it without those of others: \
             gpg --armor --export-options export-minimal --export"
        )),
        () => Ok(clean),
    }
}

/// Signatures can hold signatures. One level has a use (a subkey's consent); more would only use up the
/// stack of a recursive reader.
fn check_nesting(body: &[u8], depth: u8) -> Option<()> {
    // Version, type, two algorithms; older versions than 4 have no subpackets.
    let width = match body.first()? {
        4 | 5 => 2,
        6 => 4,
        _ => return Some(()),
    };
    let mut rest = body.get(4..)?;
    for _ in 0..2 {
        let (length, after) = number(rest, width)?;
        let (mut area, after) = after.split_at_checked(length)?;
        rest = after;
        while !area.is_empty() {
            let (length, tail) = match area.first()? {
                0..=191 => number(area, 1)?,
                192..=254 => two_octets(area)?,
                255 => number(area.get(1..)?, 4)?,
            };
            let (subpacket, tail) = tail.split_at_checked(length)?;
            area = tail;
            let (kind, embedded) = subpacket.split_first()?;
            if kind & 127 == EMBEDDED_SIGNATURE {
                (depth == 0).then_some(())?;
                check_nesting(embedded, depth + 1)?;
            }
        }
    }
    Some(())
}
