//! Facts about secrets: two live values during an overlap, and rotation of the master key.

use spaceport_platform::application::{Application, SecretKind};
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::{ApplicationId, DeliveryId, KeyId};
use spaceport_platform::secret::Secret;
use spaceport_platform::server_key::{Algorithm, KeyState};
use spaceport_store::{
    AttemptFilter, Call, MasterKey, Overlap, RecordedAttempt, RecordedNext, ResealCursor, Sealer, SecretMatch, Store,
    StoreError,
};

use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::engines::{postgres, sqlite};
use crate::make::{application, at, public_key};

const KIND: SecretKind = SecretKind::ClientSecret;

#[tokio::test(flavor = "multi_thread")]
async fn secrets_on_sqlite() {
    let (store, _folder) = sqlite().await;
    facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_on_postgres() {
    let (store, _database) = postgres().await;
    facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_of_the_master_key_on_sqlite() {
    let folder = TempDir::new().unwrap();
    rotation(&format!("sqlite:{}", folder.path().join("test.db").display())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_of_the_master_key_on_postgres() {
    let database = database();
    rotation(&database.url).await;
}

/// Security T19: for an unknown client the same statements run and as many comparisons are made, each in constant time,
/// as for a wrong secret, so that the time tells neither.
#[tokio::test(flavor = "multi_thread")]
async fn t19_an_unknown_client_costs_what_a_wrong_secret_costs() {
    let (sqlite, _folder) = sqlite().await;
    let (postgres, _database) = postgres().await;
    for store in [sqlite, postgres] {
        store.write(|tx| tx.insert_application(&application("known"))).await.unwrap();
        store.write(|tx| tx.set_secret("known", KIND, &Secret::new("right"))).await.unwrap();
        let found: [SecretMatch; 4] = store
            .read(|tx| {
                let known = tx.application(&ApplicationId::new("known"))?;
                Ok::<_, StoreError>([
                    tx.match_client_secret(known.as_ref(), "right", at(0))?,
                    tx.match_client_secret(known.as_ref(), "righ", at(0))?,
                    tx.match_client_secret(None, "right", at(0))?,
                    tx.match_client_secret(None, "", at(0))?,
                ])
            })
            .await
            .unwrap();
        assert_eq!(found, [SecretMatch::Present, SecretMatch::None, SecretMatch::None, SecretMatch::None]);
    }
}

async fn facts(store: &Store) {
    store.write(|tx| tx.insert_application(&application("twice"))).await.unwrap();
    let overlap = Overlap { until: at(10), stamp: at(0), next_stamp: at(1) };
    store.write(|tx| tx.set_secret("twice", KIND, &Secret::new("zero"))).await.unwrap();
    let regenerate = move |text: &'static str| {
        store.write(move |tx| {
            let mut application = tx.application(&ApplicationId::new("twice"))?.unwrap();
            application.tokens_not_before = overlap.next_stamp;
            tx.update_application(&application)?;
            tx.replace_secret("twice", KIND, &Secret::new(text), &overlap)?;
            Ok::<_, StoreError>(application)
        })
    };
    regenerate("one").await.unwrap();
    let present: Application = regenerate("two").await.unwrap();
    assert_eq!(
        matches(store, &present, 9).await,
        [SecretMatch::None, SecretMatch::Previous(at(0)), SecretMatch::Present]
    );
    assert_eq!(matches(store, &present, 10).await, [SecretMatch::None, SecretMatch::None, SecretMatch::Present]);
    let stranger = store.read(|tx| tx.match_client_secret(None, "two", at(0))).await;
    assert_eq!(stranger.unwrap_or_else(|error: StoreError| panic!("{error}")), SecretMatch::None);
    let previous = store.read(|tx| tx.previous_secret("twice", KIND, at(9))).await.unwrap().unwrap();
    assert_eq!((previous.secret.reveal(), previous.overlap), ("one", overlap));
    assert!(store.read(|tx| tx.previous_secret("twice", KIND, at(10))).await.unwrap().is_none(), "its time is over");
    let of = |application: Application| store.read(move |tx| tx.client_secret_overlap(&application));
    assert_eq!(of(present.clone()).await.unwrap(), Some(overlap), "also after the end, to tell what has expired");

    let mut revoked = present.clone();
    revoked.tokens_not_before = at(2);
    assert_eq!(of(revoked.clone()).await.unwrap(), None, "whatever moves the stamp again ends the overlap");
    assert_eq!(matches(store, &revoked, 9).await, [SecretMatch::None, SecretMatch::None, SecretMatch::Present]);

    let kept: u64 = store
        .write(|tx| tx.delete_previous_secrets(at(10), 9))
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(kept, 0);
    let returned = store.write(|tx| {
        let overlap = tx.return_to_previous_secret("twice", KIND)?;
        Ok::<_, StoreError>((overlap, tx.secret("twice", KIND)?, tx.return_to_previous_secret("twice", KIND)?))
    });
    let (overlap_ended, secret, again) = returned.await.unwrap();
    assert_eq!((overlap_ended, secret.unwrap().reveal(), again), (Some(overlap), "one", None));
    regenerate("two").await.unwrap();
    assert!(store.write(|tx| tx.end_overlap("twice", KIND)).await.unwrap());
    assert!(!store.write(|tx| tx.end_overlap("twice", KIND)).await.unwrap(), "there is none any more");
    assert_eq!(matches(store, &present, 9).await, [SecretMatch::None, SecretMatch::None, SecretMatch::Present]);
    regenerate("three").await.unwrap();
    store.write(|tx| tx.set_secret("twice", KIND, &Secret::new("two"))).await.unwrap();
    assert_eq!(matches(store, &present, 9).await, [SecretMatch::None, SecretMatch::None, SecretMatch::Present]);
    regenerate("three").await.unwrap();
    let deleted: u64 = store
        .write(|tx| tx.delete_previous_secrets(at(11), 9))
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(deleted, 1);
}

/// Which secret `zero`, `one` and `two` are.
async fn matches(store: &Store, application: &Application, millis: i64) -> [SecretMatch; 3] {
    let application = application.clone();
    let found = store.read(move |tx| {
        let mut of = |candidate| tx.match_client_secret(Some(&application), candidate, at(millis));
        Ok::<_, StoreError>([of("zero")?, of("one")?, of("two")?])
    });
    found.await.unwrap()
}

fn key(byte: u8) -> MasterKey {
    MasterKey::new([byte; 32])
}

/// An attempt with all its parts.
fn said() -> RecordedAttempt {
    let call = Call {
        request_headers: Some("[]".to_owned()),
        request_body: Some("asked".to_owned()),
        response_headers: Some("[]".to_owned()),
        response_body: Some("answered".to_owned()),
        ..Call::default()
    };
    let delivery = DeliveryId::new("asked");
    RecordedAttempt { delivery, number: 1, started_at: at(0), call, next: RecordedNext::Delivered }
}

/// A rotation that is cut off after every step, at an old ring that others still use.
async fn rotation(url: &str) {
    let old = Store::open(url, Sealer::new(key(7))).await.unwrap();
    let made = old.write(|tx| {
        for number in 0..25 {
            let id = format!("a{number}");
            tx.insert_application(&application(&id))?;
            tx.set_secret(&id, KIND, &Secret::new(format!("secret {number}")))?;
            let overlap = Overlap { until: at(9), stamp: at(0), next_stamp: at(0) };
            tx.replace_secret(&id, KIND, &Secret::new(format!("newer {number}")), &overlap)?;
            let key = public_key(&format!("k{number}"), at(0));
            tx.insert_application_key(&ApplicationId::new(id), &key, b"private")?;
        }
        tx.insert_dispatch_attempt((&ApplicationId::new("a0"), PayloadClass::MenuAction), &said())?;
        tx.insert_server_key(&KeyId::new("s"), Algorithm::Rs512, KeyState::Active, b"server", at(0))
    });
    made.await.unwrap();
    old.close().await;
    drop(old);

    let both = Store::open(url, Sealer::of_ring(&[key(8), key(7)])).await.unwrap();
    assert_eq!(both.read(|tx| tx.sealing_key()).await.unwrap(), key(7).id(), "a new key waits until it is chosen");
    let unknown = both.write(|tx| tx.seal_from_now_with("00000000")).await;
    assert!(matches!(unknown, Err(StoreError::WrongMasterKey)));
    both.write(|tx| tx.seal_from_now_with(&key(8).id())).await.unwrap();
    assert_eq!(counts(&both).await, [(key(8).id(), 0), (key(7).id(), 79)]);
    both.write(|tx| tx.set_secret("a0", KIND, &Secret::new("fresh"))).await.unwrap();
    assert_eq!(counts(&both).await, [(key(8).id(), 1), (key(7).id(), 77)], "what is new is sealed with the new key");
    opens(&both, "fresh").await;

    // Cut off after each number of steps, begun anew each time.
    let mut total = 0;
    for steps in 1.. {
        let mut cursor = Some(ResealCursor::default());
        for _ in 0..steps {
            let Some(from) = cursor else { break };
            let done = both.write(move |tx| tx.reseal(&from, 10)).await;
            let (changed, next): (u64, _) = done.unwrap_or_else(|error: StoreError| panic!("{error}"));
            assert!(changed <= 10);
            total += changed;
            cursor = next;
        }
        opens(&both, "fresh").await;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(total, 77, "nothing is sealed twice");
    assert_eq!(counts(&both).await, [(key(8).id(), 78)]);
    both.close().await;
    drop(both);

    let new = Store::open(url, Sealer::new(key(8))).await.unwrap();
    opens(&new, "fresh").await;
    let log = new.read(|tx| tx.attempts(&ApplicationId::new("a0"), &AttemptFilter::default(), None, 9)).await;
    assert_eq!(log.unwrap_or_else(|error: StoreError| panic!("{error}"))[0].call, said().call);
    new.close().await;
    drop(new);
    assert!(matches!(Store::open(url, Sealer::new(key(7))).await.err(), Some(StoreError::WrongMasterKey)));
}

async fn counts(store: &Store) -> Vec<(String, i64)> {
    store.read(|tx| tx.sealed_by()).await.unwrap()
}

/// Everything that was stored can be read and compared.
async fn opens(store: &Store, first: &'static str) {
    let read = store.read(move |tx| {
        for number in 0..25 {
            let id = format!("a{number}");
            let application = tx.application(&ApplicationId::new(id.as_str()))?.unwrap();
            let (newer, older) = (format!("newer {number}"), format!("secret {number}"));
            let newer = if number == 0 { first } else { newer.as_str() };
            assert_eq!(tx.secret(&id, KIND)?.unwrap().reveal(), newer);
            assert!(tx.secret_matches(&id, KIND, newer)?);
            if number > 0 {
                assert_eq!(tx.previous_secret(&id, KIND, at(0))?.unwrap().secret.reveal(), older);
                let matched = tx.match_client_secret(Some(&application), &older, at(0))?;
                assert_eq!(matched, SecretMatch::Previous(at(0)));
            }
            assert_eq!(tx.signing_private_key(&application.id, at(0))?.unwrap().1, b"private");
        }
        assert_eq!(tx.server_keys()?[0].pkcs8, b"server");
        Ok::<_, StoreError>(())
    });
    read.await.unwrap();
}
