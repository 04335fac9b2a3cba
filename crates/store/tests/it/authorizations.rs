//! Rights of applications: kept with author and time, found by context, and asked for each event.

use spaceport_platform::access::{Grant, Owner, Principal};
use spaceport_platform::application::Application;
use spaceport_platform::authorization::{AuthorizedRight, RightStatus};
use spaceport_platform::catalogue::RightEntry;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::directory::package_repository::PackageRepository;
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::event::{About, NewEvent};
use spaceport_platform::field_right::FieldRights;
use spaceport_platform::id::{ApplicationId, EventId, ProfileId};
use spaceport_platform::right::Right;
use spaceport_platform::unfurl::{TargetKind, UnfurlTarget, Wanted};
use spaceport_store::{Remembered, Store, StoreError, Tx};

use crate::make::{application, at, event, ids, listeners, publish_in};

pub(crate) async fn facts(store: &Store) {
    statuses_are_kept_with_author_and_time(store).await;
    required_rights_are_a_set(store).await;
    families_end_at_the_first_maker(store).await;
    unfurl_targets_are_kept_in_order(store).await;
    ui_extensions_are_kept_by_context(store).await;
    the_hosts_rights_are_kept(store).await;
    only_the_entitled_hear_of_an_event(store).await;
    what_was_withdrawn_is_not_sent(store).await;
}

fn right(code: &str, status: RightStatus) -> AuthorizedRight {
    let author = Principal::User(ProfileId::new("u1"));
    AuthorizedRight { right: Right::from_code(code), status, author, modified_at: at(3) }
}

pub(crate) async fn set(store: &Store, application: &'static str, context: Context, codes: &[(&str, RightStatus)]) {
    let rights: Vec<_> = codes.iter().map(|(code, status)| right(code, *status)).collect();
    let id = ApplicationId::new(application);
    store.write(move |tx| tx.set_authorized_rights(&id, &context, &rights)).await.unwrap();
}

async fn statuses_are_kept_with_author_and_time(store: &Store) {
    let (id, project) = (ApplicationId::new("authorized"), Context::Project("p1".to_owned()));
    store.write(|tx| tx.insert_application(&application("authorized"))).await.unwrap();
    let before = store.read(|tx| tx.revision(Remembered::Rights)).await.unwrap();
    set(store, "authorized", Context::Global, &[("B.View", RightStatus::Granted), ("A.View", RightStatus::Requested)])
        .await;
    set(store, "authorized", project.clone(), &[("A.View", RightStatus::Rejected), ("C.View", RightStatus::None)])
        .await;
    let read = store.read(move |tx| {
        Ok::<_, StoreError>((
            tx.authorized_rights(&id, &Context::Global)?,
            tx.authorized_rights(&id, &project)?,
            tx.authorized_contexts(&id)?,
            tx.authorized_applications(&Context::Global)?,
            tx.grants(&Principal::Application(id.clone()))?,
            tx.application_name(&id)?,
        ))
    });
    let (global, in_project, contexts, applications, grants, name) = read.await.unwrap();
    assert_eq!(global, [right("A.View", RightStatus::Requested), right("B.View", RightStatus::Granted)]);
    assert_eq!(in_project, [right("A.View", RightStatus::Rejected)], "what was taken back is not listed");
    assert_eq!(contexts, [Context::Global], "asking alone authorizes nothing");
    assert!(applications.contains(&ApplicationId::new("authorized")));
    assert_eq!(grants, [Grant { right: Right::from_code("B.View"), context: Context::Global }]);
    assert_eq!(name.as_deref(), Some("Name authorized"));
    let asked = store.read(|tx| tx.requested_rights(&ApplicationId::new("authorized"))).await.unwrap();
    assert_eq!(asked, [(Context::Global, Right::from_code("A.View"))], "neither what was granted nor what was refused");
    assert!(store.read(|tx| tx.revision(Remembered::Rights)).await.unwrap() > before);

    let principal = Principal::Application(ApplicationId::new("authorized"));
    let grant = Grant { right: Right::from_code("B.View"), context: Context::Global };
    let (holder, taken) = (principal.clone(), grant.clone());
    assert!(store.write(move |tx| tx.revoke_grant(&holder, &taken)).await.unwrap());
    assert!(!store.write(move |tx| tx.revoke_grant(&principal, &grant)).await.unwrap(), "it was taken back already");
    store.write(|tx| tx.archive_application(&ApplicationId::new("authorized"), at(5))).await.unwrap();
    let left = store.read(|tx| tx.authorized_applications(&Context::Global)).await.unwrap();
    assert!(!left.contains(&ApplicationId::new("authorized")));
}

