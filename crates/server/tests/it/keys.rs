//! OpenPGP and SSH keys of applications over HTTP.

use serde_json::{Value, json};
use spaceport_testkit::http::Response;

use crate::harness::{BOTH, Made, Server};

/// A key of the parsers' fixtures, which real programs made.
pub(crate) fn fixture(path: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../keys/tests/fixtures/");
    std::fs::read_to_string(format!("{folder}{path}")).unwrap()
}

struct Keys<'a> {
    server: &'a Server,
    kind: &'static str,
}

impl Keys<'_> {
    async fn add(&self, application: &Made, body: Value) -> Response {
        let path = format!("/api/http/applications/me/{}", self.kind);
        self.server.client.post(&path).bearer(&application.token).json(&body).send().await
    }

    async fn list(&self, application: &Made) -> Value {
        let path = format!("/api/http/applications/id:{}/{}", application.id, self.kind);
        self.server.client.get(&path).bearer(&self.server.admin).send().await.expect(200).json()
    }

    fn path(&self, application: &Made, fingerprint: &str) -> String {
        format!("/api/http/applications/id:{}/{}/{fingerprint}", application.id, self.kind)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gpg_keys_are_added_listed_revoked_and_deleted() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let keys = Keys { server: &server, kind: "gpg-keys" };
        let made = server.application(json!({ "name": "Signer", "email": "ROBOT@example.com" })).await;
        let other = server.application(json!({ "name": "Other" })).await;
        let text = fixture("openpgp/rsa3072.asc");

        let added = keys.add(&made, json!({ "publicKey": text, "comment": "builds" })).await.expect(200).json();
        assert_eq!(added["fingerprint"], "88F5B9EA08B40F7B1F525615B12BADCFF3ED07AD");
        assert_eq!(added["publicKey"].as_str().unwrap(), text.trim());
        let user_ids = json!([
            { "id": "Robot (builds) <robot@example.com>", "verified": true },
            { "id": "Röbot <second@example.com>", "verified": false }
        ]);
        assert_eq!(added["userIds"], user_ids);
        assert_eq!(added["created"]["iso"], "2024-03-01T12:00:00.000Z");
        assert_eq!(added["expires"]["iso"], "2026-03-01T12:00:00.000Z");
        assert_eq!((&added["comment"], &added["revoked"]), (&json!("builds"), &json!(false)));
        assert_eq!((&added["revokedAt"], &added["revokeComment"]), (&Value::Null, &Value::Null));
        assert_eq!(keys.list(&made).await, json!([added]));

        let taken = keys.add(&other, json!({ "publicKey": text })).await.expect(400).json();
        assert_eq!(taken["error"], "duplicated-entity");
        let path = keys.path(&made, "88f5b9ea08b40f7b1f525615%20b12badcff3ed07ad");
        let revoke =
            async || server.client.patch(&path).bearer(&made.token).json(&json!({ "comment": "lost" })).send().await;
        assert_eq!(revoke().await.expect(200).text(), "");
        let listed = keys.list(&made).await;
        assert_eq!((&listed[0]["revoked"], &listed[0]["revokeComment"]), (&json!(true), &json!("lost")));
        assert!(listed[0]["revokedAt"]["iso"].is_string());
        let again = revoke().await.expect(400).json();
        assert_eq!(again["error_description"], "The key is revoked already");

        let foreign = keys.path(&other, "88F5B9EA08B40F7B1F525615B12BADCFF3ED07AD");
        server.client.delete(&foreign).bearer(&other.token).send().await.expect(404);
        assert_eq!(server.client.delete(&path).bearer(&made.token).send().await.expect(200).text(), "");
        server.client.delete(&path).bearer(&made.token).send().await.expect(404);
        server.client.patch(&path).bearer(&made.token).send().await.expect(404);
        assert_eq!(keys.list(&made).await, json!([]));
        keys.add(&other, json!({ "publicKey": text })).await.expect(200);

        let revoked = keys.add(&made, json!({ "publicKey": fixture("openpgp/revoked.asc") })).await.expect(200).json();
        assert_eq!(revoked["revokedAt"]["iso"], "2024-05-01T12:00:00.000Z", "a certificate inside the key counts");
        assert_eq!(revoked["revokeComment"], "replaced by a newer key");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_keys_are_added_listed_and_deleted_by_either_fingerprint() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let keys = Keys { server: &server, kind: "ssh-keys" };
        let made = server.application(json!({ "name": "Cloner" })).await;
        let other = server.application(json!({ "name": "Other" })).await;
        let line = fixture("ssh/rsa4096.pub");
        let bare = line.split(' ').take(2).collect::<Vec<_>>().join(" ");

        let done = keys.add(&made, json!({ "publicKey": bare, "comment": "builds" })).await.expect(200);
        assert_eq!(done.text(), "", "no body");
        keys.add(&made, json!({ "publicKey": fixture("ssh/sk-ed25519.pub"), "comment": "" })).await.expect(200);
        let listed = keys.list(&made).await;
        assert_eq!(listed[0]["fingerprint"], "12:3c:52:ca:a0:88:f5:e5:7b:1d:a5:ae:b5:c2:da:e0");
        assert_eq!(listed[0]["sha256fingerprint"], "SHA256:pi/RwMZzcgbY41xrx8eoMkGtqdC+Y7mgWvU5fFdVgZM");
        assert_eq!((&listed[0]["publicKey"], &listed[0]["comment"]), (&json!(bare), &json!("builds")));
        assert!(listed[0]["createdAt"]["iso"].is_string());
        assert_eq!((&listed[0]["lastUsed"], &listed[0]["lastResource"]), (&Value::Null, &Value::Null));
        assert_eq!(listed[1]["comment"], "sk-ed25519@example.com", "the key's own comment where none is given");

        let taken = keys.add(&other, json!({ "publicKey": line, "comment": "x" })).await.expect(400).json();
        assert_eq!(taken["error"], "duplicated-entity");
        let by_md5 = "12:3c:52:ca:a0:88:f5:e5:7b:1d:a5:ae:b5:c2:da:e0";
        server.client.delete(&keys.path(&other, by_md5)).bearer(&other.token).send().await.expect(404);
        server.client.delete(&keys.path(&made, by_md5)).bearer(&made.token).send().await.expect(200);
        let sha256 = listed[1]["sha256fingerprint"].as_str().unwrap().replace('/', "%2F").replace('+', "%2B");
        server.client.delete(&keys.path(&made, &sha256)).bearer(&made.token).send().await.expect(200);
        assert_eq!(keys.list(&made).await, json!([]));
        server.client.delete(&keys.path(&made, by_md5)).bearer(&made.token).send().await.expect(404);
        server.client.delete(&keys.path(&made, "nonsense")).bearer(&made.token).send().await.expect(404);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_keys_are_refused_with_the_field_and_the_reason() {
    let server = Server::start(BOTH[0]).await;
    let made = server.application(json!({ "name": "Careless" })).await;
    let refused = async |kind: &'static str, body: Value| {
        let answer = Keys { server: &server, kind }.add(&made, body).await.expect(400).json();
        assert_eq!(answer["error"], "validation-error");
        answer["error_description"].as_str().unwrap().to_owned()
    };
    for (kind, key, reason) in [
        ("gpg-keys", fixture("openpgp/secret.asc"), "private key"),
        ("gpg-keys", fixture("openpgp/two-keys.asc"), "one key"),
        ("gpg-keys", "x".repeat(100_000), "at most 65536 bytes"),
        ("ssh-keys", fixture("ssh/private-openssh.txt"), "private key"),
        ("ssh-keys", fixture("ssh/rsa1024.pub"), "2048"),
        ("ssh-keys", fixture("ssh/rsa-exponent-one.pub"), "exponent"),
    ] {
        let description = refused(kind, json!({ "publicKey": key, "comment": "" })).await;
        assert!(description.starts_with("publicKey must") && description.contains(reason), "{description}");
    }
    assert!(refused("gpg-keys", json!({})).await.starts_with("publicKey is required"));
    assert!(refused("ssh-keys", json!({ "publicKey": "ssh-rsa x" })).await.starts_with("comment is required"));
    let long = json!({ "publicKey": fixture("ssh/rsa2048.pub"), "comment": "x".repeat(1_001) });
    assert!(refused("ssh-keys", long).await.starts_with("comment must have at most 1000"));
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archived_application_gets_no_keys_but_loses_them() {
    let server = Server::start(BOTH[0]).await;
    let made = server.application(json!({ "name": "Archived" })).await;
    let ssh = Keys { server: &server, kind: "ssh-keys" };
    let gpg = Keys { server: &server, kind: "gpg-keys" };
    ssh.add(&made, json!({ "publicKey": fixture("ssh/ed25519256.pub"), "comment": "x" })).await.expect(200);
    gpg.add(&made, json!({ "publicKey": fixture("openpgp/ed25519.asc") })).await.expect(200);
    server.client.delete("/api/http/applications/me").bearer(&made.token).send().await.expect(200);
    for (keys, text) in [(&ssh, fixture("ssh/rsa2048.pub")), (&gpg, fixture("openpgp/nistp384.asc"))] {
        let path = format!("/api/http/applications/id:{}/{}", made.id, keys.kind);
        let body = json!({ "publicKey": text, "comment": "x" });
        let refused = server.client.post(&path).bearer(&server.admin).json(&body).send().await.expect(400).json();
        assert!(refused["error_description"].as_str().unwrap().contains("archived"), "{refused}");
        assert_eq!(keys.list(&made).await.as_array().unwrap().len(), 1, "nothing is deleted");
    }
    let path = gpg.path(&made, "0EEEC75C454A1767C0FFE9481772D3F453A7A133");
    server.client.patch(&path).bearer(&server.admin).send().await.expect(200);
    server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
    let path = ssh.path(&made, "87:d8:73:ec:c8:0d:af:53:44:60:10:65:de:13:98:35");
    server.client.delete(&path).bearer(&server.admin).send().await.expect(200);
    server.running.stop().await;
}
