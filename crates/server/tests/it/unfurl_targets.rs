//! Domains and patterns that applications want to preview: asked for, answered, asked for again.

use serde_json::{Value, json};
use spaceport_testkit::receiver::Receiver;

use crate::cases::unfurl_targets::ask;
use crate::harness::{BOTH, Engine, Server};

async fn answer(server: &Server, token: &str, id: &str, domains: Value, approve: bool, status: u16) {
    let path = format!("/api/http/applications/id:{id}/unfurl-domains/authorize");
    let body = json!({ "domains": domains, "approve": approve });
    server.client.post(&path).bearer(token).json(&body).send().await.expect(status);
}

/// Domains with their status, as the application itself sees them.
async fn domains(server: &Server, token: &str) -> Vec<(String, String)> {
    let path = "/api/http/applications/me/unfurl-domains";
    let found = server.client.get(path).bearer(token).send().await.expect(200).json();
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    found.as_array().unwrap().iter().map(|one| (text(one, "domain"), text(one, "status"))).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(domain, status)| ((*domain).to_owned(), (*status).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_stays_until_it_is_not_wanted_any_more() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let made = server.application(json!({ "name": "Previews" })).await;
        ask(&server, &made.token, json!(["Slack.com", "b.example", "c.example"])).await;
        answer(&server, &server.admin, &made.id, json!(["SLACK.com"]), true, 200).await;
        answer(&server, &server.admin, &made.id, json!(["b.example"]), false, 200).await;
        // Published applications repeat this at each installation.
        ask(&server, &made.token, json!(["d.example", "slack.com", "b.example", "slack.com"])).await;
        let expected = [("d.example", "REQUESTED"), ("slack.com", "GRANTED"), ("b.example", "REJECTED")];
        assert_eq!(domains(&server, &made.token).await, pairs(&expected));
        answer(&server, &server.admin, &made.id, json!(["c.example"]), true, 400).await;
        ask(&server, &made.token, json!([])).await;
        ask(&server, &made.token, json!(["slack.com"])).await;
        assert_eq!(domains(&server, &made.token).await, pairs(&[("slack.com", "REQUESTED")]), "it is asked anew");
        // Shown with the application as well, and with who decided.
        answer(&server, &server.admin, &made.id, json!(["slack.com"]), true, 200).await;
        let path = format!("/api/http/applications/id:{}?$fields=*,domains,patterns", made.id);
        let shown = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(shown["domains"][0]["status"], "GRANTED");
        assert_eq!(shown["domains"][0]["modificationAuthor"]["name"], "admin");
        assert_eq!(shown["patterns"], json!([]));
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_application_decides_about_itself_or_its_kin() {
    let server = Server::start(Engine::Sqlite).await;
    let made = server.application(json!({ "name": "Previews" })).await;
    ask(&server, &made.token, json!(["slack.com"])).await;
    answer(&server, &made.token, &made.id, json!(["slack.com"]), true, 403).await;
    server.grant(&made.id, "global", &["Unfurl.App.Authorize", "Applications.Create"]).await;
    answer(&server, &made.token, &made.id, json!(["slack.com"]), true, 403).await;
    let body = json!({ "name": "child" });
    let child = server.client.post("/api/http/applications").bearer(&made.token).json(&body).send().await.expect(200);
    let child = child.json()["id"].as_str().unwrap().to_owned();
    answer(&server, &made.token, &child, json!([]), true, 403).await;
    // About others it does.
    let other = server.application(json!({ "name": "Other" })).await;
    ask(&server, &other.token, json!(["slack.com"])).await;
    answer(&server, &made.token, &other.id, json!(["slack.com"]), true, 200).await;
    assert_eq!(domains(&server, &other.token).await, pairs(&[("slack.com", "GRANTED")]));
    // A token without the right changes nothing.
    let scoped = json!({ "name": "scoped", "scope": "global:Profile.View" });
    let path = "/api/http/applications/me/permanent-tokens";
    let scoped = server.client.post(path).bearer(&other.token).json(&scoped).send().await.expect(200).json();
    let scoped = scoped["second"].as_str().unwrap();
    let path = "/api/http/applications/unfurls/domains";
    server.client.patch(path).bearer(scoped).json(&json!({ "domains": [] })).send().await.expect(403);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_hear_of_what_is_asked_and_answered() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let receiver = Receiver::start();
        let made = server.application(json!({ "name": "Previews", "endpointUri": receiver.url("/") })).await;
        let subscription = json!({ "name": "targets", "subscription": { "subjectCode": "Application", "filters": [],
            "eventTypeCodes": ["Application.UnfurlTarget.Requested", "Application.UnfurlTarget.Authorized"] } });
        server.webhook(&made.token, json!({ "name": "hook", "subscriptions": [subscription] })).await;
        let patterns = json!({ "patterns": [{ "prefix": "T-", "linkReplacement": "https://t.example/T-<?>" }] });
        let path = "/api/http/applications/unfurls/patterns";
        server.client.patch(path).bearer(&made.token).json(&patterns).send().await.expect(200);
        let heard = receiver.wait_for(1).await;
        let payload = heard[0].json()["payload"].clone();
        assert_eq!(payload["className"], "ApplicationUnfurlTargetWebhookEvent");
        assert_eq!(payload["target"], json!({ "className": "ApplicationUnfurlTarget.Pattern", "pattern": "T-" }));
        let path = format!("/api/http/applications/id:{}/unfurl-patterns/authorize", made.id);
        for approve in [true, true, false] {
            let body = json!({ "patterns": ["T-"], "approve": approve });
            server.client.post(&path).bearer(&server.admin).json(&body).send().await.expect(200);
        }
        receiver.wait_for(2).await;
        // A changed link has to be looked at anew.
        let patterns = json!({ "patterns": [{ "prefix": "T-", "linkReplacement": "https://evil.example/T-<?>" }] });
        let path = "/api/http/applications/unfurls/patterns";
        server.client.patch(path).bearer(&made.token).json(&patterns).send().await.expect(200);
        assert_eq!(receiver.wait_for(3).await.len(), 3, "asked, approved once, and asked anew");
        server.running.stop().await;
    }
}

/// On PostgreSQL alone, where a table can be taken away from a running server; the statements are the same on both.
#[tokio::test(flavor = "multi_thread")]
async fn targets_are_read_only_when_they_are_named() {
    let server = Server::start(Engine::Postgres).await;
    let made = server.application(json!({ "name": "Previews" })).await;
    server.grant(&made.id, "global", &["Applications.View"]).await;
    ask(&server, &made.token, json!(["slack.com"])).await;
    let one = format!("/api/http/applications/id:{}", made.id);
    let me = "/api/http/applications/me".to_owned();
    let authorized = "/api/http/applications/authorizations/authorized-applications?contextIdentifier=global";
    let lists = ["/api/http/applications/paged".to_owned(), authorized.to_owned()];
    let named = ["domains", "id,patterns(pattern)", "data(domains(domain))", "*,%64omains"];
    let and =
        |path: &str, fields: &str| format!("{path}{}$fields={fields}", if path.contains('?') { "&" } else { "?" });
    let shown = server.client.get(&and(&me, "domains")).bearer(&made.token).send().await.expect(200).json();
    assert_eq!(shown["domains"][0]["domain"], "slack.com");
    let database = server.database.as_ref().unwrap();
    database.execute("ALTER TABLE unfurl_target RENAME TO unfurl_target_gone");
    for path in [one, me].iter().chain(&lists) {
        for fields in ["*", "id,name,owner(username)", "data(id)"] {
            server.client.get(&and(path, fields)).bearer(&made.token).send().await.expect(200);
        }
        server.client.get(path).bearer(&made.token).send().await.expect(200);
        for fields in named {
            server.client.get(&and(path, fields)).bearer(&made.token).send().await.expect(503);
        }
    }
    server.running.stop().await;
}
