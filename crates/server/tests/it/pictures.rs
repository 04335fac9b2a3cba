//! Pictures: uploaded, shown, let go.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_server::run::{Running, Surroundings, run};
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::{Client, Response};
use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::harness::{BOTH, Engine, Server, settings, surroundings};

/// The beginning of a PNG file of 3 by 2 pixels.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0";

fn png(length: usize) -> Vec<u8> {
    let mut bytes = PNG.to_vec();
    bytes.resize(length.max(PNG.len()), 7);
    bytes
}

async fn request(client: &Client, token: &str) -> String {
    let body = json!({ "storagePrefix": "file", "mediaType": null });
    let path = client.post("/api/http/uploads").bearer(token).json(&body).send().await.expect(200).json();
    path.as_str().unwrap().to_owned()
}

async fn put(client: &Client, path: &str, bytes: Vec<u8>) -> Response {
    client.put(&format!("{path}/icon.png")).raw_body(bytes).send().await
}

async fn upload(client: &Client, token: &str, bytes: Vec<u8>) -> String {
    let path = request(client, token).await;
    put(client, &path, bytes).await.expect(200).text().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_uploaded_and_shown() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        a_file_is_put_once_and_fetched_by_anybody(&server).await;
        applications_show_their_picture(&server).await;
        what_is_no_picture_is_refused(&server).await;
        nobody_fills_the_disk(&server).await;
        server.running.stop().await;
    }
}

