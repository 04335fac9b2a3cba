//! Deleting what is over, a few rows at a time.

use spaceport_platform::access::Principal;
use spaceport_platform::audit::{AuditEntry, AuditTarget};
use spaceport_platform::field_right::FieldRights;
use spaceport_platform::id::{ApplicationId, AuditEntryId, DeliveryId, Id, ProfileId, TokenId, WebhookId};
use spaceport_platform::random::Counting;
use spaceport_platform::time::Timestamp;
use spaceport_store::{Call, NewToken, RecordedAttempt, RecordedNext, Store, StoreError, Tx, Wanted};

use crate::engines::{postgres, sqlite};
use crate::make::{at, event, listeners, profile, publish_in};

const NONE: [u64; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn housekeeping_on_sqlite() {
    let (store, _folder) = sqlite().await;
    facts(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn housekeeping_on_postgres() {
    let (store, _database) = postgres().await;
    facts(&store).await;
}

async fn facts(store: &Store) {
    deliveries_and_events(store).await;
    tokens(store).await;
    links(store).await;
}

/// How many rows each call of `sweep` deletes until it deletes none.
async fn steps(
    store: &Store,
    sweep: impl Fn(&mut Tx<'_>) -> Result<u64, StoreError> + Clone + Send + Sync + 'static,
) -> Vec<u64> {
    let mut counts = Vec::new();
    loop {
        let count = store.write(sweep.clone()).await.unwrap();
        if count == 0 {
            return counts;
        }
        counts.push(count);
    }
}

async fn deliveries_and_events(store: &Store) {
    listeners(store, &["a1"]).await;
    let random = Counting::default();
    let made = store.write(move |tx| {
        for number in 0..6 {
            let now = at(number);
            let event = event(&format!("e{number}"));
            publish_in(tx, &[event], now, &|| Id::generate(now, &random))?;
        }
        let claimed = tx.claim(&[Wanted::of(ApplicationId::new("a1"), 5)], &FieldRights::default(), at(9), at(99))?;
        let attempts: Vec<_> =
            (0_i64..).zip(&claimed).map(|(number, row)| delivered(&row.id, at(10 + number))).collect();
        tx.record(&attempts, at(20))
    });
    made.await.unwrap();
    assert_eq!(store.read(|tx| tx.oldest_open_delivery()).await.unwrap(), Some(at(5)));
    assert_eq!(steps(store, |tx| tx.delete_deliveries(at(0), 2)).await, NONE, "none was made before the first");
    assert_eq!(steps(store, |tx| tx.delete_deliveries(at(3), 2)).await, [2, 1]);
    let deleted = store.read(|tx| tx.deliveries_deleted_before()).await;
    assert_eq!(deleted.unwrap_or_else(|error: StoreError| panic!("{error}")), Some(at(3)));
    let counts = store.read(|tx| tx.delivery_counts()).await.unwrap();
    assert_eq!(counts, [("delivered".to_owned(), 2), ("waiting".to_owned(), 1)]);
    assert_eq!(
        steps(store, |tx| tx.delete_deliveries(at(99), 2)).await,
        [1],
        "the last attempt's and the open one stay"
    );
    let last = store.read(|tx| tx.last_attempts(&[WebhookId::new("w-a1")])).await.unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(steps(store, |tx| tx.delete_events(at(5), 2)).await, [2, 2, 1]);
    assert_eq!(steps(store, |tx| tx.delete_events(at(5), 2)).await, NONE);
}

fn delivered(id: &DeliveryId, started_at: Timestamp) -> RecordedAttempt {
    RecordedAttempt {
        delivery: id.clone(),
        number: 1,
        started_at,
        call: Call { status: Some(200), complete: true, ..Call::default() },
        next: RecordedNext::Delivered,
    }
}

async fn tokens(store: &Store) {
    let owner = Principal::User(ProfileId::new("u1"));
    let made = store.write(move |tx| {
        tx.insert_profile(&profile("u1"))?;
        for (id, expires_at) in
            [("expired", Some(at(5))), ("alive", Some(at(50))), ("for ever", None), ("named", Some(at(5)))]
        {
            let token = NewToken {
                hash: format!("hash {id}"),
                id: TokenId::new(id),
                name: id.to_owned(),
                scope: "**".to_owned(),
                created_at: at(0),
                expires_at,
            };
            tx.insert_token(&token, &owner)?;
        }
        tx.insert_audit_entry(&AuditEntry {
            id: AuditEntryId::new("e1"),
            at: at(4),
            actor: owner.clone(),
            credential: spaceport_platform::access::Credential::PermanentToken,
            token: Some(TokenId::new("named")),
            through: None,
            operation: "test".into(),
            request: String::new(),
            target: AuditTarget::other("test", "1"),
            changes: Vec::new(),
            comment: None,
        })
    });
    made.await.unwrap();
    let left = async || {
        let read = store.read(|tx| {
            let mut left = Vec::new();
            for id in ["expired", "alive", "for ever", "named"] {
                left.extend(tx.token_name(&TokenId::new(id))?);
            }
            Ok::<_, StoreError>(left)
        });
        read.await.unwrap()
    };
    assert_eq!(steps(store, |tx| tx.delete_ended_tokens(at(5), 9)).await, NONE);
    assert_eq!(steps(store, |tx| tx.delete_ended_tokens(at(6), 9)).await, [1]);
    assert_eq!(left().await, ["alive", "for ever", "named"], "the audit trail still names one");
    store.write(|tx| tx.revoke_tokens_of(&Principal::User(ProfileId::new("u1")), at(6))).await.unwrap();
    store
        .write(|tx| tx.delete_audit_entries(at(5), 9))
        .await
        .map(|_: u64| ())
        .map_err(|error: StoreError| error)
        .unwrap();
    assert_eq!(steps(store, |tx| tx.delete_ended_tokens(at(7), 2)).await, [2, 1]);
}

async fn links(store: &Store) {
    let made = store.write(|tx| {
        for (hash, end) in [("used", 99), ("over", 5), ("open", 99)] {
            tx.insert_link(hash, "test", &ProfileId::new("u1"), at(0), at(end))?;
        }
        tx.use_link("used", "test", at(3))
    });
    made.await.unwrap();
    assert_eq!(steps(store, |tx| tx.delete_ended_links(at(3), 1)).await, NONE);
    assert_eq!(steps(store, |tx| tx.delete_ended_links(at(6), 1)).await, [1, 1]);
    assert!(
        store.write(|tx| tx.use_link("open", "administrator", at(6))).await.unwrap().is_none(),
        "of another purpose"
    );
    assert!(store.write(|tx| tx.use_link("open", "test", at(6))).await.unwrap().is_some());
}
