//! What must hold when callers hang up, race, or many applications wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use spaceport_platform::field_right::FieldRights;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_store::{Store, StoreError, Wanted};
use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::engines::{sealer, sqlite};
use crate::make::{application, at, listeners, profile, publish};

async fn no_change_is_lost(store: &Store) {
    let mut raced = application("raced");
    raced.description = None;
    store.write(move |tx| tx.insert_application(&raced)).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..30 {
        let store = store.clone();
        tasks.spawn(async move {
            let change = store.write(move |tx| {
                let mut found = tx.application(&ApplicationId::new("raced"))?.unwrap();
                found.description = Some(format!("{} {number}", found.description.unwrap_or_default()));
                tx.update_application(&found)
            });
            change.await.unwrap();
        });
    }
    tasks.join_all().await;
    let found = store.read(|tx| tx.application(&ApplicationId::new("raced"))).await.unwrap().unwrap();
    assert_eq!(found.revision, application("raced").revision + 30);
    assert_eq!(found.description.unwrap().split_whitespace().count(), 30);
}

async fn those_that_wait_hide_none_that_are_due(store: &Store) {
    listeners(store, &["wait-1", "wait-2", "z-due"]).await;
    publish(store, &["waited"]).await;
    let wants = ["wait-1", "wait-2"].map(|id| Wanted::of(ApplicationId::new(id), 9));
    store.write(move |tx| tx.claim(&wants, &FieldRights::default(), at(0), at(1_000))).await.unwrap();
    let (due, _) = store.read(|tx| tx.due(at(0), 2)).await.unwrap();
    assert_eq!(due, [ApplicationId::new("z-due")]);
}

async fn a_closed_store_says_so(store: &Store) {
    store.close().await;
    let refused: Result<_, StoreError> = store.write(|tx| tx.profile(&ProfileId::new("p"))).await;
    assert!(matches!(refused, Err(StoreError::Closed)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn guarantees_on_sqlite() {
    let (store, _folder) = sqlite().await;
    no_change_is_lost(&store).await;
    those_that_wait_hide_none_that_are_due(&store).await;
    what_can_never_be_stored_is_refused_alike(&store).await;
    a_closed_store_says_so(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guarantees_on_postgres() {
    let database = database();
    let store = Store::open(&database.url, sealer()).await.unwrap();
    no_change_is_lost(&store).await;
    those_that_wait_hide_none_that_are_due(&store).await;
    what_can_never_be_stored_is_refused_alike(&store).await;
    a_closed_store_says_so(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_can_begin_on_a_new_database_at_once() {
    let database = database();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let url = database.url.clone();
        tasks.spawn(async move { Store::open(&url, sealer()).await.map(|_| ()) });
    }
    for opened in tasks.join_all().await {
        opened.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_read_takes_no_connection_with_it() {
    let (store, _folder) = sqlite().await;
    let held = Arc::new(AtomicBool::new(true));
    // More than there are readers, given up while they run, as when clients hang up.
    for _ in 0..8 {
        let held = Arc::clone(&held);
        let slow = store.read(move |tx| {
            while held.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            tx.profile(&ProfileId::new("p"))
        });
        let _ = tokio::time::timeout(Duration::from_millis(10), slow).await;
    }
    let next = store.read(|tx| tx.profile(&ProfileId::new("p")));
    let release = async { held.store(false, Ordering::Relaxed) };
    let (found, ()) = tokio::join!(next, release);
    assert_eq!(found.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_file_is_free_for_another_process() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let first = Store::open(&url, sealer()).await.unwrap();
    first.close().await;
    Store::open(&url, sealer()).await.unwrap();
    drop(first);
}

async fn what_can_never_be_stored_is_refused_alike(store: &Store) {
    let insert = async |id: &'static str, username: &'static str| {
        let mut profile = profile(id);
        username.clone_into(&mut profile.username);
        store.write(move |tx| tx.insert_profile(&profile)).await
    };
    let refused = insert("nul", "a\0b").await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    insert("one", "taken").await.unwrap();
    let refused = insert("two", "taken").await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    insert("three", "free").await.unwrap();
}
