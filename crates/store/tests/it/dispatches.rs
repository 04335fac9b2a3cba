//! Facts about dispatches: leases, order, what becomes of attempts.

use spaceport_platform::connection::{Connection, ConnectionStatus};
use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::dispatch::{Dispatch, PayloadClass};
use spaceport_platform::id::{ApplicationId, DeliveryId, id_prefix};
use spaceport_store::{
    AttemptFilter, Call, Carried, ClaimedDispatch, LoggedAttempt, NewDispatch, RecordedAttempt, RecordedNext, Store,
    StoreError, Tx,
};

use crate::make::{application, at};

pub(crate) async fn facts(store: &Store) {
    let made = store.write(|tx| {
        for id in ["a1", "a2"] {
            let mut application = application(id);
            application.connection = Some(Connection {
                status: Some(ConnectionStatus::Connected),
                last_sent_server_url: Some("https://old".to_owned()),
                ..Connection::default()
            });
            tx.insert_application(&application)?;
        }
        Ok::<_, StoreError>(())
    });
    made.await.unwrap();
    payloads_of_one_application_wait_for_each_other(store).await;
    leases_run_out_and_are_given_back(store).await;
    withdrawn_ones_decide_nothing(store).await;
    who_was_told_of_a_url_is_not_told_again(store).await;
    the_newest_of_a_class_is_kept(store).await;
    attempts_are_in_the_log_until_their_time_has_passed(store).await;
}

/// Ids in the order of their making.
fn id(number: i64) -> DeliveryId {
    DeliveryId::new(format!("{}-{number}", id_prefix(at(number))))
}

async fn insert(store: &Store, number: i64, application: &'static str, class: PayloadClass, url: Option<&'static str>) {
    let work = move |tx: &mut Tx<'_>| {
        let new = NewDispatch {
            id: id(number),
            application: ApplicationId::new(application),
            class,
            server_url: url.map(str::to_owned),
            payload: format!("{{\"n\":{number},\"text\":\"Grüße 🎉\"}}"),
        };
        tx.insert_dispatch(&new, at(number))
    };
    store.write(work).await.unwrap();
}

async fn claim(store: &Store, application: &'static str, now: i64, until: i64) -> Vec<ClaimedDispatch> {
    let work = move |tx: &mut Tx<'_>| tx.claim_dispatches(&[(ApplicationId::new(application), 8)], at(now), at(until));
    store.write(work).await.unwrap()
}

fn numbers(claimed: &[ClaimedDispatch]) -> Vec<DeliveryId> {
    claimed.iter().map(|claimed| claimed.dispatch.id.clone()).collect()
}

fn attempted(number: i64, attempt: u32, next: RecordedNext, now: i64) -> RecordedAttempt {
    let call = Call {
        duration_ms: 7,
        url: Some("https://a.example".to_owned()),
        request_headers: Some("[]".to_owned()),
        request_body: Some("asked".to_owned()),
        status: Some(503),
        response_headers: Some("[]".to_owned()),
        response_body: Some("Grüße".to_owned()),
        complete: true,
        ..Call::default()
    };
    RecordedAttempt { delivery: id(number), number: attempt, started_at: at(now), call, next }
}

async fn record(store: &Store, number: i64, attempt: u32, next: RecordedNext, now: i64) -> Option<Dispatch> {
    let attempt = attempted(number, attempt, next, now);
    store.write(move |tx| tx.record_dispatch(&attempt, at(now))).await.unwrap()
}

async fn due(store: &Store, now: i64) -> (Vec<ApplicationId>, Option<i64>) {
    let (due, next) = store.read(move |tx| tx.dispatches_due(at(now), 10)).await.unwrap();
    (due, next.map(|next| next.millis() - at(0).millis()))
}

async fn payloads_of_one_application_wait_for_each_other(store: &Store) {
    insert(store, 1, "a1", PayloadClass::ChangeClientSecret, None).await;
    insert(store, 2, "a1", PayloadClass::ApplicationUninstalled, None).await;
    insert(store, 3, "a1", PayloadClass::RefreshToken, None).await;
    insert(store, 4, "a2", PayloadClass::Init, Some("https://old")).await;
    assert_eq!(due(store, 5).await.0, ["a1", "a2"].map(ApplicationId::new));
    let claimed = claim(store, "a1", 5, 60).await;
    assert_eq!(numbers(&claimed), [id(1), id(3)], "the removal waits, the token does not");
    assert_eq!(claimed[0].payload, "{\"n\":1,\"text\":\"Grüße 🎉\"}");
    assert_eq!((claimed[0].dispatch.attempts, claimed[0].dispatch.state), (1, DeliveryState::Sending));
    assert_eq!(claim(store, "a1", 5, 60).await.len(), 0, "leased");
    let recorded = record(store, 1, 1, RecordedNext::RetryAt(at(20)), 6).await.unwrap();
    assert_eq!(
        (recorded.state, recorded.due_at, recorded.last.unwrap().status),
        (DeliveryState::Waiting, at(20), Some(503))
    );
    assert!(record(store, 3, 1, RecordedNext::Delivered, 6).await.unwrap().finished_at.is_some());
    assert_eq!(claim(store, "a1", 19, 60).await.len(), 0, "the removal still waits, although it is due");
    assert_eq!(due(store, 19).await, (vec![ApplicationId::new("a2")], Some(20)));
    assert_eq!(numbers(&claim(store, "a1", 20, 60).await), [id(1)]);
    assert_eq!(record(store, 1, 1, RecordedNext::GiveUp, 21).await, None, "the first attempt decides no more");
    assert_eq!(record(store, 1, 2, RecordedNext::GiveUp, 21).await.unwrap().state, DeliveryState::GivenUp);
    assert_eq!(numbers(&claim(store, "a1", 21, 60).await), [id(2)]);
}

