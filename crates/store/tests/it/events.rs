//! Publishing: one commit, one delivery per matching webhook, once per event id.

use std::sync::Arc;

use spaceport_platform::event::{PublishStatus, Published};
use spaceport_platform::id::{ApplicationId, SubscriptionId, WebhookId};
use spaceport_store::{Heard, Store, StoreError};

use crate::make::{application, at, event, heard, ids, listeners, publish_in, subscription, webhook};

pub(crate) async fn facts(store: &Store) {
    listeners(store, &["a1", "a2"]).await;
    an_event_reaches_matching_webhooks_once(store).await;
    parallel_publishers_of_one_id_store_it_once(store).await;
    events_told_from_old_subscriptions_are_not_stored(store).await;
    a_thousand_events_fit_one_commit(store).await;
    archived_listeners_hear_nothing(store).await;
}

fn outcome(published: &[Published]) -> Vec<(PublishStatus, u32)> {
    published.iter().map(|one| (one.status, one.deliveries)).collect()
}

async fn an_event_reaches_matching_webhooks_once(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_application(&application("deaf"))?;
        // Two subscriptions to one type are one delivery; another type is none.
        let both =
            [subscription("w-both", "sb1", &["Issue.Created"]), subscription("w-both", "sb2", &["Issue.Created"])];
        tx.insert_webhook(&webhook("deaf", "w-both"), &both)?;
        tx.insert_webhook(&webhook("deaf", "w-deaf"), &[subscription("w-deaf", "sd", &["Issue.Moved"])])
    });
    made.await.unwrap();
    let new_id = ids();
    let publish = move |tx: &mut spaceport_store::Tx<'_>| {
        publish_in(tx, &[event("e1"), event("e1"), event("e2")], at(0), &new_id)
    };
    let (published, mut woken) = store.write(publish).await.unwrap();
    let expected = [(PublishStatus::Accepted, 3), (PublishStatus::Duplicate, 3), (PublishStatus::Accepted, 3)];
    assert_eq!(outcome(&published), expected);
    woken.sort();
    assert_eq!(woken, ["a1", "a2", "deaf"].map(ApplicationId::new));
    let counts = store.read(|tx| tx.delivery_counts()).await.unwrap();
    assert_eq!(counts, [("waiting".to_owned(), 6)]);
    store.write(|tx| tx.archive_webhook(&WebhookId::new("w-both"), at(0))).await.unwrap();
    let new_id = ids();
    let again = move |tx: &mut spaceport_store::Tx<'_>| publish_in(tx, &[event("e1")], at(5), &new_id);
    let (published, woken) = store.write(again).await.unwrap();
    assert_eq!(outcome(&published), [(PublishStatus::Duplicate, 3)], "a repeated call gets the first result");
    assert!(woken.is_empty());
}

async fn events_told_from_old_subscriptions_are_not_stored(store: &Store) {
    let new_id = ids();
    let work = move |tx: &mut spaceport_store::Tx<'_>| {
        let events = [event("stale")];
        let old = heard(tx, &events)?;
        tx.insert_subscription(&subscription("w-a1", "later", &["Issue.Moved"]))?;
        let refused = tx.publish(&events, &old, at(0), &new_id)?;
        let nobody = Heard { listeners: vec![Arc::default()], ..old };
        let refused_too = tx.publish(&events, &nobody, at(0), &new_id)?;
        tx.delete_subscription(&SubscriptionId::new("later"))?;
        Ok::<_, StoreError>((refused, refused_too, publish_in(tx, &events, at(0), &new_id)?.0))
    };
    let (refused, refused_too, published) = store.write(work).await.unwrap();
    assert_eq!((refused, refused_too), (None, None));
    assert_eq!(outcome(&published), [(PublishStatus::Accepted, 2)]);
}

async fn parallel_publishers_of_one_id_store_it_once(store: &Store) {
    let mut calls = tokio::task::JoinSet::new();
    for attempt in 0..50_i64 {
        let store = store.clone();
        calls.spawn(async move {
            let random = spaceport_platform::random::Counting::default();
            let work = move |tx: &mut spaceport_store::Tx<'_>| {
                let new_id = || spaceport_platform::id::Id::generate(at(1_000 + attempt), &random);
                publish_in(tx, &[event("race")], at(0), &new_id).map(|(published, _)| published)
            };
            store.write(work).await.unwrap()
        });
    }
    let published: Vec<_> = calls.join_all().await.into_iter().flatten().collect();
    let accepted = published.iter().filter(|one| one.status == PublishStatus::Accepted).count();
    assert_eq!(accepted, 1);
    assert!(published.iter().all(|one| one.deliveries == 2), "all get the same count");
}

async fn a_thousand_events_fit_one_commit(store: &Store) {
    let random = spaceport_platform::random::Counting::default();
    let work = move |tx: &mut spaceport_store::Tx<'_>| {
        let events: Vec<_> = (0..1_000).map(|index| event(&format!("many-{index}"))).collect();
        let new_id = || spaceport_platform::id::Id::generate(at(5_000), &random);
        publish_in(tx, &events, at(0), &new_id).map(|(published, _)| published.len())
    };
    assert_eq!(store.write(work).await.unwrap(), 1_000);
}

async fn archived_listeners_hear_nothing(store: &Store) {
    store.write(|tx| tx.archive_application(&ApplicationId::new("a1"), at(0))).await.unwrap();
    store.write(|tx| tx.archive_webhook(&WebhookId::new("w-a2"), at(0))).await.unwrap();
    let new_id = ids();
    let work = move |tx: &mut spaceport_store::Tx<'_>| publish_in(tx, &[event("unheard")], at(0), &new_id);
    let (published, _) = store.write(work).await.unwrap();
    assert_eq!(outcome(&published), [(PublishStatus::Accepted, 0)]);
    let due = store.read(|tx| tx.due(at(60_000), 100)).await.unwrap();
    assert_eq!(due.0, [], "what waited for them is cancelled");
    let counts = store.read(|tx| tx.delivery_counts()).await.unwrap();
    assert!(counts.iter().all(|(state, _)| state == "cancelled"), "{counts:?}");
}
