//! Applications.

use spaceport_platform::access::{Owner, Principal};
use spaceport_platform::application::AuthenticationMethod;
use spaceport_platform::id::{ApplicationId, ProfileId, TokenId};
use spaceport_store::{ApplicationFilter, ApplicationOrder, NewToken, Store, StoreError};

use crate::make::{application, at};

pub(crate) async fn facts(store: &Store) {
    what_is_stored_is_read_back(store).await;
    lists_are_filtered_and_ordered(store).await;
    archiving_ends_tokens(store).await;
}

async fn what_is_stored_is_read_back(store: &Store) {
    store.write(|tx| tx.insert_application(&application("a1"))).await.unwrap();
    let id = ApplicationId::new("a1");
    let read =
        store.read(move |tx| Ok::<_, StoreError>((tx.application(&id)?, tx.application_by_client_id("client-a1")?)));
    let (by_id, by_client_id) = read.await.unwrap();
    assert_eq!(by_id, Some(application("a1")));
    assert_eq!(by_client_id, by_id);
    let mut changed = application("a1");
    changed.name = "Umbenannt".to_owned();
    changed.endpoint = None;
    changed.authentication = AuthenticationMethod::PublicKey;
    let expected = changed.clone();
    store.write(move |tx| tx.update_application(&changed)).await.unwrap();
    let stored = store.read(|tx| tx.application(&ApplicationId::new("a1"))).await.unwrap().unwrap();
    assert_eq!(stored.revision, expected.revision + 1, "a change counts a revision");
    assert_eq!(stored.name, "Umbenannt");
    assert_eq!((stored.endpoint, stored.authentication), (None, AuthenticationMethod::PublicKey));
    let twice = store.write(|tx| tx.insert_application(&application("a1"))).await;
    assert!(matches!(twice, Err(StoreError::Refused(_))), "ids are unique");
}

async fn lists_are_filtered_and_ordered(store: &Store) {
    let made = store.write(|tx| {
        for (index, (id, name)) in [("b1", "beta 50%"), ("b2", "Älter"), ("b3", "BETA zwei")].into_iter().enumerate() {
            let mut application = application(id);
            application.name = name.to_owned();
            application.owner = Owner::User(ProfileId::new("lister"));
            application.updated_at = at(i64::try_from(index).unwrap());
            tx.insert_application(&application)?;
        }
        let mut child = application("b4");
        child.owner = Owner::Application(ApplicationId::new("b1"));
        child.name = "beta child".to_owned();
        tx.insert_application(&child)?;
        tx.archive_application(&ApplicationId::new("b3"), at(9))
    });
    made.await.unwrap();
    let list = |filter: ApplicationFilter, order, offset, limit| async move {
        let read = store.read(move |tx| tx.applications(&filter, order, offset, limit));
        let (found, total) = read.await.unwrap();
        (found.into_iter().map(|application| application.id.to_string()).collect::<Vec<_>>(), total)
    };
    let own = || ApplicationFilter {
        owners: vec![ProfileId::new("lister")],
        with_archived: true,
        with_managed: true,
        name: None,
    };
    let by_name = list(own(), ApplicationOrder::NameAscending, 0, 10).await;
    assert_eq!(by_name, (vec!["b1".to_owned(), "b3".to_owned(), "b2".to_owned()], 3));
    let reversed = list(own(), ApplicationOrder::NameDescending, 0, 1).await;
    assert_eq!(reversed, (vec!["b2".to_owned()], 3));
    let edited = list(own(), ApplicationOrder::LastEdited, 0, 10).await;
    assert_eq!(edited.0, ["b3", "b2", "b1"]);
    let active =
        list(ApplicationFilter { with_archived: false, ..own() }, ApplicationOrder::NameAscending, 1, 10).await;
    assert_eq!(active, (vec!["b2".to_owned()], 2));
    let named = |name: &str, with_managed| ApplicationFilter {
        name: Some(name.to_owned()),
        owners: vec![],
        with_archived: false,
        with_managed,
    };
    assert_eq!(list(named("BETA", true), ApplicationOrder::NameAscending, 0, 10).await.0, ["b1", "b4"]);
    assert_eq!(list(named("BETA", false), ApplicationOrder::NameAscending, 0, 10).await.0, ["b1"]);
    assert_eq!(list(named("50%", true), ApplicationOrder::NameAscending, 0, 10).await.0, ["b1"]);
    assert_eq!(list(named("ÄLT", true), ApplicationOrder::NameAscending, 0, 10).await.0, ["b2"]);
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
