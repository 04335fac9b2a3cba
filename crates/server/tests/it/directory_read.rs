//! The directory as applications and people see it.

use serde_json::{Value, json};
use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::Context;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;

use crate::directory::token_of;
use crate::harness::{BOTH, Made, Server};

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_shows_what_each_caller_may_see() {
    for engine in BOTH {
        let scene = Scene::start(engine).await;
        people_are_found_by_every_spelling(&scene).await;
        addresses_are_for_those_who_may_view_profiles(&scene).await;
        people_are_walked_page_by_page(&scene).await;
        private_places_are_hidden(&scene).await;
        projects_name_their_people(&scene).await;
        the_organization_is_shown(&scene).await;
        events_name_projects_by_key(&scene).await;
        roles_give_rights(&scene).await;
        nobody_gives_what_he_does_not_hold(&scene).await;
        predefined_roles_are_what_people_are(&scene).await;
        scene.server.running.stop().await;
    }
}

/// A server with a directory, and its callers.
struct Scene {
    server: Server,
    ann: String,
    guest: String,
    outsider: String,
    application: Made,
}

impl Scene {
    async fn start(engine: crate::harness::Engine) -> Self {
        let server = Server::start(engine).await;
        let host = server.host().await;
        let put = async |path: &str, body: Value| {
            let path = format!("/api/host/v1/directory/{path}");
            server.client.put(&path).bearer(&host).json(&body).send().await.expect(200);
        };
        put("profiles", json!({ "profiles": [
            { "id": "ann", "username": "Ann", "name": { "firstName": "Ann", "lastName": "👩‍🚀 الأحمد" }, "externalId": "e:1",
              "emails": ["ann@example.org", "a@example.org"], "smallAvatar": "s1", "avatar": "a1", "profilePicture": "p1" },
            { "id": "bob", "username": "bob", "name": { "firstName": "Bob", "lastName": "" }, "emails": ["bob@example.org"] },
            { "id": "guest", "username": "guest", "notAMember": true },
            { "id": "outsider", "username": "outsider" },
            { "id": "gone", "username": "gone", "archived": true },
        ] })).await;
        put(
            "projects",
            json!({ "projects": [
            { "id": "p1", "key": "OPEN", "name": "Open" },
            { "id": "p2", "key": "SECRET", "name": "Secret 🤫", "private": true },
            { "id": "p3", "key": "OTHER", "name": "Other", "private": true },
        ] }),
        )
        .await;
        put(
            "channels",
            json!({ "channels": [
            { "id": "c1", "name": "General" }, { "id": "c2", "name": "Backroom", "private": true },
        ] }),
        )
        .await;
        put(
            "package-repositories",
            json!({ "packageRepositories": [{ "id": "r2", "project": "p2", "name": "maven" }] }),
        )
        .await;
        put("teams", json!({ "teams": [{ "id": "crew", "name": "Crew" }] })).await;
        put(
            "memberships",
            json!({ "memberships": [
            { "project": "p2", "profile": "ann", "position": "ADMIN" }, { "project": "p2", "profile": "bob" },
            { "project": "p2", "memberTeam": "crew" }, { "channel": "c2", "profile": "ann" },
        ] }),
        )
        .await;
        let application = server.application(json!({ "name": "Reader" })).await;
        let (ann, guest) = (token_of(&server, "ann").await, token_of(&server, "guest").await);
        let outsider = token_of(&server, "outsider").await;
        Self { server, ann, guest, outsider, application }
    }

    async fn get(&self, path: &str, token: &str, status: u16) -> Value {
        self.server.client.get(&format!("/api/http/{path}")).bearer(token).send().await.expect(status).json()
    }

