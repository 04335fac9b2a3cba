//! Consents, codes, delegations, refresh tokens, sessions: what users let applications do, and its end.

use spaceport_platform::consent::{ApprovedScope, Presence};
use spaceport_platform::delegation::{AuthorizationCode, Challenge, ChallengeMethod, ClientKind, Delegation, Rotation};
use spaceport_platform::id::{
    ApplicationId, ApprovedScopeId, ConsentId, DelegationId, ProfileId, RefreshTokenId, SessionId,
};
use spaceport_platform::scope::Scope;
use spaceport_store::{Store, StoreError};

use crate::make::{application, at, profile};

fn user() -> ProfileId {
    ProfileId::new("u1")
}

fn tracker() -> ApplicationId {
    ApplicationId::new("tracker")
}

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap()
}

fn approved(id: &str, text: &str, presence: Presence) -> ApprovedScope {
    ApprovedScope { id: ApprovedScopeId::new(id), scope: scope(text), presence, approved_at: at(1) }
}

fn code(delegation: &str) -> AuthorizationCode {
    AuthorizationCode {
        application: tracker(),
        profile: user(),
        redirect_uri: "https://a.example/cb".to_owned(),
        scope: scope("global:Profile.View"),
        challenge: Some(Challenge { method: ChallengeMethod::S256, text: "c".repeat(43) }),
        presence: Presence::Offline,
        delegation: DelegationId::new(delegation),
        issued_at: at(1),
        expires_at: at(60),
    }
}

fn delegation(id: &str, created: i64) -> Delegation {
    Delegation {
        id: DelegationId::new(id),
        application: tracker(),
        profile: user(),
        scope: scope("global:Profile.View"),
        client: ClientKind::Public,
        created_at: at(created),
        expires_at: at(1_000),
        revoked_at: None,
    }
}

pub(crate) async fn facts(store: &Store) {
    let made = store.write(|tx| {
        tx.insert_profile(&profile("u1"))?;
        tx.insert_application(&application("tracker"))
    });
    made.await.unwrap();
    consents(store).await;
    a_code_is_used_once(store).await;
    delegations(store).await;
    refresh_tokens(store).await;
    withdrawal_ends_everything(store).await;
    old_things_are_deleted(store).await;
    sessions_and_passwords(store).await;
}

async fn consents(store: &Store) {
    let made = store.write(|tx| {
        let first = approved("s1", "global:Profile.View", Presence::Online);
        tx.approve(&user(), &tracker(), &ConsentId::new("c1"), &first)?;
        let same = approved("s2", "global:Profile.View", Presence::Offline);
        tx.approve(&user(), &tracker(), &ConsentId::new("c2"), &same)?;
        let again = approved("s3", "global:Profile.View", Presence::Online);
        tx.approve(&user(), &tracker(), &ConsentId::new("c3"), &again)?;
        tx.approve(&user(), &tracker(), &ConsentId::new("c4"), &approved("s4", "**", Presence::Online))
    });
    made.await.unwrap();
    let found = store.read(|tx| tx.consent(&user(), &tracker())).await.unwrap().unwrap();
    assert_eq!(found.id, ConsentId::new("c1"), "there is one consent between two parties");
    let scopes: Vec<_> = found.scopes.iter().map(|it| (it.id.as_str(), it.scope.to_string(), it.presence)).collect();
    let expected =
        [("s1", "global:Profile.View".to_owned(), Presence::Offline), ("s4", "**".to_owned(), Presence::Online)];
    assert_eq!(scopes, expected, "an approval once given to act while away is not lost");
    assert_eq!(store.read(|tx| tx.consents(&user())).await.unwrap(), [found]);
    assert_eq!(store.read(|tx| tx.consents(&ProfileId::new("nobody"))).await.unwrap(), []);
}

async fn a_code_is_used_once(store: &Store) {
    store.write(|tx| tx.insert_code("h1", &code("d1"))).await.unwrap();
    assert_eq!(store.read(|tx| tx.code("h1")).await.unwrap(), Some(code("d1")));
    assert_eq!(store.read(|tx| tx.code("h2")).await.unwrap(), None);
    let mut uses = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        uses.spawn(async move { store.write(|tx| tx.use_code("h1", at(2))).await.unwrap() });
    }
    assert_eq!(uses.join_all().await.into_iter().filter(|used| *used).count(), 1);
}

