//! The receiving application records and answers as its script says.

use std::time::Duration;

use serde_json::json;
use spaceport_testkit::http::Client;
use spaceport_testkit::receiver::{Behaviour, Gate, Receiver};

#[tokio::test]
async fn every_request_is_recorded_as_it_was_sent() {
    let receiver = Receiver::start();
    let client = Client::new(receiver.url(""));
    client.post("/hook?a=b").header("x-one", "1").json(&json!({"key": "wört"})).send().await.expect(200);
    client.get("/other").bearer("secret").send().await.expect(200);
    let received = receiver.wait_for(2).await;
    assert_eq!((received[0].order, received[0].method.as_str()), (0, "POST"));
    assert_eq!((received[0].path.as_str(), received[0].query.as_deref()), ("/hook", Some("a=b")));
    assert_eq!((received[0].header("x-one"), received[0].text()), ("1", "{\"key\":\"wört\"}"));
    assert_eq!((received[1].path.as_str(), received[1].header("authorization")), ("/other", "Bearer secret"));
    assert_eq!(receiver.connections(), 1, "the connection is kept alive");
}

#[tokio::test]
async fn answers_follow_the_script_of_their_path() {
    let receiver = Receiver::start();
    let client = Client::new(receiver.url(""));
    let steps = vec![Behaviour::status(500), Behaviour::text(418, "tea"), Behaviour::ok()];
    receiver.behave("/a", Behaviour::Sequence(steps));
    receiver.behave("/b", Behaviour::redirect("http://elsewhere.example/"));
    assert_eq!(client.post("/a").send().await.status, 500);
    assert_eq!(client.post("/a").send().await.expect(418).text(), "tea");
    assert_eq!(client.post("/a").send().await.status, 200);
    assert_eq!(client.post("/a").send().await.status, 200, "the last step stays");
    assert_eq!(client.post("/b").send().await.expect(302).header("location"), "http://elsewhere.example/");
    assert_eq!(receiver.received_at("/a").len(), 4);
}

#[tokio::test]
async fn a_closed_connection_is_no_answer() {
    let receiver = Receiver::start();
    receiver.behave("/", Behaviour::Close);
    let client = Client::new(receiver.url(""));
    assert!(client.post("/").try_send().await.is_err());
    assert!(!receiver.received().is_empty());
}

#[tokio::test]
async fn a_held_answer_comes_when_the_gate_opens() {
    let receiver = Receiver::start();
    let gate = Gate::new();
    receiver.behave("/", Behaviour::status(204).held_by(&gate));
    let client = Client::new(receiver.url(""));
    let held = client.post("/").send();
    let opened = async {
        receiver.wait_for(1).await;
        assert_eq!(receiver.most_in_flight(), 1);
        gate.open();
    };
    let (answer, ()) = tokio::join!(held, opened);
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn a_hanging_and_a_dripping_endpoint_never_finish() {
    let receiver = Receiver::start();
    receiver.behave("/hang", Behaviour::Hang);
    receiver.behave("/drip", Behaviour::Drip { interval: Duration::from_millis(1), byte: b'.' });
    let client = Client::new(receiver.url(""));
    let call = |path| tokio::time::timeout(Duration::from_millis(200), client.post(path).try_send());
    let (hang, drip) = tokio::join!(call("/hang"), call("/drip"));
    assert!(hang.is_err() && drip.is_err());
    assert_eq!(receiver.received().len(), 2);
}

#[tokio::test]
async fn a_huge_body_is_as_huge_as_asked_for() {
    let receiver = Receiver::start();
    receiver.behave("/", Behaviour::Huge { bytes: 1_000_000 });
    let answer = Client::new(receiver.url("")).post("/").send().await;
    assert_eq!(answer.body.len(), 1_000_000);
    assert_eq!(receiver.huge_bytes_taken(), 1_000_000);
}

#[tokio::test]
async fn a_dropped_receiver_answers_no_more() {
    let receiver = Receiver::start();
    let client = Client::new(receiver.url(""));
    client.get("/").send().await.expect(200);
    drop(receiver);
    assert!(client.get("/").try_send().await.is_err());
}
