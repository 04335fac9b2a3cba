//! SSH keys, compared with what `ssh-keygen` prints.

use spaceport_keys::ssh::{Fingerprint, MAX_TEXT, SshKey, parse};

use crate::text;

const GOOD: [&str; 8] =
    ["rsa2048", "rsa4096", "ecdsa256", "ecdsa384", "ecdsa521", "ed25519256", "sk-ed25519", "sk-ecdsa"];

fn read(name: &str) -> SshKey {
    parse(&text(&format!("ssh/{name}.pub"))).unwrap()
}

fn fault(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn fingerprints_and_comments_are_those_of_ssh_keygen() {
    for name in GOOD {
        let key = read(name);
        let printed = text(&format!("ssh/{name}.printed"));
        let (sha256, md5) = printed.split_once('\n').unwrap();
        assert_eq!(sha256.split(' ').nth(1).unwrap(), key.sha256_fingerprint, "{name}");
        assert_eq!(md5.split(' ').nth(1).unwrap(), format!("MD5:{}", key.md5_fingerprint), "{name}");
        assert_eq!(sha256.split(' ').nth(2).unwrap(), key.comment, "{name}");
    }
}

#[test]
fn a_bare_key_without_comment_and_one_with_odd_white_space_are_read() {
    let line = text("ssh/rsa4096.pub");
    let bare = line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let key = parse(&bare).unwrap();
    assert_eq!((key.comment.as_str(), key.public_key.as_str()), ("", bare.as_str()));
    let spaced = parse(&format!("\n {bare}\t  build machine 7 \r\n\n")).unwrap();
    assert_eq!((spaced.comment.as_str(), spaced.public_key.as_str()), ("build machine 7", bare.as_str()));
    assert_eq!(spaced.md5_fingerprint, key.md5_fingerprint);
}

#[test]
fn fingerprints_are_read_in_each_form_people_copy() {
    let key = read("ed25519256");
    let md5 = Some(Fingerprint::Md5(key.md5_fingerprint.clone()));
    assert_eq!(Fingerprint::parse(&key.md5_fingerprint), md5);
    assert_eq!(Fingerprint::parse(&format!("MD5:{}", key.md5_fingerprint)), md5);
    assert_eq!(Fingerprint::parse(&key.md5_fingerprint.to_uppercase()), md5);
    let sha256 = Some(Fingerprint::Sha256(key.sha256_fingerprint.clone()));
    assert_eq!(Fingerprint::parse(&key.sha256_fingerprint), sha256);
    assert_eq!(Fingerprint::parse(&format!("{}=", key.sha256_fingerprint)), sha256);
    for text in ["", "MD5:", "SHA256:", "SHA256:AAAA", "aa:bb", "87d873ecc80daf5344601065de139835", &"é:".repeat(16)] {
        assert_eq!(Fingerprint::parse(text), None, "{text}");
    }
}

#[test]
fn weak_keys_are_refused_with_the_reason() {
    assert!(fault(&text("ssh/rsa1024.pub")).contains("2048 bits, has 1024"));
    assert!(fault(&text("ssh/dsa.pub")).contains("DSA"));
    for name in ["one", "even", "huge"] {
        assert!(fault(&text(&format!("ssh/rsa-exponent-{name}.pub"))).contains("odd exponent"), "{name}");
    }
    assert!(fault(&text("ssh/ecdsa-off-curve.pub")).contains("broken"));
}

#[test]
fn what_is_no_public_key_is_refused_by_its_name() {
    for name in ["private-openssh.txt", "private-pem.txt"] {
        assert!(fault(&text(&format!("ssh/{name}"))).contains("private key"), "{name}");
    }
    for name in ["rfc4716.txt", "pkcs8-public.txt"] {
        assert!(fault(&text(&format!("ssh/{name}"))).contains("ssh-keygen -i"), "{name}");
    }
    assert!(fault(&text("ssh/certificate.txt")).contains("certificate"));
    let two = text("ssh/rsa2048.pub") + &text("ssh/ed25519256.pub");
    assert!(fault(&two).contains("one key"));
    assert!(fault("").contains("ssh-ed25519 AAAA"));
    assert!(fault("ssh-rsa").contains("ssh-ed25519 AAAA"));
    let restricted = format!("command=\"ls\" {}", text("ssh/rsa2048.pub"));
    assert!(fault(&restricted).contains("begin with the kind"));
}

#[test]
fn broken_and_huge_texts_are_refused() {
    let line = text("ssh/rsa2048.pub");
    let encoded = line.split(' ').nth(1).unwrap();
    assert!(fault(&format!("ssh-rsa {}!", &encoded[..40])).contains("base64"));
    assert!(fault(&format!("ssh-rsa {}", &encoded[..encoded.len() - 40])).contains("broken"));
    assert!(fault(&format!("ssh-rsa {encoded}AAAA")).contains("broken"), "bytes behind the key");
    assert!(fault(&format!("ssh-ed25519 {encoded}")).contains("another kind"));
    assert!(fault(&format!("ssh-rsa {encoded} {}", "c".repeat(10_000_000))).contains(&MAX_TEXT.to_string()));
    assert!(fault(&format!("ssh-rsa {encoded} {}", "c".repeat(256))).contains("comment"));
}
