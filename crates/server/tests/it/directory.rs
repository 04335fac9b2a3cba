//! The directory as the host feeds it.

use serde_json::{Value, json};
use spaceport_platform::access::Principal;
use spaceport_platform::id::{Id, ProfileId, random_text};
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;
use spaceport_server::http::caller::token_hash;
use spaceport_server::random::SecureRandom;
use spaceport_store::{AuditFilter, NewToken};

use crate::harness::{BOTH, Server};

#[tokio::test(flavor = "multi_thread")]
async fn the_host_feeds_the_directory() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let host = Host { token: server.host().await, server: &server };
        others_are_refused(&server).await;
        putting_twice_changes_nothing(&host).await;
        one_wrong_entry_refuses_all_and_is_named(&host).await;
        unique_values_are_taken_by_somebody(&host).await;
        references_must_be_known(&host).await;
        many_entries_come_at_once(&host).await;
        memberships_come_and_go(&host).await;
        roles_are_put_whole(&host).await;
        people_who_leave_lose_their_tokens(&host).await;
        somebody_administers_the_server(&host).await;
        what_was_put_can_be_read(&host).await;
        the_organization_has_a_name(&host).await;
        server.running.stop().await;
    }
}

struct Host<'a> {
    server: &'a Server,
    token: String,
}

impl Host<'_> {
    async fn get(&self, path: &str, status: u16) -> Value {
        let path = format!("/api/host/v1/directory/{path}");
        self.server.client.get(&path).bearer(&self.token).send().await.expect(status).json()
    }

    async fn put(&self, path: &str, body: Value, status: u16) -> Value {
        let path = format!("/api/host/v1/directory/{path}");
        self.server.client.put(&path).bearer(&self.token).json(&body).send().await.expect(status).json()
    }

    async fn delete(&self, path: &str, body: Value, status: u16) -> Value {
        let path = format!("/api/host/v1/directory/{path}");
        self.server.client.delete(&path).bearer(&self.token).json(&body).send().await.expect(status).json()
    }

    /// Entries of the audit trail about things of this kind and id.
    async fn trail(&self, kind: &'static str, id: &str) -> usize {
        let entries = self.server.running.store().read(|tx| tx.audit_entries(&AuditFilter::default(), None, 100_000));
        entries.await.unwrap().iter().filter(|entry| entry.target.kind == kind && entry.target.id == id).count()
    }
}

fn outcome(created: usize, changed: usize, unchanged: usize) -> Value {
    json!({ "created": created, "changed": changed, "unchanged": unchanged })
}

async fn putting_twice_changes_nothing(host: &Host<'_>) {
    let ann = json!({
        "username": "ann", "name": { "firstName": "مريم", "lastName": "👩‍🚀" }, "emails": ["ann@example.org"], "externalId": "e:1",
        "smallAvatar": "a1", "suspended": false,
    });
    let mut renamed = ann.clone();
    renamed["username"] = "Ann".into();
    for (kind, id, body, other) in [
        ("profile", "profiles/ann", ann, renamed),
        (
            "project",
            "projects/p1",
            json!({ "key": "DEMO", "name": "Demo 🎉" }),
            json!({ "key": "DEMO", "name": "Demo", "private": true }),
        ),
        ("channel", "channels/c1", json!({ "name": "General" }), json!({ "name": "General", "private": true })),
        (
            "package_repository",
            "package-repositories/r1",
            json!({ "project": "p1", "name": "maven" }),
            json!({ "project": "p1", "name": "Maven" }),
        ),
        ("team", "teams/t1", json!({ "name": "Crew" }), json!({ "name": "Crew", "externalId": "x" })),
        (
            "role",
            "roles/r1",
            json!({ "name": "Readers", "rights": ["Project.Issues.View"] }),
            json!({ "name": "Readers" }),
        ),
    ] {
        let bare = id.split_once('/').unwrap().1;
        assert_eq!(host.put(id, body.clone(), 200).await, outcome(1, 0, 0), "{id}");
        assert_eq!(host.put(id, body.clone(), 200).await, outcome(0, 0, 1), "{id}");
        assert_eq!(host.trail(kind, bare).await, 1, "{id}: what changes nothing leaves no trace");
        assert_eq!(host.put(id, other, 200).await, outcome(0, 1, 0), "{id}");
        assert_eq!(host.delete(id, json!({}), 200).await, outcome(0, 1, 0), "{id}");
        assert_eq!(host.delete(id, json!({}), 200).await, outcome(0, 0, 1), "{id}");
        assert_eq!(host.trail(kind, bare).await, 3, "{id}");
        host.put(id, body, 200).await;
    }
}

