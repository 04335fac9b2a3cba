//! The keys of access tokens take turns (security J1).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use spaceport_server::config::Settings;
use spaceport_server::run::{Running, Surroundings, run};
use spaceport_testkit::clock::FrozenClock;
use spaceport_testkit::http::Client;
use spaceport_testkit::verify::token_claims;
use tempfile::TempDir;

use crate::harness::{BOTH, Engine, settings, surroundings};

const ROTATION: &str = "rotation of the keys of access tokens";
const DAY: Duration = Duration::from_secs(24 * 3600);

struct Node {
    running: Running,
    client: Client,
    clock: FrozenClock,
}

impl Node {
    async fn start(settings: &Settings, clock: &FrozenClock) -> Self {
        let surroundings = Surroundings { clock: Arc::new(clock.clone()), ..surroundings() };
        let running = run(settings, surroundings).await.unwrap();
        let client = Client::new(format!("http://{}", running.address));
        Self { running, client, clock: clock.clone() }
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.running.run_task(ROTATION).await.unwrap();
    }

    async fn jwks(&self) -> String {
        self.client.get("/oauth/jwks.json").send().await.expect(200).text().to_owned()
    }

    async fn ids(&self) -> Vec<String> {
        let set: Value = serde_json::from_str(&self.jwks().await).unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    async fn token(&self, host: &(String, String)) -> String {
        let call = self.client.post("/oauth/token").basic(&host.0, &host.1);
        let answer = call.form(&[("grant_type", "client_credentials")]).send().await.expect(200).json();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn accepts(&self, token: &str) -> bool {
        self.client.get("/api/http/applications/me").bearer(token).send().await.status == 200
    }

    fn host(&self) -> (String, String) {
        let first = self.running.first.as_ref().unwrap();
        (first.host_client_id.clone(), first.host_client_secret.clone())
    }
}

fn signer(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn j1_the_next_key_is_published_before_it_signs_and_the_old_one_until_its_tokens_end() {
    for engine in BOTH {
        let database = matches!(engine, Engine::Postgres).then(spaceport_testkit::postgres::database);
        let folder = TempDir::new().unwrap();
        let mut settings = settings(&folder, database.as_ref());
        settings.public_url = Some("http://space.example".to_owned());
        let node = Node::start(&settings, &FrozenClock::default()).await;
        let host = node.host();
        let first = node.ids().await;
        assert_eq!(first.len(), 1);
        node.pass(DAY * 89).await;
        let published = node.ids().await;
        assert_eq!(published.len(), 2, "the next key is published");
        let old = node.token(&host).await;
        assert_eq!(signer(&old), first[0], "but signs nothing yet");
        node.pass(DAY - Duration::from_secs(60)).await;
        assert_eq!(signer(&node.token(&host).await), first[0]);
        let old = node.token(&host).await;
        node.pass(Duration::from_secs(60)).await;
        let new = node.token(&host).await;
        assert_eq!(signer(&new), published[1]);
        assert!(node.accepts(&old).await && node.accepts(&new).await);
        token_claims(&old, &node.jwks().await).unwrap();
        token_claims(&new, &node.jwks().await).unwrap();
        node.pass(Duration::from_secs(4_300)).await;
        assert_eq!(node.ids().await, [published[1].clone()], "its last token has long expired");
        node.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j1_key_sets_hold_public_members_only_and_unique_ids_for_every_algorithm() {
    for (name, members) in [
        ("RS512", vec!["alg", "e", "kid", "kty", "n", "use"]),
        ("ES256", vec!["alg", "crv", "kid", "kty", "use", "x", "y"]),
        ("EdDSA", vec!["alg", "crv", "kid", "kty", "use", "x"]),
    ] {
        let folder = TempDir::new().unwrap();
        let mut settings = settings(&folder, None);
        settings.access_token_algorithm = spaceport_platform::server_key::Algorithm::from_name(name).unwrap();
        let node = Node::start(&settings, &FrozenClock::default()).await;
        let token = node.token(&node.host()).await;
        let answer = node.client.get("/oauth/jwks.json").send().await.expect(200);
        assert_eq!(answer.header("cache-control"), "public, max-age=3600");
        let claims = token_claims(&token, answer.text()).unwrap();
        assert_eq!(claims["aud"], node.host().0);
        let set = answer.json();
        let mut found: Vec<&str> = set["keys"][0].as_object().unwrap().keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, members, "{name}");
        assert_eq!(set["keys"][0]["alg"], json!(name));
        assert!(node.accepts(&token).await);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { "B" } else { "A" };
        assert!(!node.accepts(&format!("{signed}.{other}{}", &signature[1..])).await);
        node.pass(DAY * 89).await;
        let ids = node.ids().await;
        assert_ne!(ids[0], ids[1]);
        node.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j1_a_node_verifies_what_a_key_signed_that_another_node_made() {
    let database = spaceport_testkit::postgres::database();
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let with_url = |folder: &TempDir| {
        let mut settings = settings(folder, Some(&database));
        settings.public_url = Some("http://space.example".to_owned());
        settings
    };
    let clock = FrozenClock::default();
    let first = Node::start(&with_url(&one), &clock).await;
    let host = first.host();
    std::fs::create_dir_all(two.path().join("data")).unwrap();
    std::fs::copy(one.path().join("data/master.key"), two.path().join("data/master.key")).unwrap();
    let second = Node::start(&with_url(&two), &clock).await;
    // Each node looks once by itself when it starts; the first turn leaves it time for that.
    let mut before = Vec::new();
    for _ in 0..2 {
        before = second.ids().await;
        first.pass(DAY * 89).await;
        first.pass(DAY).await;
        assert!(second.accepts(&first.token(&host).await).await, "it looks when it meets the new key");
    }
    let now = second.ids().await;
    assert!(before != now && now == first.ids().await, "{before:?} {now:?}");
    // Strangers cannot make it look at every request.
    assert!(!second.accepts("eyJhbGciOiJSUzUxMiIsImtpZCI6IngiLCJ0eXAiOiJKV1QifQ.e30.AA").await);
    first.running.stop().await;
    second.running.stop().await;
}
