//! What people hold: by grants, roles, teams and memberships.

use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::Context;
use spaceport_platform::directory::membership::{Group, Member, Membership, Position};
use spaceport_platform::directory::role::{MEMBERS, RIGHTS_OF_MEMBERS, Role};
use spaceport_platform::id::{ApplicationId, ProfileId, RoleId, TeamId};
use spaceport_platform::profile::{Profile, Relation};
use spaceport_platform::right::Right;
use spaceport_store::{ListStart, Store, StoreError, Tx};

use crate::make::{at, profile, team};

pub(crate) async fn facts(store: &Store) {
    roles_are_kept(store).await;
    memberships_are_kept(store).await;
    rights_come_from_everywhere(store).await;
    holders_are_found_through_teams(store).await;
    rights_of_the_host_are_handed_out_once(store).await;
}

fn role(id: &str, context: Context) -> Role {
    Role { id: RoleId::new(id), context, name: format!("Role {id}"), description: None, created_at: at(0) }
}

fn person(id: &str) -> Member {
    Member::Profile(ProfileId::new(id))
}

async fn roles_are_kept(store: &Store) {
    let project = Context::Project("p1".to_owned());
    let made = role("r1", project.clone());
    let work = move |tx: &mut Tx<'_>| {
        let id = RoleId::new("r1");
        tx.save_role(&role("r1", Context::Global))?;
        tx.save_role(&role("r1", project.clone()))?;
        tx.add_role_rights(&id, &[Right::VIEW_PROJECT, Right::VIEW_CHANNEL])?;
        tx.add_role_rights(&id, &[Right::VIEW_PROJECT])?;
        tx.remove_role_rights(&id, &[Right::VIEW_CHANNEL])?;
        tx.add_role_members(&id, &[person("u1"), person("u2"), Member::Team(TeamId::new("u1"))])?;
        tx.remove_role_members(&id, &[person("u1")])?;
        Ok::<_, StoreError>((
            tx.role(&id)?,
            tx.role_by_name(&project, "ROLE R1")?,
            tx.roles_in(&project)?.len(),
            tx.role_rights(&id)?,
            tx.role_members(&id)?,
            tx.list_roles(&ListStart::Offset(0), 9)?.total,
            (tx.delete_role(&id)?, tx.delete_role(&id)?, tx.role_members(&id)?.len()),
        ))
    };
    let (by_id, by_name, count, rights, members, total, deleted) = store.write(work).await.unwrap();
    assert_eq!((by_id, by_name, count), (Some(made.clone()), Some(made), 1));
    assert_eq!(rights, [Right::VIEW_PROJECT]);
    assert_eq!(members, [person("u2"), Member::Team(TeamId::new("u1"))]);
    assert_eq!(total, 2, "the role of all members is there from the start");
    assert_eq!(deleted, (true, false, 0));
}

async fn memberships_are_kept(store: &Store) {
    let work = |tx: &mut Tx<'_>| {
        let (project, team) = (Group::Project("same".to_owned()), Group::Team(TeamId::new("same")));
        let belongs =
            |group: &Group, id: &str, position| Membership { group: group.clone(), member: person(id), position };
        tx.save_memberships(
            &[belongs(&project, "u1", Position::Admin), belongs(&project, "u2", Position::Member)],
            at(0),
        )?;
        tx.save_memberships(
            &[belongs(&project, "u1", Position::Member), belongs(&team, "u1", Position::Admin)],
            at(1),
        )?;
        let found = (
            tx.memberships_in(&project)?,
            tx.memberships_in_all(std::slice::from_ref(&team))?,
            tx.memberships_of(&person("u1"))?,
        );
        let ended = tx.delete_memberships(&[(project.clone(), person("u1")), (project.clone(), person("u9"))])?;
        let left = tx.memberships_in(&project)?.len();
        tx.delete_memberships(&[(project, person("u2")), (team, person("u1"))])?;
        Ok::<_, StoreError>((found, ended, left))
    };
    let ((project, team, of_person), ended, left) = store.write(work).await.unwrap();
    assert_eq!(project.iter().map(|it| it.position).collect::<Vec<_>>(), [Position::Member, Position::Member]);
    assert_eq!((team.len(), team[0].position), (1, Position::Admin));
    assert_eq!(of_person.len(), 2);
    assert_eq!((ended, left), (1, 1));
}

