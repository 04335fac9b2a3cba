//! Input made to hurt: nothing panics, recurses without end or takes long. `PROPTEST_CASES=100000` searches longer.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use spaceport_keys::{keystore, openpgp, ssh};
use spaceport_platform::secret::Secret;
use spaceport_platform::time::Timestamp;

use crate::{bytes, text};

const NOW: Timestamp = Timestamp::from_millis(1_717_200_000_000);
const OPENPGP: [&str; 4] = ["ed25519", "rsa3072", "revoked", "version-6"];

pub(crate) fn armored(body: &[u8]) -> String {
    format!("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{}\n-----END PGP PUBLIC KEY BLOCK-----\n", STANDARD.encode(body))
}

fn dearmored(name: &str) -> Vec<u8> {
    let text = text(&format!("openpgp/{name}.asc"));
    let body: String = text.lines().skip(2).take_while(|line| !line.starts_with(['=', '-'])).collect();
    STANDARD.decode(body).unwrap()
}

/// Changes bytes, cuts, doubles a part.
fn mutated(mut bytes: Vec<u8>, changes: &[(usize, u8)], cut: usize, doubled: (usize, usize)) -> Vec<u8> {
    for (place, value) in changes {
        let place = place % bytes.len();
        bytes[place] = *value;
    }
    let (from, to) = (doubled.0 % bytes.len(), doubled.1 % bytes.len());
    if from < to {
        let part = bytes[from..to].to_vec();
        bytes.splice(from..from, part);
    }
    bytes.truncate(bytes.len() - cut % bytes.len());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn mutated_openpgp_keys_never_panic(
        name in 0..OPENPGP.len(),
        changes in vec((any::<usize>(), any::<u8>()), 0..6),
        cut in prop_oneof![Just(0_usize), any::<usize>()],
        doubled in prop_oneof![Just((0, 0)), any::<(usize, usize)>()],
    ) {
        let bytes = mutated(dearmored(OPENPGP[name]), &changes, cut, doubled);
        let _ = openpgp::parse(&armored(&bytes), NOW);
    }

    #[test]
    fn random_packets_never_panic(bytes in vec(any::<u8>(), 0..300), tag in 0xc0_u8..) {
        let _ = openpgp::parse(&armored(&bytes), NOW);
        let length = u8::try_from(bytes.len().min(190)).unwrap();
        let packet = [&[0xc6, length], &bytes[..usize::from(length)], &[tag]].concat();
        let _ = openpgp::parse(&armored(&packet), NOW);
    }

    #[test]
    fn random_text_never_panics(text in any::<String>(), password in any::<String>()) {
        let _ = openpgp::parse(&text, NOW);
        let _ = openpgp::parse(&format!("-----BEGIN PGP PUBLIC KEY BLOCK-----{text}-----END PGP PUBLIC KEY BLOCK-----"), NOW);
        let _ = ssh::parse(&text);
        let _ = ssh::parse(&format!("ssh-rsa {text}"));
        let _ = ssh::Fingerprint::parse(&text);
        let _ = keystore::from_pem(&text, &text);
        let _ = keystore::from_pkcs12(text.as_bytes(), &Secret::new(password));
    }

    #[test]
    fn mutated_ssh_keys_never_panic(
        name in 0..4_usize,
        changes in vec((any::<usize>(), any::<u8>()), 0..4),
        cut in prop_oneof![Just(0_usize), any::<usize>()],
    ) {
        let line = text(&format!("ssh/{}.pub", ["rsa2048", "ecdsa521", "ed25519256", "sk-ecdsa"][name]));
        let (kind, rest) = line.split_once(' ').unwrap();
        let blob = STANDARD.decode(rest.split(' ').next().unwrap()).unwrap();
        let blob = mutated(blob, &changes, cut, (0, 0));
        let _ = ssh::parse(&format!("{kind} {}", STANDARD.encode(blob)));
    }

    #[test]
    fn mutated_keystores_never_panic(
        changes in vec((any::<usize>(), any::<u8>()), 0..4),
        cut in prop_oneof![Just(0_usize), any::<usize>()],
        doubled in prop_oneof![Just((0, 0)), any::<(usize, usize)>()],
    ) {
        let file = mutated(bytes("keystore/modern.p12"), &changes, cut, doubled);
        let _ = keystore::from_pkcs12(&file, &Secret::new("changeit"));
        let chain = mutated(bytes("keystore/ec.chain.pem"), &changes, cut, doubled);
        let _ = keystore::from_pem(&String::from_utf8_lossy(&chain), &text("keystore/ec.key.pem"));
    }
}