async fn required_rights_are_a_set(store: &Store) {
    let change = async |add: &[&str], remove: &[&str]| {
        let rights = |codes: &[&str]| codes.iter().map(|code| Right::from_code(code)).collect::<Vec<_>>();
        let (add, remove) = (rights(add), rights(remove));
        let id = ApplicationId::new("authorized");
        store
            .write(move |tx| {
                tx.change_required_rights(&id, &add, &remove, at(1))?;
                tx.required_rights(&id)
            })
            .await
            .unwrap()
    };
    assert_eq!(change(&["B", "A", "B"], &[]).await, ["A", "B"].map(Right::from_code));
    assert_eq!(change(&["C", "A"], &["B", "D"]).await, ["A", "C"].map(Right::from_code));
}

async fn families_end_at_the_first_maker(store: &Store) {
    let made = store.write(|tx| {
        let child = |id: &str, maker: &str| Application {
            owner: Owner::Application(ApplicationId::new(maker)),
            ..application(id)
        };
        tx.insert_application(&application("root"))?;
        tx.insert_application(&child("child", "root"))?;
        tx.insert_application(&child("grandchild", "child"))
    });
    made.await.unwrap();
    for name in ["root", "child", "grandchild"] {
        let family = store.read(move |tx| tx.family(&ApplicationId::new(name))).await.unwrap();
        assert_eq!((family.application.as_str(), family.root.as_str()), (name, "root"));
    }
}

async fn the_hosts_rights_are_kept(store: &Store) {
    let entry = |title: &str| RightEntry {
        code: "Shop.Orders.View".to_owned(),
        title: title.to_owned(),
        description: "One sentence.".to_owned(),
        target: "Project".to_owned(),
        group: "Shop".to_owned(),
        dependencies: vec!["Project.View".to_owned(), "Profile.View".to_owned()],
    };
    let before = store.read(|tx| tx.revision(Remembered::Catalogue)).await.unwrap();
    for title in ["View", "View orders"] {
        let saved = entry(title);
        store.write(move |tx| tx.save_right(&saved)).await.unwrap();
        assert_eq!(store.read(|tx| tx.own_rights()).await.unwrap(), [entry(title)]);
    }
    assert_eq!(store.read(|tx| tx.revision(Remembered::Catalogue)).await.unwrap(), before + 2);
}

pub(crate) fn demanding(id: &str, place: Place, codes: &[&str], about: Option<About>) -> NewEvent {
    let rights = codes.iter().map(|code| Right::from_code(code)).collect();
    NewEvent { id: EventId::new(id), place, rights, about, ..event(id) }
}

/// Who gets a delivery of this event, in alphabetical order.
async fn hearers(store: &Store, event: NewEvent) -> Vec<String> {
    let new_id = ids();
    let published = store.write(move |tx| publish_in(tx, std::slice::from_ref(&event), at(0), &new_id));
    let (published, woken) = published.await.unwrap();
    assert_eq!(published[0].deliveries as usize, woken.len());
    let mut woken: Vec<String> = woken.iter().map(|id| id.to_string()).collect();
    woken.sort();
    woken
}