async fn rights_come_from_everywhere(store: &Store) {
    let work = |tx: &mut Tx<'_>| {
        tx.save_profiles(&[
            profile("p"),
            Profile { relation: Relation::Guest, ..profile("guest") },
            Profile { suspended_at: Some(at(0)), ..profile("suspended") },
        ])?;
        tx.save_teams(&[team("parent", None), team("child", Some("parent")), team("other", None)])?;
        let belongs = |group, member, position| Membership { group, member, position };
        tx.save_memberships(
            &[
                belongs(Group::Team(TeamId::new("child")), person("p"), Position::Member),
                belongs(Group::Project("p1".to_owned()), Member::Team(TeamId::new("parent")), Position::Member),
                belongs(Group::Channel("c1".to_owned()), person("p"), Position::Admin),
                belongs(Group::Project("p2".to_owned()), Member::Team(TeamId::new("other")), Position::Admin),
            ],
            at(0),
        )?;
        for (id, member, right) in [
            ("direct", person("p"), "Own.Right"),
            ("team", Member::Team(TeamId::new("parent")), "Team.Right"),
            ("other", Member::Team(TeamId::new("other")), "Other.Right"),
        ] {
            tx.save_role(&role(id, Context::Project("p7".to_owned())))?;
            tx.add_role_rights(&RoleId::new(id), &[Right::from_code(right)])?;
            tx.add_role_members(&RoleId::new(id), &[member])?;
        }
        let granted = Grant { right: Right::from_code("Direct.Right"), context: Context::Global };
        tx.grant(&Principal::User(ProfileId::new("p")), &granted, at(0))?;
        let rights = |tx: &mut Tx<'_>, id: &str| tx.rights_of_person(&ProfileId::new(id));
        let person = tx.profile(&ProfileId::new("p"))?.unwrap();
        let found = (rights(tx, "p")?, rights(tx, "guest")?, rights(tx, "suspended")?, rights(tx, "nobody")?);
        assert_eq!(tx.rights_of_profile(&person)?, found.0);
        let revoked = (
            tx.revoke_grant(&Principal::User(person.id.clone()), &granted)?,
            tx.revoke_grant(&Principal::User(person.id.clone()), &granted)?,
        );
        // An archived team gives nothing, and neither do those above it.
        tx.save_teams(&[spaceport_platform::directory::team::Team {
            archived_at: Some(at(1)),
            ..team("child", Some("parent"))
        }])?;
        let fewer = rights(tx, "p")?;
        Ok::<_, StoreError>((found, revoked, fewer))
    };
    let ((all, guest, suspended, nobody), revoked, fewer) = store.write(work).await.unwrap();
    let shown = |grants: &[Grant]| {
        let specific = grants.iter().filter(|grant| grant.context != Context::Global);
        specific.map(|grant| format!("{} {}", grant.context, grant.right)).collect::<Vec<_>>()
    };
    let own = [
        "project:p7 Own.Right",
        "channel:c1 Channel.Admin",
        "channel:c1 Channel.ViewChannel",
        "channel:c1 Channel.ViewChannelParticipants",
    ];
    assert_eq!(shown(&all), [&["project:p1 Project.View"], &own[..1], &["project:p7 Team.Right"], &own[1..]].concat());
    assert_eq!(shown(&fewer), own);
    let global = |code: &str| Grant { right: Right::from_code(code), context: Context::Global };
    assert!(all.contains(&global("Direct.Right")) && all.contains(&global("Profile.View")));
    assert!(!fewer.contains(&global("Direct.Right")));
    assert_eq!(revoked, (true, false));
    assert_eq!((guest.len(), suspended.len(), nobody.len()), (0, 0, 0));
}

async fn holders_are_found_through_teams(store: &Store) {
    let work = |tx: &mut Tx<'_>| {
        let right = Right::from_code("Held.Right");
        tx.save_profiles(&[
            profile("h1"),
            profile("h2"),
            profile("h3"),
            Profile { archived_at: Some(at(0)), ..profile("h4") },
        ])?;
        tx.save_teams(&[team("above", None), team("below", Some("above"))])?;
        tx.grant(
            &Principal::User(ProfileId::new("h1")),
            &Grant { right: right.clone(), context: Context::Global },
            at(0),
        )?;
        tx.grant(
            &Principal::User(ProfileId::new("h4")),
            &Grant { right: right.clone(), context: Context::Global },
            at(0),
        )?;
        tx.save_role(&role("held", Context::Global))?;
        tx.add_role_rights(&RoleId::new("held"), std::slice::from_ref(&right))?;
        tx.add_role_members(&RoleId::new("held"), &[person("h2"), Member::Team(TeamId::new("above"))])?;
        let member =
            Membership { group: Group::Team(TeamId::new("below")), member: person("h3"), position: Position::Member };
        tx.save_memberships(&[member], at(0))?;
        let all = tx.holders(&right)?;
        let direct = tx.people_granted(&Grant { right: right.clone(), context: Context::Global })?;
        assert_eq!(direct, [ProfileId::new("h1"), ProfileId::new("h4")]);
        tx.save_role(&role("held", Context::Project("p".to_owned())))?;
        Ok::<_, StoreError>((all, tx.holders(&right)?))
    };
    let (all, direct) = store.write(work).await.unwrap();
    let ids = |ids: &[&str]| ids.iter().map(|id| ProfileId::new(*id)).collect::<Vec<_>>();
    assert_eq!(all, ids(&["h1", "h2", "h3"]));
    assert_eq!(direct, ids(&["h1"]), "a role in a project gives nothing globally");
}

async fn rights_of_the_host_are_handed_out_once(store: &Store) {
    let work = |tx: &mut Tx<'_>| {
        let host = Principal::Application(ApplicationId::new("host"));
        tx.grant(&host, &Grant { right: Right::PUBLISH_EVENTS, context: Context::Global }, at(0))?;
        let hosts = tx.applications_holding(&Right::PUBLISH_EVENTS)?;
        let all = [Right::PUBLISH_EVENTS, Right::MANAGE_DIRECTORY];
        Ok::<_, StoreError>((
            hosts,
            tx.new_host_rights(&all)?,
            tx.new_host_rights(&all)?,
            tx.role(&RoleId::new(MEMBERS))?,
        ))
    };
    let (hosts, first, then, members) = store.write(work).await.unwrap();
    assert_eq!(hosts, [ApplicationId::new("host")]);
    assert_eq!(first, [Right::MANAGE_DIRECTORY]);
    assert_eq!(then, []);
    assert!(members.unwrap().is_of_everybody());
    let rights = store.read(|tx| tx.role_rights(&RoleId::new(MEMBERS))).await.unwrap();
    let mut expected = RIGHTS_OF_MEMBERS.to_vec();
    expected.sort();
    assert_eq!(rights, expected);
}
