//! No call reaches an address the operator has not opened, whatever a name resolves to.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use spaceport_delivery::ErrorKind;
use spaceport_delivery::guard::Guard;
use spaceport_delivery::http::{HttpSender, HttpSettings, Sender};
use spaceport_delivery::resolve::Resolve;

use crate::endpoint::{Endpoint, Manner, OK, answer, failure, local_guard, refusing_port, request};
use crate::forbidden_hosts::FORBIDDEN;

/// Gives one prepared answer after the other, the last one again and again.
struct Answers {
    answers: Mutex<Vec<Vec<SocketAddr>>>,
    asked: AtomicUsize,
}

impl Answers {
    fn new(answers: &[&[SocketAddr]]) -> Arc<Self> {
        let answers = answers.iter().rev().map(|addresses| addresses.to_vec()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolve for Answers {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let next = if answers.len() > 1 { answers.pop() } else { answers.last().cloned() };
        next.ok_or_else(|| io::Error::other("no such name"))
    }
}

fn sender(guard: Guard, resolver: Arc<dyn Resolve>) -> HttpSender {
    let settings = HttpSettings { connect: Duration::from_secs(2), ..HttpSettings::default() };
    HttpSender::new(&settings, guard, resolver).unwrap()
}

/// A listener at which nothing may arrive.
fn canary() -> std::net::TcpListener {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

fn is_untouched(canary: &std::net::TcpListener) -> bool {
    canary.accept().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_reaches_a_listener() {
    let canary = canary();
    let port = canary.local_addr().unwrap().port();
    // Whatever the guard does not know as an address would be looked up, and lead to the canary.
    let sender = sender(Guard::default(), Answers::new(&[&[canary.local_addr().unwrap()]]));
    assert!(FORBIDDEN.len() >= 80);
    for host in FORBIDDEN {
        for scheme in ["http", "https"] {
            let (kind, message) = failure(sender.send(request(&format!("{scheme}://{host}:{port}/"))).await);
            assert_eq!(kind, ErrorKind::RefusedAddress, "{host}: {message}");
            assert!(message.contains("the operator has not allowed"), "{message}");
        }
    }
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn a_redirect_leads_nowhere() {
    let canary = canary();
    let inside = canary.local_addr().unwrap();
    for (status, scheme) in
        [("301 Moved", "http"), ("302 Found", "http"), ("307 Temporary", "https"), ("308 Moved", "ftp")]
    {
        let answered = format!("HTTP/1.1 {status}\r\nLocation: {scheme}://{inside}/\r\nContent-Length: 0\r\n\r\n");
        let endpoint = Endpoint::start(Manner::Answer(Box::leak(answered.into_boxed_str()))).await;
        let sender = sender(local_guard(), Answers::new(&[&[endpoint.address], &[inside]]));
        let found = answer(sender.send(request("http://moved.example.com/")).await);
        assert_eq!(found.status.to_string(), status.get(..3).unwrap());
    }
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn a_name_that_leads_inside_is_never_called() {
    let canary = canary();
    let address = canary.local_addr().unwrap();
    let sender = sender(Guard::default(), Answers::new(&[&[address]]));
    let (kind, message) = failure(sender.send(request("http://inside.example.com/")).await);
    assert_eq!(kind, ErrorKind::RefusedAddress);
    assert!(message.starts_with("the address 127.0.0.1 is the server itself"), "{message}");
    assert!(is_untouched(&canary));
}

#[tokio::test]
async fn a_name_is_resolved_once_and_the_connection_goes_to_what_was_judged() {
    let (endpoint, canary) = (Endpoint::start(Manner::Answer(OK)).await, canary());
    // A second look-up would lead to the canary.
    let resolver = Answers::new(&[&[endpoint.address], &[canary.local_addr().unwrap()]]);
    let sender = sender(local_guard(), Arc::<Answers>::clone(&resolver));
    assert_eq!(answer(sender.send(request("http://rebinding.example.com/")).await).status, 200);
    assert_eq!((resolver.asked.load(Ordering::SeqCst), endpoint.connections()), (1, 1));
    assert!(is_untouched(&canary));
    assert!(endpoint.requests()[0].contains("\r\nHost: rebinding.example.com\r\n"));
}

#[tokio::test]
async fn every_new_connection_is_judged_again() {
    let endpoint = Endpoint::start(Manner::Close).await;
    let inside = SocketAddr::from(([10, 0, 0, 1], 80));
    let sender = sender(local_guard(), Answers::new(&[&[endpoint.address], &[inside]]));
    assert_eq!(failure(sender.send(request("http://rebinding.example.com/")).await).0, ErrorKind::Protocol);
    assert_eq!(failure(sender.send(request("http://rebinding.example.com/")).await).0, ErrorKind::RefusedAddress);
}

#[tokio::test]
async fn among_many_addresses_the_forbidden_are_left_out_and_the_dead_passed_over() {
    let endpoint = Endpoint::start(Manner::Answer(OK)).await;
    let (_held, dead) = refusing_port();
    let inside = SocketAddr::from(([10, 0, 0, 1], 80));
    let sender = sender(local_guard(), Answers::new(&[&[inside, dead, endpoint.address]]));
    assert_eq!(answer(sender.send(request("http://many.example.com/")).await).status, 200);
}

#[tokio::test]
async fn a_name_without_an_address_is_a_dns_failure() {
    let nothing = failure(sender(local_guard(), Answers::new(&[])).send(request("http://gone.example.com/")).await);
    assert_eq!(nothing, (ErrorKind::Dns, "the name gone.example.com could not be resolved: no such name".into()));
    let empty = failure(sender(local_guard(), Answers::new(&[&[]])).send(request("http://gone.example.com/")).await);
    assert_eq!(empty, (ErrorKind::Dns, "the name gone.example.com has no address".into()));
}

/// Never answers, like a name server that is away.
struct Silent;

#[async_trait]
impl Resolve for Silent {
    async fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_look_up_that_never_ends_is_left_at_the_connect_limit() {
    let settings = HttpSettings { connect: Duration::from_millis(200), ..HttpSettings::default() };
    let sender = HttpSender::new(&settings, local_guard(), Arc::new(Silent)).unwrap();
    let (kind, message) = failure(sender.send(request("http://silent.example.com/")).await);
    assert_eq!((kind, message.as_str()), (ErrorKind::Timeout, "no connection within 200ms"));
}
