//! Rows: the directory, as the host says it.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{Case, Variables, case};
use crate::harness::{Made, Server};

/// A kind of entries that the host says by id.
struct Kind {
    /// What the directory calls many of them, in paths.
    path: &'static str,
    /// What bodies call them.
    list: &'static str,
    /// Names of the operations: list, put many, delete many, get, put, delete.
    operations: [&'static str; 6],
    /// An entry that fits to the id.
    entry: fn(&str) -> Value,
    /// A field that is a text.
    text: &'static str,
}

const KINDS: [Kind; 6] = [
    Kind {
        path: "profiles",
        list: "profiles",
        operations: [
            "host.profile.list",
            "host.profile.put_all",
            "host.profile.delete_all",
            "host.profile.get",
            "host.profile.put",
            "host.profile.delete",
        ],
        entry: |id| json!({ "username": id }),
        text: "username",
    },
    Kind {
        path: "projects",
        list: "projects",
        operations: [
            "host.project.list",
            "host.project.put_all",
            "host.project.delete_all",
            "host.project.get",
            "host.project.put",
            "host.project.delete",
        ],
        entry: |id| json!({ "key": id.replace('.', "-"), "name": id }),
        text: "key",
    },
    Kind {
        path: "channels",
        list: "channels",
        operations: [
            "host.channel.list",
            "host.channel.put_all",
            "host.channel.delete_all",
            "host.channel.get",
            "host.channel.put",
            "host.channel.delete",
        ],
        entry: |id| json!({ "name": id }),
        text: "name",
    },
    Kind {
        path: "package-repositories",
        list: "packageRepositories",
        operations: [
            "host.package_repository.list",
            "host.package_repository.put_all",
            "host.package_repository.delete_all",
            "host.package_repository.get",
            "host.package_repository.put",
            "host.package_repository.delete",
        ],
        entry: |id| json!({ "project": "open", "name": id }),
        text: "project",
    },
    Kind {
        path: "teams",
        list: "teams",
        operations: [
            "host.team.list",
            "host.team.put_all",
            "host.team.delete_all",
            "host.team.get",
            "host.team.put",
            "host.team.delete",
        ],
        entry: |id| json!({ "name": id }),
        text: "name",
    },
    Kind {
        path: "roles",
        list: "roles",
        operations: [
            "host.role.list",
            "host.role.put_all",
            "host.role.delete_all",
            "host.role.get",
            "host.role.put",
            "host.role.delete",
        ],
        entry: |id| json!({ "name": id, "rights": ["Project.View"] }),
        text: "name",
    },
];

pub(crate) fn rows() -> Vec<Case> {
    let belongs = |team: &str| json!({ "memberships": [{ "team": team, "profile": "profile-viewer" }] });
    let mut rows = vec![
        case("host.membership.list").query("team=crew").answers(|list| assert!(list.is_array())),
        case("host.membership.put_all")
            .body(belongs("crew"))
            .malformed(json!({ "memberships": 7 }), "memberships")
            .malformed(json!({ "memberships": [{ "team": "crew" }] }), "memberships[0]")
            .malformed(belongs("nothing"), "memberships[0].team")
            .answers(|outcome| assert_eq!(outcome["created"], 1)),
        case("host.membership.delete_all")
            .body(belongs("crew"))
            .malformed(json!({}), "memberships")
            .with(|server, _| {
                let body = json!({ "memberships": [{ "team": "crew", "profile": "profile-viewer" }] });
                async move {
                    put(server, "memberships", body).await;
                    Vec::new()
                }
                .boxed()
            })
            .answers(|outcome| assert_eq!(outcome["changed"], 1)),
        case("host.organization.put")
            .body(json!({ "name": "Rows" }))
            .malformed(json!({}), "name")
            .malformed(json!({ "name": 7 }), "name")
            .malformed(json!({ "name": "" }), "name")
            .answers(|outcome| assert_eq!(outcome["changed"], 1)),
    ];
    rows.extend(KINDS.iter().flat_map(of_kind));
    rows
}

fn of_kind(kind: &'static Kind) -> [Case; 6] {
    let [list, put_all, delete_all, get, put_one, delete] = kind.operations;
    let wrong = json!({ kind.text: 7 });
    let many = |id: &str, mut entry: Value| {
        entry["id"] = json!(id);
        json!({ kind.list: [entry] })
    };
    let field = format!("{}[0].{}", kind.list, kind.text);
    [
        case(list).query("$top=1").answers(|page| assert_eq!(page["data"].as_array().map(Vec::len), Some(1))),
        case(put_all)
            .body(many(put_all, (kind.entry)(put_all)))
            .malformed(json!({ kind.list: [(kind.entry)("x")] }), "id")
            .malformed(many("x", wrong.clone()), field.leak())
            .answers(|outcome| assert_eq!(*outcome, json!({ "created": 1, "changed": 0, "unchanged": 0 }))),
        existing(kind, case(delete_all), delete_all)
            .without_variables()
            .body(json!({ "ids": [delete_all, "nobody"] }))
            .malformed(json!({ "ids": 7 }), "ids")
            .malformed(json!({}), "ids")
            .answers(|outcome| assert_eq!(*outcome, json!({ "created": 0, "changed": 1, "unchanged": 1 }))),
        existing(kind, case(get), get).answers(|entry| assert!(entry["id"].as_str().unwrap().ends_with(".get"))),
        existing(kind, case(put_one), put_one)
            .anything("id")
            .body({
                let mut entry = (kind.entry)(put_one);
                entry["description"] = json!("changed");
                if kind.path == "profiles" {
                    entry = json!({ "username": put_one, "externalId": "e:row" });
                }
                entry
            })
            .malformed(wrong, kind.text)
            .malformed(json!({}), kind.text)
            .answers(|outcome| assert_eq!(*outcome, json!({ "created": 0, "changed": 1, "unchanged": 0 }))),
        existing(kind, case(delete), delete)
            .anything("id")
            .answers(|outcome| assert_eq!(*outcome, json!({ "created": 0, "changed": 1, "unchanged": 0 }))),
    ]
}

/// The row with an entry that is there already.
fn existing(kind: &'static Kind, case: Case, id: &'static str) -> Case {
    fn made<'a>(server: &'a Server, kind: &'static Kind, id: &'static str) -> BoxFuture<'a, Variables> {
        async move {
            put(server, &format!("{}/{id}", kind.path), (kind.entry)(id)).await;
            vec![("id", id.to_owned())]
        }
        .boxed()
    }
    case.with(move |server: &Server, _: &Made| made(server, kind, id))
}

/// Says an entry of the directory, or many, as the administrator.
pub(crate) async fn put(server: &Server, path: &str, body: Value) {
    let path = format!("/api/host/v1/directory/{path}");
    server.client.put(&path).bearer(&server.admin).json(&body).send().await.expect(200);
}
