//! The engine when something breaks: the outbox, a sender, an outcome.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use spaceport_delivery::outcome::ErrorKind;
use spaceport_delivery::policy::Schedule;
use spaceport_delivery::{Outcome, Settings};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::id::DeliveryId;
use tokio::time::Instant;

use crate::memory::{Memory, START, Told, answered, application, delivery_of, start};

#[tokio::test(start_paused = true)]
async fn outcomes_survive_an_outbox_that_fails_and_nothing_is_sent_twice() {
    let outbox = Memory::new();
    outbox.put("a", 10);
    outbox.look(|inside| inside.failing_records = 2);
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let sender = Told::to(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        async { answered(200) }
    });
    let engine = start(&outbox, sender, Settings::default());
    outbox.until_all(DeliveryState::Delivered).await;
    assert_eq!(sent.load(Ordering::Relaxed), 10);
    assert_eq!(engine.progress().delivered, 10);
    assert!(outbox.look(|inside| inside.records) >= 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_while_outcomes_cannot_be_recorded() {
    let outbox = Memory::new();
    outbox.put("a", 1);
    outbox.look(|inside| inside.failing_records = usize::MAX);
    let engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until(|inside| inside.records == 1).await;
    outbox.put("b", 1);
    engine.wake(application("b"));
    // Far beyond the lease: not even our own delivery may be claimed, and sent, again.
    outbox.until(|inside| inside.records == 50).await;
    outbox.look(|inside| {
        assert_eq!(inside.claims, 1);
        assert_eq!(inside.row("b-0000").attempt, 0);
        inside.failing_records = 0;
    });
    let standstill = engine.progress().last_cycle;
    assert!(standstill < START.plus(Duration::from_secs(1)));
    assert_eq!(engine.progress().unrecorded, 1);
    outbox.until_all(DeliveryState::Delivered).await;
    assert_eq!(outbox.look(|inside| inside.row("a-0000").recorded.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_is_refused_holds_up_no_other() {
    let outbox = Memory::new();
    outbox.put("a", 60);
    outbox.look(|inside| inside.refused = Some(DeliveryId::new("a-0017")));
    let engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Delivered) == 59).await;
    assert!(outbox.look(|inside| inside.row("a-0017").recorded.is_empty()));
    // Its lease brings it back, and by then it can be recorded.
    outbox.look(|inside| inside.refused = None);
    outbox.until_all(DeliveryState::Delivered).await;
    assert_eq!(outbox.look(|inside| inside.row("a-0017").attempt), 2);
    assert_eq!(engine.progress().unrecorded, 0);
}

#[tokio::test(start_paused = true)]
async fn a_failing_outbox_is_asked_with_growing_pauses_and_then_served() {
    let outbox = Memory::new();
    outbox.put("a", 1);
    outbox.look(|inside| inside.failing_looks = 15);
    let began = Instant::now();
    let engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until(|inside| inside.failing_looks == 0).await;
    let took = began.elapsed();
    assert!(took > Duration::from_secs(40) && took < Duration::from_secs(60), "{took:?}");
    assert_eq!(engine.progress().last_cycle, START);
    outbox.until_all(DeliveryState::Delivered).await;
    assert!(engine.progress().last_cycle > START.plus(took));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_the_outbox_is_one_more_failure() {
    let outbox = Memory::new();
    outbox.put("a", 1);
    outbox.look(|inside| inside.panicking_claims = 3);
    let _engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until_all(DeliveryState::Delivered).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_send_frees_its_slot_and_is_tried_again() {
    let outbox = Memory::new();
    outbox.put("a", 50);
    let sender = Told::to(|request| async move {
        let first = request.headers["x-space-timestamp"] == START.millis().to_string().as_str();
        if first && delivery_of(&request).ends_with('0') {
            std::panic::resume_unwind(Box::new("told to panic"));
        }
        answered(200)
    });
    let schedule = Schedule::from_delays(vec![Duration::from_secs(60)]);
    let settings = Settings { in_flight: 4, in_flight_per_application: 2, schedule, ..Settings::default() };
    let engine = start(&outbox, sender, settings);
    outbox.until_all(DeliveryState::Delivered).await;
    assert_eq!(engine.progress().in_flight, 0);
    outbox.look(|inside| {
        let recorded = &inside.row("a-0010").recorded;
        assert_eq!(recorded.len(), 2);
        assert!(matches!(recorded[0].outcome, Outcome::Failed { kind: ErrorKind::Internal, .. }));
        assert_eq!(inside.row("a-0011").recorded.len(), 1);
    });
}
