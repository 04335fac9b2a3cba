//! Keystores that OpenSSL and Java's keytool wrote, compared with what OpenSSL prints.

use spaceport_keys::keystore::{Keystore, MAX_BYTES, from_pem, from_pkcs12};
use spaceport_platform::secret::Secret;

use crate::{bytes, text};

fn pair(name: &str) -> Keystore {
    from_pem(&text(&format!("keystore/{name}.chain.pem")), &text(&format!("keystore/{name}.key.pem"))).unwrap()
}

fn pkcs12(name: &str, password: &str) -> Result<Keystore, String> {
    from_pkcs12(&bytes(&format!("keystore/{name}.p12")), &Secret::new(password)).map_err(|fault| fault.to_string())
}

#[test]
fn pairs_say_what_openssl_says() {
    for kind in ["rsa", "ec", "ed"] {
        let keystore = pair(kind);
        let printed = text(&format!("keystore/{kind}.printed"));
        let line = |name: &str| printed.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let names = |text: &str| {
            let mut parts: Vec<_> = text.split(',').map(|part| part.trim().to_owned()).collect();
            parts.sort();
            parts
        };
        assert_eq!(names(&keystore.leaf.subject), names(&line("subject=")), "{kind}");
        assert_eq!(names(&keystore.leaf.issuer), names(&line("issuer=")), "{kind}");
        assert_eq!(keystore.leaf.fingerprint.to_uppercase(), line("sha256 Fingerprint="), "{kind}");
        assert!(line("notAfter=").contains(" 2126 "));
        assert!(keystore.leaf.valid_until.to_iso().starts_with("2126-"), "{kind}");
        assert_eq!(keystore.chain.len(), 3, "{kind}");
    }
}

#[test]
fn the_chain_is_put_in_order() {
    let text_of = text("keystore/ec.chain.pem");
    let mut parts: Vec<_> = text_of.split_inclusive("-----END CERTIFICATE-----\n").collect();
    let expected = pair("ec").chain;
    parts.reverse();
    let reversed = from_pem(&parts.concat(), &text("keystore/ec.key.pem")).unwrap();
    assert_eq!(reversed.chain, expected);
}

#[test]
fn keys_in_older_forms_are_read() {
    from_pem(&text("keystore/rsa.chain.pem"), &text("keystore/rsa.key-pkcs1.pem")).unwrap();
    from_pem(&text("keystore/ec.chain.pem"), &text("keystore/ec.key-sec1.pem")).unwrap();
}

#[test]
fn pkcs12_files_of_all_makers_hold_the_same() {
    let expected = pair("rsa");
    for maker in ["modern", "legacy", "java"] {
        let read = pkcs12(maker, "changeit").unwrap();
        assert_eq!(read.leaf, expected.leaf, "{maker}");
        assert_eq!(read.chain, expected.chain[..2], "{maker}");
        assert_eq!(read.key, expected.key, "{maker}");
    }
    assert_eq!(pkcs12("empty-password", "").unwrap().leaf, pair("ec").leaf);
}

#[test]
fn a_wrong_password_is_told_from_a_broken_file() {
    assert!(pkcs12("modern", "wrong").unwrap_err().starts_with("password "));
    assert!(pkcs12("legacy", "").unwrap_err().starts_with("password "));
    let file = bytes("keystore/modern.p12");
    for broken in [&file[..file.len() - 1], &file[1..], b"", b"text"] {
        let fault = from_pkcs12(broken, &Secret::new("changeit")).unwrap_err().to_string();
        assert!(fault.starts_with("pkcs12 must be a whole PKCS #12 file"), "{fault}");
    }
}

#[test]
fn a_file_without_key_or_with_endless_rounds_is_refused() {
    assert!(pkcs12("no-key", "changeit").unwrap_err().contains("must hold a private key"));
    assert!(pkcs12("endless", "changeit").unwrap_err().contains("rounds"));
    let huge = vec![0x30; MAX_BYTES + 1];
    assert!(from_pkcs12(&huge, &Secret::new("")).unwrap_err().to_string().contains("at most"));
}

#[test]
fn pairs_that_do_not_belong_together_are_refused_by_field() {
    let fault = |chain: &str, key: &str| from_pem(chain, key).unwrap_err().to_string();
    let (chain, key) = (text("keystore/rsa.chain.pem"), text("keystore/rsa.key.pem"));
    assert!(
        fault(&chain, &text("keystore/ec.key.pem"))
            .starts_with("certificate must hold the certificate of the private key")
    );
    assert!(fault("", &key).starts_with("certificate must"));
    assert!(fault(&key, &key).starts_with("certificate must hold certificates only"));
    assert!(fault(&chain, &chain).starts_with("privateKey must"));
    assert!(fault(&chain, &text("keystore/rsa.key-encrypted.pem")).contains("without a password"));
    assert!(fault(&chain, &format!("{key}{key}")).contains("one private key"));
    assert!(fault(&chain.replacen("MII", "!!!", 1), &key).starts_with("certificate must be PEM"));
    assert!(fault(&chain.replacen("MII", "AAA", 1), &key).contains("number 1 is broken"));
    let stranger = chain.clone() + &text("keystore/ed.chain.pem");
    assert!(fault(&stranger, &key).contains("one chain"));
    let short = fault(&text("keystore/short.chain.pem"), &text("keystore/short.key.pem"));
    assert!(short.starts_with("privateKey must") && short.contains("2048"), "{short}");
    assert!(fault(&"x".repeat(MAX_BYTES + 1), &key).contains("at most"));
    assert!(fault(&chain.repeat(4), &key).contains("at most 10"));
}

#[test]
fn debug_output_shows_no_key() {
    assert!(!format!("{:?}", pair("rsa")).contains("key"));
}
