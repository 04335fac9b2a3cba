//! The log of deliveries and attempts, replays, and failing webhooks.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::Duration;

use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::event::NewEvent;
use spaceport_platform::field_right::FieldRights;
use spaceport_platform::id::{ApplicationId, DeliveryId, EventId, Id, WebhookId};
use spaceport_platform::listeners::Listener;
use spaceport_platform::random::Counting;
use spaceport_platform::time::Timestamp;
use spaceport_store::{
    AttemptFilter, Call, Carried, Heard, LogFilter, Missed, MissedQuery, RecordedAttempt, RecordedNext, Remembered,
    Store, StoreError, Tx, Wanted,
};

use crate::make::{at, event, heard, ids, listeners, publish, publish_in};

pub(crate) async fn facts(store: &Store) {
    listeners(store, &["log"]).await;
    publish(store, &["l1", "l2"]).await;
    deliveries_and_attempts_are_found_by_event_state_and_time(store).await;
    what_has_ended_is_sent_again_once_and_nothing_else(store).await;
    failing_webhooks_are_told_with_their_first_failure(store).await;
    bodies_are_cleared_and_attempts_stay(store).await;
    an_event_for_one_webhook_has_one_delivery(store).await;
    what_a_late_attempt_said_is_kept_from_then_on(store).await;
    missed_events_are_found_in_steps_and_delivered_once(store).await;
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
            call: Call {
                duration_ms: 1,
                url: Some("https://a.example".to_owned()),
                request_headers: Some("[]".to_owned()),
                request_body: Some("sent".to_owned()),
                status: Some(500),
                response_headers: Some("[]".to_owned()),
                response_body: Some("answered".to_owned()),
                complete: true,
                ..Call::default()
            },
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
    assert_eq!(found(store, of_event).await, [all[1].clone()], "ids follow the order of events");
    assert_eq!(found(store, LogFilter { state: Some(DeliveryState::GivenUp), ..LogFilter::default() }).await, all);
    assert!(found(store, LogFilter { state: Some(DeliveryState::Delivered), ..LogFilter::default() }).await.is_empty());
    assert!(found(store, LogFilter { since: Some(at(1)), ..LogFilter::default() }).await.is_empty());
    let attempts_of_event = AttemptFilter { event: Some(EventId::new("l1")), ..AttemptFilter::default() };
    let attempts = store.read(move |tx| tx.attempts(&log(), &attempts_of_event, None, 10)).await;
    let attempts = attempts.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].call.request_body.as_deref(), Some("sent"));
    let webhook = WebhookId::new("w-log");
    assert_eq!(attempts[0].carried, Carried::Event { webhook, event: EventId::new("l1"), payload: None });
    let first = store.read(|tx| tx.attempts(&log(), &AttemptFilter::default(), None, 1)).await.unwrap().remove(0);
    let key = first.key.clone();
    let second = store.read(move |tx| tx.attempts(&log(), &AttemptFilter::default(), Some(&key), 9)).await.unwrap();
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
    assert_eq!(state(&one).await, Some(DeliveryState::GivenUp));
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
    let counted = store.write(|tx| {
        let of_log = |tx: &mut Tx<'_>| {
            let failing = tx.failing_webhooks()?;
            Ok::<_, StoreError>(failing.iter().find(|one| one.application == log()).map(|one| one.since))
        };
        tx.begin_patience(&log(), Some(&WebhookId::new("another")), at(30))?;
        let as_before = of_log(tx)?;
        tx.begin_patience(&log(), None, at(21))?;
        let later = of_log(tx)?;
        tx.begin_patience(&log(), Some(&WebhookId::new("w-log")), at(22))?;
        Ok::<_, StoreError>([as_before, later, of_log(tx)?])
    });
    assert_eq!(counted.await.unwrap(), [Some(at(10)), Some(at(21)), None], "only what came since counts");
    store.write(|tx| tx.replay(&log(), &LogFilter::default(), None, 10, at(30))).await.unwrap();
    send(store, 30, RecordedNext::Delivered).await;
    let failing = store.read(|tx| tx.failing_webhooks()).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert!(failing.iter().all(|one| one.application != log()), "one success is enough");
}

