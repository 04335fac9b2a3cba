//! `spaceport demo`: the main job over real HTTP, each step with the `curl` line that does the same.

mod client;
mod receiver;
mod verify;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use spaceport_server::config::Settings;
use spaceport_server::run::{Running, Surroundings, run};

use crate::demo::client::Client;
use crate::demo::receiver::Receiver;
use crate::options::{self, Options};
use crate::say::{Narration, say};
use crate::serve::asked_to_stop;

/// The recorded code review event that is published unless another is named.
const RECORDED: &str = include_str!("../../data/code-review-participant.json");

/// Runs the tour.
///
/// # Errors
/// The step that did not go as promised.
pub(crate) async fn demo(options: &Options, demo: &options::Demo) -> Result<(), String> {
    let event = event(demo.event.as_deref())?;
    let mut settings = options.settings()?;
    let temporary = if options.names_data() { None } else { Some(fresh_folder()?) };
    if let Some(folder) = &temporary {
        settings.data.clone_from(folder);
        if !options.names_database() {
            settings.database_url = format!("sqlite:{}", folder.join("spaceport.db").display());
        }
    }
    if !options.names_listen() {
        settings.listen = std::net::SocketAddr::from(([127, 0, 0, 1], if demo.once { 0 } else { 8080 }));
    }
    let shortened = settings.retry_schedule.is_none();
    if shortened {
        settings.retry_schedule = Some(vec![
            std::time::Duration::from_secs(1),
            std::time::Duration::from_secs(2),
            std::time::Duration::from_secs(3),
        ]);
    }
    settings.allow_network.extend("127.0.0.0/8".parse::<ipnet::IpNet>());
    let running = start(&mut settings).await?;
    let narration = if options.json { Narration::Silent } else { Narration::Told };
    let toured = tour(&running, &settings, &event, shortened, narration).await;
    if let Ok(report) = &toured {
        match narration {
            Narration::Silent => say(&report.to_string()),
            Narration::Told if demo.once => {}
            Narration::Told => farewell(&running, &settings),
        }
    }
    if demo.once || toured.is_err() {
        running.stop().await;
        if let Some(folder) = &temporary {
            let _ = std::fs::remove_dir_all(folder);
        }
        return toured.map(|_| ());
    }
    asked_to_stop().await;
    running.stop().await;
    Ok(())
}

/// Starts the server; when the usual port is taken, on any free one.
async fn start(settings: &mut Settings) -> Result<Running, String> {
    match run(settings, Surroundings::default()).await {
        Err(_) if settings.listen.port() == 8080 => {
            settings.listen.set_port(0);
            run(settings, Surroundings::default()).await
        }
        other => other,
    }
}

fn fresh_folder() -> Result<PathBuf, String> {
    let mut name = [0_u8; 8];
    spaceport_platform::random::Random::fill(&spaceport_server::random::SecureRandom::default(), &mut name);
    let folder = std::env::temp_dir().join(format!("spaceport-demo-{:016x}", u64::from_be_bytes(name)));
    Ok(folder)
}

/// The event to publish: a whole event of the host API, a recorded webhook body, or a bare payload.
fn event(file: Option<&Path>) -> Result<Value, String> {
    let text = match file {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?
        }
        None => RECORDED.to_owned(),
    };
    let value: Value = serde_json::from_str(&text).map_err(|error| format!("the event is no JSON: {error}"))?;
    if value.get("subject").is_some() && value.get("type").is_some() {
        return Ok(value);
    }
    let payload = match value.get("className").and_then(Value::as_str) {
        Some("WebhookRequestPayload") => value.get("payload").cloned().unwrap_or_default(),
        _ => value,
    };
    let class = payload.get("className").and_then(Value::as_str).ok_or("the event's payload has no className")?;
    let catalogue = spaceport_wire::preset::catalogue();
    let found = catalogue
        .subjects()
        .iter()
        .flat_map(|subject| subject.events.iter().map(move |kind| (subject, kind)))
        .find(|(_, kind)| kind.payload == class)
        .ok_or_else(|| {
            format!("no event type has payloads of class {class}; give a whole event with subject and type")
        })?;
    Ok(json!({ "id": "demo-1", "subject": found.0.code, "type": found.1.code, "payload": payload }))
}

/// Codes of the rights an application needs to hear of the event.
fn demanded(event: &Value) -> Result<Vec<String>, String> {
    let (subject, kind) = (text(event, "subject")?, text(event, "type")?);
    let catalogue = spaceport_wire::preset::shared();
    let kind = catalogue.event_type(&subject, &kind).map_err(|fault| fault.to_string())?;
    Ok(kind.rights.iter().map(|right| right.code().to_owned()).collect())
}

