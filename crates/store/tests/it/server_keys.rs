//! Keys of access tokens: one comes next, one is active, whatever several nodes do at once.

use spaceport_platform::id::KeyId;
use spaceport_platform::server_key::{Algorithm, KeyState};
use spaceport_store::{Store, StoreError};

use crate::make::at;

pub(crate) async fn facts(store: &Store) {
    let made = store.write(|tx| {
        let first = tx.insert_server_key(&KeyId::new("s1"), Algorithm::Rs512, KeyState::Active, b"one", at(1))?;
        let second = tx.insert_server_key(&KeyId::new("s2"), Algorithm::Es256, KeyState::Active, b"two", at(2))?;
        let next = tx.insert_server_key(&KeyId::new("s3"), Algorithm::EdDsa, KeyState::Next, b"three", at(3))?;
        let other = tx.insert_server_key(&KeyId::new("s4"), Algorithm::EdDsa, KeyState::Next, b"four", at(4))?;
        Ok::<_, StoreError>((first, second, next, other))
    });
    assert_eq!(made.await.unwrap(), (true, false, true, false), "there is one key in each of these states");
    let keys = store.read(|tx| tx.server_keys()).await.unwrap();
    let told: Vec<_> = keys.iter().map(|key| (key.facts.id.as_str(), key.facts.algorithm, key.pkcs8.clone())).collect();
    let expected = [("s1", Algorithm::Rs512, b"one".to_vec()), ("s3", Algorithm::EdDsa, b"three".to_vec())];
    assert_eq!(told, expected);

    let mut turns = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let store = store.clone();
        turns.spawn(async move { store.write(|tx| tx.activate_server_key(&KeyId::new("s3"), at(9))).await.unwrap() });
    }
    assert_eq!(turns.join_all().await.into_iter().filter(|turned| *turned).count(), 1);
    let states = store.read(|tx| tx.server_key_facts()).await.unwrap();
    let states: Vec<_> = states.iter().map(|key| (key.id.as_str(), key.state, key.changed_at)).collect();
    assert_eq!(states, [("s1", KeyState::Retired, at(9)), ("s3", KeyState::Active, at(9))]);

    let deleted = store.write(|tx| {
        tx.delete_server_key(&KeyId::new("s1"))?;
        tx.delete_server_key(&KeyId::new("s3"))?;
        tx.server_key_facts()
    });
    let left = deleted.await.unwrap();
    assert_eq!(left.len(), 1, "the active key stays: {left:?}");
}
