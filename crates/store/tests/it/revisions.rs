//! Revisions count what changed, once per transaction and only when it commits; contexts are found by name.

use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::{Context, Place};
use spaceport_platform::id::ProfileId;
use spaceport_platform::identifier::PermissionContextIdentifier;
use spaceport_platform::right::Right;
use spaceport_store::{Remembered, Store, StoreError, Tx};

use crate::make::at;

pub(crate) async fn facts(store: &Store) {
    a_commit_counts_once_and_a_rollback_does_not(store).await;
    contexts_are_found(store).await;
}

async fn revision(store: &Store) -> i64 {
    store.read(|tx| tx.revision(Remembered::Rights)).await.unwrap()
}

async fn a_commit_counts_once_and_a_rollback_does_not(store: &Store) {
    let before = revision(store).await;
    let grant = |tx: &mut Tx<'_>, context: Context| {
        let grant = Grant { right: Right::VIEW_PROFILES, context };
        tx.grant(&Principal::User(ProfileId::new("r1")), &grant, at(0))
    };
    let twice = store.write(move |tx| {
        grant(tx, Context::Global)?;
        grant(tx, Context::Project("p".to_owned()))?;
        tx.rights_changed()
    });
    twice.await.unwrap();
    assert_eq!(revision(store).await, before + 1);
    let undone = store.write(move |tx| {
        grant(tx, Context::Channel("c".to_owned()))?;
        Err::<(), _>(StoreError::corrupt("on purpose"))
    });
    undone.await.unwrap_err();
    assert_eq!(revision(store).await, before + 1);
    let begun = store.transactions();
    revision(store).await;
    assert_eq!(store.transactions(), begun + 1);
}

async fn contexts_are_found(store: &Store) {
    let place = async |text: &str| {
        let identifier = PermissionContextIdentifier::parse(text).unwrap();
        store.read(move |tx| tx.place(&identifier)).await.unwrap()
    };
    assert_eq!(place("global").await, Some(Place::GLOBAL));
    assert_eq!(place("project:key:NONE").await, None);
    let unknown = Context::PackageRepository("none".to_owned());
    let lost = unknown.clone();
    assert_eq!(store.read(move |tx| tx.place_of(lost.clone())).await.unwrap(), Place::from(unknown));
}