async fn bodies_are_cleared_and_attempts_stay(store: &Store) {
    let later = at(0).plus(Duration::from_millis(1));
    assert!(store.write(move |tx| tx.clear_bodies(later, 10)).await.unwrap() >= 2);
    assert_eq!(store.write(move |tx| tx.clear_bodies(later, 10)).await.unwrap(), 0, "each once");
    let attempts = store.read(|tx| tx.attempts(&log(), &AttemptFilter::default(), None, 10)).await.unwrap();
    assert_eq!(attempts.len(), 6);
    assert!(attempts.iter().all(|one| one.call.request_headers.is_none() && one.call.response_body.is_none()));
    assert!(attempts.iter().all(|one| one.call.status == Some(500)));
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

async fn what_a_late_attempt_said_is_kept_from_then_on(store: &Store) {
    const LATER: i64 = 40 * 60 * 1_000;
    let bodies = async || {
        let since = AttemptFilter { since: Some(at(LATER - 1)), ..AttemptFilter::default() };
        let found = store.read(move |tx| tx.attempts(&log(), &since, None, 10)).await.unwrap();
        found.iter().filter(|one| one.call.request_headers.is_some() && one.call.response_body.is_some()).count()
    };
    // Their bodies were emptied before.
    store.write(|tx| tx.replay(&log(), &LogFilter::default(), None, 10, at(LATER))).await.unwrap();
    send(store, LATER, RecordedNext::Delivered).await;
    let sent = bodies().await;
    assert!(sent >= 2, "{sent}");
    store.write(|tx| tx.clear_bodies(at(LATER), 99)).await.unwrap();
    assert_eq!(bodies().await, sent, "they are not those of their delivery");
    let clear = async |horizon: i64| -> u64 {
        let cleared = store.write(move |tx| tx.clear_late_bodies(at(horizon), 2)).await;
        cleared.unwrap_or_else(|error: StoreError| panic!("{error}"))
    };
    assert_eq!(clear(LATER).await, 0, "not before their time");
    let mut cleared = 0;
    loop {
        let step = clear(LATER + 1).await;
        assert!(step <= 2);
        cleared += step;
        if step == 0 {
            break;
        }
    }
    assert_eq!((cleared, bodies().await), (u64::try_from(sent).unwrap(), 0));
}

/// A fresh id of a moment.
fn id(moment: Timestamp) -> DeliveryId {
    static RANDOM: LazyLock<Counting> = LazyLock::new(Counting::default);
    Id::generate(moment, &*RANDOM)
}

async fn missed_events_are_found_in_steps_and_delivered_once(store: &Store) {
    listeners(store, &["late"]).await;
    let listener =
        Listener { webhook: WebhookId::new("w-late"), application: ApplicationId::new("late"), rights: None };
    let query = MissedQuery {
        listener: listener.clone(),
        kinds: HashSet::from([("Issue".to_owned(), "Issue.Created".to_owned())]),
        since: at(5_000),
        until: at(6_000),
        after: None,
        look_at: 3,
        limit: 2,
    };
    // Heard of when they came, of another type, or nobody was there yet.
    let made = store.write(|tx| {
        let nobody = |tx: &mut Tx<'_>, events: &[NewEvent], now: i64| {
            let listeners = events.iter().map(|_| Default::default()).collect();
            let heard = Heard { revision: tx.revision(Remembered::Subscriptions)?, listeners };
            tx.publish(events, &heard, at(now), &|| id(at(now)))
        };
        nobody(tx, &[event("m1"), event("m2")], 5_001)?;
        publish_in(tx, &[event("m3")], at(5_002), &|| id(at(5_002)))?;
        let moved = NewEvent { event_type: "Issue.Moved".to_owned(), ..event("m4") };
        nobody(tx, &[moved, event("m5")], 5_003)?;
        nobody(tx, &[event("m6")], 7_000)
    });
    made.await.unwrap();
    let (mut next, mut steps, mut deliveries) = (query.clone(), Vec::new(), Vec::new());
    loop {
        let asked = next.clone();
        let missed = store.read(move |tx| tx.missed_events(&asked)).await;
        let missed: Missed = missed.unwrap_or_else(|error: StoreError| panic!("{error}"));
        let ids: Vec<_> = missed.events.iter().map(|event| event.id.as_str().to_owned()).collect();
        steps.push((ids, missed.looked_at, missed.at_end));
        next.after = missed.last.clone().or(next.after);
        let (of, at_end) = (listener.clone(), missed.at_end);
        let done = store.write(move |tx| {
            let heard = heard(tx, &missed.events)?;
            let old = Heard { revision: heard.revision - 1, ..heard.clone() };
            if !missed.events.is_empty() {
                assert_eq!(tx.deliver_missed(&of, &missed, &old, at(6_000), &id)?, None, "subscriptions changed");
            }
            let made = tx.deliver_missed(&of, &missed, &heard, at(6_000), &id)?.unwrap();
            assert_eq!(tx.deliver_missed(&of, &missed, &heard, at(6_000), &id)?.unwrap(), [], "each once");
            Ok::<_, StoreError>(made)
        });
        deliveries.extend(done.await.unwrap());
        if at_end {
            break;
        }
    }
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    assert_eq!(steps, [(ids(&["m1", "m2"]), 2, false), (ids(&["m5"]), 3, false), (ids(&[]), 0, true)]);
    assert!(deliveries.is_sorted() && deliveries.len() == 3);
    let again = store.read(move |tx| tx.missed_events(&MissedQuery { look_at: 99, limit: 99, ..query.clone() })).await;
    assert!(again.unwrap_or_else(|error: StoreError| panic!("{error}")).events.is_empty());
    let of_event = LogFilter { event: Some(EventId::new("m5")), ..LogFilter::default() };
    let late = ApplicationId::new("late");
    let found = store.read(move |tx| tx.deliveries(&late, &of_event, None, 9)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].id, found[0].created_at, found[0].due_at), (&deliveries[2], at(5_003), at(6_000)));
    let deleted = store.read(|tx| tx.deliveries_deleted_before()).await;
    assert_eq!(deleted.unwrap_or_else(|error: StoreError| panic!("{error}")), None, "nothing was deleted");
}
