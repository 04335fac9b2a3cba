//! What only an embedded database has to promise.

use spaceport_platform::application::SecretKind;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::secret::Secret;
use spaceport_store::{MasterKey, Sealer, Store, StoreError};
use tempfile::TempDir;

use crate::engines::{sealer, sqlite};
use crate::keys::keystore;
use crate::make::{application, at, profile, public_key};

fn url(folder: &TempDir) -> String {
    format!("sqlite:{}", folder.path().join("test.db").display())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_committed_is_there_after_reopening() {
    let (store, folder) = sqlite().await;
    store.write(|tx| tx.insert_profile(&profile("u1"))).await.unwrap();
    store.close().await;
    drop(store);
    let store = Store::open(&url(&folder), sealer()).await.unwrap();
    assert!(store.read(|tx| tx.profile(&ProfileId::new("u1"))).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_is_refused() {
    let (_store, folder) = sqlite().await;
    let second = Store::open(&url(&folder), sealer()).await;
    assert!(matches!(second.err(), Some(StoreError::InUse(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_master_key_is_refused() {
    let (store, folder) = sqlite().await;
    store.close().await;
    drop(store);
    let other = Store::open(&url(&folder), Sealer::new(MasterKey::new([8; 32]))).await;
    assert!(matches!(other.err(), Some(StoreError::WrongMasterKey)));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_stands_in_the_files_in_clear() {
    let (store, folder) = sqlite().await;
    let made = store.write(|tx| {
        tx.insert_application(&application("a1"))?;
        tx.set_secret("a1", SecretKind::ClientSecret, &Secret::new("clear-client-secret"))?;
        tx.insert_keystore(&keystore("k", "CN=k"), b"clear-keystore-key")?;
        tx.insert_application_key(&ApplicationId::new("a1"), &public_key("k", at(0)), b"clear-private-key")
    });
    made.await.unwrap();
    store.close().await;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for clear in ["clear-client-secret", "clear-private-key", "clear-keystore-key"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{clear} is in a file");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_store_says_so() {
    let (store, _folder) = sqlite().await;
    store.close().await;
    let refused = store.write(|tx| tx.insert_profile(&profile("u1"))).await;
    assert!(matches!(refused, Err(StoreError::Closed)));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn its_files_are_nobody_elses_even_in_an_open_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let store = Store::open(&url(&folder), sealer()).await.unwrap();
    store.write(|tx| tx.insert_profile(&profile("u1"))).await.unwrap();
    let mut modes = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        modes.push((file.file_name().into_string().unwrap(), mode));
    }
    modes.sort();
    let expected = ["test.db", "test.db-shm", "test.db-wal", "test.db.lock"].map(|name| (name.to_owned(), 0o600));
    assert_eq!(modes, expected);
}
