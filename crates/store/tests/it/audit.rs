//! Facts about the audit trail.

use std::borrow::Cow;

use spaceport_platform::access::{Credential, Principal};
use spaceport_platform::audit::{AuditChange, AuditEntry, AuditTarget};
use spaceport_platform::id::{ApplicationId, AuditEntryId, ProfileId, TokenId};
use spaceport_store::{AuditFilter, Store, StoreError};

use crate::make::at;

fn entry(id: &str, millis: i64, application: &str) -> AuditEntry {
    AuditEntry {
        id: AuditEntryId::new(id),
        at: at(millis),
        actor: Principal::User(ProfileId::new("u1")),
        credential: Credential::PermanentToken,
        token: Some(TokenId::new("t1")),
        through: Some(ApplicationId::new("a9")),
        operation: Cow::Borrowed("api.application.update"),
        request: "r1".to_owned(),
        target: AuditTarget::application(&ApplicationId::new(application)),
        changes: vec![
            AuditChange::between("name", Some("Alt"), Some("Neu ✓")).unwrap(),
            AuditChange::secret("clientSecret"),
        ],
        comment: Some("because".to_owned()),
    }
}

pub(crate) async fn facts(store: &Store) {
    let entries = [entry("e1", 1, "a1"), entry("e2", 2, "a2"), entry("e3", 3, "a1")];
    let stored = entries.clone();
    store
        .write(move |tx| {
            tx.insert_audit_entry(&stored[0])?;
            tx.insert_audit_entries(&stored[1..])
        })
        .await
        .map_err(|error: StoreError| error)
        .unwrap();
    let [first, second, third] = entries;

    let ask = async |filter: AuditFilter, before: Option<&str>, limit: i64| {
        let before = before.map(AuditEntryId::new);
        store.read(move |tx| tx.audit_entries(&filter, before.as_ref(), limit)).await.unwrap() as Vec<AuditEntry>
    };
    assert_eq!(ask(AuditFilter::default(), None, 2).await, [third.clone(), second.clone()], "the newest come first");
    assert_eq!(
        ask(AuditFilter::default(), Some("e2"), 9).await,
        std::slice::from_ref(&first),
        "a page begins behind the one before"
    );
    let about = AuditFilter { application: Some(ApplicationId::new("a1")), ..AuditFilter::default() };
    assert_eq!(ask(about, None, 9).await, [third.clone(), first.clone()]);
    let by = AuditFilter { actor: Some(Principal::User(ProfileId::new("u2"))), ..AuditFilter::default() };
    assert_eq!(ask(by, None, 9).await, []);
    let target = |kind: &str, id: &str| AuditFilter {
        target_kind: Some(kind.to_owned()),
        target: Some(id.to_owned()),
        ..AuditFilter::default()
    };
    assert_eq!(ask(target("application", "a2"), None, 9).await, std::slice::from_ref(&second));
    assert_eq!(ask(target("webhook", "a2"), None, 9).await, []);
    let from = AuditFilter { since: Some(at(2)), until: Some(at(3)), ..AuditFilter::default() };
    assert_eq!(ask(from, None, 9).await, [second]);

    let deleted: u64 =
        store.write(|tx| tx.delete_audit_entries(at(3), 1)).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(deleted, 1, "in small steps");
    store.write(|tx| tx.delete_audit_entries(at(3), 9)).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(ask(AuditFilter::default(), None, 9).await, [third]);
}
