//! The guard against a real name server that says one thing first and another thing then.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;

use spaceport_delivery::ErrorKind;
use spaceport_delivery::guard::Guard;
use spaceport_delivery::http::{HttpSender, HttpSettings, Sender};
use spaceport_delivery::resolve::Resolve;
use spaceport_delivery::resolve::name_server::NameServers;
use spaceport_testkit::name_server::{NameServer, Zone};

use crate::endpoint::{Endpoint, Manner, OK, answer, failure, request};

/// The only address that the operator has opened; its neighbours are as much inside as any other.
const OPEN: &str = "127.0.0.1";
/// Where nothing may arrive.
const INSIDE: &str = "127.0.0.2";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn zone(addresses: &[&str]) -> Zone {
    Zone::of(&addresses.iter().map(|address| ip(address)).collect::<Vec<_>>())
}

fn sender(names: &NameServer) -> HttpSender {
    let guard = Guard::new(vec![format!("{OPEN}/32").parse().unwrap()]);
    let resolver = NameServers::new(&[names.address]).unwrap();
    HttpSender::new(&HttpSettings::default(), guard, Arc::new(resolver)).unwrap()
}

/// An endpoint that may be called, and a canary at the same port of an address that may not.
async fn endpoint_and_canary(manner: Manner) -> (Endpoint, TcpListener) {
    loop {
        let endpoint = Endpoint::start(manner).await;
        // Somebody else may have that port there.
        if let Ok(canary) = TcpListener::bind((INSIDE, endpoint.address.port())) {
            canary.set_nonblocking(true).unwrap();
            return (endpoint, canary);
        }
    }
}

fn is_untouched(canary: &TcpListener) -> bool {
    canary.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_name_that_is_rebound_between_two_calls_leads_nowhere() {
    let names = NameServer::start();
    names.answer("rebinding.example.com", &[zone(&[OPEN]), zone(&[INSIDE])]);
    // The endpoint closes each connection, so the second call needs a new one.
    let (endpoint, canary) = endpoint_and_canary(Manner::Close).await;
    let (sender, url) = (sender(&names), format!("http://rebinding.example.com:{}/", endpoint.address.port()));
    assert_eq!(failure(sender.send(request(&url)).await).0, ErrorKind::Protocol);
    assert_eq!(endpoint.connections(), 1);
    let (kind, message) = failure(sender.send(request(&url)).await);
    assert_eq!(kind, ErrorKind::RefusedAddress);
    assert!(message.starts_with("the address 127.0.0.2 is the server itself"), "{message}");
    assert_eq!(names.asked("rebinding.example.com"), 2);
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn one_connection_is_one_question() {
    let names = NameServer::start();
    names.answer("rebinding.example.com", &[zone(&[OPEN]), zone(&[INSIDE])]);
    let (endpoint, canary) = endpoint_and_canary(Manner::Answer(OK)).await;
    let (sender, url) = (sender(&names), format!("http://rebinding.example.com:{}/", endpoint.address.port()));
    for _ in 0..3 {
        assert_eq!(answer(sender.send(request(&url)).await).status, 200);
    }
    assert_eq!((names.asked("rebinding.example.com"), endpoint.connections()), (1, 1));
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn of_one_answer_only_what_is_open_is_called() {
    let names = NameServer::start();
    names.answer("both.example.com", &[zone(&[INSIDE, "::1", OPEN, "169.254.169.254"])]);
    let (endpoint, canary) = endpoint_and_canary(Manner::Answer(OK)).await;
    let sender = sender(&names);
    let url = format!("http://both.example.com:{}/", endpoint.address.port());
    assert_eq!(answer(sender.send(request(&url)).await).status, 200);
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn an_alias_leads_no_further_than_a_name() {
    let names = NameServer::start();
    let alias = |address| Zone { alias: Some("metadata.internal".into()), addresses: vec![ip(address)] };
    names.answer("inside.example.com", &[alias(INSIDE)]);
    names.answer("open.example.com", &[alias(OPEN)]);
    let (endpoint, canary) = endpoint_and_canary(Manner::Answer(OK)).await;
    let (sender, port) = (sender(&names), endpoint.address.port());
    let refused = failure(sender.send(request(&format!("http://inside.example.com:{port}/"))).await);
    assert_eq!(refused.0, ErrorKind::RefusedAddress);
    assert_eq!(answer(sender.send(request(&format!("http://open.example.com:{port}/"))).await).status, 200);
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn no_forbidden_address_is_reached_by_a_name() {
    let names = NameServer::start();
    let (sender, canary) = (sender(&names), TcpListener::bind((INSIDE, 0)).unwrap());
    canary.set_nonblocking(true).unwrap();
    let port = canary.local_addr().unwrap().port();
    let forbidden = [
        INSIDE,
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "169.254.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.1",
        "192.0.0.192",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.2",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.2",
        "64:ff9b::7f00:2",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "2002:7f00:2::",
        "2002:a9fe:a9fe::",
        "2001::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ];
    for (index, address) in forbidden.iter().enumerate() {
        let name = format!("host-{index}.example.com");
        names.answer(&name, &[zone(&[address])]);
        for scheme in ["http", "https"] {
            let (kind, message) = failure(sender.send(request(&format!("{scheme}://{name}:{port}/"))).await);
            assert_eq!(kind, ErrorKind::RefusedAddress, "{address}: {message}");
            assert!(message.contains("the operator has not allowed"), "{message}");
        }
        assert_eq!(names.asked(&name), 2, "{address} was really asked for");
    }
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn names_that_lead_nowhere_are_failures_of_dns() {
    let names = NameServer::start();
    names.answer("empty.example.com", &[zone(&[])]);
    let sender = sender(&names);
    for (name, said) in [
        ("gone.example.com", "the name gone.example.com could not be resolved: no such name"),
        ("empty.example.com", "the name empty.example.com has no address"),
    ] {
        let failed = failure(sender.send(request(&format!("http://{name}/"))).await);
        assert_eq!(failed, (ErrorKind::Dns, said.to_owned()));
    }
    assert_eq!(names.asked("gone.example.com"), 1, "nothing is added to a name");
}

#[tokio::test]
async fn answers_are_given_again_without_the_final_dot_and_with_the_port() {
    let names = NameServer::start();
    names.answer("hook.example.com", &[zone(&["192.0.2.7", "2001:db8::7"])]);
    let resolver = NameServers::new(&[names.address]).unwrap();
    for host in ["hook.example.com", "hook.example.com.", "HOOK.example.com"] {
        let found = resolver.resolve(host, 8443).await.unwrap();
        let expected: Vec<SocketAddr> =
            ["192.0.2.7:8443", "[2001:db8::7]:8443"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(found, expected, "{host}");
    }
    let dead = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let resolver = NameServers::new(&[dead.local_addr().unwrap(), names.address]).unwrap();
    assert_eq!(
        resolver.resolve("hook.example.com", 1).await.unwrap().len(),
        2,
        "the second server answers for the first"
    );
}