async fn one_wrong_entry_refuses_all_and_is_named(host: &Host<'_>) {
    for (path, body, named) in [
        (
            "profiles",
            json!({ "profiles": [{ "id": "new", "username": "new" }, { "username": "x" }] }),
            "profiles[1].id is required",
        ),
        (
            "profiles",
            json!({ "profiles": [{ "id": "new", "username": "new" }, { "id": "y" }] }),
            "profiles[1].username is required",
        ),
        (
            "profiles",
            json!({ "profiles": [{ "id": "new", "username": "a b" }] }),
            "profiles[0].username must hold no blanks",
        ),
        (
            "profiles",
            json!({ "profiles": [{ "id": "new", "username": "a", "emails": ["x"] }] }),
            "profiles[0].emails[0]",
        ),
        (
            "profiles",
            json!({ "profiles": [{ "id": "a", "username": "a" }, { "id": "a", "username": "b" }] }),
            "profiles[1].id must not repeat",
        ),
        ("profiles", json!({ "profiles": [{ "id": "a", "username": "a", "nick": "b" }] }), "`nick`"),
        ("profiles/new", json!({ "id": "other", "username": "new" }), "id must be absent"),
        ("profiles/a%3Ab", json!({ "username": "new" }), "id must hold only"),
        ("profiles/me", json!({ "username": "new" }), "id must hold only"),
        ("projects/new", json!({ "key": "a b", "name": "x" }), "key must hold only"),
        ("projects/new", json!({ "key": "a", "name": "" }), "name must not be empty"),
        ("projects/new", json!({ "key": "a", "name": "x".repeat(201) }), "name must have at most 200"),
        ("roles/new", json!({ "name": "x", "rights": ["Nothing"] }), "rights[0] names no known right"),
        (
            "roles/new",
            json!({ "name": "x", "rights": ["Host.PublishEvents"] }),
            "rights[0] must not be a right of the host",
        ),
        ("roles/new", json!({ "name": "x", "context": "project:key:NONE" }), "context names no known context"),
        ("roles/new", json!({ "name": "x", "profiles": ["nobody"] }), "profiles names no known profile"),
    ] {
        let refused = host.put(path, body.clone(), 400).await;
        assert_eq!(refused["error"], "validation-error", "{refused}");
        let description = refused["error_description"].as_str().unwrap();
        assert!(description.contains(named), "{path} {body}: {description}");
    }
    assert_eq!(
        host.put("profiles/new", json!({ "username": "newer" }), 200).await,
        outcome(1, 0, 0),
        "nothing was stored"
    );
}

