//! Every spelling of a forbidden address that we know of, and what stays open.

use super::*;
use forbidden_hosts::FORBIDDEN;

#[path = "forbidden_hosts.rs"]
mod forbidden_hosts;

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
    assert_eq!(guard.check_url(""), Err(UrlRefused::Missing));
    for url in ["/relative", "example.com", "http://example.com:0/", "http://example.com:99999/"] {
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
