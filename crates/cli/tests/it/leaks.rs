//! No secret that was ever seen stands in clear in the database, the log, an error, a metric or the audit trail.
//!
//! A session is a list of steps on a real process that logs everything it can. A step remembers with
//! [`Session::saw`] every secret it meets, and sends its calls through [`Session::ask`], which keeps the refusals.
//! To cover something new, add a step to [`Session::walk`].

mod people;

use std::fmt::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use spaceport_platform::id::ApplicationId;
use spaceport_platform::time::Timestamp;
use spaceport_server::ring::RingFile;
use spaceport_store::{Store, StoreError};
use spaceport_testkit::http::{Call, Client, Response};
use spaceport_testkit::postgres::{database, dump};
use spaceport_testkit::receiver::{Behaviour, Receiver};
use tempfile::TempDir;

use crate::kill::grant;
use crate::process::{Process, init_with};

/// What it takes to find a secret in something: all of it, or so much that one could go on from there.
const TELLING: usize = 24;

struct Session {
    client: Client,
    receiver: Receiver,
    first: Value,
    /// What was seen, with what it was.
    seen: Vec<(String, String)>,
    /// Bodies of refusals.
    refusals: String,
    /// Applications whose private keys must not be found either.
    applications: Vec<String>,
}

impl Session {
    /// Remembers a secret.
    fn saw(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 12, "{what} is too short to be searched for: {secret}");
        self.seen.push((what.to_owned(), secret.to_owned()));
    }

    /// Sends a call and keeps the answer when it is a refusal.
    async fn ask(&mut self, call: Call) -> Response {
        let answer = call.send().await;
        if answer.status.as_u16() >= 400 {
            let _ = writeln!(self.refusals, "{} {}", answer.status, answer.text());
        }
        answer
    }

    fn first(&self, key: &str) -> String {
        self.first[key].as_str().unwrap().to_owned()
    }

    async fn walk(&mut self) {
        self.first_start();
        let (id, client_id, secret) = self.application("plain", json!({})).await;
        self.sign_ins(&client_id, &secret).await;
        self.regenerations(&id, &client_id).await;
        self.permanent_tokens(&client_id).await;
        self.endpoints().await;
        self.keystore_and_upload().await;
        self.people().await;
        self.refused_values(&id).await;
        self.administrator_link().await;
    }

    fn first_start(&mut self) {
        for key in ["adminToken", "hostClientSecret"] {
            self.saw(key, &self.first(key));
        }
        let link = self.first("adminLink");
        self.saw("link code", link.split("code=").nth(1).unwrap());
    }

    /// Makes an application as the administrator; answers its id, client id and secret.
    async fn application(&mut self, name: &str, extra: Value) -> (String, String, String) {
        let mut body = json!({ "name": name, "endpointUri": self.receiver.url(&format!("/{name}")) });
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let admin = self.first("adminToken");
        let made =
            self.ask(self.client.post("/api/http/applications").bearer(&admin).json(&body)).await.expect(200).json();
        let id = made["id"].as_str().unwrap().to_owned();
        self.applications.push(id.clone());
        let secret = self.secret(&id, "client-secret").await;
        (id, made["clientId"].as_str().unwrap().to_owned(), secret)
    }

    /// Reads a secret of an application and remembers it.
    async fn secret(&mut self, id: &str, kind: &str) -> String {
        let call = self.client.get(&format!("/api/http/applications/id:{id}/{kind}")).bearer(&self.first("adminToken"));
        let secret = self.ask(call).await.expect(200).json().as_str().unwrap().to_owned();
        self.saw(kind, &secret);
        secret
    }

    async fn token(&mut self, client_id: &str, secret: &str) -> String {
        let form = [("grant_type", "client_credentials"), ("scope", "**")];
        let answer = self.ask(self.client.post("/oauth/token").basic(client_id, secret).form(&form)).await.expect(200);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        self.saw("Basic credentials", &STANDARD.encode(format!("{client_id}:{secret}")));
        self.saw("access token", token.rsplit('.').next().unwrap());
        token
    }

    async fn sign_ins(&mut self, client_id: &str, secret: &str) {
        let token = self.token(client_id, secret).await;
        let form = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret)];
        let answer = self.ask(self.client.post("/oauth/token").form(&form)).await.expect(200).json();
        self.saw("access token", answer["access_token"].as_str().unwrap().rsplit('.').next().unwrap());
        self.ask(self.client.get("/api/http/applications/me").bearer(&token)).await.expect(200);
        // Wrong ones are often right ones elsewhere, or right but for a character.
        let nearly = format!("{secret}x");
        self.ask(self.client.post("/oauth/token").basic(client_id, &nearly).form(&form[..1])).await.expect(401);
        self.ask(self.client.post("/oauth/token").basic(secret, client_id).form(&form[..1])).await.expect(401);
        let both = [form[0], form[1], ("client_secret", nearly.as_str())];
        self.ask(self.client.post("/oauth/token").basic(client_id, secret).form(&both)).await.expect(400);
        self.ask(self.client.get(&format!("/api/http/applications/me?access_token={token}"))).await.expect(401);
        self.ask(self.client.get("/api/http/applications/me").bearer(&format!("{token}x"))).await.expect(401);
        self.ask(self.client.get("/api/http/applications/me").header("authorization", &token)).await.expect(401);
        self.ask(self.client.post(&format!("/oauth/token?client_secret={secret}")).form(&form[..1])).await.expect(401);
    }

    async fn regenerations(&mut self, id: &str, client_id: &str) {
        self.secret(id, "signing-key").await;
        for kind in ["client-secret", "signing-key"] {
            let path = format!("/api/http/applications/id:{id}/{kind}/regenerate");
            let call = self.client.post(&path).bearer(&self.first("adminToken"));
            self.ask(call).await.expect(200);
            let secret = self.secret(id, kind).await;
            if kind == "client-secret" {
                self.token(client_id, &secret).await;
            }
        }
    }

    /// A permanent token is shown once, used, given in wrong ways and taken back; a verification token travels in bodies.
    async fn permanent_tokens(&mut self, client_id: &str) {
        let (id, client, secret) = self.application("tokens", json!({})).await;
        assert_ne!(client, client_id);
        let token = self.token(&client, &secret).await;
        let verified = json!({ "hasVerificationToken": true });
        self.ask(self.client.patch("/api/http/applications/me").bearer(&token).json(&verified)).await.expect(200);
        self.secret(&id, "verification-token").await;
        let path = "/api/http/applications/me/permanent-tokens";
        let body = json!({ "name": "kept", "scope": "**" });
        let pair = self.ask(self.client.post(path).bearer(&token).json(&body)).await.expect(200).json();
        let permanent = pair["second"].as_str().unwrap().to_owned();
        self.saw("permanent token", &permanent);
        self.ask(self.client.get("/api/http/applications/me").bearer(&permanent)).await.expect(200);
        self.ask(self.client.get("/api/http/applications/me").bearer(&format!("{permanent}x"))).await.expect(401);
        self.ask(
            self.client.post("/oauth/token").basic(&client, &permanent).form(&[("grant_type", "client_credentials")]),
        )
        .await
        .expect(401);
        let path = format!("{path}/{}", pair["first"]["id"].as_str().unwrap());
        self.ask(self.client.delete(&path).bearer(&token)).await.expect(200);
        self.ask(self.client.get("/api/http/applications/me").bearer(&permanent)).await.expect(401);
    }

    /// Each way of authenticating deliveries, with an endpoint that refuses them once and says what it got.
    async fn endpoints(&mut self) {
        let host = self.token(&self.first("hostClientId"), &self.first("hostClientSecret")).await;
        let (bearer, password) = ("endpoint-bearer-token-of-ours", "endpoint-password-of-ours");
        self.saw("bearer token", bearer);
        self.saw("basic password", password);
        self.saw("Basic credentials", &STANDARD.encode(format!("user:{password}")));
        for (name, auth) in [
            ("key", json!({ "className": "EndpointAuthCreate.SigningKey" })),
            ("bearer", json!({ "className": "EndpointAuthCreate.Bearer", "token": bearer })),
            ("basic", json!({ "className": "EndpointAuthCreate.Basic", "username": "user", "password": password })),
        ] {
            self.receiver.behave(&format!("/{name}"), Behaviour::status(500));
            let (id, client_id, secret) = self.application(name, json!({ "appLevelAuth": auth })).await;
            self.secret(&id, "signing-key").await;
            let admin = self.first("adminToken");
            grant(&self.client, &admin, &format!("/api/http/applications/id:{id}")).await;
            let token = self.token(&client_id, &secret).await;
            let body = json!({ "name": "hook", "endpointAuth": { "appLevelAuth": auth }, "subscriptions": [{ "name": "s",
                "subscription": { "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["Issue.Created"] } }] });
            let call = self.client.post("/api/http/applications/me/webhooks").bearer(&token).json(&body);
            let hook = self.ask(call).await.expect(200).json()["id"].as_str().unwrap().to_owned();
            let header = format!("custom-header-of-ours-for-{name}");
            self.saw("custom header", &header);
            let path = format!("/api/http/applications/me/webhooks/{hook}/custom-headers");
            for value in [format!("{header}\r\n"), header] {
                let body = json!({ "headers": [{ "name": "X-Ours", "value": value }] });
                let status = if value.ends_with('\n') { 400 } else { 200 };
                self.ask(self.client.post(&path).bearer(&token).json(&body)).await.expect(status);
            }
            let event = json!({ "subject": "Issue", "type": "Issue.Created",
                "payload": { "className": "IssueWebhookEvent", "n": name } });
            let call = self.client.post("/api/host/v1/events").bearer(&host).json(&json!({ "events": [event] }));
            self.ask(call).await.expect(202);
            self.receiver.wait_for_at(&format!("/{name}"), 2).await;
            self.receiver.behave(&format!("/{name}"), Behaviour::status(200));
            self.ask(self.client.get("/api/http/applications/me/webhooks").bearer(&token)).await.expect(200);
        }
    }

    /// A private key that an administrator stores, refused once and accepted once, and where a file is put.
    async fn keystore_and_upload(&mut self) {
        let fixture = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../keys/tests/fixtures/keystore/");
            std::fs::read_to_string(format!("{folder}{name}")).unwrap()
        };
        let (key, other) = (fixture("ec.key.pem"), fixture("rsa.chain.pem"));
        self.saw("private key of a keystore", key.lines().nth(1).unwrap());
        let admin = self.first("adminToken");
        for (certificate, status) in [(other, 400), (fixture("ec.chain.pem"), 200)] {
            let body = json!({ "name": "ours", "certificate": certificate, "privateKey": key });
            self.ask(self.client.post("/api/host/v1/ssl-keystores").bearer(&admin).json(&body)).await.expect(status);
        }
        let body = json!({ "storagePrefix": "attachments" });
        let path = self.ask(self.client.post("/api/http/uploads").bearer(&admin).json(&body)).await.expect(200).json();
        let path = path.as_str().unwrap();
        self.saw("path of an upload", path.strip_prefix("/uploads/").unwrap());
        let put = self.client.put(&format!("{path}/icon.png")).body("image/png", "no picture".to_owned());
        self.ask(put).await.expect(400);
    }

    /// Values that are refused for another reason than being secret.
    async fn refused_values(&mut self, id: &str) {
        let (short, long) = ("too-short-a-secret", "chosen-secret-of-at-least-thirty-two-characters");
        let (path, admin) = (format!("/api/http/applications/id:{id}"), self.first("adminToken"));
        for (value, body) in [
            (short, json!({ "clientSecret": short }).to_string()),
            (long, json!({ "clientSecret": long, "name": 7 }).to_string()),
            (long, json!({ "clientSecret": [long] }).to_string()),
            (long, format!("{{\"clientSecret\":\"{long}")),
            (long, format!("{{\"clientSecret\":\"{long}\",}}")),
            (short, json!({ "appLevelAuth": "Bearer", "bearerAuthToken": format!("{short}\r\n") }).to_string()),
        ] {
            self.saw("refused value", value);
            let call = self.client.patch(&path).bearer(&admin).body("application/json", body);
            self.ask(call).await.expect(400);
        }
        let call = self.client.patch(&path).bearer(&admin).json(&json!({ "clientSecret": long }));
        self.ask(call).await.expect(200);
    }

    /// Opens the administrator link in a browser of its own; answers its cookies and the form behind the button.
    async fn open_link(&mut self, code: &str) -> (String, String) {
        let page = self.ask(self.client.get(&format!("/administrator?code={code}"))).await.expect(200);
        let cookie = cookies(&page);
        let token = page.text().split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        (cookie, token)
    }

    async fn administrator_link(&mut self) {
        let code = self.first("adminLink").split("code=").nth(1).unwrap().to_owned();
        let press = |client: &Client, cookie: &str, token: &str| {
            client.post("/administrator").header("cookie", cookie).form(&[("code", &code), ("token", token)])
        };
        let (cookie, token) = self.open_link(&code).await;
        let page = self.ask(press(&self.client, &cookie, &token)).await.expect(200);
        let text = page.text().split("<pre tabindex=\"0\">").nth(1).unwrap().split("</pre>").next().unwrap().to_owned();
        self.saw("administrator token", &text);
        for pair in [cookie, cookies(&page)] {
            self.saw("cookie", pair.split_once('=').unwrap().1);
        }
        self.ask(self.client.get("/api/http/applications/paged").bearer(&text)).await.expect(200);
        let (cookie, token) = self.open_link(&code).await;
        self.ask(press(&self.client, &cookie, &token)).await.expect(410);
    }

    async fn audit_trail(&mut self) -> String {
        let call = self.client.get("/api/host/v1/audit-trail?$top=1000").bearer(&self.first("adminToken"));
        self.ask(call).await.expect(200).text().to_owned()
    }
}

/// The cookie that an answer sets.
fn cookies(answer: &Response) -> String {
    let set = answer.header("set-cookie");
    set.split(';').next().unwrap().to_owned()
}

/// Private keys, as whoever has the database and the master key reads them.
async fn private_keys(url: &str, data: &std::path::Path, applications: Vec<String>) -> Vec<Vec<u8>> {
    let store = Store::open(url, RingFile::of(data).sealer().unwrap()).await.unwrap();
    let read = store.read(move |tx| {
        let mut keys: Vec<Vec<u8>> = tx.server_keys()?.into_iter().map(|key| key.pkcs8).collect();
        for id in &applications {
            keys.extend(
                tx.signing_private_key(&ApplicationId::new(id.as_str()), Timestamp::from_millis(i64::MAX))?
                    .map(|(_, key)| key),
            );
        }
        Ok::<_, StoreError>(keys)
    });
    let keys = read.await.unwrap();
    store.close().await;
    keys
}

/// Bytes as text that can be searched quickly: each byte is the character of its number.
fn searchable(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Every file of a folder but the keys themselves.
fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let ours = paths.filter(|path: &PathBuf| path.file_name().unwrap() != "master.key");
    ours.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_secret_is_found_in_clear() {
    let postgres = database();
    for postgres in [None, Some(postgres.url.clone())] {
        let folder = TempDir::new().unwrap();
        let (data, log) = (folder.path().join("data"), folder.path().join("log"));
        let url = postgres.clone().unwrap_or_else(|| format!("sqlite:{}", data.join("spaceport.db").display()));
        let first = init_with(&data, &["--database-url", &url]);
        let overlaps = folder.path().join("settings.toml");
        std::fs::write(&overlaps, "client_secret_overlap = \"1h\"\nsigning_key_overlap = \"1h\"\n").unwrap();
        let overlaps = overlaps.display().to_string();
        let process = Process::serve_logged(&data, &["--database-url", &url, "--config", &overlaps], &log);
        let mut session = Session {
            client: Client::new(process.url.clone()),
            receiver: Receiver::start(),
            first,
            seen: Vec::new(),
            refusals: String::new(),
            applications: Vec::new(),
        };
        session.walk().await;
        let audit = session.audit_trail().await;
        let metrics = session.ask(session.client.get("/metrics")).await.expect(200).text().to_owned();
        // Without a chance to tidy up: what stands in the write-ahead log counts as well.
        process.kill();

        let mut places = vec![
            ("the log".to_owned(), std::fs::read(&log).unwrap()),
            ("an error".to_owned(), session.refusals.clone().into_bytes()),
            ("the audit trail".to_owned(), audit.into_bytes()),
            ("a metric".to_owned(), metrics.into_bytes()),
        ];
        places.extend(files(&data));
        places.extend(postgres.map(|url| ("the database".to_owned(), dump(&url).into_bytes())));
        let places: Vec<(String, String)> =
            places.into_iter().map(|(place, bytes)| (place, searchable(&bytes))).collect();
        let found_in = |needle: &str| places.iter().filter(|(_, text)| text.contains(needle)).count();
        assert!(found_in("api.webhook.create") >= 3, "the log, the audit trail and the metrics were searched");
        assert!(found_in("IssueWebhookEvent") >= 1, "the database was searched");
        assert!(places[0].1.contains("TRACE"), "the log holds all there is");

        for (what, secret) in &session.seen {
            let telling = &secret[..secret.len().min(TELLING)];
            for (place, text) in &places {
                assert!(!text.contains(telling), "{what} {secret} stands in {place}");
            }
        }
        let master = std::fs::read_to_string(data.join("master.key")).unwrap();
        let keys = private_keys(&url, &data, session.applications).await;
        assert!(keys.len() > 4);
        for key in keys {
            // From the middle, where the key is and not the header that all keys share.
            let middle = &key[key.len() / 3 * 2..][..48];
            let forms = [searchable(middle), STANDARD.encode(middle), URL_SAFE_NO_PAD.encode(middle)];
            for (place, text) in &places {
                assert!(forms.iter().all(|form| !text.contains(form)), "a private key stands in {place}");
                assert!(!text.contains(master.trim()), "the master key stands in {place}");
            }
        }
    }
}
