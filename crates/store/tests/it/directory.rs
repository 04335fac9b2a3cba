//! People, projects, channels, package repositories, teams: stored, found, listed, renamed.

use spaceport_platform::access::Principal;
use spaceport_platform::context::Context;
use spaceport_platform::directory::channel::Channel;
use spaceport_platform::directory::membership::{Group, Member, Membership, Position};
use spaceport_platform::directory::organization::Organization;
use spaceport_platform::directory::package_repository::PackageRepository;
use spaceport_platform::directory::project::{Openness, Project};
use spaceport_platform::id::{ProfileId, TeamId, TokenId};
use spaceport_platform::identifier::{
    PermissionContextIdentifier, ProfileIdentifier, ProjectIdentifier, TeamIdentifier,
};
use spaceport_platform::profile::{Picture, Profile, Relation};
use spaceport_store::{
    Addresses, ChannelFilter, ListOrder, ListStart, NewToken, Past, ProfileFilter, ProjectFilter, Store, StoreError,
    Visible,
};

use crate::make::{at, channel, profile, project, team};

pub(crate) async fn facts(store: &Store) {
    people_are_found_by_every_spelling(store).await;
    unique_values_can_be_swapped_and_are_owned(store).await;
    people_are_listed_by_page(store).await;
    whoever_has_left_claims_no_address_and_has_no_tokens(store).await;
    places_are_found_and_listed(store).await;
    teams_are_found_and_never_part_of_themselves(store).await;
    there_is_one_organization(store).await;
    many_are_stored_changed_and_ended_at_once(store).await;
}

fn ann() -> Profile {
    Profile {
        username: "Ann".to_owned(),
        last_name: "👩‍🚀 الأحمد".to_owned(),
        emails: vec!["Ann@Example.org".to_owned(), "a@example.org".to_owned()],
        external_id: Some("E:1".to_owned()),
        picture: Picture { small: Some("s".to_owned()), medium: None, full: Some("f".to_owned()) },
        ..profile("ann")
    }
}

async fn people_are_found_by_every_spelling(store: &Store) {
    store.write(|tx| tx.save_profiles(&[ann()])).await.unwrap();
    let caller = Principal::User(ProfileId::new("ann"));
    for text in ["id:ann", "username:aNN", "externalId:E:1", "email:ANN@example.ORG", "email:a@example.org", "me"] {
        let (identifier, caller) = (ProfileIdentifier::parse(text).unwrap(), caller.clone());
        let found = store.read(move |tx| tx.find_profile(&identifier, &caller)).await.unwrap();
        assert_eq!(found, Some(ann()), "{text}");
    }
    for text in ["id:Ann", "username:an", "externalId:e:1", "email:example.org", "me"] {
        let identifier = ProfileIdentifier::parse(text).unwrap();
        let found = store.read(move |tx| tx.find_profile(&identifier, &Principal::Nobody)).await.unwrap();
        assert_eq!(found, None, "{text}");
    }
    let (by_external_id, by_email) = store
        .read(|tx| Ok::<_, StoreError>((tx.profile_by_external_id("E:1")?, tx.profile_by_email("a@example.org")?)))
        .await
        .unwrap();
    assert_eq!((by_external_id, by_email), (Some(ann()), Some(ann())));
}