    async fn grant(&self, right: Right, context: Context) {
        let holder = Principal::Application(ApplicationId::new(self.application.id.as_str()));
        let grant = Grant { right, context };
        let granted = self.server.running.store().write(move |tx| tx.grant(&holder, &grant, Timestamp::from_millis(0)));
        granted.await.unwrap();
        // The server was not asked, so it would notice a moment later; a change of its own makes it look at once.
        let host = self.server.host().await;
        let nothing = json!({ "memberships": [] });
        let call = self.server.client.put("/api/host/v1/directory/memberships").bearer(&host).json(&nothing);
        call.send().await.expect(200);
    }
}

fn ids(page: &Value) -> Vec<&str> {
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["id"].as_str().or(entry["channelId"].as_str()).unwrap())
        .collect()
}

async fn people_are_found_by_every_spelling(scene: &Scene) {
    for name in ["id:ann", "ann", "username:aNN", "externalId:e:1", "email:ANN@example.org", "id%3Aann"] {
        let found = scene.get(&format!("team-directory/profiles/{name}"), &scene.server.admin, 200).await;
        assert_eq!(found["id"], "ann", "{name}");
    }
    let me = scene.get("team-directory/profiles/me", &scene.ann, 200).await;
    assert_eq!(
        (&me["username"], &me["name"]["lastName"], &me["externalId"]),
        (&json!("Ann"), &json!("👩‍🚀 الأحمد"), &json!("e:1"))
    );
    assert_eq!((&me["smallAvatar"], &me["avatar"], &me["profilePicture"]), (&json!("s1"), &json!("a1"), &json!("p1")));
    assert_eq!((&me["archived"], &me["notAMember"]), (&json!(false), &json!(false)));
    let missing = scene.get("team-directory/profiles/me", &scene.application.token, 404).await;
    assert_eq!(missing["error"], "not-found", "an application has no profile");
    scene.get("team-directory/profiles/id:nobody", &scene.server.admin, 404).await;
    scene.get("team-directory/profiles/planet:x", &scene.server.admin, 400).await;
    let picked = "team-directory/profiles/me?$fields=id,emails(email),name(firstName)";
    let picked = scene.get(picked, &scene.ann, 200).await;
    let emails = json!([{ "email": "ann@example.org" }, { "email": "a@example.org" }]);
    assert_eq!(picked, json!({ "id": "ann", "emails": emails, "name": { "firstName": "Ann" } }));
}

async fn addresses_are_for_those_who_may_view_profiles(scene: &Scene) {
    // Nothing tells a caller without the right who exists.
    for name in ["id:bob", "id:nobody", "email:bob@example.org"] {
        scene.get(&format!("team-directory/profiles/{name}"), &scene.application.token, 403).await;
        scene.get(&format!("team-directory/profiles/{name}"), &scene.guest, 403).await;
    }
    scene.get("team-directory/profiles", &scene.application.token, 403).await;
    assert_eq!(scene.get("team-directory/profiles/me", &scene.guest, 200).await["id"], "guest");
    scene.grant(Right::VIEW_PROFILE_BASICS, Context::Global).await;
    let bob = scene.get("team-directory/profiles/id:bob", &scene.application.token, 200).await;
    assert_eq!((&bob["name"]["firstName"], &bob["emails"]), (&json!("Bob"), &Value::Null));
    assert_eq!(bob["$errors"][0]["fields"], json!(["emails"]));
    scene.get("team-directory/profiles/email:bob@example.org", &scene.application.token, 403).await;
    let found = scene.get("team-directory/profiles?query=bob@example", &scene.application.token, 200).await;
    assert_eq!(found["totalCount"], 0, "a search tells no address either");
    scene.grant(Right::VIEW_PROFILES, Context::Global).await;
    let bob = scene.get("team-directory/profiles/email:bob@example.org", &scene.application.token, 200).await;
    assert_eq!(bob["emails"][0]["email"], "bob@example.org");
    let found = scene.get("team-directory/profiles?query=bob@example", &scene.application.token, 200).await;
    assert_eq!(ids(&found), ["bob"]);
}