async fn a_file_is_put_once_and_fetched_by_anybody(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Painter" })).await;
    client.post("/api/http/uploads").json(&json!({ "storagePrefix": "file" })).send().await.expect(401);
    let path = request(client, &made.token).await;
    assert!(path.starts_with("/uploads/"), "{path}");
    // A published application sends a broken header here, and the client libraries none.
    let call = client
        .put(&format!("{path}/my%20ic%C3%B6n.png"))
        .header("authorization", "Bearer")
        .header("authorization", "x");
    let answer = call.body("text/html", png(5_000)).send().await.expect(200);
    assert_eq!(answer.content_type(), "text/plain");
    let id = answer.text().to_owned();
    assert!(id.len() >= 32 && id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
    put(client, &path, png(10)).await.expect(404);
    put(client, "/uploads/unknown", png(10)).await.expect(404);

    let fetched = client.get(&format!("/d/{id}")).send().await.expect(200);
    assert_eq!(fetched.body, png(5_000));
    assert_eq!(fetched.header("content-type"), "image/png", "judged by the bytes, not by what the uploader said");
    assert_eq!(fetched.header("content-disposition"), "inline; filename*=UTF-8''my%20ic%C3%B6n%2Epng");
    assert_eq!(fetched.header("x-content-type-options"), "nosniff");
    assert_eq!(fetched.header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(fetched.header("cache-control").contains("immutable"));
    assert!(fetched.header("last-modified").ends_with(" GMT"));
    assert_eq!(fetched.header("access-control-allow-origin"), "*");
    let tag = fetched.header("etag");
    let again = client.get(&format!("/d/{id}")).header("if-none-match", &format!("\"x\", W/{tag}")).send().await;
    assert_eq!(again.expect(304).body.len(), 0);
    client.get(&format!("/d/{id}")).header("if-none-match", "\"x\"").send().await.expect(200);
    client.get("/d/unknown").send().await.expect(404);
}

async fn applications_show_their_picture(server: &Server) {
    let client = &server.client;
    let (one, other) = (upload(client, &server.admin, png(100)).await, upload(client, &server.admin, png(200)).await);
    let made = server.application(json!({ "name": "Shown", "pictureAttachmentId": one })).await;
    let picture = async || {
        client.get("/api/http/applications/me").bearer(&made.token).send().await.expect(200).json()["picture"].clone()
    };
    let change = async |picture: Value| {
        let body = json!({ "pictureAttachmentId": picture });
        client.patch("/api/http/applications/me").bearer(&made.token).json(&body).send().await
    };
    assert_eq!(picture().await, json!(one));
    change(json!(other)).await.expect(200);
    assert_eq!(picture().await, json!(other));
    let refused = change(json!("unknown")).await.expect(400).json();
    assert!(refused["error_description"].as_str().unwrap().starts_with("pictureAttachmentId"), "{refused}");
    assert_eq!(picture().await, json!(other), "a refused change changes nothing");
    change(Value::Null).await.expect(200);
    assert_eq!(picture().await, Value::Null);
    let body = json!({ "name": "x", "pictureAttachmentId": "unknown" });
    client.post("/api/http/applications").bearer(&server.admin).json(&body).send().await.expect(400);
}

async fn what_is_no_picture_is_refused(server: &Server) {
    let client = &server.client;
    let path = request(client, &server.admin).await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    let bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\x06\0\0\0".to_vec();
    for bytes in [svg, b"<!DOCTYPE html>".to_vec(), Vec::new(), PNG[..20].to_vec(), bomb] {
        let refused = put(client, &path, bytes).await.expect(400).json();
        assert_eq!(refused["error"], "validation-error");
    }
    for name in ["a%2Fb.png", "a%0D%0Ab.png", &"x".repeat(256)] {
        client.put(&format!("{path}/{name}")).raw_body(png(10)).send().await.expect(400);
    }
    assert_eq!(put(client, &path, png(2 * 1024 * 1024 + 1)).await.expect(413).json()["error"], "payload-too-large");
    put(client, &path, png(10)).await.expect(200);
    let body = json!({ "storagePrefix": 7 });
    client.post("/api/http/uploads").bearer(&server.admin).json(&body).send().await.expect(400);
}

async fn nobody_fills_the_disk(server: &Server) {
    let client = &server.client;
    let made = server.application(json!({ "name": "Greedy" })).await;
    let largest = 2 * 1024 * 1024;
    for _ in 0..10 {
        upload(client, &made.token, png(largest)).await;
    }
    let path = request(client, &made.token).await;
    let refused = put(client, &path, png(PNG.len())).await.expect(400).json();
    assert!(refused["error_description"].as_str().unwrap().contains("20971520"), "{refused}");
    for _ in 0..49 {
        request(client, &made.token).await;
    }
    let body = json!({ "storagePrefix": "file" });
    client.post("/api/http/uploads").bearer(&made.token).json(&body).send().await.expect(400);
    request(client, &server.admin).await;
}

/// The server on this folder, at this time.
async fn start(
    folder: &TempDir,
    clock: &FrozenClock,
    url: Option<&spaceport_testkit::postgres::TestDatabase>,
) -> Running {
    run(&settings(folder, url), Surroundings { clock: Arc::new(clock.clone()), ..surroundings() }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_uses_goes_after_a_day() {
    for engine in BOTH {
        let database = matches!(engine, Engine::Postgres).then(database);
        let (folder, clock) = (TempDir::new().unwrap(), FrozenClock::default());
        let running = start(&folder, &clock, database.as_ref()).await;
        let client = Client::new(format!("http://{}", running.address));
        let admin = running.first.as_ref().unwrap().admin_token.clone();
        let (used, unused) = (upload(&client, &admin, png(100)).await, upload(&client, &admin, png(100)).await);
        let late = request(&client, &admin).await;
        let body = json!({ "name": "Shown", "pictureAttachmentId": used });
        client.post("/api/http/applications").bearer(&admin).json(&body).send().await.expect(200);
        running.stop().await;

        clock.advance(Duration::from_secs(24 * 3_600 + 1));
        let running = start(&folder, &clock, database.as_ref()).await;
        let client = Client::new(format!("http://{}", running.address));
        // The task runs at once when the server starts, and nothing announces its end.
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while client.get(&format!("/d/{unused}")).send().await.status != 404 {
            ticks.tick().await;
        }
        client.get(&format!("/d/{used}")).send().await.expect(200);
        put(&client, &late, png(10)).await.expect(404);
        running.stop().await;
    }
}