/// Goes through the job; answers what scripts want to know of it.
async fn tour(
    running: &Running,
    settings: &Settings,
    event: &Value,
    shortened: bool,
    narration: Narration,
) -> Result<Value, String> {
    let (say, step) = (|line: &str| narration.tell(line), |title: &str| narration.tell(&format!("\n{title}")));
    let url = format!("http://{}", running.address);
    let first =
        running.first.as_ref().ok_or("the demo needs a fresh data folder; leave --data out or name a new one")?;
    let (admin, client) = (first.admin_token.as_str(), Client::new(&url, narration));
    say(&format!("Spaceport runs on {url}, its data is in {}.", settings.data.display()));
    let receiver = Receiver::start().await?;
    say(&format!("A small receiving application runs on {}.", receiver.url()));

    step("1. Create an application. Its endpoint is the receiver.");
    let application = client
        .post("/api/http/applications", json!({ "name": "Demo receiver", "endpointUri": receiver.url() }))
        .bearer(admin)
        .show()
        .json()
        .await?;
    let (id, client_id) = (text(&application, "id")?, text(&application, "clientId")?);
    let path = format!("/api/http/applications/id:{id}/client-secret");
    let secret = client.get(&path).bearer(admin).show().json().await?;
    let secret = secret.as_str().ok_or("the client secret is no text")?.to_owned();

    step("2. Get an access token with the application's own credentials.");
    let token = client.token(&client_id, &secret).show().json().await?;
    let token = text(&token, "access_token")?;

    step("3. Create a webhook with a subscription, as the application.");
    let webhook = json!({ "name": "Demo webhook", "subscriptions": [{ "name": "Everything of this type", "subscription": {
        "subjectCode": event.get("subject"), "filters": [], "eventTypeCodes": [event.get("type")] } }] });
    let webhook = client.post("/api/http/applications/me/webhooks", webhook).bearer(&token).show().json().await?;
    let webhook_id = text(&webhook, "id")?;

    step("4. Ask for the right to hear of such events, as the application. The administrator grants it.");
    let rights = "/authorizations/authorized-rights";
    let codes = demanded(event)?;
    let asked = json!({ "contextIdentifier": "global", "rightCodes": codes, "comment": "To show the demo's event" });
    let path = format!("/api/http/applications/me{rights}/request-rights");
    client.patch(&path, &asked).bearer(&token).show().json().await?;
    let updates: Vec<Value> = codes.iter().map(|code| json!({ "rightCode": code, "status": "GRANTED" })).collect();
    let granted = json!({ "contextIdentifier": "global", "updates": updates });
    client.patch(&format!("/api/http/applications/id:{id}{rights}"), &granted).bearer(admin).show().json().await?;

    step("5. Publish an event, as the host.");
    receiver.refuse_next(2);
    let host = client.token(&first.host_client_id, &first.host_client_secret).show().json().await?;
    let host = text(&host, "access_token")?;
    let published =
        client.post("/api/host/v1/events", json!({ "events": [event] })).bearer(&host).show().json().await?;
    say(&format!("   answered: {published}"));

    step("6. The delivery arrives. The receiver answers 500 twice, so it comes again.");
    if shortened {
        say("   (The delays are shortened to 1 and 2 seconds for the demo; 1, 10 and 60 seconds are the default.)");
    }
    let arrivals = receiver.wait_for(3).await?;
    let mut attempts = Vec::with_capacity(arrivals.len());
    let keys = client.get("/api/http/applications/me/public-keys").bearer(&token).show().json().await?;
    let keys: Value = serde_json::from_str(keys.as_str().unwrap_or_default())
        .map_err(|error| format!("the public keys are no JSON: {error}"))?;
    for (index, arrival) in arrivals.iter().enumerate() {
        verify::verify(&keys, arrival)?;
        let waited = arrival.at.duration_since(arrivals.first().map_or(arrival.at, |first| first.at));
        say(&format!(
            "   attempt {} after {:.1} s: answered {}, signature verified with the public keys",
            index + 1,
            waited.as_secs_f64(),
            arrival.answered
        ));
        attempts.push(json!({ "afterSeconds": waited.as_secs_f64(), "answered": arrival.answered }));
    }
    let body = arrivals.last().map(|arrival| String::from_utf8_lossy(&arrival.body).into_owned()).unwrap_or_default();
    say(&format!("   body: {body}"));

    step("7. Read the last delivery status back through the API.");
    let status = client.delivered(&webhook_id, &token).await?;
    say(&format!("   {status}"));
    say("\nThe main job is done: one event in, one signed delivery out, retried until it was accepted.");
    // Scripts hear of nothing that was not as promised: each signature was verified, or we were not here.
    Ok(json!({
        "serverUrl": running.public_url,
        "adminToken": first.admin_token,
        "adminLink": running.administrator_link(),
        "applicationId": id,
        "webhookId": webhook_id,
        "event": event,
        "attempts": attempts,
        "status": status,
        "body": body,
    }))
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| format!("the answer has no {key}: {value}"))
}

fn farewell(running: &Running, settings: &Settings) {
    say(&format!("\nThe server still runs on {} (Ctrl-C stops it).", running.public_url));
    if let Some(link) = running.administrator_link() {
        say(&format!("  become the administrator (works once):  {link}"));
    }
    say(&format!("  what it can do:                         {}/openapi.json", running.public_url));
    say(&format!(
        "  which events there are:                 curl -H 'Authorization: Bearer …' {}/api/http/notifications",
        running.public_url
    ));
    say("  publish your own event:                 spaceport demo --event FILE");
    say(&format!(
        "  run it for real:                        spaceport serve --data DIR   (this one used {})",
        settings.data.display()
    ));
}
