//! What a transaction promises.

use spaceport_platform::id::ProfileId;
use spaceport_store::{Store, StoreError};

use crate::make::profile;

#[derive(Debug, PartialEq)]
enum Refusal {
    Mine,
    Store,
}

impl From<StoreError> for Refusal {
    fn from(_: StoreError) -> Self {
        Self::Store
    }
}

pub(crate) async fn facts(store: &Store) {
    a_refused_transaction_leaves_nothing(store).await;
    one_of_many_that_fails_fails_alone(store).await;
    a_panic_is_rolled_back_and_the_store_goes_on(store).await;
    readers_cannot_write_by_accident(store).await;
}

async fn exists(store: &Store, id: &str) -> bool {
    let id = ProfileId::new(id);
    store.read(move |tx| tx.profile(&id)).await.unwrap().is_some()
}

async fn a_refused_transaction_leaves_nothing(store: &Store) {
    let refused = store.write(|tx| {
        tx.insert_profile(&profile("refused"))?;
        Err::<(), _>(Refusal::Mine)
    });
    assert_eq!(refused.await, Err(Refusal::Mine));
    assert!(!exists(store, "refused").await);
}

async fn one_of_many_that_fails_fails_alone(store: &Store) {
    let mut calls = tokio::task::JoinSet::new();
    for index in 0..60 {
        let store = store.clone();
        calls.spawn(async move {
            let work = move |tx: &mut spaceport_store::Tx<'_>| {
                tx.insert_profile(&profile(&format!("many-{index}")))?;
                if index % 3 == 0 { Err(Refusal::Mine) } else { Ok(()) }
            };
            (index, store.write(work).await)
        });
    }
    for (index, result) in calls.join_all().await {
        assert_eq!(result.is_ok(), index % 3 != 0);
        assert_eq!(exists(store, &format!("many-{index}")).await, index % 3 != 0);
    }
}

async fn a_panic_is_rolled_back_and_the_store_goes_on(store: &Store) {
    let panicked = store.write(|tx| {
        tx.insert_profile(&profile("panicked"))?;
        if tx.profile(&ProfileId::new("panicked"))?.is_some() {
            panic!("on purpose");
        }
        Ok::<_, StoreError>(())
    });
    assert!(panicked.await.is_err());
    assert!(!exists(store, "panicked").await);
    store.write(|tx| tx.insert_profile(&profile("after"))).await.unwrap();
    assert!(exists(store, "after").await);
}

async fn readers_cannot_write_by_accident(store: &Store) {
    let written = store.read(|tx| tx.insert_profile(&profile("by-accident"))).await;
    assert!(written.is_err());
    assert!(!exists(store, "by-accident").await);
}