async fn unique_values_are_taken_by_somebody(host: &Host<'_>) {
    host.put("profiles/owner", json!({ "username": "owner", "externalId": "o1", "emails": ["O@example.org"] }), 200)
        .await;
    host.put("projects/p7", json!({ "key": "SEVEN", "name": "Seven" }), 200).await;
    host.put("roles/named", json!({ "name": "Named" }), 200).await;
    for (path, body, named) in [
        ("profiles/thief", json!({ "username": "OWNER" }), "username is taken by the profile owner"),
        (
            "profiles/thief",
            json!({ "username": "thief", "externalId": "o1" }),
            "externalId is taken by the profile owner",
        ),
        (
            "profiles/thief",
            json!({ "username": "thief", "emails": ["t@x", "o@EXAMPLE.org"] }),
            "emails[1] is taken by the profile owner",
        ),
        ("projects/p8", json!({ "key": "seven", "name": "Eight" }), "key is taken by the project p7"),
        ("roles/other", json!({ "name": "NAMED" }), "name is taken by the role named"),
        (
            "profiles",
            json!({ "profiles": [{ "id": "q1", "username": "q" }, { "id": "q2", "username": "Q" }] }),
            "profiles[1].username is taken by the profile q1",
        ),
    ] {
        let refused = host.put(path, body, 400).await;
        assert_eq!(refused["error"], "duplicated-entity", "{refused}");
        assert_eq!(refused["error_description"], named);
    }
    // Two who swap their names in one call take nothing from each other.
    let pair = |first: &str, second: &str| json!({ "profiles": [{ "id": "s1", "username": first, "emails": [format!("{first}@x")] }, { "id": "s2", "username": second, "emails": [format!("{second}@x")] }] });
    assert_eq!(host.put("profiles", pair("one", "two"), 200).await, outcome(2, 0, 0));
    assert_eq!(host.put("profiles", pair("two", "one"), 200).await, outcome(0, 2, 0));
    // Whoever has left gives up his addresses, but not his name.
    host.delete("profiles/owner", json!({}), 200).await;
    host.put("profiles/heir", json!({ "username": "heir", "emails": ["o@example.org"] }), 200).await;
    host.put("profiles/thief", json!({ "username": "owner" }), 400).await;
}

async fn references_must_be_known(host: &Host<'_>) {
    for (path, body, named) in [
        ("package-repositories/x", json!({ "project": "none", "name": "x" }), "project names no known project: `none`"),
        ("teams/x", json!({ "name": "x", "parent": "none" }), "parent names no known team: `none`"),
        ("teams/x", json!({ "name": "x", "parent": "x" }), "parent must be another team"),
        (
            "memberships",
            json!({ "memberships": [{ "project": "p1", "profile": "nobody" }] }),
            "memberships[0].profile names no known profile: `nobody`",
        ),
        (
            "memberships",
            json!({ "memberships": [{ "project": "none", "profile": "ann" }] }),
            "memberships[0].project names no known project: `none`",
        ),
        (
            "memberships",
            json!({ "memberships": [{ "project": "p1", "team": "t1", "profile": "ann" }] }),
            "memberships[0] needs exactly one of",
        ),
        (
            "memberships",
            json!({ "memberships": [{ "team": "t1", "memberTeam": "t1" }] }),
            "memberships[0].memberTeam must be absent",
        ),
        (
            "teams",
            json!({ "teams": [{ "id": "k1", "name": "k", "parent": "k2" }, { "id": "k2", "name": "k", "parent": "k1" }] }),
            "teams[0].parent must not make the team k1 a part of itself",
        ),
    ] {
        let refused = host.put(path, body, 400).await;
        assert!(refused["error_description"].as_str().unwrap().contains(named), "{named}: {refused}");
    }
    host.put(
        "teams",
        json!({ "teams": [{ "id": "k1", "name": "k", "parent": "k2" }, { "id": "k2", "name": "k" }] }),
        200,
    )
    .await;
}

/// Most entries of one call.
const MOST: usize = 10_000;

async fn many_entries_come_at_once(host: &Host<'_>) {
    let people = |last: &str| {
        let one = |number: usize| json!({ "id": format!("m{number}"), "username": format!("many{number}"), "name": { "firstName": "M", "lastName": last }, "emails": [format!("m{number}@many.example")] });
        json!({ "profiles": (0..MOST).map(one).collect::<Vec<_>>() })
    };
    assert_eq!(host.put("profiles", people("a"), 200).await, outcome(MOST, 0, 0));
    assert_eq!(host.put("profiles", people("a"), 200).await, outcome(0, 0, MOST));
    assert_eq!(host.put("profiles", people("b"), 200).await, outcome(0, MOST, 0));
    assert_eq!(host.trail("profile", &format!("m{}", MOST - 1)).await, 2);
    let belong = |number: usize| json!({ "project": "p1", "profile": format!("m{number}") });
    let belong = json!({ "memberships": (0..MOST).map(belong).collect::<Vec<_>>() });
    assert_eq!(host.put("memberships", belong.clone(), 200).await, outcome(MOST, 0, 0));
    assert_eq!(host.delete("memberships", belong, 200).await, outcome(0, MOST, 0));
    let ids: Vec<String> = (0..MOST).map(|number| format!("m{number}")).collect();
    assert_eq!(host.delete("profiles", json!({ "ids": ids }), 200).await, outcome(0, MOST, 0));
    let refused = host.delete("profiles", json!({ "ids": vec!["x"; MOST + 1] }), 400).await;
    assert_eq!(refused["error_description"], "ids must hold at most 10000 entries, holds 10001");
}

