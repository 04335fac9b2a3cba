//! Lists of applications: filters, orders, and walks while others come, go and move.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use spaceport_platform::access::Owner;
use spaceport_platform::application::Application;
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::time::Timestamp;
use spaceport_store::StoreError;

use crate::harness::{BOTH, Server};

const ORDERS: [&str; 4] = ["", "NAME_A_TO_Z", "NAME_Z_TO_A", "LAST_EDITED"];

/// Puts 250 applications of one owner into the database, many of one name.
async fn many(server: &Server, owner: &'static str) {
    let made = server.running.store().write(move |tx| {
        for number in 0..250 {
            let id = ApplicationId::new(format!("{owner}{number:03}"));
            let name = if number % 3 == 0 { "Same".to_owned() } else { format!("Ämter {}", number * 7 % 250) };
            let owner = Owner::User(ProfileId::new(format!("profile-{owner}")));
            let mut application = Application::new(id.clone(), id.as_str(), name, owner, Timestamp::from_millis(1));
            application.updated_at = Timestamp::from_millis(1 + i64::from(number % 50));
            tx.insert_application(&application)?;
        }
        Ok::<_, StoreError>(())
    });
    made.await.unwrap();
}

/// Walks as SDKs do, from `$skip=0` until a page is empty; answers how often each application was seen.
async fn walk(server: &Server, query: &str, mut between: impl AsyncFnMut(usize)) -> BTreeMap<String, usize> {
    let (mut seen, mut skip) = (BTreeMap::new(), "0".to_owned());
    for page in 0.. {
        let path = format!("/api/http/applications/paged?{query}&$top=100&$skip={skip}");
        let answer = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        let next = answer["next"].as_str().unwrap().to_owned();
        assert!(!next.is_empty());
        let data = answer["data"].as_array().unwrap();
        for application in data {
            *seen.entry(application["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        if data.is_empty() {
            assert_eq!(next, skip, "the page after the last stays where it is");
            break;
        }
        skip = next;
        between(page).await;
    }
    seen
}

fn once(seen: &BTreeMap<String, usize>, prefix: &str) {
    let of_owner: Vec<_> =
        seen.iter().filter(|(id, _)| id.starts_with(prefix) && id.len() == prefix.len() + 3).collect();
    assert_eq!(of_owner.len(), 250, "every application is seen");
    let twice: Vec<_> = of_owner.iter().filter(|(_, times)| **times != 1).collect();
    assert!(twice.is_empty(), "each is seen once: {twice:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn walks_show_every_application_once_whatever_happens_meanwhile() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let owner = server.person("walked", &["Applications.Create"]).await;
        many(&server, "walked").await;
        for order in ORDERS {
            let query = format!("owner=username:walked&ordering={order}");
            // Between two pages some move to the other end of the list, seen and unseen ones, and new ones come.
            let seen = walk(&server, &query, async |page: usize| {
                for number in (page..250).step_by(40) {
                    let name = if number % 2 == 0 { "0 first" } else { "zz last" };
                    let path = format!("/api/http/applications/id:walked{number:03}");
                    server.client.patch(&path).bearer(&owner).json(&json!({ "name": name })).send().await.expect(200);
                }
                for name in ["0 new", "zz new"] {
                    let call = server.client.post("/api/http/applications").bearer(&owner);
                    call.json(&json!({ "name": name })).send().await.expect(200);
                }
            });
            once(&seen.await, "walked");
        }
        inserts_at_the_same_time_hide_nobody(&server, &owner).await;
        server.running.stop().await;
    }
}

async fn inserts_at_the_same_time_hide_nobody(server: &Server, owner: &str) {
    let done = AtomicBool::new(false);
    let insert = async {
        while !done.load(Ordering::Relaxed) {
            for name in ["0 new", "Same", "zz new"] {
                let call = server.client.post("/api/http/applications").bearer(owner);
                call.json(&json!({ "name": name })).send().await.expect(200);
            }
        }
    };
    let walks = async {
        for order in ORDERS {
            let query = format!("owner=username:walked&ordering={order}");
            once(&walk(server, &query, async |_| {}).await, "walked");
        }
        done.store(true, Ordering::Relaxed);
    };
    futures_util::future::join(insert, walks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_and_orders_narrow_the_list() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let ann = server.person("ann", &["Applications.Create", "Applications.View"]).await;
        let bea = server.person("bea", &["Applications.Create"]).await;
        for (token, name) in [(&ann, "b Tool"), (&ann, "A tool"), (&bea, "c 100% TOOL")] {
            let call = server.client.post("/api/http/applications").bearer(token);
            call.json(&json!({ "name": name })).send().await.expect(200);
        }
        let names = async |token: &str, query: &str| -> Vec<String> {
            let path = format!("/api/http/applications/paged?name=tool&{query}");
            let page = server.client.get(&path).bearer(token).send().await.expect(200).json();
            let names = page["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned());
            let names: Vec<_> = names.collect();
            assert_eq!(page["totalCount"], json!(names.len()), "{query}");
            names
        };
        assert_eq!(names(&ann, "").await, ["A tool", "b Tool", "c 100% TOOL"]);
        assert_eq!(names(&ann, "ordering=&owner=&withArchived=&withManaged=").await.len(), 3, "empty means absent");
        assert_eq!(names(&ann, "ordering=NAME_Z_TO_A").await, ["c 100% TOOL", "b Tool", "A tool"]);
        assert_eq!(names(&ann, "owner=me").await, ["A tool", "b Tool"]);
        assert_eq!(names(&ann, "owner=username%3Abea").await, ["c 100% TOOL"]);
        assert_eq!(names(&ann, "owner=id:profile-bea&owner=me").await.len(), 3);
        assert_eq!(names(&ann, "owner=externalId:unknown").await, [] as [&str; 0]);
        let search = async |name: &str| {
            let path = format!("/api/http/applications/paged?name={name}");
            server.client.get(&path).bearer(&ann).send().await.expect(200).json()["totalCount"].clone()
        };
        assert_eq!((search("0%25%20t").await, search("_").await), (json!(1), json!(0)), "no character is a wildcard");
        for token in [&server.admin, &ann] {
            edited_ones_come_first(&server, token).await;
        }
        managed_and_archived_ones_are_left_out_on_demand(&server, &ann).await;
        let host = server.host().await;
        let refused = server.client.get("/api/http/applications/paged?owner=me").bearer(&host).send().await;
        assert!(matches!(refused.status.as_u16(), 400 | 403), "an application is no person: {}", refused.text());
        let cursor = server.client.get("/api/http/applications/paged?$top=1").bearer(&ann).send().await.json();
        let path = format!(
            "/api/http/applications/paged?ordering=LAST_EDITED&$skip={}",
            cursor["next"].as_str().unwrap_or_default()
        );
        let other = server.client.get(&path).bearer(&ann).send().await.expect(400).json();
        assert!(other["error_description"].as_str().unwrap().starts_with("$skip"), "{other}");
        server.running.stop().await;
    }
}

async fn edited_ones_come_first(server: &Server, viewer: &str) {
    let find = "/api/http/applications/paged?name=tool&ordering=LAST_EDITED";
    let page = server.client.get(find).bearer(viewer).send().await.expect(200).json();
    let last = page["data"][2]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/http/applications/id:{last}");
    let body = json!({ "description": format!("edited for {}", viewer.len()) });
    server.client.patch(&path).bearer(&server.admin).json(&body).send().await.expect(200);
    let page = server.client.get(find).bearer(viewer).send().await.expect(200).json();
    assert_eq!(page["data"][0]["id"], json!(last));
}

async fn managed_and_archived_ones_are_left_out_on_demand(server: &Server, viewer: &str) {
    let count = async |query: &str| -> Value {
        let path = format!("/api/http/applications/paged?name=tool&{query}");
        server.client.get(&path).bearer(viewer).send().await.expect(200).json()["totalCount"].clone()
    };
    let maker = server.application(json!({ "name": "maker tool" })).await;
    let (child, parent) = (ApplicationId::new("child"), ApplicationId::new(maker.id.as_str()));
    let child = Application::new(child, "child", "child tool", Owner::Application(parent), Timestamp::from_millis(1));
    let stored = server.running.store().write(move |tx| tx.insert_application(&child));
    stored.await.map_err(|error: StoreError| error.to_string()).unwrap();
    assert_eq!((count("").await, count("withManaged=false").await), (json!(5), json!(4)));
    let path = format!("/api/http/applications/id:{}", maker.id);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
    assert_eq!((count("").await, count("withArchived=true").await), (json!(4), json!(5)));
}
