//! Rows for the OpenPGP and SSH keys of applications. A key belongs to one application, so each row has its own.

use futures_util::FutureExt;
use serde_json::json;

use super::{Case, case};
use crate::keys::fixture;

pub(crate) fn rows() -> Vec<Case> {
    let gpg = |path: &'static str, fingerprint: &'static str, case: Case| {
        case.with(move |server, made| {
            let body = json!({ "publicKey": fixture(path) });
            async move {
                let path = "/api/http/applications/me/gpg-keys";
                server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200);
                vec![("fingerprint", fingerprint.to_owned())]
            }
            .boxed()
        })
    };
    let ssh = |path: &'static str, fingerprint: &'static str, case: Case| {
        case.with(move |server, made| {
            let body = json!({ "publicKey": fixture(path), "comment": "" });
            async move {
                let path = "/api/http/applications/me/ssh-keys";
                server.client.post(path).bearer(&made.token).json(&body).send().await.expect(200);
                vec![("fingerprint", fingerprint.to_owned())]
            }
            .boxed()
        })
    };
    vec![
        case("api.gpg_key.add")
            .body(json!({ "publicKey": fixture("openpgp/rsa3072.asc") }))
            .malformed(json!({}), "publicKey")
            .malformed(json!({ "publicKey": 7 }), "publicKey")
            .malformed(json!({ "publicKey": "no key" }), "publicKey")
            .malformed(json!({ "publicKey": fixture("openpgp/rsa3072.asc"), "comment": "x".repeat(1_001) }), "comment")
            .answers(|answer| assert_eq!(answer["userIds"][0]["verified"], false)),
        case("api.gpg_key.list").answers(|answer| assert_eq!(*answer, json!([]))),
        gpg("openpgp/ed25519.asc", "0EEEC75C454A1767C0FFE9481772D3F453A7A133", case("api.gpg_key.revoke"))
            .body(json!({ "comment": "lost" }))
            .malformed(json!({ "comment": 7 }), "comment")
            .malformed(json!({ "comment": "x".repeat(1_001) }), "comment"),
        gpg("openpgp/nistp384.asc", "F9E6469A4595EBE8BAA15BADE6D385BB88231F9C", case("api.gpg_key.delete")),
        case("api.ssh_key.add")
            .body(json!({ "publicKey": fixture("ssh/rsa2048.pub"), "comment": "" }))
            .malformed(json!({ "comment": "" }), "publicKey")
            .malformed(json!({ "publicKey": fixture("ssh/rsa2048.pub") }), "comment")
            .malformed(json!({ "publicKey": "ssh-rsa AAAA", "comment": "" }), "publicKey"),
        case("api.ssh_key.list").answers(|answer| assert_eq!(*answer, json!([]))),
        ssh("ssh/ed25519256.pub", "87:d8:73:ec:c8:0d:af:53:44:60:10:65:de:13:98:35", case("api.ssh_key.delete")),
    ]
}
