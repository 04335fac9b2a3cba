//! Applications.

use spaceport_platform::access::Principal;
use spaceport_platform::access_record::AccessRecord;
use spaceport_platform::application::{Application, AuthenticationMethod, VerificationToken};
use spaceport_platform::connection::{
    Connection, ConnectionStatus, FeaturedIntegration, Uninstallation, UninstallationStatus,
};
use spaceport_platform::id::{ApplicationId, AttachmentId, TokenId};
use spaceport_store::{NewToken, Store, StoreError};

use crate::make::{application, at};

pub(crate) async fn facts(store: &Store) {
    what_is_stored_is_read_back(store).await;
    reports_are_stored_without_a_revision(store).await;
    the_latest_sign_in_is_kept(store).await;
    archiving_ends_tokens(store).await;
}

async fn what_is_stored_is_read_back(store: &Store) {
    store.write(|tx| tx.insert_application(&full("a1"))).await.unwrap();
    let id = ApplicationId::new("a1");
    let read =
        store.read(move |tx| Ok::<_, StoreError>((tx.application(&id)?, tx.application_by_client_id("client-a1")?)));
    let (by_id, by_client_id) = read.await.unwrap();
    assert_eq!(by_id, Some(full("a1")));
    assert_eq!(by_client_id, by_id);
    let mut changed = full("a1");
    changed.name = "Umbenannt".to_owned();
    changed.endpoint = None;
    changed.authentication = AuthenticationMethod::PublicKey;
    changed.connection = None;
    changed.error_message = Some("not written by this".to_owned());
    let expected = changed.clone();
    store.write(move |tx| tx.update_application(&changed)).await.unwrap();
    let stored = store.read(|tx| tx.application(&ApplicationId::new("a1"))).await.unwrap().unwrap();
    assert_eq!(stored.revision, expected.revision + 1, "a change counts a revision");
    assert_eq!(stored.name, "Umbenannt");
    assert_eq!((stored.endpoint, stored.authentication), (None, AuthenticationMethod::PublicKey));
    assert_eq!(stored.connection, None);
    assert_eq!(stored.error_message.as_deref(), Some("broken"), "an update leaves what the application reports");
    let twice = store.write(|tx| tx.insert_application(&application("a1"))).await;
    assert!(matches!(twice, Err(StoreError::Refused(_))), "ids are unique");
}

/// An application with every field filled in.
fn full(id: &str) -> Application {
    let mut full = application(id);
    full.email = Some("a@example.org".to_owned());
    full.picture = Some(AttachmentId::new("p1"));
    full.default_external_picture = Some("https://a.example/icon.png".to_owned());
    full.verification_token = VerificationToken::Sent;
    full.ssl_keystore = Some("store".to_owned());
    full.featured_integration = Some(FeaturedIntegration::Jenkins);
    full.connection = Some(Connection {
        marketplace_id: Some("m1".to_owned()),
        status: Some(ConnectionStatus::Connected),
        last_sent_server_url: Some("https://old.example".to_owned()),
        uninstallation: Some(Uninstallation { status: UninstallationStatus::Retrying, started_at: at(4) }),
    });
    full.external_issue_tracker_domain = Some("issues.example".to_owned());
    full.error_message = Some("broken".to_owned());
    full.healthy_at = Some(at(3));
    full
}

async fn reports_are_stored_without_a_revision(store: &Store) {
    let made = store.write(|tx| {
        let id = ApplicationId::new("r1");
        tx.insert_application(&application("r1"))?;
        tx.set_error_message(&id, Some("No disk"))?;
        tx.set_healthy(&id, at(5))
    });
    made.await.unwrap();
    let stored = store.read(|tx| tx.application(&ApplicationId::new("r1"))).await.unwrap().unwrap();
    assert_eq!((stored.error_message.as_deref(), stored.healthy_at), (Some("No disk"), Some(at(5))));
    assert_eq!((stored.revision, stored.updated_at), (1, at(0)));
    store.write(|tx| tx.set_error_message(&ApplicationId::new("r1"), None)).await.unwrap();
    let stored = store.read(|tx| tx.application(&ApplicationId::new("r1"))).await.unwrap().unwrap();
    assert_eq!(stored.error_message, None);
}

async fn the_latest_sign_in_is_kept(store: &Store) {
    let id = || ApplicationId::new("l1");
    store.write(|tx| tx.insert_application(&application("l1"))).await.unwrap();
    let stored = || async { store.read(move |tx| tx.client_credentials_access(&id())).await.unwrap() };
    assert_eq!(stored().await, None);
    for (millis, agent) in [(5, Some("first")), (9, None), (7, Some("late"))] {
        let record = AccessRecord::new(at(millis), "192.0.2.1", agent);
        store.write(move |tx| tx.record_client_credentials_accesses(&[(id(), record.clone())])).await.unwrap();
    }
    assert_eq!(stored().await, Some(AccessRecord::new(at(9), "192.0.2.1", None)));
}

async fn archiving_ends_tokens(store: &Store) {
    let principal = Principal::Application(ApplicationId::new("c1"));
    let token = NewToken {
        hash: "c-hash".to_owned(),
        id: TokenId::new("c-token"),
        name: "token".to_owned(),
        scope: "**".to_owned(),
        created_at: at(0),
        expires_at: None,
    };
    let made = store.write(move |tx| {
        tx.insert_application(&application("c1"))?;
        tx.insert_token(&token, &principal)?;
        tx.archive_application(&ApplicationId::new("c1"), at(7))
    });
    made.await.unwrap();
    let stored = store.read(|tx| tx.application(&ApplicationId::new("c1"))).await.unwrap().unwrap();
    assert_eq!((stored.archived_at, stored.tokens_not_before), (Some(at(7)), at(7)));
    let token = store.read(|tx| tx.token_by_hash("c-hash")).await.unwrap().unwrap();
    assert_eq!(token.revoked_at, Some(at(7)));
}
