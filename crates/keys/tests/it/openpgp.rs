//! OpenPGP keys, compared with what GnuPG prints with `--with-colons`.

use spaceport_keys::openpgp::{MAX_TEXT, OpenPgpKey, parse};
use spaceport_platform::time::Timestamp;

use crate::hostile::{armored, packet};
use crate::text;

/// After all signatures of the fixtures.
fn now() -> Timestamp {
    Timestamp::parse_iso("2024-06-01T00:00:00Z").unwrap()
}

fn read(name: &str) -> OpenPgpKey {
    parse(&text(&format!("openpgp/{name}.asc")), now()).unwrap()
}

fn fault(text: &str) -> String {
    parse(text, now()).unwrap_err().to_string()
}

/// Fields of the records of one kind.
fn records<'a>(colons: &'a str, kind: &str) -> Vec<Vec<&'a str>> {
    colons.lines().map(|line| line.split(':').collect::<Vec<_>>()).filter(|fields| fields[0] == kind).collect()
}

fn seconds(field: &str) -> Option<Timestamp> {
    (!field.is_empty()).then(|| Timestamp::from_millis(field.parse::<i64>().unwrap() * 1000))
}

#[test]
fn everything_is_as_gnupg_says() {
    for name in ["rsa3072", "ed25519", "nistp384", "changed"] {
        let key = read(name);
        let colons = text(&format!("openpgp/{name}.colons"));
        let fingerprints = records(&colons, "fpr");
        let primary = &records(&colons, "pub")[0];
        assert_eq!(key.fingerprint, fingerprints[0][9], "{name}");
        assert_eq!(key.key_id, primary[4], "{name}");
        assert_eq!(Some(key.created_at), seconds(primary[5]), "{name}");
        assert_eq!(key.expires_at, seconds(primary[6]), "{name}");
        assert_eq!(key.version, 4);
        assert_eq!(key.revocation, None);
        let valid = records(&colons, "uid").into_iter().filter(|user| user[1] != "r").map(|user| user[9]);
        assert_eq!(key.user_ids, valid.collect::<Vec<_>>(), "{name}");
        let subkeys = records(&colons, "sub");
        assert_eq!(key.subkeys.len(), subkeys.len(), "{name}");
        for (index, subkey) in key.subkeys.iter().enumerate() {
            assert_eq!(subkey.fingerprint, fingerprints[index + 1][9], "{name}");
            assert_eq!(Some(subkey.created_at), seconds(subkeys[index][5]), "{name}");
            assert_eq!(subkey.expires_at, seconds(subkeys[index][6]), "{name}");
            assert_eq!(subkey.signs, subkeys[index][11].contains('s'), "{name}");
            assert_eq!(subkey.revoked_at, None);
        }
    }
    assert!(read("rsa3072").expires_at.is_some(), "the comparison saw an expiry");
    assert_eq!(read("rsa3072").subkeys.len(), 2);
    assert_eq!(
        read("changed").user_ids,
        ["Changed <changed@example.com>"],
        "a user id that was taken back is left out"
    );
}

#[test]
fn a_revocation_inside_the_key_is_found_with_its_moment_and_reason() {
    let revocation = read("revoked").revocation.unwrap();
    assert_eq!(revocation.at, Timestamp::parse_iso("2024-05-01T12:00:00Z").unwrap());
    assert_eq!(revocation.reason, "replaced by a newer key");
}

#[test]
fn a_key_of_version_6_is_read() {
    // The sample of RFC 9580, A.3, which names this fingerprint.
    let key = read("version-6");
    assert_eq!(key.version, 6);
    assert_eq!(key.fingerprint, "CB186C4F0609A697E4D52DFA6C722B0C1F1E27C18A56708F6525EC27BAD9ACC9");
    assert_eq!(key.created_at, Timestamp::parse_iso("2022-11-30T16:08:03Z").unwrap());
    assert_eq!(key.user_ids, Vec::<String>::new());
    assert_eq!(key.subkeys.len(), 1);
    assert_eq!(key.subkeys[0].fingerprint, "12C83F1E706F6308FE151A417743A1F033790E93E9978488D1DB378DA9930885");
}

#[test]
fn words_around_the_block_and_windows_line_ends_do_not_matter() {
    let plain = text("openpgp/ed25519.asc");
    let expected = read("ed25519");
    let headers = plain.replacen("-----\n", "-----\nComment: a key\nVersion: 1\n", 1);
    for variant in [format!("My key:\n\n{plain}\nBye"), plain.replace('\n', "\r\n"), headers] {
        assert_eq!(parse(&variant, now()).unwrap(), expected);
    }
}