async fn delegations(store: &Store) {
    store.write(|tx| tx.insert_delegation(&delegation("d1", 1))).await.unwrap();
    let read = || store.read(|tx| tx.delegation(&DelegationId::new("d1")));
    assert_eq!(read().await.unwrap(), Some(delegation("d1", 1)));
    let extended = store.write(|tx| {
        tx.extend_delegation(&DelegationId::new("d1"), at(2_000))?;
        tx.extend_delegation(&DelegationId::new("d1"), at(500))
    });
    extended.await.unwrap();
    assert_eq!(read().await.unwrap().unwrap().expires_at, at(2_000), "it never gets shorter");
    let revoked = store.write(|tx| {
        tx.revoke_delegation(&DelegationId::new("d1"), at(7))?;
        tx.revoke_delegation(&DelegationId::new("d1"), at(8))?;
        tx.revoke_access_token("jti", at(50))?;
        tx.revoke_access_token("jti", at(50))
    });
    revoked.await.unwrap();
    assert_eq!(read().await.unwrap().unwrap().revoked_at, Some(at(7)));
    assert!(store.read(|tx| tx.is_access_token_revoked("jti")).await.unwrap());
    assert!(!store.read(|tx| tx.is_access_token_revoked("other")).await.unwrap());
}

async fn refresh_tokens(store: &Store) {
    let made = store.write(|tx| {
        for (number, id) in ["d2", "d3", "d4"].into_iter().enumerate() {
            tx.insert_delegation(&delegation(id, 10 + i64::try_from(number).unwrap()))?;
            let (hash, token) = (format!("r-{id}"), RefreshTokenId::new(format!("t-{id}")));
            tx.insert_refresh_token(&hash, &token, &DelegationId::new(id), at(10))?;
            tx.insert_refresh_token(&hash, &RefreshTokenId::new("again"), &DelegationId::new(id), at(11))?;
        }
        tx.touch_refresh_token("r-d4", at(20), Some("10.0.0.1"))?;
        tx.limit_delegations(&user(), &tracker(), 2, at(21))?;
        Ok::<_, StoreError>((tx.refresh_successor("x")?, tx.refresh_successor("x")?, tx.refresh_successor("y")?))
    });
    let (one, same, other) = made.await.unwrap();
    assert!(one == same && one != other && one.len() == 43 && !one.contains('.'));
    let used = store.read(|tx| tx.refresh_token("r-d4")).await.unwrap().unwrap();
    assert_eq!(
        (used.id.as_str(), used.last_used_at, used.last_used_from.as_deref()),
        ("t-d4", Some(at(20)), Some("10.0.0.1"))
    );
    let left = store.read(|tx| tx.refresh_tokens_of(&user(), at(30))).await.unwrap();
    let left: Vec<&str> = left.iter().map(|token| token.id.as_str()).collect();
    assert_eq!(left, ["t-d3", "t-d4"], "the oldest delegation beyond the limit has ended");
    let found = store.read(|tx| {
        let of = |tx: &mut spaceport_store::Tx<'_>, id: &str| {
            tx.delegation_of_refresh_token(&user(), &RefreshTokenId::new(id))
        };
        Ok::<_, StoreError>((of(tx, "t-d3")?, of(tx, "t-d2")?))
    });
    assert_eq!(found.await.unwrap(), (Some(DelegationId::new("d3")), None), "ended ones are not found");
    let had = store.read(|tx| {
        let had = |tx: &mut spaceport_store::Tx<'_>, id: &str| tx.had_refresh_token(&DelegationId::new(id));
        Ok::<_, StoreError>((had(tx, "d4")?, had(tx, "none")?))
    });
    assert_eq!(had.await.unwrap(), (true, false));
    let mut spent = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let store = store.clone();
        spent.spawn(async move { store.write(|tx| tx.spend_refresh_token("r-d4", at(31))).await.unwrap() });
    }
    assert_eq!(spent.join_all().await.into_iter().filter(|spent| *spent).count(), 1);
    let left = store.read(|tx| tx.refresh_tokens_of(&user(), at(32))).await.unwrap();
    assert_eq!(left.len(), 1, "a spent token is not listed");
}

