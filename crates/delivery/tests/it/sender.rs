//! The sender against endpoints of all manners: what is sent, what is kept, what is cut off.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use spaceport_delivery::ErrorKind;
use spaceport_delivery::http::{HttpSender, HttpSettings, Request, Sender};
use spaceport_delivery::outcome::BodyEnd;
use spaceport_delivery::resolve::SystemResolver;

use crate::endpoint::{
    Endpoint, Manner, OK, answer, failure, local_guard, refusing_port, request, send_briefly, sender,
};

#[tokio::test]
async fn the_request_arrives_byte_for_byte_and_the_answer_is_kept() {
    let endpoint = Endpoint::start(Manner::Answer(OK)).await;
    let answer = answer(sender().send(request(&endpoint.url())).await);
    assert_eq!((answer.status, answer.body.as_ref(), answer.end), (200, b"ok".as_slice(), BodyEnd::Complete));
    assert_eq!(answer.header("X-Answer"), Some("yes"));
    let requests = endpoint.requests();
    assert!(requests[0].starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[0].ends_with("\r\n\r\n{\"className\":\"X\"}"), "{}", requests[0]);
    assert!(requests[0].contains("\r\nX-Space-Timestamp: 1700000000123\r\n"), "{}", requests[0]);
    assert!(requests[0].contains("\r\nContent-Length: 17\r\n"), "{}", requests[0]);
    assert!(requests[0].contains(&format!("\r\nHost: {}\r\n", endpoint.address)), "{}", requests[0]);
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let (endpoint, sender) = (Endpoint::start(Manner::Answer(OK)).await, sender());
    for _ in 0..20 {
        answer(sender.send(request(&endpoint.url())).await);
    }
    assert_eq!((endpoint.connections(), endpoint.requests().len()), (1, 20));
}

#[tokio::test]
async fn a_kept_connection_that_turns_out_closed_is_replaced() {
    let (endpoint, sender) = (Endpoint::start(Manner::CloseOnSecond).await, sender());
    for _ in 0..3 {
        assert_eq!(answer(sender.send(request(&endpoint.url())).await).status, 200);
    }
    assert_eq!(endpoint.connections(), 3);
}

#[tokio::test]
async fn a_fresh_connection_that_is_closed_is_a_failure_and_not_repeated() {
    let endpoint = Endpoint::start(Manner::Close).await;
    let (kind, message) = failure(sender().send(request(&endpoint.url())).await);
    assert_eq!(kind, ErrorKind::Protocol);
    assert_eq!(message, "the endpoint closed the connection without an answer");
    assert_eq!(endpoint.requests().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let elsewhere = Endpoint::start(Manner::Answer(OK)).await;
    let location = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", elsewhere.url());
    let endpoint = Endpoint::start(Manner::Answer(location.leak())).await;
    assert_eq!(answer(sender().send(request(&endpoint.url())).await).status, 302);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_left_at_the_limit() {
    let endpoint = Endpoint::start(Manner::Hang).await;
    let began = Instant::now();
    let (kind, message) = failure(send_briefly(&sender(), &endpoint.url()).await);
    assert_eq!((kind, message.as_str()), (ErrorKind::Timeout, "no answer within 300ms"));
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_dripping_body_ends_at_the_limit_with_the_status_it_had() {
    let endpoint = Endpoint::start(Manner::Drip).await;
    let began = Instant::now();
    let answer = answer(send_briefly(&sender(), &endpoint.url()).await);
    assert_eq!((answer.status, answer.end), (200, BodyEnd::CutByTime));
    assert!(!answer.body.is_empty());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn of_an_enormous_body_only_the_beginning_is_read() {
    for manner in [Manner::Huge, Manner::HugeChunked] {
        let endpoint = Endpoint::start(manner).await;
        let answer = answer(sender().send(request(&endpoint.url())).await);
        assert_eq!((answer.status, answer.end), (200, BodyEnd::CutBySize));
        assert_eq!((answer.body.len(), answer.body.iter().all(|byte| *byte == b'x')), (16 * 1024, true));
        // What the sockets' buffers took in beside what was read.
        let written = endpoint.seen.written.load(Ordering::SeqCst);
        assert!(written < 32 << 20, "{written} bytes were taken");
    }
}

#[tokio::test]
async fn a_body_beyond_what_is_kept_is_read_to_its_end_so_that_the_connection_stays() {
    let body = "y".repeat(40_000);
    let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let (endpoint, sender) = (Endpoint::start(Manner::Answer(text.leak())).await, sender());
    for _ in 0..3 {
        let answer = answer(sender.send(request(&endpoint.url())).await);
        assert_eq!((answer.body.len(), answer.end), (16 * 1024, BodyEnd::CutBySize));
    }
    assert_eq!(endpoint.connections(), 1);
}

#[tokio::test]
async fn an_endless_head_is_refused() {
    let endpoint = Endpoint::start(Manner::EndlessHead).await;
    let (kind, message) = failure(sender().send(request(&endpoint.url())).await);
    assert_eq!(kind, ErrorKind::Protocol, "{message}");
    assert!(endpoint.seen.written.load(Ordering::SeqCst) < 32 << 20);
}

#[tokio::test]
async fn what_is_not_http_is_a_protocol_error() {
    let endpoint = Endpoint::start(Manner::Answer("220 mail.example.com ESMTP\r\n\r\n")).await;
    let (kind, message) = failure(sender().send(request(&endpoint.url())).await);
    assert_eq!(kind, ErrorKind::Protocol);
    assert!(message.starts_with("the answer is not valid HTTP"), "{message}");
}

#[tokio::test]
async fn a_refused_connection_names_the_address() {
    let (_held, address) = refusing_port();
    let (kind, message) = failure(sender().send(request(&format!("http://{address}/"))).await);
    assert_eq!((kind, message), (ErrorKind::Connect, format!("connection refused by {address}")));
}

#[tokio::test]
async fn what_cannot_be_called_is_an_invalid_url() {
    for url in ["", "example.com", "ftp://example.com/", "http://user:password@example.com/"] {
        let (kind, message) = failure(sender().send(request(url)).await);
        assert_eq!(kind, ErrorKind::InvalidUrl, "{url}: {message}");
        assert!(!message.contains("password@"), "{message}");
    }
}

#[tokio::test]
async fn a_large_body_goes_out_whole() {
    let endpoint = Endpoint::start(Manner::Answer(OK)).await;
    let body = Bytes::from("z".repeat(3 << 20));
    answer(sender().send(Request { body, ..request(&endpoint.url()) }).await);
    let requests = endpoint.requests();
    assert_eq!(requests[0].split_once("\r\n\r\n").unwrap().1.len(), 3 << 20);
}

#[tokio::test]
async fn unused_connections_are_closed_after_a_while() {
    let settings = HttpSettings { idle: Duration::ZERO, ..HttpSettings::default() };
    let sender = HttpSender::new(&settings, local_guard(), Arc::new(SystemResolver::default())).unwrap();
    let endpoint = Endpoint::start(Manner::Answer(OK)).await;
    for _ in 0..2 {
        answer(sender.send(request(&endpoint.url())).await);
    }
    assert_eq!(endpoint.connections(), 2);
}
