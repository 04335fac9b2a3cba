//! Webhooks with an order or limits of their own, and hosts that do not answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use spaceport_delivery::outbox::{Authentication, Pace};
use spaceport_delivery::policy::Schedule;
use spaceport_delivery::{ErrorKind, Outcome, PayloadKind, Settings, Target};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::id::{DeliveryId, WebhookId};
use tokio::time::{Instant, sleep};

use crate::memory::{Memory, START, Told, answered, application, delivery_of, start, target};

fn paced(name: &str, change: impl FnOnce(&mut Pace)) -> Target {
    let mut pace = Pace { of: WebhookId::new(name), ordered: false, most_in_flight: None, most_per_minute: None };
    change(&mut pace);
    Target { pace: Some(pace), ..target(Authentication::None) }
}

/// A sender that takes `time` and notes who was sent, and how many of those beginning with `watched` at once.
fn noting(watched: &'static str, time: Duration) -> (Arc<Told>, Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>) {
    let (order, most): (Arc<Mutex<Vec<String>>>, Arc<AtomicUsize>) = Default::default();
    let under_way = Arc::new(AtomicUsize::new(0));
    let (notes, peak) = (Arc::clone(&order), Arc::clone(&most));
    let sender = Told::to(move |request| {
        let (notes, peak, under_way) = (Arc::clone(&notes), Arc::clone(&peak), Arc::clone(&under_way));
        async move {
            let id = delivery_of(&request);
            let counts = usize::from(id.starts_with(watched));
            peak.fetch_max(under_way.fetch_add(counts, Ordering::SeqCst) + counts, Ordering::SeqCst);
            notes.lock().unwrap().push(id);
            sleep(time).await;
            under_way.fetch_sub(counts, Ordering::SeqCst);
            answered(200)
        }
    });
    (sender, order, most)
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_attempts_under_way_holds_and_holds_up_nobody_else() {
    let outbox = Memory::new();
    let limited = paced("limited", |pace| pace.most_in_flight = Some(2));
    outbox.put_for("a", 200, limited, PayloadKind::Webhook);
    let (sender, order, most) = noting("a-", Duration::from_secs(1));
    let engine = start(&outbox, sender, Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Delivered) >= 10).await;
    // Another webhook of the same application.
    let asked = Instant::now();
    outbox.look(|inside| {
        let mut other = inside.row("a-0199").clone();
        (other.target, other.state, other.attempt) =
            (Arc::new(target(Authentication::None)), DeliveryState::Waiting, 0);
        inside.rows.insert(DeliveryId::new("b-other"), other);
    });
    engine.wake(application("a"));
    outbox.until(|inside| inside.row("b-other").state == DeliveryState::Delivered).await;
    assert!(asked.elapsed() <= Duration::from_secs(2), "{:?}", asked.elapsed());
    outbox.until_all(DeliveryState::Delivered).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
    assert_eq!(order.lock().unwrap().len(), 201, "each once");
    assert!(asked.elapsed() < Duration::from_secs(110), "both slots are used: {:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_kept_evenly() {
    let outbox = Memory::new();
    let limited = paced("limited", |pace| pace.most_per_minute = Some(30));
    outbox.put_for("a", 100, limited, PayloadKind::Webhook);
    let _engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until_all(DeliveryState::Delivered).await;
    outbox.look(|inside| {
        let mut starts: Vec<_> = inside.rows.values().map(|row| row.recorded[0].started_at).collect();
        starts.sort();
        assert!(starts[0].since(START) < Duration::from_secs(1));
        for pair in starts.windows(2) {
            assert!(pair[1].since(pair[0]) >= Duration::from_secs(2), "{:?}", pair[1].since(pair[0]));
        }
        let whole = starts[99].since(starts[0]);
        assert!(whole < Duration::from_secs(99 * 2 + 30), "no slot is left empty for long: {whole:?}");
        assert!(inside.rows.values().all(|row| row.attempt == 1), "standing in line is no attempt");
    });
}

#[tokio::test(start_paused = true)]
async fn an_ordered_webhook_sends_one_after_the_other_and_waits_for_resends() {
    let outbox = Memory::new();
    outbox.put_for("a", 100, paced("ordered", |pace| pace.ordered = true), PayloadKind::Webhook);
    let order: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = Arc::clone(&order);
    let failed = Arc::new(AtomicUsize::new(0));
    let sender = Told::to(move |request| {
        let (notes, failed) = (Arc::clone(&notes), Arc::clone(&failed));
        async move {
            let id = delivery_of(&request);
            sleep(Duration::from_millis(20)).await;
            // The eleventh fails twice, the twentieth for good.
            let fails = id == "a-0019" || (id == "a-0010" && failed.fetch_add(1, Ordering::SeqCst) < 2);
            notes.lock().unwrap().push(id);
            answered(if fails { 500 } else { 200 })
        }
    });
    let _engine = start(&outbox, sender, Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Delivered) == 99).await;
    let order = order.lock().unwrap();
    let mut sorted = order.clone();
    sorted.sort();
    assert_eq!(*order, sorted, "nothing overtook anything");
    assert_eq!(order.iter().filter(|id| *id == "a-0010").count(), 3);
    assert_eq!(order.iter().filter(|id| *id == "a-0019").count(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_stands_in_line_is_given_back_uncounted_when_the_engine_stops() {
    let outbox = Memory::new();
    outbox.put_for("a", 50, paced("ordered", |pace| pace.ordered = true), PayloadKind::Webhook);
    let engine = start(&outbox, Told::to(|_| std::future::pending()), Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Sending) == 50).await;
    engine.stop(Duration::from_secs(1)).await;
    outbox.look(|inside| {
        assert_eq!(inside.count(DeliveryState::Waiting), 50);
        assert!(inside.rows.values().all(|row| row.attempt == 0));
    });
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_down_is_hardly_called_and_nobody_is_given_up_without_a_call() {
    let outbox = Memory::new();
    let to = |url: &str| Target { url: url.into(), ..target(Authentication::None) };
    outbox.put_for("down", 200, to("https://down.example/x"), PayloadKind::Webhook);
    outbox.put_for("up", 200, to("https://up.example/x"), PayloadKind::Webhook);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let sender = Told::to(move |request| {
        let count = Arc::clone(&count);
        async move {
            if request.url.contains("up.example") {
                return answered(200);
            }
            count.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_secs(5)).await;
            Outcome::failed(ErrorKind::Timeout, "")
        }
    });
    let schedule = Schedule::from_delays(vec![Duration::from_secs(60); 9]);
    let _engine = start(&outbox, sender, Settings { schedule, ..Settings::default() });
    outbox.until(|inside| inside.count(DeliveryState::Delivered) == 200).await;
    outbox.until(|inside| inside.count(DeliveryState::GivenUp) == 200).await;
    outbox.look(|inside| {
        for row in inside.rows.values().filter(|row| row.state == DeliveryState::GivenUp) {
            let kinds: Vec<_> = row.recorded.iter().filter_map(kind_of).collect();
            assert_eq!((kinds.len(), kinds.last()), (10, Some(&ErrorKind::Timeout)), "the last one is a real one");
        }
    });
    let calls = calls.load(Ordering::SeqCst);
    assert!(calls < 200 * 10 / 3, "{calls} of 2000 attempts were calls");
}

const fn kind_of(finished: &spaceport_delivery::outbox::Finished) -> Option<ErrorKind> {
    match &finished.outcome {
        Outcome::Failed { kind, .. } => Some(*kind),
        Outcome::Answered(_) => None,
    }
}