async fn withdrawal_ends_everything(store: &Store) {
    store.write(|tx| tx.insert_code("h3", &code("d9"))).await.unwrap();
    let withdrawn = store.write(|tx| {
        let other = tx.withdraw_scope(&ProfileId::new("u2"), &ApprovedScopeId::new("s4"), at(40))?;
        let own = tx.withdraw_scope(&user(), &ApprovedScopeId::new("s4"), at(40))?;
        Ok::<_, StoreError>((other, own, tx.delegation(&DelegationId::new("d3"))?.unwrap().revoked_at))
    });
    assert_eq!(withdrawn.await.unwrap(), (None, Some(tracker()), Some(at(40))));
    assert!(!store.write(|tx| tx.use_code("h3", at(41))).await.unwrap(), "codes under way end too");
    let held = store.write(|tx| {
        let held = tx.held_consent(&user(), &tracker())?;
        Ok::<_, StoreError>((
            held == tx.consent(&user(), &tracker())?,
            tx.held_consent(&user(), &ApplicationId::new("a9"))?,
        ))
    });
    assert_eq!(held.await.unwrap(), (true, None), "holding changes nothing and makes nothing");
    let again = store.write(|tx| {
        let first = tx.withdraw_consent(&user(), &tracker(), at(42))?;
        Ok::<_, StoreError>((first, tx.withdraw_consent(&user(), &tracker(), at(42))?))
    });
    assert_eq!(again.await.unwrap(), (true, false));
    assert_eq!(store.read(|tx| tx.consent(&user(), &tracker())).await.unwrap(), None);
    let made = store.write(|tx| {
        tx.insert_delegation(&delegation("d5", 50))?;
        tx.insert_code("h4", &code("d6"))?;
        tx.approve(&user(), &tracker(), &ConsentId::new("c5"), &approved("s5", "", Presence::Online))?;
        tx.withdraw_scope(&user(), &ApprovedScopeId::new("s5"), at(50))?;
        tx.insert_delegation(&delegation("d7", 50))?;
        tx.insert_code("h5", &code("d8"))?;
        tx.end_delegations_to(&tracker(), at(51))?;
        let ended = tx.delegation(&DelegationId::new("d7"))?.unwrap().revoked_at;
        Ok::<_, StoreError>((tx.consents(&user())?.len(), ended, tx.use_code("h5", at(52))?))
    });
    assert_eq!(made.await.unwrap(), (0, Some(at(51)), false), "a consent without scopes is none");
}

async fn old_things_are_deleted(store: &Store) {
    let deleted = store.write(|tx| {
        let first = tx.delete_old_delegations(at(61), 2)?;
        let second = tx.delete_old_delegations(at(10_000), 100)?;
        Ok::<_, StoreError>((first, second, tx.delete_old_delegations(at(10_000), 100)?))
    });
    let (first, second, third) = deleted.await.unwrap();
    assert_eq!(first, 3, "two codes and one revoked access token");
    assert!(second >= 5 && third == 0, "{second} {third}");
    assert_eq!(
        store.read(|tx| tx.refresh_token("r-d3")).await.unwrap(),
        None,
        "refresh tokens go with their delegation"
    );
}

async fn sessions_and_passwords(store: &Store) {
    let made = store.write(|tx| {
        tx.set_password_hash(&user(), "first", at(1))?;
        tx.set_password_hash(&user(), "second", at(2))?;
        for number in 1..4 {
            let (hash, id) = (format!("s{number}"), SessionId::new(format!("id{number}")));
            tx.insert_session(&hash, &id, &user(), "password", at(number))?;
        }
        tx.touch_session("s1", at(9))?;
        tx.touch_session("s1", at(8))?;
        tx.end_session("s3")
    });
    made.await.unwrap();
    let read = store.read(|tx| Ok::<_, StoreError>((tx.password_hash(&user())?, tx.session("s1")?, tx.session("s3")?)));
    let (password, session, ended) = read.await.unwrap();
    let session = session.unwrap();
    assert_eq!(password.as_deref(), Some("second"));
    assert_eq!((session.profile, session.created_at, session.last_seen_at), (user(), at(1), at(9)));
    assert_eq!((session.via.as_str(), ended), ("password", None));
    assert_eq!(store.read(|tx| tx.password_hash(&ProfileId::new("u9"))).await.unwrap(), None);
    let holds = store.write(|tx| {
        let stranger = tx.holds_password_hash(&ProfileId::new("u9"), "second")?;
        let (before, now) = (tx.holds_password_hash(&user(), "first")?, tx.holds_password_hash(&user(), "second")?);
        Ok::<_, StoreError>((stranger, before, now))
    });
    assert_eq!(holds.await.unwrap(), (false, false, true));
    let rotated = store.write(|tx| {
        let usual = tx.refresh_rotation(&tracker())?;
        tx.set_refresh_rotation(&tracker(), Rotation::AllClients)?;
        let changed = tx.refresh_rotation(&tracker())?;
        tx.set_refresh_rotation(&tracker(), Rotation::PublicClients)?;
        Ok::<_, StoreError>([usual, changed, tx.refresh_rotation(&tracker())?])
    });
    assert_eq!(rotated.await.unwrap(), [Rotation::PublicClients, Rotation::AllClients, Rotation::PublicClients]);
    let ended =
        store.write(|tx| Ok::<_, StoreError>((tx.delete_old_sessions(at(2), 10)?, tx.end_sessions_of(&user())?)));
    assert_eq!(ended.await.unwrap(), (1, 1));
}
