//! Clients that take their time, a server that stops or stands still, handlers that panic.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use spaceport_platform::random::Random;
use spaceport_server::config::Settings;
use spaceport_server::http::listen::TimeLimits;
use spaceport_server::random::SecureRandom;
use spaceport_server::run::{Surroundings, run};
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::Client;
use spaceport_testkit::receiver::{Behaviour, Gate, Receiver};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::harness::{BOTH, Engine, Server, issue, settings, surroundings};

/// Everything that comes until the other side closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is one way of closing.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until `text` has come.
async fn until(stream: &mut TcpStream, text: &str) {
    let mut seen = String::new();
    while !seen.contains(text) {
        let mut piece = [0; 256];
        let count = stream.read(&mut piece).await.unwrap();
        assert!(count > 0, "closed before `{text}`: {seen}");
        seen.push_str(&String::from_utf8_lossy(&piece[..count]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_whose_header_or_body_never_ends_are_cut_off() {
    // Q3. Only what is tried is short, so that a limit that does not hold shows as a test that never ends.
    let short = Duration::from_secs(1);
    let long = Duration::from_secs(3_600);
    let limited = async |first_header, next_header, body| {
        let time_limits = TimeLimits { first_header, next_header, body, operation: long };
        Server::start_with(Engine::Sqlite, Surroundings { time_limits, ..surroundings() }, |_| {}).await
    };

    let server = limited(short, long, long).await;
    let mut connections = JoinSet::new();
    for begun in ["", "P", "PRI * HT", "GET /health/live HTTP/1.1\r\n", "GET /health/live HTTP/1.1\r\nhost: a\r\nx: "] {
        let mut stream = TcpStream::connect(server.running.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        connections.spawn(async move { (begun, rest(stream).await) });
    }
    for (begun, answer) in connections.join_all().await {
        assert!(!answer.contains(" 200 "), "{begun:?}: {answer}");
    }
    server.running.stop().await;

    let server = limited(long, short, long).await;
    let mut stream = TcpStream::connect(server.running.address).await.unwrap();
    let one = "GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n";
    stream.write_all(format!("{one}GET /health/ready HTTP/1.1\r\nx: ").as_bytes()).await.unwrap();
    let answers = rest(stream).await;
    assert_eq!(answers.matches(" 200 OK").count(), 1, "{answers}");
    server.running.stop().await;

    let server = limited(long, long, short).await;
    let mut stream = TcpStream::connect(server.running.address).await.unwrap();
    let begun = "POST /oauth/token HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\ngrant";
    stream.write_all(begun.as_bytes()).await.unwrap();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    assert!(body.contains("\"error\":\"request-error\"") && body.contains("\"error_description\":"), "{answer}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_lets_requests_and_attempts_end() {
    for engine in BOTH {
        let receiver = Receiver::start();
        let gate = Gate::new();
        receiver.behave("/hook", Behaviour::ok().held_by(&gate));
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
        server.webhook(&made.token, json!({})).await;
        server.publish(json!([issue("e1")])).await;
        receiver.wait_for(1).await;

        // The answer `100 Continue` says that the operation has begun to read the body.
        let address = server.running.address;
        let body = r#"{"name":"made while stopping"}"#;
        let head = format!(
            "POST /api/http/applications HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            server.admin,
            body.len()
        );
        let mut under_way = TcpStream::connect(address).await.unwrap();
        under_way.write_all(head.as_bytes()).await.unwrap();
        until(&mut under_way, "100 Continue").await;
        let Server { running, admin, folder, database, .. } = server;
        let end = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            while TcpStream::connect(address).await.is_ok() {
                ticks.tick().await;
            }
            under_way.write_all(body.as_bytes()).await.unwrap();
            let answer = rest(under_way).await;
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            gate.open();
        };
        tokio::join!(running.stop(), end);

        let again = run(&settings(&folder, database.as_ref()), surroundings()).await.unwrap();
        let client = Client::new(format!("http://{}", again.address));
        let list = client.get("/api/http/applications/paged?name=stopping").bearer(&admin).send().await.expect(200);
        assert_eq!(list.json()["totalCount"], 1, "what was answered is there");
        let hooks = format!("/api/http/applications/id:{}/webhooks", made.id);
        let hooks = client.get(&hooks).bearer(&admin).send().await.expect(200).json();
        assert_eq!(hooks["data"][0]["status"]["className"], "WebhookDeliveryStatusDTO.Successful", "{hooks}");
        assert_eq!(receiver.received().len(), 1, "the attempt that ended is not repeated");
        again.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_lost_while_deliveries_are_due_and_nothing_moves() {
    let clock = FrozenClock::default();
    let receiver = Receiver::start();
    receiver.behave("/hook", Behaviour::Sequence(vec![Behaviour::status(500), Behaviour::ok()]));
    let in_an_hour = |settings: &mut Settings| settings.retry_schedule = Some(vec![Duration::from_secs(3_600)]);
    let server = Server::start_at(Engine::Postgres, &clock, in_an_hour).await;
    let made = server.application(json!({ "name": "App", "endpointUri": receiver.url("/hook") })).await;
    server.webhook(&made.token, json!({})).await;
    server.publish(json!([issue("e1")])).await;
    server.status(&made.token, |status| status["responseCode"] == 500).await;
    server.client.get("/health/ready").send().await.expect(200);

    // Nobody can claim while the table is locked; reading goes on.
    let lock = server.database.as_ref().unwrap().lock("delivery").await;
    clock.advance(Duration::from_secs(7_200));
    lock.somebody_waits().await;
    clock.advance(Duration::from_secs(60));
    let answer = server.client.get("/health/ready").send().await.expect(503).json();
    assert_eq!(answer["status"], "not ready");
    assert!(answer["reason"].as_str().unwrap().contains("deliveries are due"), "{answer}");
    server.client.get("/health/live").send().await.expect(200);

    drop(lock);
    receiver.wait_for(2).await;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    while server.client.get("/health/ready").send().await.status != 200 {
        ticks.tick().await;
    }
    server.running.stop().await;
}

/// Panics once, when it is asked for the n-th time after it was armed.
#[derive(Default)]
struct Trap {
    inner: SecureRandom,
    left: AtomicI64,
}

impl Random for Trap {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(self.left.fetch_sub(1, Ordering::SeqCst) != 1, "secret words of a panic");
        self.inner.fill(bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_answered_as_a_fault_of_ours_and_harms_nobody_else() {
    let trap = Arc::new(Trap::default());
    let around = Surroundings { random: Arc::clone(&trap) as Arc<dyn Random>, ..surroundings() };
    let server = Server::start_with(Engine::Sqlite, around, |_| {}).await;
    // The first is for the request's id, the second for what it makes.
    trap.left.store(2, Ordering::SeqCst);
    let call = server.client.post("/api/http/applications").bearer(&server.admin).json(&json!({ "name": "App" }));
    let answer = call.send().await.expect(500);
    let body = answer.json();
    assert_eq!(body["error"], "internal-server-error");
    assert!(body["error_description"].as_str().unwrap().contains("request id"));
    assert!(!answer.text().contains("secret words"));
    assert!(!answer.header("x-request-id").is_empty());
    server.application(json!({ "name": "Afterwards" })).await;
    // People cannot see headers: their page shows the id itself.
    trap.left.store(2, Ordering::SeqCst);
    let page = server.client.get("/login").send().await.expect(500);
    let (id, text) = (page.header("x-request-id"), page.text());
    assert!(id.len() == 12 && text.contains(&format!("Request id: <code>{id}</code>")), "{text}");
    assert!(text.starts_with("<!doctype html>") && !text.contains("headers"), "{text}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_ends_behind_an_answer_says_so() {
    let server = Server::start(Engine::Sqlite).await;
    let send = async |path: &str, said: usize, sent: usize| {
        let mut stream = TcpStream::connect(server.running.address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\ncontent-length: {said}\r\n\r\n",
            server.admin
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b' '; sent]).await.unwrap();
        let mut head = String::new();
        while !head.contains("\r\n\r\n") {
            head.push(char::from(stream.read_u8().await.unwrap()));
        }
        (head, stream)
    };
    // More than the operation reads; more than is let pass unread.
    for (path, status, said, sent) in [
        ("/api/http/applications", "413", 2_000_000, 1_100_000),
        ("/planets", "404", 5_000_000, 4_200_000),
        ("/health/live", "405", 5_000_000, 4_200_000),
    ] {
        let (head, _stream) = send(path, said, sent).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")) && head.contains("connection: close"), "{head}");
    }
    // Behind what came whole, the connection goes on.
    for (path, status) in [("/planets", "404"), ("/health/live", "405"), ("/api/http/applications", "400")] {
        let (head, mut stream) = send(path, 70_000, 70_000).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")) && !head.contains("connection:"), "{head}");
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        until(&mut stream, "HTTP/1.1 200").await;
    }
    server.running.stop().await;
}
