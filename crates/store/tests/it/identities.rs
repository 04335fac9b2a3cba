//! Profiles, grants, tokens, links, keys, secrets.

use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::access_record::AccessRecord;
use spaceport_platform::application::SecretKind;
use spaceport_platform::context::Context;
use spaceport_platform::id::{ApplicationId, KeyId, ProfileId, TokenId};
use spaceport_platform::right::Right;
use spaceport_platform::secret::Secret;
use spaceport_store::{NewToken, PublicKey, Store, StoreError, StoredToken, TokenStart};

use crate::make::{application, at, profile, public_key};

pub(crate) async fn facts(store: &Store) {
    profiles_and_grants(store).await;
    tokens(store).await;
    links_work_once(store).await;
    keys_and_secrets(store).await;
    keys_take_turns(store).await;
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
    let token = |id: &str, expires_at: Option<i64>| NewToken {
        hash: format!("h{id}"),
        id: TokenId::new(id),
        name: "token".to_owned(),
        scope: "**".to_owned(),
        created_at: at(0),
        expires_at: expires_at.map(at),
    };
    let tokens = [token("t1", Some(9)), token("T2", None), token("t3", None), token("t4", None)];
    let holder = owner.clone();
    let made = store.write(move |tx| tokens.iter().try_for_each(|token| tx.insert_token(token, &holder)));
    made.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    let by_hash = async |hash: &'static str| -> Option<StoredToken> {
        store.read(move |tx| tx.token_by_hash(hash)).await.unwrap_or_else(|error: StoreError| panic!("{error}"))
    };
    let stored = by_hash("ht1").await.unwrap();
    assert_eq!((&stored.principal, stored.expires_at, stored.revoked_at), (&owner, Some(at(9)), None));
    assert_eq!((stored.name.as_str(), stored.created_at, stored.last_access), ("token", at(0), None));
    assert_eq!(by_hash("h2").await, None);

    let holder = owner.clone();
    let changed = store.write(move |tx| {
        tx.update_token(&TokenId::new("t1"), "other", "global:Profile.View", Some(at(20)))?;
        tx.revoke_token(&TokenId::new("t3"), at(4))?;
        tx.revoke_token(&TokenId::new("t3"), at(5))?;
        let token = tx.token(&TokenId::new("t1"))?.unwrap();
        let nothing = tx.token(&TokenId::new("nothing"))?;
        let ids = |(tokens, total): (Vec<StoredToken>, i64)| {
            (tokens.into_iter().map(|token| token.id.to_string()).collect::<Vec<_>>(), total)
        };
        Ok::<_, StoreError>((
            (token.name, token.scope, token.expires_at, nothing),
            ids(tx.tokens_of(&holder, &TokenStart::Offset(0), 2)?),
            ids(tx.tokens_of(&holder, &TokenStart::Offset(2), 2)?),
            ids(tx.tokens_of(&holder, &TokenStart::After(TokenId::new("t1")), 9)?),
            ids(tx.tokens_of(&Principal::Application(ApplicationId::new("u1")), &TokenStart::Offset(0), 9)?),
        ))
    });
    let (token, first, second, after, others) = changed.await.unwrap();
    assert_eq!(token, ("other".to_owned(), "global:Profile.View".to_owned(), Some(at(20)), None));
    assert_eq!(first, (vec!["T2".to_owned(), "t1".to_owned()], 3), "without the revoked one, by id on each engine");
    assert_eq!(second, (vec!["t4".to_owned()], 3));
    assert_eq!(after, (vec!["t4".to_owned()], 3));
    assert_eq!(others, (Vec::new(), 0));
    assert_eq!(by_hash("ht3").await.unwrap().revoked_at, Some(at(4)), "the first time counts");

    let used = |millis: i64, agent: Option<&str>| AccessRecord::new(at(millis), "::1", agent);
    for records in
        [[("t1", used(7, Some("new"))), ("nothing", used(7, None))], [("t1", used(6, None)), ("t4", used(8, None))]]
    {
        let records: Vec<_> = records.into_iter().map(|(id, record)| (TokenId::new(id), record)).collect();
        let recorded = store.write(move |tx| tx.record_token_accesses(&records)).await;
        recorded.unwrap_or_else(|error: StoreError| panic!("{error}"));
    }
    assert_eq!(by_hash("ht1").await.unwrap().last_access, Some(used(7, Some("new"))), "an older use changes nothing");
    assert_eq!(by_hash("ht4").await.unwrap().last_access, Some(used(8, None)));

    let name: Result<_, StoreError> = store.read(|tx| tx.token_name(&TokenId::new("t1"))).await;
    assert_eq!(name.unwrap().as_deref(), Some("other"));
    store
        .write(move |tx| tx.revoke_tokens_of(&owner, at(5)))
        .await
        .unwrap_or_else(|error: StoreError| panic!("{error}"));
    assert_eq!(by_hash("ht4").await.unwrap().revoked_at, Some(at(5)));
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
        uses.spawn(async move { store.write(|tx| tx.use_link("l1", "administrator", at(50))).await.unwrap() });
    }
    let used: Vec<ProfileId> = uses.join_all().await.into_iter().flatten().collect();
    assert_eq!(used, [ProfileId::new("u1")]);
    assert_eq!(store.write(|tx| tx.use_link("l2", "administrator", at(100))).await.unwrap(), None, "it is too old");
}

