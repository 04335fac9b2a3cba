//! Profiles, grants, tokens, links, keys, secrets.

use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::application::SecretKind;
use spaceport_platform::context::Context;
use spaceport_platform::id::{ApplicationId, KeyId, ProfileId, TokenId};
use spaceport_platform::right::Right;
use spaceport_platform::secret::Secret;
use spaceport_store::{NewToken, Store, StoreError};

use crate::make::{application, at, profile};

pub(crate) async fn facts(store: &Store) {
    profiles_and_grants(store).await;
    tokens(store).await;
    links_work_once(store).await;
    keys_and_secrets(store).await;
}

async fn profiles_and_grants(store: &Store) {
    let user = Principal::User(ProfileId::new("u1"));
    let grant = Grant { right: Right::SUPERADMIN, context: Context::Project("p1".to_owned()) };
    let (holder, given) = (user.clone(), grant.clone());
    let made = store.write(move |tx| {
        tx.insert_profile(&profile("u1"))?;
        tx.grant(&holder, &given, at(0))?;
        tx.grant(&holder, &given, at(1))
    });
    made.await.unwrap();
    let read = store.read(move |tx| {
        let same_id = Principal::Application(ApplicationId::new("u1"));
        Ok::<_, StoreError>((
            tx.profile(&ProfileId::new("u1"))?,
            tx.profile_by_username("user-u1")?,
            tx.profiles(&[ProfileId::new("u1"), ProfileId::new("nobody")])?,
            tx.grants(&user)?,
            tx.grants(&same_id)?,
        ))
    });
    let (by_id, by_name, listed, grants, others) = read.await.unwrap();
    assert_eq!(by_id, Some(profile("u1")));
    assert_eq!(by_name, by_id);
    assert_eq!(listed, [profile("u1")]);
    assert_eq!(grants, [grant]);
    assert_eq!(others, []);
}

async fn tokens(store: &Store) {
    let owner = Principal::User(ProfileId::new("u1"));
    let token = NewToken {
        hash: "h1".to_owned(),
        id: TokenId::new("t1"),
        name: "token".to_owned(),
        scope: "**".to_owned(),
        created_at: at(0),
        expires_at: Some(at(9)),
    };
    let holder = owner.clone();
    store.write(move |tx| tx.insert_token(&token, &holder)).await.unwrap();
    let stored = store.read(|tx| tx.token_by_hash("h1")).await.unwrap().unwrap();
    let name = store.read(|tx| tx.token_name(&TokenId::new("t1"))).await.unwrap();
    assert_eq!(name.as_deref(), Some("token"));
    assert_eq!((stored.principal, stored.expires_at, stored.revoked_at), (owner.clone(), Some(at(9)), None));
    assert_eq!(store.read(|tx| tx.token_by_hash("h2")).await.unwrap(), None);
    store.write(move |tx| tx.revoke_tokens_of(&owner, at(5))).await.unwrap();
    assert_eq!(store.read(|tx| tx.token_by_hash("h1")).await.unwrap().unwrap().revoked_at, Some(at(5)));
}

async fn links_work_once(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_link("l1", "administrator", &ProfileId::new("u1"), at(0), at(100))?;
        tx.insert_link("l2", "administrator", &ProfileId::new("u1"), at(0), at(100))
    });
    made.await.unwrap();
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        uses.spawn(async move { store.write(|tx| tx.use_link("l1", at(50))).await.unwrap() });
    }
    let used: Vec<ProfileId> = uses.join_all().await.into_iter().flatten().collect();
    assert_eq!(used, [ProfileId::new("u1")]);
    assert_eq!(store.write(|tx| tx.use_link("l2", at(100))).await.unwrap(), None, "it is too old");
}

async fn keys_and_secrets(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_application(&application("keyed"))?;
        tx.insert_application_key(&KeyId::new("k1"), &ApplicationId::new("keyed"), b"one", "n1", "AQAB", at(1))?;
        tx.insert_application_key(&KeyId::new("k2"), &ApplicationId::new("keyed"), b"two", "n2", "AQAB", at(2))?;
        tx.set_secret("keyed", SecretKind::ClientSecret, &Secret::new("first"))?;
        tx.set_secret("keyed", SecretKind::ClientSecret, &Secret::new("second"))
    });
    made.await.unwrap();
    let read = store.read(|tx| {
        let application = ApplicationId::new("keyed");
        let matches = ["second", "first", ""].map(|text| tx.secret_matches("keyed", SecretKind::ClientSecret, text));
        Ok::<_, StoreError>((
            tx.application_keys(&application)?,
            tx.newest_private_key(&application)?,
            tx.secret("keyed", SecretKind::ClientSecret)?,
            tx.secret("keyed", SecretKind::SigningKey)?.is_none(),
            matches.map(Result::unwrap),
            tx.secret_matches("nobody", SecretKind::ClientSecret, "second")?,
        ))
    });
    let (keys, newest, secret, no_other, matches, of_nobody) = read.await.unwrap();
    let order: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(order, ["k1", "k2"], "the newest key comes last");
    assert_eq!(newest.unwrap(), (KeyId::new("k2"), b"two".to_vec()));
    assert_eq!(secret.unwrap().reveal(), "second");
    assert!(no_other);
    assert_eq!(matches, [true, false, false]);
    assert!(!of_nobody);
}
