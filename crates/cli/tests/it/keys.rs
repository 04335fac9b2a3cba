//! Rotation of the master key, by the command and by the running server, cut off and finished.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_platform::application::SecretKind;
use spaceport_platform::secret::Secret;
use spaceport_server::ring::RingFile;
use spaceport_store::{MasterKey, Store, StoreError};
use spaceport_testkit::http::Client;
use spaceport_testkit::postgres::database;
use tempfile::TempDir;

use crate::process::{Process, SPACEPORT};

/// Secrets that are sealed anew: enough that a kill meets the command at work.
const SECRETS: usize = 500;

/// A data folder that is set up.
struct Place {
    folder: TempDir,
    url: String,
    first: Value,
}

impl Place {
    fn new(postgres: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        let url = postgres.map_or_else(|| format!("sqlite:{}", data.join("spaceport.db").display()), str::to_owned);
        let mut place = Self { folder, url, first: Value::Null };
        let made = place.run(&["init"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        place.first = serde_json::from_slice(&made.stdout).unwrap();
        place
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(SPACEPORT);
        command.args(words).args(["--json", "--database-url", &self.url, "--data"]).arg(self.data());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What a command prints.
    fn ask(&self, words: &[&str]) -> Value {
        let done = self.run(words);
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }

    fn ring(&self) -> Vec<String> {
        RingFile::of(&self.data()).read().unwrap().iter().map(MasterKey::id).collect()
    }

    async fn store(&self) -> Store {
        Store::open(&self.url, RingFile::of(&self.data()).sealer().unwrap()).await.unwrap()
    }

    async fn fill(&self) {
        let store = self.store().await;
        let filled = store.write(|tx| {
            (0..SECRETS).try_for_each(|number| {
                tx.set_secret(&format!("owner {number}"), SecretKind::ClientSecret, &secret(number))
            })
        });
        filled.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        store.close().await;
    }

    async fn everything_opens(&self) {
        let store = self.store().await;
        let read = store.read(|tx| {
            for number in (0..SECRETS).step_by(7) {
                let owner = format!("owner {number}");
                let found = tx.secret(&owner, SecretKind::ClientSecret)?.unwrap();
                assert_eq!(found.reveal(), secret(number).reveal());
                assert!(tx.secret_matches(&owner, SecretKind::ClientSecret, found.reveal())?);
            }
            Ok::<_, StoreError>(())
        });
        read.await.unwrap();
        store.close().await;
    }
}

fn secret(number: usize) -> Secret {
    Secret::new(format!("secret of {number}"))
}

/// Looks again and again until `done`.
async fn until(mut done: impl AsyncFnMut() -> bool) {
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    while !done().await {
        ticks.tick().await;
    }
}

async fn signs_in(url: &str, place: &Place) -> bool {
    let text = |key: &str| place.first[key].as_str().unwrap().to_owned();
    let form = [("grant_type", "client_credentials")];
    let call = Client::new(url).post("/oauth/token").basic(&text("hostClientId"), &text("hostClientSecret"));
    call.form(&form).send().await.status == 200
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_seals_everything_anew_and_survives_kills() {
    let postgres = database();
    for url in [None, Some(postgres.url.as_str())] {
        let place = Place::new(url);
        place.fill().await;
        let before = place.ring();
        for round in 0..3 {
            let mut killed = place.command(&["keys", "rotate"]).stdout(Stdio::null()).spawn().unwrap();
            // In each round a bit later: when the key is there, and when it is at work.
            until(async || place.ring().len() > 1 || killed.try_wait().unwrap().is_some()).await;
            if round > 0 && url.is_some() {
                let store = place.store().await;
                until(async || {
                    let sealed =
                        store.read(|tx| tx.sealed_by()).await.unwrap_or_else(|error: StoreError| panic!("{error}"));
                    sealed[0].1 > 100 * round || place.ring().len() == 1
                })
                .await;
                store.close().await;
            }
            killed.kill().unwrap();
            killed.wait().unwrap();
            place.everything_opens().await;
        }
        let done = place.ask(&["keys", "rotate"]);
        assert_eq!(place.ring(), [done["key"].as_str().unwrap()]);
        assert!(!before.contains(&place.ring()[0]), "the first key is retired");
        place.everything_opens().await;
        let listed = place.ask(&["keys", "list"]);
        let count = listed["keys"][0]["sealedValues"].as_u64().unwrap();
        assert!(count > SECRETS as u64, "{listed}");
        assert_eq!(listed["keys"], json!([{ "id": place.ring()[0], "seals": true, "sealedValues": count }]));
        private(&place.data().join("master.key"));
        let process = Process::serve_with(&place.data(), &["--database-url", &place.url]);
        assert!(signs_in(&process.url, &place).await);
    }
}

#[cfg(unix)]
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_goes_on_while_the_key_is_rotated() {
    let postgres = database();
    for url in [None, Some(postgres.url.as_str())] {
        let place = Place::new(url);
        let process = Process::serve_with(&place.data(), &["--database-url", &place.url]);
        assert!(signs_in(&process.url, &place).await);
        let before = place.ring();
        // With SQLite the server itself does it, with PostgreSQL the command does it beside the server.
        let rotated = place.ask(&["keys", "rotate"]);
        assert_eq!(rotated["retired"], json!(before));
        assert_eq!(place.ring(), [rotated["key"].as_str().unwrap()]);
        assert!(signs_in(&process.url, &place).await, "what the new key sealed is opened");
        let client = Client::new(process.url.clone());
        let admin = place.first["adminToken"].as_str().unwrap();
        let made = client.post("/api/http/applications").bearer(admin).json(&json!({ "name": "New" })).send().await;
        let path =
            format!("/api/http/applications/id:{}/client-secret", made.expect(200).json()["id"].as_str().unwrap());
        client.get(&path).bearer(admin).send().await.expect(200);
        let trail = "/api/host/v1/audit-trail?operation=server.rotate_master_key";
        let trail = client.get(trail).bearer(admin).send().await.expect(200).json();
        let change = json!([{ "field": "masterKey", "old": before[0], "new": place.ring()[0], "secret": false }]);
        assert_eq!(trail["data"][0]["changes"], change, "ids of keys tell nothing about them");
        process.kill();
        let listed = place.ask(&["keys", "list"]);
        assert_eq!(listed["keys"].as_array().unwrap().len(), 1, "nothing was sealed with the old key meanwhile");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_get_the_key_before_it_is_used() {
    let postgres = database();
    let place = Place::new(Some(&postgres.url));
    let other = TempDir::new().unwrap();
    let copy = || std::fs::copy(place.data().join("master.key"), other.path().join("master.key")).unwrap();
    copy();
    let node = Process::serve_with(other.path(), &["--database-url", &place.url]);
    let added = place.ask(&["keys", "add"]);
    let listed = place.ask(&["keys", "list"]);
    assert_eq!(listed["keys"][0], json!({ "id": added["added"], "seals": false, "sealedValues": 0 }));
    copy();
    let rotated = place.ask(&["keys", "rotate"]);
    assert_eq!(rotated["key"], added["added"], "the key that was added is the one that is used");
    assert!(signs_in(&node.url, &place).await, "the other node has both");

    // A node that was forgotten must not undo the rotation with its old file.
    std::fs::copy(place.data().join("master.key"), other.path().join("new")).unwrap();
    place.ask(&["keys", "rotate"]);
    let stale = Command::new(SPACEPORT)
        .args(["keys", "rotate", "--database-url", &place.url, "--data"])
        .arg(other.path())
        .output()
        .unwrap();
    assert!(!stale.status.success());
    assert!(String::from_utf8_lossy(&stale.stderr).contains("master key does not belong"), "{stale:?}");
}

#[test]
fn keys_of_a_folder_that_is_not_set_up_are_refused() {
    let folder = TempDir::new().unwrap();
    for command in ["list", "add", "rotate"] {
        let refused = Command::new(SPACEPORT).args(["keys", command, "--data"]).arg(folder.path()).output().unwrap();
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("spaceport init"));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made on the way");
}