/// A packet of the new format with a length of five octets.
pub(crate) fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0xc0 | tag, 255], length.as_slice(), body].concat()
}

/// A signature that holds a signature that holds a signature, and so on.
fn nested_signature(version: u8, levels: usize) -> Vec<u8> {
    let mut body = Vec::new();
    for _ in 0..levels {
        let subpacket = match body.is_empty() {
            true => Vec::new(),
            false => {
                let length = u32::try_from(body.len() + 1).unwrap().to_be_bytes();
                [&[255], length.as_slice(), &[32], &body].concat()
            }
        };
        let area = u32::try_from(subpacket.len()).unwrap().to_be_bytes();
        let width = if version == 6 { 0 } else { 2 };
        body = [&[version, 0x18, 1, 8], &area[width..], &subpacket, &[0; 4][width..], &[0, 0]].concat();
    }
    body
}

#[test]
fn signatures_nested_without_end_do_not_use_up_the_stack() {
    let key = dearmored("ed25519");
    for (version, levels) in [(4, 3), (4, 3_000), (6, 3), (6, 2_300)] {
        let signature = nested_signature(version, levels);
        let text = armored(&[key.as_slice(), &packet(2, &signature)].concat());
        assert!(text.len() <= openpgp::MAX_TEXT, "{levels}: {}", text.len());
        let fault = openpgp::parse(&text, NOW).unwrap_err().to_string();
        assert!(fault.contains("broken"), "{fault}");
    }
}

#[test]
fn counts_and_sizes_of_parts_are_bounded() {
    let key = dearmored("ed25519");
    let with = |more: &[u8]| openpgp::parse(&armored(&[key.as_slice(), more].concat()), NOW).unwrap_err().to_string();
    assert!(with(&packet(13, b"x").repeat(64)).contains("64 user ids"));
    assert!(with(&packet(14, b"x").repeat(64)).contains("64 subkeys"));
    assert!(with(&packet(2, &nested_signature(4, 1)).repeat(129)).contains("128 signatures"));
    assert!(with(&packet(13, &[b'x'; 3_000])).contains("2048 bytes"));
    assert!(with(&packet(2, &[3; 17_000])).contains("16384 bytes"));
    assert!(with(&packet(8, b"compressed")).contains("kind 8"));
    assert!(with(&packet(18, b"encrypted")).contains("kind 18"));
    let streamed = [0xcd, 0xe0, b'x', 1, b'y'];
    assert!(with(&streamed).contains("broken"), "lengths in parts");
    // Pictures and padding are left out, not refused.
    let extra = [packet(17, &[0; 5_000]), packet(2, &nested_signature(4, 1)), packet(21, &[0; 100])].concat();
    let read = openpgp::parse(&armored(&[key.as_slice(), &extra].concat()), NOW).unwrap();
    assert_eq!(read, openpgp::parse(&armored(&key), NOW).unwrap());
}

#[test]
fn deep_containers_are_refused() {
    let mut deep = vec![5, 0];
    for _ in 0..2_000 {
        let length = deep.len();
        let header = match u8::try_from(length) {
            Ok(short) if short < 128 => vec![0x30, short],
            _ => vec![0x30, 0x82, u8::try_from(length >> 8).unwrap(), u8::try_from(length & 255).unwrap()],
        };
        deep = [header, deep].concat();
    }
    assert!(keystore::from_pkcs12(&deep, &Secret::new("")).is_err());
}
