//! Every spelling of a forbidden address that we know of, and what stays open.

use super::*;

/// Hosts as somebody who wants to reach inside might write them.
const FORBIDDEN: &[&str] = &[
    // loopback: decimal, octal, hexadecimal, short forms, padding, encodings, trailing dots
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.1",
    "0177.0000.0000.0001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0x0.0x0.0x1",
    "127.0.0.1.",
    "127.1.",
    "2130706433.",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "api.localhost",
    "ｌｏｃａｌｈｏｓｔ",
    "loc\u{ad}alhost",
    // "this network" and friends
    "0",
    "0.",
    "0.0.0.0",
    "0x0",
    "00",
    "0.0.0.1",
    "0.255.255.255",
    // private, shared, link-local, metadata
    "10.0.0.1",
    "10.1",
    "0xa.1",
    "167772161",
    "012.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.1",
    "3232235521",
    "0xc0a80001",
    "100.64.0.1",
    "100.127.255.254",
    "100.100.100.200",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "168.63.129.16",
    // documentation, benchmarks, protocol assignments, multicast, reserved, broadcast
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "233.252.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "4294967295",
    // IPv6
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:10.0.0.1]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2002:c0a8:1::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001:0:7f00:1::f7f7:f7f7]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[5f00::1]",
    "[4000::1]",
    "[8000::1]",
    "[1::1]",
];

/// Spellings that no URL may have at all.
const MALFORMED: &[&str] = &[
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1",
    "256.0.0.1",
    "127.0.0.0.1",
    "0x7g.1",
    "4294967296",
    "127.0.0.1 .",
    "",
    "[::ffff:127.0.0.1.]",
    "[::ffff:127.1]",
    "[::ffff:0177.0.0.1]",
];

#[test]
fn every_spelling_of_a_forbidden_address_is_refused() {
    let guard = Guard::default();
    assert!(FORBIDDEN.len() >= 80);
    for host in FORBIDDEN {
        for scheme in ["http", "https"] {
            let judged = guard.check_url(&format!("{scheme}://{host}:8080/path"));
            assert!(matches!(judged, Err(UrlRefused::Address(_))), "{host} gave {judged:?}");
        }
    }
}

#[test]
fn malformed_hosts_are_no_urls() {
    for host in MALFORMED {
        let judged = Guard::default().check_url(&format!("http://{host}:80/"));
        assert!(matches!(judged, Err(UrlRefused::Invalid(_))), "{host} gave {judged:?}");
    }
}

#[test]
fn slashes_and_case_do_not_hide_the_host() {
    for url in [
        "http:127.0.0.1",
        "http:/127.0.0.1",
        "http:///127.0.0.1",
        "http:\\\\127.0.0.1",
        "HtTp://127.0.0.1",
        " http://127.0.0.1\n",
    ] {
        assert!(matches!(Guard::default().check_url(url), Err(UrlRefused::Address(_))), "{url:?}");
    }
}

#[test]
fn public_addresses_and_names_are_open() {
    let hosts = [
        "example.com",
        "8.8.8.8",
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.1",
        "100.63.255.255",
        "100.128.0.1",
        "11.0.0.1",
        "[2606:4700::1111]",
        "[::ffff:8.8.8.8]",
        "[64:ff9b::8.8.8.8]",
        "[2002:808:808::1]",
        "[2a00:1450::1]",
        "localhost.example.com",
        "notlocalhost",
    ];
    for host in hosts {
        assert!(Guard::default().check_url(&format!("https://{host}/")).is_ok(), "{host}");
    }
}

#[test]
fn other_schemes_and_credentials_are_refused() {
    let guard = Guard::default();
    for url in ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "ws://example.com/", "data:,x"] {
        assert!(matches!(guard.check_url(url), Err(UrlRefused::Scheme(_))), "{url}");
    }
    for url in ["http://user@example.com/", "http://:password@example.com/", "https://example.com@127.0.0.1/"] {
        assert_eq!(guard.check_url(url), Err(UrlRefused::Credentials), "{url}");
    }
    for url in ["", "/relative", "example.com", "http://example.com:0/", "http://example.com:99999/"] {
        assert!(matches!(guard.check_url(url), Err(UrlRefused::Invalid(_))), "{url}");
    }
}

#[test]
fn an_allowed_range_is_open_in_every_spelling_and_nothing_beside_it() {
    let guard = Guard::new(vec!["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()]);
    for host in ["10.1.2.3", "167838211", "[::ffff:10.1.2.3]", "[64:ff9b::10.1.2.3]", "[fd12::1]"] {
        assert!(guard.check_url(&format!("http://{host}/")).is_ok(), "{host}");
    }
    for host in ["10.2.0.1", "127.0.0.1", "[fc00::1]", "localhost"] {
        assert!(guard.check_url(&format!("http://{host}/")).is_err(), "{host}");
    }
}

#[test]
fn localhost_is_open_with_either_loopback() {
    for range in ["127.0.0.0/8", "::1/128"] {
        let guard = Guard::new(vec![range.parse().unwrap()]);
        assert!(guard.check_url("http://localhost:3000/").is_ok(), "{range}");
    }
}

#[test]
fn the_refusal_names_the_address_and_the_way_out() {
    let refused = Guard::default().check("10.0.0.1".parse().unwrap()).unwrap_err();
    assert_eq!(refused.to_string(), "the address 10.0.0.1 is private; the operator has not allowed deliveries to it");
}
