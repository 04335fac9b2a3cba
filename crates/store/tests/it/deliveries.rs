//! Leases and what becomes of attempts.

use spaceport_platform::field_right::FieldRights;
use spaceport_platform::id::{ApplicationId, DeliveryId, WebhookId};
use spaceport_store::{Call, ClaimedRow, RecordedAttempt, RecordedNext, Store, Wanted};

use crate::make::{at, listeners, publish};

pub(crate) async fn facts(store: &Store) {
    listeners(store, &["a1", "a2"]).await;
    publish(store, &["e1", "e2", "e3"]).await;
    due_names_each_application(store).await;
    claims_lease_and_count(store).await;
    outcomes_decide_once(store).await;
    leases_given_back_do_not_count(store).await;
    parallel_claims_never_share_a_row(store).await;
    an_ordered_webhook_gets_nothing_before_what_is_older(store).await;
}

async fn claim(store: &Store, application: &'static str, capacity: usize, now: i64, until: i64) -> Vec<ClaimedRow> {
    let work = move |tx: &mut spaceport_store::Tx<'_>| {
        tx.claim(&[Wanted::of(ApplicationId::new(application), capacity)], &FieldRights::default(), at(now), at(until))
    };
    store.write(work).await.unwrap()
}

fn attempt(delivery: &DeliveryId, number: u32, next: RecordedNext) -> RecordedAttempt {
    RecordedAttempt {
        delivery: delivery.clone(),
        number,
        started_at: at(i64::from(number)),
        call: Call {
            duration_ms: 5,
            url: Some(String::new()),
            request_headers: Some("[]".to_owned()),
            status: Some(500),
            response_headers: Some("[]".to_owned()),
            response_body: Some("Grüße 🎉".to_owned()),
            complete: true,
            ..Call::default()
        },
        next,
    }
}

async fn record(store: &Store, attempt: RecordedAttempt, now: i64) {
    store.write(move |tx| tx.record(std::slice::from_ref(&attempt), at(now))).await.unwrap();
}

async fn due_names_each_application(store: &Store) {
    let (mut due, next) = store.read(|tx| tx.due(at(0), 100)).await.unwrap();
    due.sort();
    assert_eq!(due, ["a1", "a2"].map(ApplicationId::new));
    assert_eq!(next, None);
    assert_eq!(store.read(|tx| tx.oldest_due(at(0))).await.unwrap(), Some(at(0)));
    assert_eq!(store.read(|tx| tx.oldest_due(at(-1))).await.unwrap(), None);
}

async fn claims_lease_and_count(store: &Store) {
    let first = claim(store, "a1", 2, 0, 60).await;
    assert_eq!(first.len(), 2);
    assert_eq!(first[0].attempt, 1);
    assert_eq!(first[0].client_id, "client-a1");
    assert_eq!(first[0].webhook, WebhookId::new("w-a1"));
    assert!(first[0].payload.contains("IssueWebhookEvent"));
    assert_eq!(claim(store, "a1", 9, 0, 60).await.len(), 1, "what is leased is not given again");
    assert_eq!(claim(store, "a1", 9, 59, 60).await, []);
    let (due, next) = store.read(|tx| tx.due(at(10), 100)).await.unwrap();
    assert_eq!((due, next), (vec![ApplicationId::new("a2")], Some(at(60))));
    let again = claim(store, "a1", 9, 60, 120).await;
    assert_eq!(
        again.iter().map(|row| row.attempt).collect::<Vec<_>>(),
        [2, 2, 2],
        "a lease that ran out is taken anew"
    );
}

async fn outcomes_decide_once(store: &Store) {
    let rows = claim(store, "a1", 9, 120, 180).await;
    let [one, two, three] = rows.as_slice() else { panic!("three deliveries of a1, found {rows:?}") };
    record(store, attempt(&one.id, 2, RecordedNext::Delivered), 121).await;
    assert_eq!(claim(store, "a1", 9, 180, 240).await.len(), 3, "an attempt whose lease another took no longer decides");
    record(store, attempt(&one.id, 4, RecordedNext::Delivered), 181).await;
    record(store, attempt(&two.id, 4, RecordedNext::RetryAt(at(500))), 181).await;
    record(store, attempt(&three.id, 4, RecordedNext::GiveUp), 181).await;
    let last = store.read(|tx| tx.last_attempts(&[WebhookId::new("w-a1")])).await.unwrap();
    assert_eq!((last.len(), last[0].status), (1, Some(500)));
    let counts = store.read(|tx| tx.delivery_counts()).await.unwrap();
    let expected = [("delivered", 1), ("given_up", 1), ("waiting", 4)].map(|(state, count)| (state.to_owned(), count));
    assert_eq!(counts, expected);
    assert_eq!(claim(store, "a1", 9, 499, 600).await, [], "a retry waits for its time");
    let retried = claim(store, "a1", 9, 500, 600).await;
    assert_eq!((retried.len(), retried[0].attempt), (1, 5));
    record(store, attempt(&retried[0].id, 5, RecordedNext::Delivered), 501).await;
}