async fn leases_run_out_and_are_given_back(store: &Store) {
    let again = claim(store, "a1", 60, 90).await;
    assert_eq!((numbers(&again), again[0].dispatch.attempts), (vec![id(2)], 2));
    store.write(|tx| tx.release_dispatches(&[(id(2), 1, at(61))])).await.unwrap();
    assert_eq!(claim(store, "a1", 61, 90).await.len(), 0, "an old lease gives nothing back");
    store.write(|tx| tx.release_dispatches(&[(id(2), 2, at(61))])).await.unwrap();
    assert_eq!(claim(store, "a1", 61, 90).await[0].dispatch.attempts, 2, "what was given back was no attempt");
    store.write(|tx| tx.reset_dispatch_leases(at(62))).await.unwrap();
    assert_eq!(claim(store, "a1", 62, 90).await[0].dispatch.attempts, 3);
}

async fn withdrawn_ones_decide_nothing(store: &Store) {
    insert(store, 70, "a1", PayloadClass::Message, None).await;
    let one = ApplicationId::new("a1");
    store.write(move |tx| tx.cancel_waiting_dispatches(&one, at(71))).await.unwrap();
    let list = store.read(|tx| tx.dispatches(&ApplicationId::new("a1"), None, 2)).await.unwrap();
    assert_eq!(list.iter().map(|dispatch| dispatch.id.clone()).collect::<Vec<_>>(), [id(70), id(3)]);
    assert_eq!(list[0].state, DeliveryState::Cancelled);
    let list = store.read(|tx| tx.dispatches(&ApplicationId::new("a1"), Some(&id(3)), 9)).await.unwrap();
    assert_eq!(
        list.iter().map(|dispatch| dispatch.state).collect::<Vec<_>>(),
        [DeliveryState::Sending, DeliveryState::GivenUp]
    );
    insert(store, 71, "a1", PayloadClass::ChangeServerUrl, None).await;
    insert(store, 72, "a1", PayloadClass::ChangeClientSecret, None).await;
    let cancelled = store.write(|tx| {
        let one = ApplicationId::new("a1");
        tx.cancel_waiting_dispatches_of(&one, PayloadClass::ApplicationUninstalled, at(72))?;
        tx.cancel_waiting_dispatches_of(&one, PayloadClass::ChangeServerUrl, at(72))?;
        tx.cancel_dispatches_of(&one, PayloadClass::ChangeClientSecret, at(72))?;
        let states = tx.dispatches(&one, None, 9)?.into_iter().map(|dispatch| dispatch.state).collect::<Vec<_>>();
        Ok::<_, StoreError>(states)
    });
    assert_eq!(
        cancelled.await.unwrap(),
        [
            DeliveryState::Cancelled,
            DeliveryState::Cancelled,
            DeliveryState::Cancelled,
            DeliveryState::Delivered,
            DeliveryState::Sending,
            DeliveryState::GivenUp
        ]
    );
    store.write(|tx| tx.cancel_dispatches(&ApplicationId::new("a1"), at(72))).await.unwrap();
    assert_eq!(record(store, 2, 3, RecordedNext::Delivered, 73).await, None);
}

async fn who_was_told_of_a_url_is_not_told_again(store: &Store) {
    let asked = async |url: &'static str, after: Option<&'static str>| {
        let after = after.map(ApplicationId::new);
        store.read(move |tx| tx.applications_with_other_server_url(url, after.as_ref(), 9)).await.unwrap()
    };
    assert_eq!(asked("https://new", None).await, ["a1", "a2"].map(ApplicationId::new));
    assert_eq!(asked("https://new", Some("a1")).await, [ApplicationId::new("a2")]);
    assert_eq!(asked("https://old", None).await, []);
    insert(store, 80, "a1", PayloadClass::ChangeServerUrl, Some("https://new")).await;
    assert_eq!(asked("https://new", None).await, [ApplicationId::new("a2")]);
    assert_eq!(asked("https://newer", None).await.len(), 2);
}

