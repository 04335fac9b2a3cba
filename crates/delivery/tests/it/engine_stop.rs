//! Stopping: what is under way may end, the rest is given back.

use std::time::Duration;

use spaceport_delivery::Settings;
use spaceport_platform::delivery::DeliveryState;
use tokio::time::{Instant, timeout};

use crate::memory::{Memory, Told, answered, application, delivery_of, start};

#[tokio::test(start_paused = true)]
async fn what_ends_before_the_deadline_is_recorded_and_the_rest_given_back_uncounted() {
    let outbox = Memory::new();
    outbox.put("slow", 3);
    outbox.put("hanging", 5);
    let sender = Told::to(|request| async move {
        let time = Duration::from_secs(if delivery_of(&request).starts_with("slow") { 2 } else { 1000 });
        timeout(time, std::future::pending::<()>()).await.unwrap_err();
        answered(200)
    });
    let engine = start(&outbox, sender, Settings::default());
    outbox.until(|inside| inside.count(DeliveryState::Sending) == 8).await;
    let asked = Instant::now();
    engine.stop(Duration::from_secs(10)).await;
    assert!(asked.elapsed() <= Duration::from_secs(11), "{:?}", asked.elapsed());
    outbox.look(|inside| {
        assert_eq!(inside.count(DeliveryState::Delivered), 3);
        assert_eq!(inside.count(DeliveryState::Waiting), 5);
        assert_eq!(inside.row("hanging-0000").attempt, 0);
    });
    assert_eq!(engine.progress().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn after_stop_nothing_is_claimed() {
    let outbox = Memory::new();
    let engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until(|inside| inside.looks == 1).await;
    engine.stop(Duration::from_secs(10)).await;
    outbox.put("a", 1);
    engine.wake(application("a"));
    engine.stop(Duration::from_secs(10)).await;
    assert_eq!(outbox.look(|inside| (inside.claims, inside.looks)), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn an_engine_with_nothing_under_way_stops_at_once() {
    let outbox = Memory::new();
    outbox.put("a", 10);
    let engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until_all(DeliveryState::Delivered).await;
    let asked = Instant::now();
    engine.stop(Duration::from_secs(60)).await;
    assert_eq!(asked.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_never_recovers_does_not_hold_up_the_stop() {
    let outbox = Memory::new();
    outbox.put("a", 10);
    outbox.look(|inside| inside.failing_records = usize::MAX);
    let engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until(|inside| inside.records > 0).await;
    let asked = Instant::now();
    engine.stop(Duration::from_secs(3)).await;
    assert!(asked.elapsed() <= Duration::from_secs(8), "{:?}", asked.elapsed());
}

#[tokio::test(start_paused = true)]
async fn dropping_the_last_handle_ends_the_engine() {
    let outbox = Memory::new();
    let engine = start(&outbox, Told::answer(200), Settings::default());
    outbox.until(|inside| inside.looks == 1).await;
    drop(engine);
    timeout(Duration::from_secs(100), std::future::pending::<()>()).await.unwrap_err();
    assert_eq!(outbox.look(|inside| inside.looks), 1);
}