async fn only_the_entitled_hear_of_an_event(store: &Store) {
    listeners(store, &["everywhere", "inproject", "halfway", "nowhere", "maker"]).await;
    let made = store.write(|tx| {
        let project = Project {
            id: "pr".to_owned(),
            key: "PR".to_owned(),
            name: "Project".to_owned(),
            description: None,
            icon: None,
            openness: Openness::Public,
            created_at: at(0),
            archived_at: None,
        };
        let repository = PackageRepository {
            id: "re".to_owned(),
            project: "pr".to_owned(),
            name: "Repository".to_owned(),
            description: None,
            created_at: at(0),
            archived_at: None,
        };
        tx.save_projects(&[project])?;
        tx.save_package_repositories(&[repository])?;
        tx.place_of(Context::PackageRepository("re".to_owned()))
    });
    let repository = made.await.unwrap();
    let project = Context::Project("pr".to_owned());
    assert_eq!(repository, Place::within(Context::PackageRepository("re".to_owned()), project.clone()));
    let granted = RightStatus::Granted;
    set(store, "everywhere", Context::Global, &[("X.View", granted), ("X.Read", granted)]).await;
    set(store, "inproject", project.clone(), &[("X.View", granted), ("X.Read", granted)]).await;
    set(store, "halfway", Context::Global, &[("X.View", granted), ("X.Read", RightStatus::Requested)]).await;
    let both = &["X.View", "X.Read"];
    assert_eq!(hearers(store, demanding("d1", Place::GLOBAL, both, None)).await, ["everywhere"]);
    assert_eq!(hearers(store, demanding("d2", project.into(), both, None)).await, ["everywhere", "inproject"]);
    assert_eq!(hearers(store, demanding("d3", repository, both, None)).await, ["everywhere", "inproject"]);
    let other = Context::Project("other".to_owned()).into();
    assert_eq!(hearers(store, demanding("d4", other, &["X.View"], None)).await, ["everywhere", "halfway"]);
    let about = Some(About { application: ApplicationId::new("nowhere"), maker: Some(ApplicationId::new("maker")) });
    let own = demanding("d5", Place::GLOBAL, &["Applications.View"], about.clone());
    assert_eq!(hearers(store, own).await, ["maker", "nowhere"], "of itself and of what it made, without a right");
    let foreign = demanding("d6", Place::GLOBAL, &["Applications.View", "X.View"], about);
    assert!(hearers(store, foreign).await.is_empty(), "other rights do not come with being it");
    let names = ["everywhere", "inproject", "halfway", "nowhere", "maker"];
    store
        .write(move |tx| names.iter().try_for_each(|name| tx.archive_application(&ApplicationId::new(*name), at(9))))
        .await
        .unwrap();
}