async fn unique_values_can_be_swapped_and_are_owned(store: &Store) {
    let named = |id: &str, username: &str, external: &str, email: &str| Profile {
        username: username.to_owned(),
        external_id: Some(external.to_owned()),
        emails: vec![email.to_owned()],
        ..profile(id)
    };
    let before = [named("x", "xaver", "1", "x@example.org"), named("y", "yves", "2", "y@example.org")];
    let after = [named("x", "yves", "2", "y@example.org"), named("y", "xaver", "1", "x@example.org")];
    let (first, then) = (before.clone(), after.clone());
    store.write(move |tx| tx.save_profiles(&first)).await.unwrap();
    store.write(move |tx| tx.save_profiles(&then)).await.unwrap();
    let (found, usernames, externals, emails) = store
        .read(|tx| {
            let text = |text: &str| text.to_owned();
            let mut found = tx.profiles(&[ProfileId::new("x"), ProfileId::new("y")])?;
            found.sort_by(|a, b| a.id.cmp(&b.id));
            Ok::<_, StoreError>((
                found,
                tx.username_owners(&[text("yves"), text("zoe")])?,
                tx.external_id_owners(&[text("1")])?,
                tx.email_owners(&[text("y@example.org")])?,
            ))
        })
        .await
        .unwrap();
    assert_eq!(found, after);
    assert_eq!(usernames.into_iter().collect::<Vec<_>>(), [("yves".to_owned(), ProfileId::new("x"))]);
    assert_eq!(externals["1"], ProfileId::new("y"));
    assert_eq!(emails["y@example.org"], ProfileId::new("x"));
    let taken = store.write(move |tx| tx.insert_profile(&named("z", "YVES", "3", "z@example.org"))).await;
    assert!(taken.is_err(), "the case of a username does not tell people apart");
}

async fn people_are_listed_by_page(store: &Store) {
    let list = async |filter: ProfileFilter, start: ListStart, limit: i64| {
        let found = store.read(move |tx| tx.list_profiles(&filter, &start, limit)).await.unwrap();
        let ids = found.entries.iter().map(|profile| profile.id.to_string()).collect::<Vec<_>>();
        (ids, found.total, found.last)
    };
    let all = async |filter: ProfileFilter| {
        let (ids, total, _) = list(filter, ListStart::Offset(0), 100).await;
        assert_eq!(i64::try_from(ids.len()).unwrap(), total);
        ids
    };
    let made: Vec<Profile> = (0..5)
        .map(|number| Profile {
            // Two share a name, so that the id decides.
            last_name: format!("Page {}", (4 - number) / 2),
            emails: vec![format!("page{number}@mail.example")],
            relation: if number == 0 { Relation::Guest } else { Relation::Member },
            archived_at: (number == 1).then(|| at(1)),
            ..profile(&format!("page{number}"))
        })
        .collect();
    store.write(move |tx| tx.save_profiles(&made)).await.unwrap();
    let query = |order| ProfileFilter { query: "ANN PAGE".to_owned(), order, ..ProfileFilter::default() };
    for (order, expected) in [
        (ListOrder::Name, ["page3", "page4", "page2", "page0"]),
        (ListOrder::NameBackwards, ["page0", "page2", "page4", "page3"]),
        (ListOrder::Id, ["page0", "page2", "page3", "page4"]),
    ] {
        let (mut start, mut walked) = (ListStart::Offset(0), Vec::new());
        loop {
            let (mut ids, total, last) = list(query(order), start, 1).await;
            assert_eq!(total, 4);
            let Some(last) = last else { break };
            walked.append(&mut ids);
            start = ListStart::After(last);
        }
        assert_eq!(walked, expected);
        assert_eq!(list(query(order), ListStart::Offset(3), 9).await.0, expected[3..]);
    }
    let query = || query(ListOrder::Id);
    assert_eq!(all(ProfileFilter { past: Past::With, ..query() }).await.len(), 5);
    assert_eq!(all(ProfileFilter { past: Past::Only, ..query() }).await, ["page1"]);
    assert_eq!(all(ProfileFilter { relation: Some(Relation::Guest), ..query() }).await, ["page0"]);
    let ids = Some(vec![ProfileId::new("page3"), ProfileId::new("nobody")]);
    assert_eq!(all(ProfileFilter { ids, ..ProfileFilter::default() }).await, ["page3"]);
    assert_eq!(all(ProfileFilter { ids: Some(Vec::new()), ..ProfileFilter::default() }).await.len(), 0);
    let address = |addresses| ProfileFilter { query: "@mail".to_owned(), addresses, ..ProfileFilter::default() };
    assert_eq!(all(address(Addresses::Searched)).await.len(), 4);
    assert_eq!(all(address(Addresses::Hidden)).await.len(), 0);
    assert_eq!(all(ProfileFilter { query: "user-page2".to_owned(), ..query() }).await, ["page2"]);
    assert_eq!(all(ProfileFilter { query: "الأحمد".to_owned(), ..query() }).await, ["ann"]);
    assert_eq!(all(ProfileFilter { query: "%".to_owned(), ..query() }).await.len(), 0);
    let joined = Membership {
        group: Group::Team(TeamId::new("listed")),
        member: Member::Profile(ProfileId::new("page2")),
        position: Position::Member,
    };
    store.write(move |tx| tx.save_memberships(std::slice::from_ref(&joined), at(0))).await.unwrap();
    assert_eq!(all(ProfileFilter { team: Some(TeamId::new("listed")), ..query() }).await, ["page2"]);
}

