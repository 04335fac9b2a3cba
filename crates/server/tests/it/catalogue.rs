//! The catalogue of rights, and the question who holds one.

use serde_json::{Value, json};
use spaceport_platform::consent::{ApprovedScope, Presence};
use spaceport_platform::context::Context;
use spaceport_platform::id::{ApplicationId, ApprovedScopeId, ConsentId, ProfileId};
use spaceport_platform::scope::Scope;
use spaceport_platform::time::Timestamp;
use spaceport_store::StoreError;

use crate::authorizations::{directory, person_in};
use crate::harness::{BOTH, Engine, Server};

async fn ask(server: &Server, token: &str, principal: &str, code: &str, target: Value) -> Value {
    let body = json!({ "principal": principal, "uniqueRightCode": code, "target": target });
    let call = server.client.post("/api/http/permissions/check-permission").bearer(token).json(&body);
    call.send().await.expect(200).json()
}

async fn allowed(server: &Server, token: &str, principal: &str, code: &str, target: &Value) -> bool {
    ask(server, token, principal, code, target.clone()).await == true
}

#[tokio::test(flavor = "multi_thread")]
async fn every_right_is_listed_by_type_group_and_dependency() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Curious" })).await;
    let list = server.client.get("/api/http/permissions").bearer(&made.token).send().await.expect(200).json();
    let all = |path: &str| list[path].as_array().unwrap().clone();
    let by_type: usize = all("rights").iter().map(|kind| kind["rights"].as_array().unwrap().len()).sum();
    let by_group: usize = all("rightsGroups").iter().map(|group| group["rights"].as_array().unwrap().len()).sum();
    assert_eq!(by_type, by_group);
    assert!(by_type > 280, "{by_type}");
    let project = all("rights").into_iter().find(|kind| kind["rightType"]["typeCode"] == "Project").unwrap();
    let view =
        project["rights"].as_array().unwrap().iter().find(|right| right["code"] == "Project.Issues.View").cloned();
    assert_eq!(view.unwrap()["title"], "View issues");
    assert!(all("deps").contains(&json!({ "code": "Project.Issues.Edit", "deps": ["Project.Issues.View"] })));
    let priorities: Vec<_> = all("rightsGroups").iter().map(|group| group["priority"].as_u64().unwrap()).collect();
    assert_eq!(priorities, (0..priorities.len() as u64).collect::<Vec<_>>());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_of_the_hosts_own_is_granted_like_any_other() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let (made, host) = (server.application(json!({ "name": "Shopping" })).await, server.host().await);
        let path = "/api/host/v1/catalogue/rights/Shop.Orders.View";
        let body = json!({ "title": "View orders", "target": "Project", "dependencies": ["Project.View"] });
        server.client.put(path).bearer(&made.token).json(&body).send().await.expect(403);
        for _ in 0..2 {
            server.client.put(path).bearer(&host).json(&body).send().await.expect(200);
        }
        let trail = "/api/host/v1/audit-trail?targetKind=right";
        let trail = server.client.get(trail).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(trail["data"].as_array().unwrap().len(), 1, "what is already so leaves no trace");
        server.grant(&made.id, "global", &["Shop.Orders.View"]).await;
        let rights = "/api/http/applications/me/authorizations/authorized-rights?contextIdentifier=global";
        let rights = server.client.get(rights).bearer(&made.token).send().await.expect(200).json();
        assert_eq!(rights[0]["rightCode"], json!({ "className": "PermissionIdentifier.ShopOrdersView" }));
        assert_eq!((&rights[0]["name"], &rights[0]["group"]), (&json!("View orders"), &json!("Shop")));
        for (path, body, field) in [
            ("/api/host/v1/catalogue/rights/Profile.View", body.clone(), "code"),
            ("/api/host/v1/catalogue/rights/Shop", body.clone(), "code"),
            (path, json!({ "title": "", "target": "Project" }), "title"),
            (path, json!({ "title": "x", "target": "Project", "dependencies": ["No.Such"] }), "dependencies"),
        ] {
            let refused = server.client.put(path).bearer(&host).json(&body).send().await.expect(400);
            assert!(refused.json()["error_description"].as_str().unwrap().starts_with(field), "{}", refused.text());
        }
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_holds_what_can_be_asked_one_by_one_and_in_a_batch() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let made = server.application(json!({ "name": "Asking" })).await;
        server.grant(&made.id, "project:key:CLOSED", &["Project.Issues.View"]).await;
        let knowing = server.application(json!({ "name": "Knowing" })).await;
        server.grant(&knowing.id, "global", &["Permissions.View", "Project.View", "Channel.ViewChannel"]).await;
        person_in(&server, "ann", Context::Project("closed".to_owned()), &["Project.Admin"]).await;
        let global = json!({ "className": "GlobalPermissionTarget" });
        let project = |key: &str| json!({ "className": "ProjectPermissionTarget", "project": format!("key:{key}") });
        let channel = json!({ "className": "ChannelPermissionTarget", "channel": { "className": "ChannelIdentifier.Id", "id": "talk" } });
        for (principal, code, target, expected) in [
            ("application:me", "Project.Issues.View", project("CLOSED"), true),
            ("application:me", "Project.Issues.View", project("OPEN"), false),
            ("application:me", "Project.Issues.View", global.clone(), false),
        ] {
            let answer = ask(&server, &made.token, principal, code, target.clone()).await;
            assert_eq!(answer, expected, "{principal} {code} {target}");
        }
        for (principal, code, target, expected) in [
            ("profile:username:admin", "Applications.Edit", global.clone(), true),
            ("profile:username:admin", "Channel.Admin", channel.clone(), true),
            ("profile:username:ann", "Project.Admin", project("CLOSED"), true),
            ("profile:username:ann", "Superadmin", global.clone(), false),
            ("profile:username:nobody", "Superadmin", global.clone(), false),
            ("application:id:nothing", "Profile.View", global.clone(), false),
            ("builtIn:Space", "Profile.View", global.clone(), false),
            ("profile:username:admin", "Project.Admin", project("NOTHING"), false),
        ] {
            let answer = ask(&server, &knowing.token, principal, code, target.clone()).await;
            assert_eq!(answer, expected, "{principal} {code} {target}");
        }
        let body = json!({ "principal": "profile:me", "uniqueRightCode": "Profile.View", "target": global });
        let call = server.client.post("/api/http/permissions/check-permission").bearer(&made.token).json(&body);
        call.send().await.expect(400);

        let host = server.host().await;
        let check = |principal: &str, right: &str, context: &str| json!({ "principal": principal, "right": right, "context": context });
        let body = json!({ "checks": [
            check(&format!("application:id:{}", made.id), "Project.Issues.View", "project:key:CLOSED"),
            check(&format!("application:clientId:{}", made.client_id), "Project.Issues.View", "global"),
            check("profile:username:ann", "Project.Admin", "packageRepository:packages"),
            { "principal": "profile:username:admin", "right": "Profile.View" },
        ] });
        let path = "/api/host/v1/check";
        let answer = server.client.post(path).bearer(&host).json(&body).send().await.expect(200).json();
        let allowed: Vec<_> =
            answer["results"].as_array().unwrap().iter().map(|result| result["allowed"].as_bool().unwrap()).collect();
        assert_eq!(allowed, [true, false, true, true]);
        server.client.post(path).bearer(&made.token).json(&body).send().await.expect(403);
        let wrong = json!({ "checks": [check("profile:username:ann", "No.Such", "global")] });
        let refused = server.client.post(path).bearer(&host).json(&wrong).send().await.expect(400);
        assert!(refused.text().contains("checks[0].right"), "{}", refused.text());
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_by_asking_what_he_may_not_see() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        directory(&server).await;
        let host = server.host().await;
        let ann = json!({ "username": "ann", "emails": ["ann@example.org"] });
        server
            .client
            .put("/api/host/v1/directory/profiles/profile-ann")
            .bearer(&host)
            .json(&ann)
            .send()
            .await
            .expect(200);
        let ben = person_in(&server, "ben", Context::Project("closed".to_owned()), &["Project.View"]).await;
        let made = server.application(json!({ "name": "Asking" })).await;
        let other = server.application(json!({ "name": "Other" })).await;
        server.grant(&other.id, "global", &["Applications.View"]).await;
        let through = server.delegated(&made, "ben", "**").await;
        let global = json!({ "className": "GlobalPermissionTarget" });
        let closed = json!({ "className": "ProjectPermissionTarget", "project": "key:CLOSED" });
        let admin = ("profile:username:admin", "Superadmin");
        // Administrators, members of private places, addresses, what other applications may do.
        for (principal, code, target) in [
            (admin.0, admin.1, &global),
            ("profile:username:ben", "Project.View", &closed),
            ("profile:id:profile-ben", "Project.View", &closed),
            ("profile:email:ann@example.org", "Permissions.OrgMember", &global),
            (&format!("application:id:{}", other.id), "Applications.View", &global),
        ] {
            for token in [&made.token, &through] {
                assert!(!allowed(&server, token, principal, code, target).await, "{principal} {code}");
            }
            for token in [&server.admin, &host] {
                assert!(allowed(&server, token, principal, code, target).await, "{principal} {code}");
            }
        }
        // Everybody asks about himself, and an application about the people who agreed to it.
        assert!(allowed(&server, &ben, "profile:me", "Project.View", &closed).await);
        assert!(allowed(&server, &ben, "profile:username:ben", "Project.View", &closed).await);
        assert!(allowed(&server, &other.token, "application:me", "Applications.View", &global).await);
        assert!(!allowed(&server, &ben, admin.0, admin.1, &global).await);
        let member = ("profile:id:profile-ben", "Permissions.OrgMember");
        assert!(allowed(&server, &through, "profile:me", member.1, &global).await);
        assert!(allowed(&server, &through, member.0, member.1, &global).await);
        assert!(!allowed(&server, &made.token, member.0, member.1, &global).await, "he has not agreed yet");
        let id = ApplicationId::new(made.id.as_str());
        let consent = server.running.store().write(move |tx| {
            let approved = ApprovedScope {
                id: ApprovedScopeId::new("s1"),
                scope: Scope::Everything,
                presence: Presence::Online,
                approved_at: Timestamp::from_millis(1),
            };
            tx.approve(&ProfileId::new("profile-ben"), &id, &ConsentId::new("c1"), &approved)
        });
        consent.await.map_err(|error: StoreError| error.to_string()).unwrap();
        assert!(allowed(&server, &made.token, member.0, member.1, &global).await);
        assert!(!allowed(&server, &made.token, member.0, "Project.View", &closed).await, "not where it sees nothing");
        // Whoever may view what others hold asks about all, where he sees the place; by address, who sees addresses.
        server.grant(&other.id, "global", &["Permissions.View"]).await;
        assert!(allowed(&server, &other.token, admin.0, admin.1, &global).await);
        assert!(!allowed(&server, &other.token, "profile:username:ben", "Project.View", &closed).await);
        let (by_address, code) = ("profile:email:ann@example.org", "Permissions.OrgMember");
        assert!(!allowed(&server, &other.token, by_address, code, &global).await);
        server.grant(&other.id, "global", &["Profile.View", "Project.View"]).await;
        assert!(allowed(&server, &other.token, by_address, code, &global).await);
        assert!(allowed(&server, &other.token, "profile:username:ben", "Project.View", &closed).await);
        server.running.stop().await;
    }
}