async fn what_was_withdrawn_is_not_sent(store: &Store) {
    listeners(store, &["withdrawn"]).await;
    let id = ApplicationId::new("withdrawn");
    let project = Context::Project("w".to_owned());
    let granted = RightStatus::Granted;
    set(store, "withdrawn", project.clone(), &[("X.View", granted)]).await;
    set(store, "withdrawn", Context::Global, &[("Y.View", granted)]).await;
    for (name, place, code) in [
        ("w1", Place::from(project.clone()), "X.View"),
        ("w2", Place::GLOBAL, "Y.View"),
        ("w3", Place::from(project.clone()), "X.View"),
    ] {
        assert_eq!(hearers(store, demanding(name, place, &[code], None)).await, ["withdrawn"]);
    }
    let claim = |limit| {
        let wants = [spaceport_store::Wanted::of(ApplicationId::new("withdrawn"), limit)];
        store.write(move |tx: &mut Tx<'_>| tx.claim(&wants, &FieldRights::default(), at(10), at(20)))
    };
    // Withdrawn without a look at what waits: the claim itself sees that it may not be sent.
    set(store, "withdrawn", project.clone(), &[("X.View", RightStatus::None)]).await;
    let claimed = claim(10).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert!(claimed[0].payload.contains("w2"), "{}", claimed[0].payload);
    let cancelled = store.read(|tx| tx.delivery_counts()).await.unwrap();
    assert!(cancelled.iter().any(|(state, count)| state == "cancelled" && *count >= 2), "{cancelled:?}");

    // With a look: it is cancelled at once, even while it is on its way.
    set(store, "withdrawn", Context::Global, &[("Y.View", RightStatus::None)]).await;
    let (asked, rights) = (id.clone(), [Right::from_code("Y.View")]);
    assert_eq!(store.write(move |tx| tx.cancel_unentitled(&asked, &rights, at(11))).await.unwrap(), 1);
    set(store, "withdrawn", Context::Global, &[("Y.View", RightStatus::Granted)]).await;
    assert!(
        store
            .write(move |tx| tx.claim(
                &[spaceport_store::Wanted::of(id.clone(), 10)],
                &FieldRights::default(),
                at(30),
                at(40)
            ))
            .await
            .unwrap()
            .is_empty()
    );
}

async fn unfurl_targets_are_kept_in_order(store: &Store) {
    let ids = ["previews-1", "previews-2"].map(ApplicationId::new);
    let target = |name: &str, link: Option<&str>, status, author| UnfurlTarget {
        wanted: Wanted { name: name.to_owned(), link: link.map(str::to_owned) },
        status,
        author,
        modified_at: at(5),
    };
    let author = Principal::User(ProfileId::new("u1"));
    let domains = vec![
        target("z.example", None, RightStatus::Granted, author),
        target("a.example", None, RightStatus::Requested, Principal::Application(ids[0].clone())),
    ];
    let pattern = target("T-", Some("https://t.example/<?>"), RightStatus::Rejected, Principal::Nobody);
    let (first, second) = (ids[0].clone(), ids[1].clone());
    let (set, one) = (domains.clone(), pattern.clone());
    let work = store.write(move |tx| {
        tx.insert_application(&application("previews-1"))?;
        tx.insert_application(&application("previews-2"))?;
        for _ in 0..2 {
            tx.set_unfurl_targets(&first, TargetKind::Domain, &set)?;
        }
        tx.set_unfurl_targets(&second, TargetKind::Pattern, std::slice::from_ref(&one))
    });
    work.await.unwrap();
    let asked = ids.clone();
    let read = store.read(move |tx| {
        Ok::<_, StoreError>((
            tx.unfurl_targets(&asked[0], TargetKind::Domain)?,
            tx.unfurl_targets(&asked[0], TargetKind::Pattern)?,
            tx.unfurl_targets_of(&asked)?,
        ))
    });
    let (of_domains, of_patterns, mut all) = read.await.unwrap();
    assert_eq!((&of_domains, of_patterns.len()), (&domains, 0));
    all.sort_by(|(one, ..), (other, ..)| one.cmp(other));
    let expected = [
        (ids[0].clone(), TargetKind::Domain, domains[0].clone()),
        (ids[0].clone(), TargetKind::Domain, domains[1].clone()),
        (ids[1].clone(), TargetKind::Pattern, pattern),
    ];
    assert_eq!(all, expected);
}

async fn ui_extensions_are_kept_by_context(store: &Store) {
    let (id, project) = (ApplicationId::new("extensions"), Context::Project("p1".to_owned()));
    let (owner, inner) = (id.clone(), project.clone());
    let work = store.write(move |tx| {
        tx.insert_application(&application("extensions"))?;
        tx.set_ui_extensions(&owner, &inner, "[1]", at(1))?;
        tx.set_ui_extensions(&owner, &Context::Global, "[2]", at(2))?;
        tx.set_ui_extensions(&owner, &inner, "[3]", at(3))
    });
    work.await.unwrap();
    let asked = id.clone();
    let read = store.read(move |tx| {
        let other = ApplicationId::new("extensions-2");
        let one = tx.ui_extensions_in(&asked, &Context::Global)?;
        let many = tx.ui_extensions_of(&[other.clone(), asked.clone()])?;
        Ok::<_, StoreError>((tx.ui_extensions(&asked)?, one, tx.ui_extensions_in(&other, &Context::Global)?, many))
    });
    let (all, in_global, of_nobody, many) = read.await.unwrap();
    assert_eq!(many, all.iter().map(|(context, text)| (id.clone(), context.clone(), text.clone())).collect::<Vec<_>>());
    assert_eq!(all, [(Context::Global, "[2]".to_owned()), (project, "[3]".to_owned())]);
    assert_eq!((in_global.as_deref(), of_nobody), (Some("[2]"), None));
}
