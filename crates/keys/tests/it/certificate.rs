//! Certificates of authorities, compared with what OpenSSL prints.

use spaceport_keys::certificate::{MAX_BYTES, pem, read, sha256};

use crate::text;

#[test]
fn certificates_say_what_openssl_says_in_pem_and_in_base64() {
    for kind in ["rsa", "ec", "ed"] {
        let chain = text(&format!("keystore/{kind}.chain.pem"));
        let printed = text(&format!("keystore/{kind}.printed"));
        let line = |name: &str| printed.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
        let first = chain.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
        let read_pem = read(first).unwrap();
        assert_eq!(read_pem.fingerprints.sha256.to_uppercase(), line("sha256 Fingerprint="), "{kind}");
        assert_eq!(read_pem.fingerprints.sha256, sha256(&read_pem.der));
        assert_eq!(read_pem.version, 3);
        assert!(read_pem.valid_until.to_iso().starts_with("2126-"), "{kind}");
        assert!(read_pem.subject.contains("O=Example") && read_pem.issuer.contains("CN="), "{read_pem:?}");
        let lengths =
            [&read_pem.fingerprints.md5, &read_pem.fingerprints.sha1, &read_pem.fingerprints.sha512].map(|it| it.len());
        assert_eq!(lengths, [47, 59, 191]);
        let packed: String = pem(&read_pem.der).lines().filter(|line| !line.starts_with("---")).collect();
        assert_eq!(read(&packed).unwrap(), read_pem, "{kind}");
        assert_eq!(read(&pem(&read_pem.der)).unwrap(), read_pem);
    }
}

#[test]
fn what_is_no_single_certificate_is_refused_with_advice() {
    let chain = text("keystore/rsa.chain.pem");
    let key = text("keystore/rsa.key.pem");
    let long = "x".repeat(MAX_BYTES + 1);
    let cut = chain.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().replacen("MII", "MIM", 1);
    for (data, expected) in [
        ("", "PEM"),
        ("no certificate", "PEM"),
        ("AAAA", "whole X.509"),
        (chain.as_str(), "one certificate"),
        (key.as_str(), "private key to yourself"),
        (long.as_str(), "bytes"),
        (cut.as_str(), "must"),
    ] {
        let refused = read(data).unwrap_err();
        assert_eq!(refused.field, "data");
        assert!(refused.expected.contains(expected), "{expected}: {}", refused.expected);
    }
}