async fn whoever_has_left_claims_no_address_and_has_no_tokens(store: &Store) {
    let gone = Profile { emails: vec!["gone@example.org".to_owned()], ..profile("gone") };
    let token = NewToken {
        hash: "hash-gone".to_owned(),
        id: TokenId::new("token-gone"),
        name: "token".to_owned(),
        scope: "**".to_owned(),
        created_at: at(0),
        expires_at: None,
    };
    let archived = Profile { archived_at: Some(at(5)), ..gone.clone() };
    let made = store.write(move |tx| {
        tx.insert_profile(&gone)?;
        tx.insert_token(&token, &Principal::User(gone.id.clone()))?;
        tx.save_profiles(std::slice::from_ref(&archived))?;
        tx.end_tokens_of_people(std::slice::from_ref(&gone.id), at(6))
    });
    made.await.unwrap();
    let (found, kept, token) = store
        .read(|tx| {
            Ok::<_, StoreError>((
                tx.profile_by_email("gone@example.org")?,
                tx.profile(&ProfileId::new("gone"))?.unwrap(),
                tx.token_by_hash("hash-gone")?.unwrap(),
            ))
        })
        .await
        .unwrap();
    assert_eq!(found, None);
    assert_eq!(kept.emails, ["gone@example.org"], "it is still shown");
    assert_eq!(kept.tokens_not_before, at(6));
    assert_eq!(token.revoked_at, Some(at(6)));
    let heir = Profile { emails: vec!["Gone@example.org".to_owned()], ..profile("heir") };
    store.write(move |tx| tx.insert_profile(&heir)).await.unwrap();
}

async fn places_are_found_and_listed(store: &Store) {
    let private = Project { openness: Openness::Private, name: "Geheim".to_owned(), ..project("p2", "SECRET") };
    let archived = Project { archived_at: Some(at(1)), ..project("p3", "OLD") };
    let repository = PackageRepository {
        id: "r1".to_owned(),
        project: "p1".to_owned(),
        name: "Pakete".to_owned(),
        description: None,
        created_at: at(0),
        archived_at: None,
    };
    let kept = repository.clone();
    let made = store.write(move |tx| {
        tx.save_projects(&[project("p1", "Demo"), private.clone(), archived.clone()])?;
        tx.save_channels(&[channel("c1"), Channel { openness: Openness::Public, ..channel("c2") }])?;
        tx.save_package_repositories(std::slice::from_ref(&repository))?;
        // Keys can be swapped.
        tx.save_projects(&[project("p1", "SECRET"), Project { key: "Demo".to_owned(), ..private.clone() }])
    });
    made.await.unwrap();
    let read = store.read(|tx| {
        let context = |text| PermissionContextIdentifier::parse(text).unwrap();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        Ok::<_, StoreError>((
            tx.find_project(&ProjectIdentifier::Key("demo".to_owned()))?.unwrap().id,
            tx.find_project(&ProjectIdentifier::Id("p1".to_owned()))?.unwrap().key,
            tx.projects(&ids(&["p1", "none"]))?.len(),
            tx.project_key_owners(&ids(&["secret", "demo", "none"]))?,
            [
                tx.find_context(&context("global"))?,
                tx.find_context(&context("project:key:secret"))?,
                tx.find_context(&context("project:id:p3"))?,
                tx.find_context(&context("channel:c1"))?,
                tx.find_context(&context("packageRepository:r1"))?,
            ],
            [
                tx.find_context(&context("project:key:none"))?,
                tx.find_context(&context("channel:p1"))?,
                tx.find_context(&context("packageRepository:c1"))?,
            ],
            (tx.has_context(&Context::Channel("c1".to_owned()))?, tx.has_context(&Context::Channel("x".to_owned()))?),
            (tx.channel("c1")?, tx.channels(&ids(&["c1", "c2"]))?.len(), tx.channels_by_name("CHANNEL c2")?.len()),
            (tx.package_repository("r1")?, tx.package_repositories(&ids(&["r1"]))?.len()),
            tx.list_package_repositories(&ListStart::Offset(0), 9)?.total,
        ))
    });
    let (by_key, key, count, owners, known, unknown, has, channels, repositories, listed) = read.await.unwrap();
    assert_eq!((by_key.as_str(), key.as_str(), count), ("p2", "SECRET", 1));
    assert_eq!((owners.len(), owners["secret"].as_str(), owners["demo"].as_str()), (2, "p1", "p2"));
    let known: Vec<String> = known.into_iter().map(|context| context.unwrap().to_string()).collect();
    assert_eq!(known, ["global", "project:p1", "project:p3", "channel:c1", "packageRepository:r1"]);
    assert_eq!(unknown, [None, None, None]);
    assert_eq!(has, (true, false));
    assert_eq!(channels, (Some(channel("c1")), 2, 1));
    assert_eq!(repositories, (Some(kept), 1));
    assert_eq!(listed, 1);
    lists_hold_what_is_visible(store).await;
}