async fn memberships_come_and_go(host: &Host<'_>) {
    let one = |position: &str| json!({ "memberships": [{ "project": "p1", "profile": "ann", "position": position }, { "team": "t1", "profile": "ann" }] });
    assert_eq!(host.put("memberships", one("MEMBER"), 200).await, outcome(2, 0, 0));
    assert_eq!(host.put("memberships", one("ADMIN"), 200).await, outcome(0, 1, 1));
    assert_eq!(host.trail("membership", "project:p1 profile:ann").await, 2);
    assert_eq!(host.delete("memberships", one("MEMBER"), 200).await, outcome(0, 2, 0));
    assert_eq!(host.delete("memberships", one("MEMBER"), 200).await, outcome(0, 0, 2));
    let twice = json!({ "memberships": [{ "team": "t1", "profile": "ann" }, { "team": "t1", "profile": "ann" }] });
    host.put("memberships", twice, 400).await;
}

async fn roles_are_put_whole(host: &Host<'_>) {
    let role = |rights: &[&str], profiles: &[&str], teams: &[&str]| json!({ "name": "Whole", "context": "project:key:demo", "rights": rights, "profiles": profiles, "teams": teams });
    assert_eq!(
        host.put("roles/whole", role(&["Project.View", "Project.Issues.View"], &["ann"], &["t1"]), 200).await,
        outcome(1, 0, 0)
    );
    assert_eq!(
        host.put("roles/whole", role(&["Project.Issues.View", "Project.View"], &["ann", "ann"], &["t1"]), 200).await,
        outcome(0, 0, 1)
    );
    assert_eq!(host.put("roles/whole", role(&["Project.View"], &[], &["t1"]), 200).await, outcome(0, 1, 0));
    host.put("roles/Member", json!({ "name": "Member", "rights": [] , "profiles": ["ann"] }), 400).await;
    host.delete("roles/Member", json!({}), 400).await;
}

async fn people_who_leave_lose_their_tokens(host: &Host<'_>) {
    for (id, gone) in [("leaver", json!({ "archived": true })), ("suspect", json!({ "suspended": true }))] {
        let mut profile = json!({ "username": id });
        host.put(&format!("profiles/{id}"), profile.clone(), 200).await;
        let token = token_of(host.server, id).await;
        let me = async || host.server.client.get("/api/http/notifications").bearer(&token).send().await;
        me().await.expect(200);
        for (key, value) in gone.as_object().unwrap() {
            profile[key] = value.clone();
        }
        host.put(&format!("profiles/{id}"), profile.clone(), 200).await;
        me().await.expect(401);
        host.put(&format!("profiles/{id}"), json!({ "username": id }), 200).await;
        me().await.expect(401);
    }
}

async fn somebody_administers_the_server(host: &Host<'_>) {
    let list = host.server.running.store().read(|tx| tx.holders(&Right::SUPERADMIN));
    let admin = list.await.unwrap().remove(0);
    let refused = host.delete(&format!("profiles/{admin}"), json!({}), 400).await;
    assert!(refused["error_description"].as_str().unwrap().contains("administers"), "{refused}");
    let admins = json!({ "name": "Administrators", "rights": ["Superadmin"], "teams": ["t1"] });
    host.put("roles/admins", admins.clone(), 200).await;
    host.put("memberships", json!({ "memberships": [{ "team": "t1", "profile": "ann" }] }), 200).await;
    host.put(&format!("profiles/{admin}"), json!({ "username": "admin", "suspended": true }), 200).await;
    for (path, body) in [
        ("memberships", json!({ "memberships": [{ "team": "t1", "profile": "ann" }] })),
        ("roles/admins", json!({})),
        ("teams/t1", json!({})),
        ("profiles/ann", json!({})),
    ] {
        host.delete(path, body, 400).await;
    }
    host.put("roles/admins", json!({ "name": "Administrators" }), 400).await;
    host.put(
        &format!("profiles/{admin}"),
        json!({ "username": "admin", "name": { "firstName": "Administrator", "lastName": "" } }),
        200,
    )
    .await;
    host.delete("roles/admins", json!({}), 200).await;
}