#[test]
fn signatures_from_the_future_do_not_count() {
    let early = Timestamp::parse_iso("2024-03-15T00:00:00Z").unwrap();
    let fault = parse(&text("openpgp/changed.asc"), early).unwrap_err().to_string();
    assert!(fault.contains("user id that the key itself has signed"), "{fault}");
    parse(&text("openpgp/ed25519.asc"), early).unwrap();
}

#[test]
fn what_is_no_public_key_is_refused_by_its_name() {
    assert!(fault(&text("openpgp/secret.asc")).contains("private key"));
    assert!(fault(&text("openpgp/secret.asc").replace("PRIVATE", "PUBLIC")).contains("private key"), "in disguise");
    assert!(fault(&text("openpgp/signature.asc")).contains("something else of OpenPGP"));
    assert!(fault(&text("openpgp/signature.asc").replace("SIGNATURE", "PUBLIC KEY BLOCK")).contains("broken"));
    assert!(fault("ssh-ed25519 AAAA").contains("BEGIN PGP PUBLIC KEY BLOCK"));
    assert!(fault("").contains("BEGIN PGP PUBLIC KEY BLOCK"));
}

#[test]
fn several_keys_are_refused() {
    assert!(fault(&text("openpgp/two-keys.asc")).contains("this block holds 2"));
    let twice = text("openpgp/ed25519.asc") + &text("openpgp/nistp384.asc");
    assert!(fault(&twice).contains("several blocks"));
}

#[test]
fn broken_and_huge_texts_are_refused() {
    let whole = text("openpgp/ed25519.asc");
    let cut = whole.replace("-----END PGP PUBLIC KEY BLOCK-----", "");
    assert!(fault(&cut).contains("-----END PGP"));
    let lines: Vec<_> = whole.lines().collect();
    let shortened = [&lines[..4], &lines[8..]].concat().join("\n");
    assert!(fault(&shortened).contains("broken") || fault(&shortened).contains("user id"));
    assert!(fault(&whole.replacen('m', "!", 1)).contains("base64"));
    assert!(fault(&format!("{whole}{}", "x".repeat(MAX_TEXT))).contains("export-minimal"));
}

#[test]
fn a_user_id_of_somebody_else_does_not_count() {
    use base64::Engine as _;
    // The primary key of one, the user id and self-signature of another.
    let mixed = |primary: &[u8], other: &[u8]| {
        let first = 2 + usize::from(primary[1]);
        let rest = 2 + usize::from(other[1]);
        let bytes = [&primary[..first], &other[rest..]].concat();
        let body = base64::engine::general_purpose::STANDARD.encode(bytes);
        format!("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{body}\n-----END PGP PUBLIC KEY BLOCK-----\n")
    };
    let bytes = |name: &str| {
        let text = text(&format!("openpgp/{name}.asc"));
        let body: String = text.lines().skip(2).take_while(|line| !line.starts_with(['=', '-'])).collect();
        base64::engine::general_purpose::STANDARD.decode(body).unwrap()
    };
    let stolen = mixed(&bytes("nistp384"), &bytes("ed25519"));
    assert!(fault(&stolen).contains("user id that the key itself has signed"), "{}", fault(&stolen));
}

#[test]
fn old_versions_weak_keys_and_unknown_algorithms_are_refused() {
    let number = |bits: u16| [&bits.to_be_bytes()[..], &vec![0xff; usize::from(bits / 8)]].concat();
    let exponent = [0, 17, 1, 0, 1];
    let key = |head: &[u8], body: &[u8]| fault(&armored(&packet(6, &[head, body].concat())));
    let rsa = [number(2_048).as_slice(), &exponent].concat();
    let old = key(&[3, 0, 0, 0, 1, 0, 0, 1], &rsa);
    assert!(old.contains("version 4 or 6, is 3"), "{old}");
    let weak = [number(1_024).as_slice(), &exponent].concat();
    let weak = key(&[4, 0, 0, 0, 1, 1], &weak);
    assert!(weak.contains("at least 2048 bits, has 1024"), "{weak}");
    let unknown = key(&[4, 0, 0, 0, 1, 99], &[1, 2, 3]);
    assert!(unknown.contains("algorithm"), "{unknown}");
    let bare = key(&[4, 0, 0, 0, 1, 1], &rsa);
    assert!(bare.contains("user id"), "{bare}");
}