async fn people_are_walked_page_by_page(scene: &Scene) {
    let token = &scene.application.token;
    for order in ["DEFAULT", "FULL_NAME", ""] {
        let (mut skip, mut seen) = ("0".to_owned(), Vec::new());
        loop {
            let page = format!("team-directory/profiles?$top=2&$skip={skip}&order={order}&orgRelation=ANY");
            let page = scene.get(&page, token, 200).await;
            if ids(&page).is_empty() {
                break;
            }
            seen.extend(ids(&page).into_iter().map(str::to_owned));
            skip = page["next"].as_str().unwrap().to_owned();
        }
        let expected = scene.get("team-directory/profiles?$top=1000&orgRelation=ANY", token, 200).await;
        assert_eq!(expected["totalCount"], seen.len(), "{order}");
        seen.sort();
        let mut expected = ids(&expected);
        expected.sort_unstable();
        assert_eq!(seen, expected, "{order}");
    }
    for (query, expected) in [
        ("reportPastMembers=true&reportCurrentMembers=false", vec!["gone"]),
        ("reportCurrentMembers=false", vec![]),
        ("orgRelation=GUEST", vec!["guest"]),
        ("profiles=username:ann&profiles=id:bob&profiles=id:nobody", vec!["ann", "bob"]),
        ("query=%F0%9F%91%A9", vec!["ann"]),
        ("roleId=x", vec![]),
    ] {
        let found = scene.get(&format!("team-directory/profiles?{query}"), token, 200).await;
        assert_eq!(ids(&found), expected, "{query}");
    }
    let mine = scene.get("team-directory/profiles?meOnTop=true", &scene.outsider, 200).await;
    assert_eq!(ids(&mine)[0], "outsider");
    for wrong in ["$skip=x", "$top=-1", "order=SIZE", "profiles=planet:x", "orgRelation=NONE"] {
        scene.get(&format!("team-directory/profiles?{wrong}"), token, 400).await;
    }
}