async fn lists_hold_what_is_visible(store: &Store) {
    let one = |id: &str| vec![id.to_owned()];
    for (visible, projects, channels) in [
        (Visible::All, 2, 2),
        (Visible::PublicAnd(Vec::new()), 1, 1),
        (Visible::PublicAnd([one("p2"), one("c1")].concat()), 2, 2),
        (Visible::Only(one("p2")), 1, 0),
        (Visible::Only(Vec::new()), 0, 0),
    ] {
        let project = ProjectFilter {
            visible: visible.clone(),
            term: String::new(),
            with_archived: false,
            order: ListOrder::Name,
        };
        let channel = ChannelFilter {
            visible: visible.clone(),
            query: "chan".to_owned(),
            with_archived: false,
            public_only: false,
            order: ListOrder::Name,
        };
        let (found, seen) = store
            .read(move |tx| {
                Ok::<_, StoreError>((
                    tx.list_projects(&project, &ListStart::Offset(0), 9)?.total,
                    tx.list_channels(&channel, &ListStart::Offset(0), 9)?.total,
                ))
            })
            .await
            .unwrap();
        assert_eq!((found, seen), (projects, channels), "{visible:?}");
    }
    let term = async |term: &str| {
        let filter =
            ProjectFilter { visible: Visible::All, term: term.to_owned(), with_archived: true, order: ListOrder::Id };
        store.read(move |tx| tx.list_projects(&filter, &ListStart::Offset(0), 9)).await.unwrap().entries
    };
    assert_eq!(term("secret").await[0].id, "p1");
    assert_eq!(term("EHEIM").await[0].id, "p2");
}

async fn teams_are_found_and_never_part_of_themselves(store: &Store) {
    let made = store.write(|tx| tx.save_teams(&[team("t1", None), team("t2", Some("t1")), team("t3", Some("t2"))]));
    made.await.unwrap();
    let (ids, by_name, by_external_id, owners, total) = store
        .read(|tx| {
            Ok::<_, StoreError>((
                tx.teams(&[TeamId::new("t1"), TeamId::new("t2")])?.len(),
                tx.team_by_name("TEAM T2")?,
                tx.team_by_external_id("external-t3")?,
                tx.team_external_id_owners(&["external-t1".to_owned()])?,
                tx.list_teams(&ListStart::Offset(0), 2)?.total,
            ))
        })
        .await
        .unwrap();
    assert_eq!((ids, total), (2, 3));
    assert_eq!((by_name, by_external_id), (Some(team("t2", Some("t1"))), Some(team("t3", Some("t2")))));
    assert_eq!(owners["external-t1"], TeamId::new("t1"));
    for text in ["t2", "id:t2", "name:team T2", "externalId:external-t2"] {
        let identifier = TeamIdentifier::parse(text).unwrap();
        let found = store.read(move |tx| tx.find_team(&identifier)).await.unwrap();
        assert_eq!(found, Some(team("t2", Some("t1"))), "{text}");
    }
    let circle = store.write(|tx| {
        let before = tx.team_in_circle(&[TeamId::new("t1"), TeamId::new("t3")])?;
        tx.save_teams(&[team("t1", Some("t3"))])?;
        let after = tx.team_in_circle(&[TeamId::new("none"), TeamId::new("t1")])?;
        tx.save_teams(&[team("t1", None)])?;
        Ok::<_, StoreError>((before, after, tx.team(&TeamId::new("t1"))?.unwrap().parent))
    });
    assert_eq!(circle.await.unwrap(), (None, Some(TeamId::new("t1")), None));
}