async fn keys_and_secrets(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_application(&application("keyed"))?;
        tx.insert_application_key(&ApplicationId::new("keyed"), &public_key("k1", at(1)), b"one")?;
        tx.insert_application_key(&ApplicationId::new("keyed"), &public_key("k2", at(2)), b"two")?;
        tx.set_secret("keyed", SecretKind::ClientSecret, &Secret::new("first"))?;
        tx.set_secret("keyed", SecretKind::ClientSecret, &Secret::new("second"))
    });
    made.await.unwrap();
    let read = store.read(|tx| {
        let application = ApplicationId::new("keyed");
        let matches = ["second", "first", ""].map(|text| tx.secret_matches("keyed", SecretKind::ClientSecret, text));
        Ok::<_, StoreError>((
            tx.application_keys(&application)?,
            tx.signing_private_key(&application, at(0))?,
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

async fn keys_take_turns(store: &Store) {
    let id = ApplicationId::new("rotated");
    let (application, owner) = (application("rotated"), id.clone());
    let next = PublicKey { signs_from: at(100), ..public_key("r2", at(50)) };
    let made = store.write(move |tx| {
        tx.insert_application(&application)?;
        tx.insert_application_key(&owner, &public_key("r1", at(1)), b"one")?;
        tx.insert_application_key(&owner, &next, b"two")
    });
    made.await.unwrap();
    let signs = async |now| {
        let id = id.clone();
        store.read(move |tx| tx.signing_private_key(&id, now)).await.unwrap().unwrap().0.to_string()
    };
    let replaced = async |now| store.write(move |tx| tx.replace_application_keys(now, at(200), 10)).await.unwrap();
    let revision = async || {
        let id = id.clone();
        store.read(move |tx| tx.application(&id)).await.unwrap().unwrap().revision
    };
    let before = revision().await;
    let due = async |now| store.read(move |tx| tx.application_keys_take_turns(now)).await.unwrap();
    assert_eq!((due(at(99)).await, due(at(100)).await), (false, true));
    assert_eq!((signs(at(99)).await.as_str(), replaced(at(99)).await), ("r1", 0));
    assert_eq!(revision().await, before);
    assert_eq!((signs(at(100)).await.as_str(), replaced(at(100)).await, replaced(at(101)).await), ("r2", 1, 0));
    assert_eq!(revision().await, before + 1, "every node loads the new key");
    let published = async || {
        let id = id.clone();
        let keys = store.read(move |tx| tx.application_keys(&id)).await.unwrap();
        keys.iter().map(|key| (key.id.to_string(), key.retires_at)).collect::<Vec<_>>()
    };
    let both = [("r1".to_owned(), Some(at(200))), ("r2".to_owned(), None)];
    assert_eq!(published().await, both);
    let deleted = async |now| store.write(move |tx| tx.delete_retired_application_keys(now, 10)).await.unwrap();
    assert_eq!((deleted(at(199)).await, deleted(at(200)).await), (0, 1));
    assert_eq!(published().await, [("r2".to_owned(), None)]);
    assert!(!due(at(1_000)).await);
    let (owner, last) = (id.clone(), KeyId::new("r3"));
    let work = store.write(move |tx| {
        tx.insert_application_key(&owner, &public_key("r3", at(300)), b"three")?;
        tx.delete_application_keys_but(&owner, &last)
    });
    work.await.unwrap();
    assert_eq!(published().await, [("r3".to_owned(), None)]);
    assert_eq!(revision().await, before + 2);
}
