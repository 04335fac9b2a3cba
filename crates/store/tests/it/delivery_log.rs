//! The log of deliveries and attempts, replays, and failing webhooks.

use std::time::Duration;

use spaceport_platform::field_right::FieldRights;
use spaceport_platform::id::{ApplicationId, DeliveryId, EventId, WebhookId};
use spaceport_store::{LogFilter, RecordedAttempt, RecordedNext, Store, StoreError, Tx, Wanted};

use crate::make::{at, event, ids, listeners, publish};

pub(crate) async fn facts(store: &Store) {
    listeners(store, &["log"]).await;
    publish(store, &["l1", "l2"]).await;
    deliveries_and_attempts_are_found_by_event_state_and_time(store).await;
    what_has_ended_is_sent_again_once_and_nothing_else(store).await;
    failing_webhooks_are_told_with_their_first_failure(store).await;
    bodies_are_cleared_and_attempts_stay(store).await;
    an_event_for_one_webhook_has_one_delivery(store).await;
}

fn log() -> ApplicationId {
    ApplicationId::new("log")
}

async fn send(store: &Store, now: i64, next: RecordedNext) {
    let work = move |tx: &mut Tx<'_>| {
        let claimed = tx.claim(&[Wanted::of(log(), 9)], &FieldRights::default(), at(now), at(now + 100))?;
        let attempt = |row: &spaceport_store::ClaimedRow| RecordedAttempt {
            delivery: row.id.clone(),
            number: row.attempt,
            started_at: at(now),
            duration_ms: 1,
            url: "https://a.example".to_owned(),
            request_headers: "[]".to_owned(),
            request_body: Some("sent".to_owned()),
            status: Some(500),
            error_kind: None,
            message: None,
            response_headers: Some("[]".to_owned()),
            response_body: Some("answered".to_owned()),
            complete: true,
            next,
        };
        let attempts: Vec<_> = claimed.iter().map(attempt).collect();
        tx.record(&attempts, at(now))
    };
    store.write(work).await.unwrap();
}

async fn found(store: &Store, filter: LogFilter) -> Vec<DeliveryId> {
    let work = move |tx: &mut Tx<'_>| tx.deliveries(&log(), &filter, None, 10);
    store.read(work).await.unwrap().into_iter().map(|delivery| delivery.id).collect()
}

async fn deliveries_and_attempts_are_found_by_event_state_and_time(store: &Store) {
    send(store, 10, RecordedNext::GiveUp).await;
    let all = found(store, LogFilter::default()).await;
    assert_eq!(all.len(), 2);
    assert!(all[0] > all[1], "the newest first");
    let of_event = LogFilter { event: Some(EventId::new("l1")), ..LogFilter::default() };
    assert_eq!(found(store, of_event.clone()).await, [all[1].clone()], "ids follow the order of events");
    assert_eq!(found(store, LogFilter { state: Some("given_up"), ..LogFilter::default() }).await, all);
    assert!(found(store, LogFilter { state: Some("delivered"), ..LogFilter::default() }).await.is_empty());
    assert!(found(store, LogFilter { since: Some(at(1)), ..LogFilter::default() }).await.is_empty());
    let attempts = store.read(move |tx| tx.attempts(&log(), &of_event, None, 10)).await;
    let attempts = attempts.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(attempts.len(), 1);
    assert_eq!((attempts[0].request_body.as_deref(), attempts[0].payload.as_deref()), (Some("sent"), None));
    let first = store.read(|tx| tx.attempts(&log(), &LogFilter::default(), None, 1)).await.unwrap().remove(0);
    let key = first.key.clone();
    let second = store.read(move |tx| tx.attempts(&log(), &LogFilter::default(), Some(&key), 9)).await.unwrap();
    assert_eq!(second.len(), 1);
    assert_ne!(second[0].key, first.key);
}

async fn what_has_ended_is_sent_again_once_and_nothing_else(store: &Store) {
    let all = found(store, LogFilter::default()).await;
    let one = all[0].clone();
    let state = async |id: &DeliveryId| {
        let id = id.clone();
        store.read(move |tx| tx.delivery_state(&log(), &id)).await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    };
    assert_eq!(state(&one).await.as_deref(), Some("given_up"));
    assert_eq!(state(&DeliveryId::new("none")).await, None);
    let id = one.clone();
    assert!(store.write(move |tx| tx.replay_one(&id, at(20))).await.unwrap());
    let id = one.clone();
    assert!(!store.write(move |tx| tx.replay_one(&id, at(20))).await.unwrap(), "it waits already");
    let rest = store.write(|tx| tx.replay(&log(), &LogFilter::default(), None, 10, at(20))).await.unwrap();
    assert_eq!(rest, [all[1].clone()]);
    let claimed =
        store.write(|tx| tx.claim(&[Wanted::of(log(), 9)], &FieldRights::default(), at(20), at(21))).await.unwrap();
    assert!(claimed.iter().all(|row| (row.attempt, row.tried_before) == (2, 1)), "{claimed:?}");
    send(store, 21, RecordedNext::GiveUp).await;
}

async fn failing_webhooks_are_told_with_their_first_failure(store: &Store) {
    let failing = store.read(|tx| tx.failing_webhooks()).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let ours: Vec<_> = failing.into_iter().filter(|one| one.application == log()).collect();
    assert_eq!(ours.len(), 1);
    assert_eq!((ours[0].webhook.as_str(), ours[0].since, ours[0].latest), ("w-log", at(10), at(21)));
    store.write(|tx| tx.replay(&log(), &LogFilter::default(), None, 10, at(30))).await.unwrap();
    send(store, 30, RecordedNext::Delivered).await;
    let failing = store.read(|tx| tx.failing_webhooks()).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert!(failing.iter().all(|one| one.application != log()), "one success is enough");
}

async fn bodies_are_cleared_and_attempts_stay(store: &Store) {
    let later = at(0).plus(Duration::from_millis(1));
    assert!(store.write(move |tx| tx.clear_bodies(later, 10)).await.unwrap() >= 2);
    assert_eq!(store.write(move |tx| tx.clear_bodies(later, 10)).await.unwrap(), 0, "each once");
    let attempts = store.read(|tx| tx.attempts(&log(), &LogFilter::default(), None, 10)).await.unwrap();
    assert_eq!(attempts.len(), 6);
    assert!(attempts.iter().all(|one| one.request_headers.is_none() && one.response_body.is_none()));
    assert!(attempts.iter().all(|one| one.status == Some(500)));
}

async fn an_event_for_one_webhook_has_one_delivery(store: &Store) {
    let new_id = ids();
    let work = move |tx: &mut Tx<'_>| {
        tx.publish_to(&event("ping"), (&log(), &WebhookId::new("w-log")), &new_id(), at(40))?;
        tx.claim(&[Wanted::of(log(), 9)], &FieldRights::default(), at(40), at(41))
    };
    let claimed = store.write(work).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(claimed.len(), 1);
    assert!(claimed[0].payload.contains("ping"));
}
