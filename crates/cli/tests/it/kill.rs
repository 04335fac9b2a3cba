//! A process killed at random moments under load loses no acknowledged event.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use spaceport_platform::random::{Counting, Random as _};
use spaceport_testkit::http::Client;
use spaceport_testkit::postgres::database;
use spaceport_testkit::receiver::Receiver;
use tempfile::TempDir;

use crate::process::{Process, init_with};

const PUBLISHERS: usize = 8;

async fn token(client: &Client, id: &str, secret: &str) -> String {
    let form = [("grant_type", "client_credentials")];
    let answer = client.post("/oauth/token").basic(id, secret).form(&form).send().await.expect(200).json();
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Publishes events one after the other until the process dies; answers the ids it acknowledged.
async fn publish(client: Client, host: String, round: usize, publisher: usize, most: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0..most {
        let id = format!("{round}-{publisher}-{number}");
        let event = json!({ "id": id, "subject": "Issue", "type": "Issue.Created",
            "payload": { "className": "IssueWebhookEvent", "n": id } });
        let sent =
            client.post("/api/host/v1/events").bearer(&host).json(&json!({ "events": [event] })).try_send().await;
        match sent {
            Ok(answer) if answer.status == 202 => acknowledged.push(id),
            _ => break,
        }
    }
    acknowledged
}

fn arrived(receiver: &Receiver) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for request in receiver.received() {
        *counts.entry(request.json()["payload"]["n"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// Lets the application at `path` hear of issues.
pub(crate) async fn grant(client: &Client, admin: &str, path: &str) {
    let body = json!({ "contextIdentifier": "global",
        "updates": [{ "rightCode": "Project.Issues.View", "status": "GRANTED" }] });
    let path = format!("{path}/authorizations/authorized-rights");
    client.patch(&path).bearer(admin).json(&body).send().await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_under_load_lose_no_acknowledged_event() {
    survives(20, &[], || ()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_lose_nothing_on_postgres_either() {
    let database = database();
    // Other nodes may live on, so a start does not end leases there; time does, and this is its place.
    let time_passes = || database.execute("UPDATE delivery SET due_at = 0 WHERE state = 'sending'");
    survives(5, &["--database-url", &database.url], time_passes).await;
}

/// Kills the server so often under load; everything that was acknowledged arrives after the last start.
async fn survives(kills: usize, flags: &[&str], before_the_last_start: impl Fn()) {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let made = init_with(&data, flags);
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let receiver = Receiver::start();
    let process = Process::serve_with(&data, flags);
    let client = Client::new(process.url.clone());
    let body = json!({ "name": "App", "endpointUri": receiver.url("/hook"),
        "appLevelAuth": { "className": "EndpointAuthCreate.SigningKey" } });
    let application =
        client.post("/api/http/applications").bearer(&text("adminToken")).json(&body).send().await.expect(200);
    let path = format!("/api/http/applications/id:{}", application.json()["id"].as_str().unwrap());
    grant(&client, &text("adminToken"), &path).await;
    let path = format!("{path}/webhooks");
    let webhook = json!({ "name": "hook", "subscriptions": [{ "name": "s", "subscription": {
        "subjectCode": "Issue", "filters": [], "eventTypeCodes": ["Issue.Created"] } }] });
    client.post(&path).bearer(&text("adminToken")).json(&webhook).send().await.expect(200);
    process.kill();

    let random = Counting::default();
    let mut acknowledged: HashSet<String> = HashSet::new();
    for round in 0..kills {
        let process = Process::serve_with(&data, flags);
        let client = Client::new(process.url.clone());
        let host = token(&client, &text("hostClientId"), &text("hostClientSecret")).await;
        let mut publishers = tokio::task::JoinSet::new();
        for publisher in 0..PUBLISHERS {
            publishers.spawn(publish(Client::new(process.url.clone()), host.clone(), round, publisher, 10_000));
        }
        // The moment of the kill is counted in arrivals, not in time: between 1 and 64 more.
        let mut byte = [0_u8];
        random.fill(&mut byte);
        receiver.wait_for(receiver.received().len() + 1 + usize::from(byte[0] % 64)).await;
        process.kill();
        acknowledged.extend(publishers.join_all().await.into_iter().flatten());
    }
    assert!(acknowledged.len() > kills, "there was a load: {}", acknowledged.len());

    before_the_last_start();
    let _process = Process::serve_with(&data, flags);
    let mut counts = arrived(&receiver);
    while !acknowledged.iter().all(|id| counts.contains_key(id)) {
        receiver.wait_for(receiver.received().len() + 1).await;
        counts = arrived(&receiver);
    }
    // What was in flight when a process died is sent again: at most that much per kill.
    let duplicates: usize = counts.values().map(|count| count - 1).sum();
    assert!(duplicates <= kills * 64, "{duplicates} duplicates of {} events", counts.len());
    let lost: Vec<&String> = acknowledged.iter().filter(|id| !counts.contains_key(*id)).collect();
    assert_eq!(lost, Vec::<&String>::new());
}