async fn the_newest_of_a_class_is_kept(store: &Store) {
    let newest = |class| store.read(move |tx| tx.newest_dispatch(&ApplicationId::new("a1"), class));
    let found = newest(PayloadClass::ChangeServerUrl).await.unwrap().unwrap();
    assert_eq!((found.dispatch.id, found.dispatch.server_url.as_deref()), (id(80), Some("https://new")));
    assert!(found.payload.contains("\"n\":80"));
    assert!(newest(PayloadClass::Init).await.unwrap().is_none());
    insert(store, 81, "a1", PayloadClass::Message, None).await;
    let deleted = store.write(|tx| tx.delete_dispatches(at(1_000), 100)).await.unwrap();
    assert_eq!(deleted, 3, "whatever has ended and is not the newest of its class");
    let left = store.read(|tx| tx.dispatches(&ApplicationId::new("a1"), None, 9)).await.unwrap();
    assert!(left.iter().all(|dispatch| dispatch.id != id(70)) && left.len() == 5);
}

async fn attempts(store: &Store, filter: AttemptFilter) -> Vec<LoggedAttempt> {
    let one = ApplicationId::new("log-of-payloads");
    let read = store.read(move |tx| tx.attempts(&one, &filter, None, 9)).await;
    read.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

async fn attempts_are_in_the_log_until_their_time_has_passed(store: &Store) {
    const OURS: &str = "log-of-payloads";
    store.write(|tx| tx.insert_application(&application(OURS))).await.unwrap();
    insert(store, 900, OURS, PayloadClass::Init, None).await;
    claim(store, OURS, 901, 950).await;
    record(store, 900, 1, RecordedNext::RetryAt(at(920)), 902).await;
    assert!(record(store, 900, 1, RecordedNext::GiveUp, 903).await.is_none(), "the same attempt decides once");
    claim(store, OURS, 920, 950).await;
    record(store, 900, 2, RecordedNext::Delivered, 921).await;
    // Somebody waited for this one, so there is no dispatch.
    let asked = store.write(|tx| {
        let attempt = attempted(910, 1, RecordedNext::GiveUp, 911);
        let menu = (&ApplicationId::new(OURS), PayloadClass::MenuAction);
        tx.insert_dispatch_attempt(menu, &attempt)?;
        tx.insert_dispatch_attempt(menu, &attempt)
    });
    asked.await.unwrap();

    let all = attempts(store, AttemptFilter::default()).await;
    let shown: Vec<_> = all.iter().map(|one| (one.key.delivery.clone(), one.key.number, one.delivered)).collect();
    assert_eq!(shown, [(id(900), 2, true), (id(910), 1, false), (id(900), 1, false)], "the newest first");
    let call = &all[0].call;
    assert_eq!((call.request_body.as_deref(), call.response_body.as_deref()), (Some("asked"), Some("Grüße")));
    assert_eq!((call.status, call.complete), (Some(503), true));
    let key = all[0].key.clone();
    let one = ApplicationId::new(OURS);
    let rest = store.read(move |tx| tx.attempts(&one, &AttemptFilter::default(), Some(&key), 1)).await;
    assert_eq!(rest.unwrap_or_else(|error: StoreError| panic!("{error}")), [all[1].clone()]);
    let of = async |classes: &[PayloadClass]| {
        let filter = AttemptFilter { classes: Some(classes.to_vec()), ..AttemptFilter::default() };
        attempts(store, filter).await.into_iter().map(|one| one.carried).collect::<Vec<_>>()
    };
    assert_eq!(of(&[PayloadClass::MenuAction]).await, [Carried::Payload(PayloadClass::MenuAction)]);
    assert_eq!(of(&[]).await, []);
    assert_eq!(of(&[PayloadClass::WebhookRequest]).await, []);
    let accepted = AttemptFilter { delivered: Some(true), ..AttemptFilter::default() };
    assert_eq!(attempts(store, accepted).await, [all[0].clone()]);
    let window = AttemptFilter { since: Some(at(911)), until: Some(at(921)), ..AttemptFilter::default() };
    assert_eq!(attempts(store, window).await, [all[1].clone()]);

    // Whatever else is in this database was sent before.
    let clear = async || -> u64 {
        let cleared = store.write(|tx| tx.clear_dispatch_attempts(at(912), 1)).await;
        cleared.unwrap_or_else(|error: StoreError| panic!("{error}"))
    };
    while clear().await > 0 {}
    let bodies: Vec<_> = attempts(store, AttemptFilter::default()).await.into_iter().map(|one| one.call).collect();
    assert_eq!(bodies.iter().map(|call| call.request_body.is_some()).collect::<Vec<_>>(), [true, false, false]);
    assert!(bodies[1].request_headers.is_none() && bodies[1].response_body.is_none());
    assert_eq!(bodies[1].status, Some(503), "what came of it stays");
    let delete = async || -> u64 {
        let deleted = store.write(|tx| tx.delete_dispatch_attempts(at(912), 1)).await;
        deleted.unwrap_or_else(|error: StoreError| panic!("{error}"))
    };
    while delete().await > 0 {}
    assert_eq!(attempts(store, AttemptFilter::default()).await, [all[0].clone()]);
}