async fn private_places_are_hidden(scene: &Scene) {
    let projects = async |token: &str| {
        let page = scene.get("projects", token, 200).await;
        ids(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let channels = async |token: &str| {
        let page = scene.get("chats/channels/all-channels?query=", token, 200).await;
        ids(&page).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(projects(&scene.server.admin).await, ["p1", "p3", "p2"]);
    assert_eq!(projects(&scene.ann).await, ["p1", "p2"]);
    assert_eq!(projects(&scene.outsider).await, ["p1"]);
    assert_eq!(projects(&scene.guest).await, [""; 0]);
    assert_eq!(projects(&scene.application.token).await, [""; 0]);
    assert_eq!(channels(&scene.ann).await, ["c2", "c1"]);
    assert_eq!(channels(&scene.outsider).await, ["c1"]);
    let walk = async |skip: &str, order: &str| {
        let path = format!("chats/channels/all-channels?query=&$top=1&$skip={skip}&sortOrder={order}");
        scene.get(&path, &scene.ann, 200).await
    };
    for (order, first, second) in [("ASC", "c2", "c1"), ("DESC", "c1", "c2")] {
        let page = walk("0", order).await;
        let next = page["next"].as_str().unwrap().to_owned();
        assert_eq!((ids(&page), ids(&walk(&next, order).await)), (vec![first], vec![second]), "{order}");
    }
    let next = walk("0", "DESC").await["next"].as_str().unwrap().to_owned();
    for wrong in [format!("$skip={next}"), "sortOrder=UP".to_owned()] {
        scene.get(&format!("chats/channels/all-channels?query=&{wrong}"), &scene.ann, 400).await;
    }
    assert_eq!(channels(&scene.application.token).await, [""; 0]);
    for (path, unknown) in
        [("projects/key:secret", "projects/key:none"), ("chats/channels/id:c2", "chats/channels/id:none")]
    {
        scene.get(path, &scene.ann, 200).await;
        for token in [&scene.outsider, &scene.guest, &scene.application.token] {
            let hidden = scene.get(path, token, 404).await;
            let missing = scene.get(unknown, token, 404).await;
            let text = |value: &Value| {
                value["error_description"]
                    .as_str()
                    .unwrap()
                    .replace("secret", "X")
                    .replace("none", "X")
                    .replace("c2", "X")
            };
            assert_eq!(text(&hidden), text(&missing), "nothing tells whether it exists");
        }
    }
    scene.grant(Right::VIEW_PROJECT, Context::Project("p2".to_owned())).await;
    assert_eq!(projects(&scene.application.token).await, ["p2"]);
    let seen = scene.get("projects/id:p2", &scene.application.token, 200).await;
    assert_eq!((&seen["key"]["key"], &seen["private"]), (&json!("SECRET"), &json!(true)));
    scene.get("projects/id:p1", &scene.application.token, 404).await;
    let channel = scene.get("chats/channels/channel:name:general", &scene.outsider, 200).await;
    assert_eq!(channel["contact"]["defaultName"], "General");
    assert_eq!(channel["contact"]["ext"]["access"], "Public");
    scene.get("chats/channels/member:me", &scene.ann, 404).await;
}

async fn projects_name_their_people(scene: &Scene) {
    let path = "projects/id:p2?$fields=id,adminProfiles(username),memberProfiles(id,emails(email)),memberTeams(name),adminTeams";
    let seen = scene.get(path, &scene.ann, 200).await;
    assert_eq!(seen["adminProfiles"], json!([{ "username": "Ann" }]));
    assert_eq!(seen["memberProfiles"], json!([{ "id": "bob", "emails": [{ "email": "bob@example.org" }] }]));
    assert_eq!((&seen["memberTeams"], &seen["adminTeams"]), (&json!([{ "name": "Crew" }]), &json!([])));
    let page = scene.get("projects?term=SECRET&$fields=data(adminProfiles)", &scene.ann, 200).await;
    assert_eq!(page["data"][0]["adminProfiles"][0]["id"], "ann");
    assert!(scene.get("projects/id:p2", &scene.ann, 200).await.get("adminProfiles").is_none());
    assert_eq!(scene.get("projects?tag=x", &scene.ann, 200).await["totalCount"], 0);
}

async fn the_organization_is_shown(scene: &Scene) {
    let organization = scene.get("organization", &scene.application.token, 200).await;
    assert_eq!(organization["name"], "Organization");
    assert_eq!(organization["id"], organization["orgId"]);
}

async fn events_name_projects_by_key(scene: &Scene) {
    let host = scene.server.host().await;
    let publish = async |context: &str, status: u16| {
        let event = json!({ "id": format!("in-{context}"), "subject": "Issue", "type": "Issue.Created", "context": context, "payload": { "className": "IssueWebhookEvent" } });
        let call = scene.server.client.post("/api/host/v1/events").bearer(&host).json(&json!({ "events": [event] }));
        call.send().await.expect(status).json()
    };
    publish("project:key:open", 202).await;
    publish("project:id:not-yet-known", 202).await;
    let refused = publish("project:key:NONE", 400).await;
    assert_eq!(
        refused["error_description"],
        "events[0].context names a project by a key that the directory does not know"
    );
}

struct Roles<'a>(&'a Scene);

impl Roles<'_> {
    async fn send(&self, method: &str, path: &str, body: Value, token: &str, status: u16) -> Value {
        let path = format!("/api/http/permission-roles/{path}");
        let client = &self.0.server.client;
        let call = match method {
            "POST" => client.post(&path),
            "PATCH" => client.patch(&path),
            "DELETE" => client.delete(&path),
            _ => client.get(&path),
        };
        let answer = call.bearer(token).json(&body).send().await.expect(status);
        if answer.text().is_empty() { Value::Null } else { answer.json() }
    }
}

async fn roles_give_rights(scene: &Scene) {
    let (roles, admin) = (Roles(scene), &scene.server.admin);
    let make = json!({ "contextIdentifier": "project:key:OTHER", "name": " Readers " });
    let made = roles.send("POST", "create", make.clone(), admin, 200).await;
    assert_eq!(
        (&made["name"], &made["type"], &made["membersEditable"]),
        (&json!("Readers"), &json!("CUSTOM"), &json!(true))
    );
    let id = made["roleId"].as_str().unwrap();
    assert_eq!(roles.send("POST", "create", make, admin, 400).await["error"], "duplicated-entity");
    roles.send("POST", &format!("{id}/permissions"), json!({ "rightCodes": ["Project.View"] }), admin, 200).await;
    let rights = roles.send("GET", &format!("{id}/permissions"), json!({}), admin, 200).await;
    assert_eq!((&rights[0]["status"], &rights[0]["editable"]), (&json!("GRANTED"), &json!(true)));
    assert_eq!(rights[0]["rightCode"], json!({ "className": "PermissionIdentifier.ViewProjectDetails" }));
    scene.get("projects/id:p3", &scene.outsider, 404).await;
    roles.send("POST", &format!("{id}/profiles/username:outsider"), json!({}), admin, 200).await;
    scene.get("projects/id:p3", &scene.outsider, 200).await;
    let members = roles.send("GET", &format!("{id}/profiles"), json!({}), admin, 200).await;
    assert_eq!(members[0]["username"], "outsider");
    roles.send("DELETE", &format!("{id}/profiles/id:outsider"), json!({}), admin, 200).await;
    scene.get("projects/id:p3", &scene.outsider, 404).await;
    roles.send("POST", &format!("{id}/teams/name:crew"), json!({}), admin, 200).await;
    assert_eq!(roles.send("GET", &format!("{id}/teams"), json!({}), admin, 200).await[0]["id"], "crew");
    roles.send("DELETE", &format!("{id}/teams/id:crew"), json!({}), admin, 200).await;
    roles.send("PATCH", id, json!({ "name": "Viewers" }), admin, 200).await;
    let listed = roles.send("POST", "get", json!({ "contextIdentifier": "project:id:p3" }), admin, 200).await;
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Project administrators", "Project members", "Viewers"]);
    roles.send("DELETE", &format!("{id}/permissions?rightCodes=Project.View"), json!({}), admin, 200).await;
    for (method, path, body) in [
        ("POST", format!("{id}/permissions"), json!({ "rightCodes": ["Nothing"] })),
        ("POST", format!("{id}/permissions"), json!({ "rightCodes": ["Host.PublishEvents"] })),
        ("POST", format!("{id}/permissions"), json!({})),
        ("POST", format!("{id}/reset-role-permissions-to-default"), json!({})),
        ("PATCH", id.to_owned(), json!({ "name": "" })),
    ] {
        roles.send(method, &path, body, admin, 400).await;
    }
    for (method, path) in [
        ("POST", format!("{id}/profiles/id:nobody")),
        ("POST", format!("{id}/teams/id:nobody")),
        ("PATCH", "none".to_owned()),
    ] {
        roles.send(method, &path, json!({ "name": "x" }), admin, 404).await;
    }
    roles.send("DELETE", id, json!({}), admin, 200).await;
    roles.send("DELETE", id, json!({}), admin, 404).await;
}

async fn nobody_gives_what_he_does_not_hold(scene: &Scene) {
    let (roles, admin) = (Roles(scene), &scene.server.admin);
    let at = |context: &str, name: &str| json!({ "contextIdentifier": context, "name": name });
    // Ann administers the private project, and nothing else.
    let made = roles.send("POST", "create", at("project:key:SECRET", "Helpers"), &scene.ann, 200).await;
    let id = made["roleId"].as_str().unwrap();
    roles.send("POST", &format!("{id}/permissions"), json!({ "rightCodes": ["Project.View"] }), &scene.ann, 200).await;
    for right in ["Superadmin", "Project.Issues.View"] {
        roles.send("POST", &format!("{id}/permissions"), json!({ "rightCodes": [right] }), &scene.ann, 403).await;
    }
    roles.send("POST", &format!("{id}/profiles/id:bob"), json!({}), &scene.ann, 200).await;
    roles.send("POST", "create", at("global", "Lords"), &scene.ann, 403).await;
    roles.send("POST", "create", at("project:key:OTHER", "Lords"), &scene.ann, 404).await;
    roles.send("POST", "create", at("project:key:SECRET", "Lords"), &scene.outsider, 404).await;
    let bob = token_of(&scene.server, "bob").await;
    roles.send("PATCH", id, json!({ "name": "x" }), &bob, 403).await;
    roles.send("PATCH", id, json!({ "name": "x" }), &scene.outsider, 404).await;
    // A role of the organization that holds more than its administrator does.
    let lords = roles.send("POST", "create", at("global", "Lords"), admin, 200).await;
    let lords = lords["roleId"].as_str().unwrap();
    roles.send("POST", &format!("{lords}/profiles/me"), json!({}), &scene.ann, 404).await;
    roles.send("GET", &format!("{lords}/profiles"), json!({}), &scene.ann, 404).await;
    roles.send("POST", "get", json!({ "contextIdentifier": "global" }), &scene.ann, 403).await;
    roles.send("POST", "get", json!({ "contextIdentifier": "project:id:p3" }), &scene.ann, 404).await;
    roles.send("POST", &format!("{lords}/profiles/me"), json!({}), &scene.application.token, 404).await;
}

async fn predefined_roles_are_what_people_are(scene: &Scene) {
    let (roles, admin) = (Roles(scene), &scene.server.admin);
    let listed = roles.send("POST", "get", json!({ "contextIdentifier": "global" }), admin, 200).await;
    let codes: Vec<Value> =
        listed.as_array().unwrap().iter().map(|role| role["code"].clone()).filter(Value::is_string).collect();
    assert_eq!(codes, ["SystemAdmin", "Member"]);
    // Being a member of a project is a role that can be given.
    scene.get("projects/id:p3", &scene.outsider, 404).await;
    roles.send("POST", "ProjectMember~p3/profiles/id:outsider", json!({}), admin, 200).await;
    scene.get("projects/id:p3", &scene.outsider, 200).await;
    roles.send("DELETE", "ProjectMember~p3/profiles/id:outsider", json!({}), admin, 200).await;
    scene.get("projects/id:p3", &scene.outsider, 404).await;
    roles.send("POST", "ProjectMember~p3/permissions", json!({ "rightCodes": ["Project.View"] }), admin, 400).await;
    roles.send("POST", "ProjectMember~none/profiles/id:ann", json!({}), admin, 404).await;
    // So is administering the server; the last one stays.
    let admins = roles.send("GET", "SystemAdmin/profiles", json!({}), admin, 200).await;
    let first = format!("SystemAdmin/profiles/id:{}", admins[0]["id"].as_str().unwrap());
    roles.send("DELETE", &first, json!({}), admin, 400).await;
    roles.send("POST", "SystemAdmin/profiles/id:ann", json!({}), admin, 200).await;
    scene.get("projects/id:p3", &scene.ann, 200).await;
    roles.send("DELETE", "SystemAdmin/profiles/id:ann", json!({}), &scene.ann, 200).await;
    scene.get("projects/id:p3", &scene.ann, 404).await;
    roles.send("POST", "SystemAdmin/teams/id:crew", json!({}), admin, 400).await;
    // What every member holds can be changed, but not who is one.
    roles.send("POST", "Member/profiles/id:guest", json!({}), admin, 400).await;
    roles.send("DELETE", "Member", json!({}), admin, 400).await;
    scene.get("team-directory/profiles", &scene.outsider, 200).await;
    let rights = "Member/permissions?rightCodes=Profile.View&rightCodes=Profile.View.Basic";
    roles.send("DELETE", rights, json!({}), admin, 200).await;
    scene.get("team-directory/profiles", &scene.outsider, 403).await;
    roles.send("POST", "Member/reset-role-permissions-to-default", json!({}), admin, 200).await;
    scene.get("team-directory/profiles", &scene.outsider, 200).await;
}
