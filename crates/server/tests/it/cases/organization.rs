//! Rows: what everybody in the organization looks up, and what its administrators keep.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Case, case};
use crate::harness::{Made, Server};
use crate::trusted_certificates::Authority;

pub(crate) fn rows() -> Vec<Case> {
    let check = json!({
        "principal": "application:me",
        "uniqueRightCode": "Applications.View",
        "target": { "className": "GlobalPermissionTarget" },
    });
    let with = |field: &str, value: Value| {
        let mut body = check.clone();
        body[field] = value;
        body
    };
    let certificate = |alias: &str| json!({ "alias": alias, "data": Authority::new(alias).pem, "archived": false });
    let der = STANDARD.encode(&Authority::new("Asked").der);
    let asked: String = form_urlencoded::byte_serialize(der.as_bytes()).collect();
    vec![
        case("api.profile.list")
            .for_members()
            .query("$top=1")
            .answers(|page| assert_eq!(page["data"].as_array().unwrap().len(), 1)),
        case("api.profile.get")
            .by_administrator()
            .for_members()
            .with(|_, _| async { vec![("profile", "username:viewer".to_owned())] }.boxed())
            .answers(|profile| assert_eq!(profile["id"], "profile-viewer")),
        case("api.project.list").by_administrator().for_everybody().answers(|page| assert!(page["data"].is_array())),
        case("api.project.get")
            .by_administrator()
            .hidden_from_strangers()
            .with(|_, _| async { vec![("project", "key:CLOSED".to_owned())] }.boxed())
            .answers(|project| assert_eq!(project["id"], "closed")),
        case("api.channel.list")
            .by_administrator()
            .for_everybody()
            .query("query=talk")
            .answers(|page| assert_eq!(page["data"][0]["channelId"], "talk")),
        case("api.channel.get")
            .by_administrator()
            .hidden_from_strangers()
            .with(|_, _| async { vec![("channel", "channel:name:talk".to_owned())] }.boxed())
            .answers(|channel| assert_eq!(channel["id"], "talk")),
        case("api.organization.get").for_everybody().answers(|organization| assert!(organization["name"].is_string())),
        case("api.catalogue.list").for_everybody().answers(|list| assert!(!list.as_array().unwrap().is_empty())),
        case("api.permission.list").for_everybody().answers(|list| assert!(list["rights"].is_array())),
        case("api.permission.check")
            .for_everybody()
            .with(|server, made| viewing(server, made).boxed())
            .body(check.clone())
            .malformed(with("principal", json!("planet:earth")), "principal")
            .malformed(with("principal", json!("profile:me")), "principal")
            .malformed(with("uniqueRightCode", json!("No.Such.Right")), "uniqueRightCode")
            .malformed(with("target", json!({ "className": "Planet" })), "target")
            .malformed(json!({}), "principal")
            .answers(|held| assert_eq!(*held, json!(true))),
        case("api.upload.create")
            .for_everybody()
            .body(json!({ "storagePrefix": "attachments" }))
            .malformed(json!({}), "storagePrefix")
            .malformed(json!({ "storagePrefix": 7 }), "storagePrefix")
            .answers(|path| assert!(path.as_str().unwrap().starts_with("/uploads/"))),
        case("api.trusted_certificate.list").answers(|list| assert!(list.is_array())),
        case("api.trusted_certificate.create")
            .body(certificate("Row"))
            .malformed(json!({ "alias": "x", "archived": false }), "data")
            .malformed(json!({ "alias": "x", "data": "no certificate", "archived": false }), "data")
            .malformed(json!({ "data": "x", "archived": false }), "alias")
            .answers(|made| assert_eq!(made["alias"], "Row")),
        case("api.trusted_certificate.info")
            .query(format!("data={asked}"))
            .answers(|info| assert!(info["issuedTo"].as_str().unwrap().contains("Asked"))),
        case("api.trusted_certificate.update")
            .with(|server, made| trusted(server, made).boxed())
            .body(json!({ "archived": true }))
            .malformed(json!({ "alias": 7 }), "alias")
            .malformed(json!({ "alias": "" }), "alias")
            .malformed(json!({ "data": "no certificate" }), "data"),
        case("api.trusted_certificate.delete").with(|server, made| trusted(server, made).boxed()),
    ]
}

/// A trusted certificate, named like the application.
async fn trusted(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    let body = json!({ "alias": made.id, "data": Authority::new(&made.id).pem, "archived": false });
    let path = "/api/http/trusted-certificates";
    let made = server.client.post(path).bearer(&server.admin).json(&body).send().await.expect(200).json();
    vec![("id", made["id"].as_str().unwrap().to_owned())]
}

/// Lets the application view others.
async fn viewing(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    server.grant(&made.id, "global", &["Applications.View"]).await;
    Vec::new()
}