async fn there_is_one_organization(store: &Store) {
    let first = Organization {
        id: "first".to_owned(),
        name: "Erste".to_owned(),
        slogan: Some("🔭".to_owned()),
        logo: None,
        created_at: at(0),
    };
    let second = Organization { id: "second".to_owned(), name: "Zweite".to_owned(), ..first.clone() };
    let kept = Organization { name: "Zweite".to_owned(), ..first.clone() };
    let work = store.write(move |tx| {
        let before = tx.organization()?;
        tx.save_organization(&first)?;
        tx.save_organization(&second)?;
        Ok::<_, StoreError>((before, tx.organization()?))
    });
    assert_eq!(work.await.unwrap(), (None, Some(kept)), "its id stays");
}

async fn many_are_stored_changed_and_ended_at_once(store: &Store) {
    // More than go into one statement, and some over.
    let people = |last_name: &str| -> Vec<Profile> {
        let one = |number: usize| Profile {
            last_name: last_name.to_owned(),
            emails: vec![format!("lot{number}@mail.example"), format!("lot{number}@other.example")],
            ..profile(&format!("lot{number}"))
        };
        (0..203).map(one).collect()
    };
    let ids: Vec<ProfileId> = people("").into_iter().map(|profile| profile.id).collect();
    let group = Group::Project("lots".to_owned());
    let members = |position| -> Vec<Membership> {
        let one = |id: &ProfileId| Membership { group: group.clone(), member: Member::Profile(id.clone()), position };
        ids.iter().map(one).collect()
    };
    for (last_name, position) in [("First", Position::Member), ("Second", Position::Admin)] {
        let (saved, memberships) = (people(last_name), members(position));
        store
            .write(move |tx| {
                tx.save_profiles(&saved)?;
                tx.save_memberships(&memberships, at(0))
            })
            .await
            .unwrap();
        let (asked, within) = (ids.clone(), group.clone());
        let (mut found, mut belong) = store
            .read(move |tx| Ok::<_, StoreError>((tx.profiles(&asked)?, tx.memberships_in(&within)?)))
            .await
            .unwrap();
        let (mut expected, mut expected_members) = (people(last_name), members(position));
        found.sort_by(|a, b| a.id.cmp(&b.id));
        expected.sort_by(|a, b| a.id.cmp(&b.id));
        belong.sort();
        expected_members.sort();
        assert_eq!(found, expected);
        assert_eq!(belong, expected_members);
    }
    let ended: Vec<(Group, Member)> =
        members(Position::Member).into_iter().skip(1).map(|membership| (membership.group, membership.member)).collect();
    let within = group.clone();
    let (gone, left) = store
        .write(move |tx| Ok::<_, StoreError>((tx.delete_memberships(&ended)?, tx.memberships_in(&within)?)))
        .await
        .unwrap();
    assert_eq!((gone, left.len()), (202, 1));
    let asked = ids.clone();
    let stamped = store
        .write(move |tx| {
            tx.end_tokens_of_people(&asked, at(9))?;
            tx.profiles(&asked)
        })
        .await
        .unwrap();
    assert!(stamped.len() == 203 && stamped.iter().all(|profile| profile.tokens_not_before == at(9)));
}