async fn release(store: &Store, rows: &[ClaimedRow], now: i64) {
    let leases: Vec<_> = rows.iter().map(|row| (row.id.clone(), row.attempt, at(now))).collect();
    store.write(move |tx| tx.release(&leases)).await.unwrap();
}

async fn leases_given_back_do_not_count(store: &Store) {
    let rows = claim(store, "a2", 9, 600, 700).await;
    release(store, &rows, 601).await;
    let again = claim(store, "a2", 9, 601, 700).await;
    assert_eq!(again.iter().map(|row| row.attempt).collect::<Vec<_>>(), [1, 1, 1]);
    let theirs = claim(store, "a2", 9, 700, 800).await;
    assert_eq!(theirs.len(), 3, "the lease ran out");
    release(store, &again, 701).await;
    assert_eq!(claim(store, "a2", 9, 799, 900).await, [], "a late release leaves the lease of another alone");
    release(store, &theirs, 702).await;
    release(store, &theirs, 702).await;
    let again = claim(store, "a2", 9, 702, 900).await;
    assert_eq!(again.iter().map(|row| row.attempt).collect::<Vec<_>>(), [2, 2, 2], "given back twice counts once");
    store.write(|tx| tx.reset_leases(at(602))).await.unwrap();
    assert_eq!(claim(store, "a2", 9, 602, 603).await.len(), 3, "after a restart everything leased is due");
}

async fn parallel_claims_never_share_a_row(store: &Store) {
    publish(store, &["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10"]).await;
    let mut claims = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let store = store.clone();
        claims.spawn(async move { claim(&store, "a1", 3, 700, 9_000).await });
    }
    let mut ids: Vec<DeliveryId> = claims.join_all().await.into_iter().flatten().map(|row| row.id).collect();
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((all, ids.len()), (10, 10));
}

async fn an_ordered_webhook_gets_nothing_before_what_is_older(store: &Store) {
    listeners(store, &["ordered"]).await;
    publish(store, &["o1", "o2", "o3", "o4"]).await;
    let set = |tx: &mut spaceport_store::Tx<'_>| {
        let (application, id) = (ApplicationId::new("ordered"), WebhookId::new("w-ordered"));
        let mut webhook = tx.webhook(&application, &id)?.unwrap();
        webhook.sending.ordered = true;
        tx.update_webhook(&webhook)
    };
    store.write(set).await.unwrap();
    let first = claim(store, "ordered", 2, 1_000, 2_000).await;
    assert_eq!(first.len(), 2);
    assert_eq!(claim(store, "ordered", 9, 1_000, 2_000).await, [], "the two before them are under way");
    record(store, attempt(&first[0].id, 1, RecordedNext::Delivered), 1_001).await;
    record(store, attempt(&first[1].id, 1, RecordedNext::RetryAt(at(5_000))), 1_001).await;
    assert_eq!(claim(store, "ordered", 9, 3_000, 4_000).await, [], "the one before them waits for its resend");
    assert_eq!(claim(store, "ordered", 9, 4_999, 6_000).await, []);
    let second = claim(store, "ordered", 9, 5_010, 6_000).await;
    assert_eq!(second[0].id, first[1].id, "what failed goes first");
    assert_eq!(second.iter().map(|row| row.attempt).collect::<Vec<_>>(), [2, 1, 1], "waiting was no attempt");
    let except = Wanted { except: vec![WebhookId::new("w-ordered")], ..Wanted::of(ApplicationId::new("ordered"), 9) };
    assert_eq!(
        store
            .write(move |tx| tx.claim(std::slice::from_ref(&except), &FieldRights::default(), at(7_000), at(8_000)))
            .await
            .unwrap(),
        []
    );
    assert_eq!(claim(store, "ordered", 9, 7_000, 8_000).await.len(), 3);
}