async fn what_was_put_can_be_read(host: &Host<'_>) {
    for (path, body) in [
        (
            "profiles/read",
            json!({ "username": "read", "name": { "firstName": "R", "lastName": "" }, "emails": ["r@example.org"], "notAMember": true, "externalId": "r" }),
        ),
        ("projects/read", json!({ "key": "READ", "name": "Read", "private": true, "description": "d", "icon": "i" })),
        ("channels/read", json!({ "name": "Read", "private": true })),
        ("package-repositories/read", json!({ "project": "read", "name": "Read" })),
        ("teams/read", json!({ "name": "Read", "externalId": "read" })),
        (
            "roles/read",
            json!({ "name": "Read", "context": "project:id:read", "rights": ["Project.View"], "profiles": ["read"], "teams": ["read"] }),
        ),
    ] {
        host.put(path, body.clone(), 200).await;
        let shown = host.get(path, 200).await;
        assert_eq!(
            host.put(path, shown.clone(), 200).await,
            outcome(0, 0, 1),
            "{path}: what is read can be put: {shown}"
        );
        let (kind, _) = path.split_once('/').unwrap();
        let (mut skip, mut found) = ("0".to_owned(), Vec::new());
        loop {
            let page = host.get(&format!("{kind}?$top=1000&$skip={skip}"), 200).await;
            let entries = page["data"].as_array().unwrap().clone();
            if entries.is_empty() {
                assert_eq!(page["totalCount"], found.len());
                break;
            }
            found.extend(entries);
            skip = page["next"].as_str().unwrap().to_owned();
        }
        assert!(found.contains(&shown), "{path}");
        let missing = host.get(&format!("{kind}/none"), 404).await;
        assert_eq!(missing["error"], "not-found");
        host.get(&format!("{kind}?$top=-1"), 400).await;
    }
    let member = json!({ "memberships": [{ "project": "read", "profile": "read", "position": "ADMIN" }] });
    host.put("memberships", member.clone(), 200).await;
    let members = host.get("memberships?project=read", 200).await;
    assert_eq!((members.as_array().unwrap().len(), &members[0]["position"]), (1, &json!("ADMIN")));
    assert_eq!(host.put("memberships", json!({ "memberships": members }), 200).await, outcome(0, 0, 1));
    host.get("memberships", 400).await;
    host.delete("memberships", member, 200).await;
}

async fn the_organization_has_a_name(host: &Host<'_>) {
    let body = json!({ "name": "Sternwarte", "slogan": "Weiter 🔭" });
    assert_eq!(host.put("organization", body.clone(), 200).await, outcome(0, 1, 0));
    assert_eq!(host.put("organization", body, 200).await, outcome(0, 0, 1));
    host.put("organization", json!({ "name": " " }), 400).await;
}

async fn others_are_refused(server: &Server) {
    let made = server.application(json!({ "name": "Nosy" })).await;
    let put = async |token: &str| {
        let body = json!({ "username": "x" });
        server.client.put("/api/host/v1/directory/profiles/x").bearer(token).json(&body).send().await
    };
    put(&made.token).await.expect(403);
}

/// A permanent token of a person.
pub(crate) async fn token_of(server: &Server, profile: &str) -> String {
    let (now, random) = (Timestamp::from_millis(0), SecureRandom::default());
    let text = random_text(48, &random);
    let token = NewToken {
        hash: token_hash(&text),
        id: Id::generate(now, &random),
        name: "test".to_owned(),
        scope: "**".to_owned(),
        created_at: now,
        expires_at: None,
    };
    let holder = Principal::User(ProfileId::new(profile));
    server.running.store().write(move |tx| tx.insert_token(&token, &holder)).await.unwrap();
    text
}
