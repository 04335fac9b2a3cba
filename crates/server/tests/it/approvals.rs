//! What an application asks for, answered in one step.

use serde_json::{Value, json};
use spaceport_testkit::published::Published;

use crate::cases::unfurl_targets::ask;
use crate::harness::{BOTH, Server};
use crate::installation::connected;

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_answers_all_some_or_none_in_one_step() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let published = Published::start();
        let id = connected(&server, &published).await;
        let path = format!("/api/host/v1/applications/id:{id}/approvals");
        let codes = |approvals: &Value| {
            let rights = approvals["rights"].as_array().unwrap().iter();
            rights.map(|right| right["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let asked = server.client.get(&path).bearer(&server.admin).send().await.expect(200).json();
        assert_eq!(codes(&asked), ["View member profiles", "View issues"].map(str::to_owned), "{asked}");
        assert_eq!(asked["rights"][0]["mayApprove"], true);
        let stranger = server.person("stranger", &["Applications.View"]).await;
        let seen = server.client.get(&path).bearer(&stranger).send().await.expect(200).json();
        assert_eq!((&seen["rights"][0]["mayApprove"], &seen["rights"][0]["mayReject"]), (&json!(false), &json!(false)));
        let right = |code: &str| json!({ "contextIdentifier": "global", "rightCode": code });
        let answer = async |token: &str, body: Value, status: u16| {
            server.client.post(&path).bearer(token).json(&body).send().await.expect(status).json()
        };
        answer(&stranger, json!({ "approve": [right("Profile.View")] }), 403).await;
        assert_eq!(codes(&answer(&stranger, json!({ "approveAll": true }), 200).await).len(), 2, "he may approve none");
        let own = published.token().await.unwrap();
        answer(&own, json!({ "approve": [right("Profile.View")] }), 403).await;
        let unknown = answer(&server.admin, json!({ "approve": [right("Project.Issues.Create")] }), 400).await;
        assert!(unknown["error_description"].as_str().unwrap().starts_with("approve[0]"), "{unknown}");
        let twice = json!({ "approve": [right("Profile.View")], "reject": [right("Profile.View")] });
        answer(&server.admin, twice, 400).await;
        // Link previews are answered in the same step.
        ask(&server, &own, json!(["a.example", "b.example"])).await;
        let patterns = json!({ "patterns": [{ "prefix": "T-", "linkReplacement": "https://t.example/T-<?>" }] });
        let path = "/api/http/applications/unfurls/patterns";
        server.client.patch(path).bearer(&own).json(&patterns).send().await.expect(200);
        let seen = answer(&stranger, json!({ "approveAll": true }), 200).await;
        assert_eq!(seen["unfurlDomains"][0], json!({ "domain": "a.example", "mayAnswer": false }));
        answer(&stranger, json!({ "approveUnfurlDomains": ["a.example"] }), 403).await;
        answer(&own, json!({ "rejectUnfurlPatterns": ["T-"] }), 403).await;
        answer(&server.admin, json!({ "approveUnfurlDomains": ["c.example"] }), 400).await;
        let both = json!({ "approveUnfurlDomains": ["a.example"], "rejectUnfurlDomains": ["a.example"] });
        answer(&server.admin, both, 400).await;
        let some = json!({ "approveAll": true, "reject": [right("Profile.View")], "rejectUnfurlDomains": ["b.example"],
            "comment": "no people" });
        let left = answer(&server.admin, some, 200).await;
        assert_eq!(left, json!({ "rights": [], "unfurlDomains": [], "unfurlPatterns": [] }));
        let shown = format!("/api/http/applications/id:{id}?$fields=domains,patterns");
        let shown = server.client.get(&shown).bearer(&server.admin).send().await.expect(200).json();
        let statuses: Vec<&Value> = ["/domains/0/status", "/domains/1/status", "/patterns/0/status"]
            .iter()
            .map(|place| shown.pointer(place).unwrap())
            .collect();
        assert_eq!(statuses, ["GRANTED", "REJECTED", "GRANTED"]);
        let rights =
            format!("/api/http/applications/id:{id}/authorizations/authorized-rights?contextIdentifier=global");
        let rights = server.client.get(&rights).bearer(&server.admin).send().await.expect(200).json();
        let mut statuses: Vec<_> =
            rights.as_array().unwrap().iter().map(|right| right["status"].as_str().unwrap()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, ["GRANTED", "REJECTED"]);
        server.running.stop().await;
    }
}
