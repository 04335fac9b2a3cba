//! What is taken back while it is being used: consents and passwords (issue: withdrawal ends tokens at once).

use futures_util::future::{join, join_all};
use serde_json::json;

use crate::browser::{Browser, forms, parameters};
use crate::harness::{BOTH, Engine, Server};
use crate::oauth_flow::{accepted, code, error, redeem, request, tracker};
use crate::people::{set_password, sign_in};

const PASSWORD: &str = "correct horse battery";
const CONSENTS: &str = "/api/http/team-directory/profiles/oauth-consents";

#[tokio::test(flavor = "multi_thread")]
async fn a_code_never_outlives_a_withdrawal_that_it_was_asked_for_beside() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let ann = server.person("ann", &[]).await;
        let made = tracker(&server, json!({})).await;
        let asked = format!("/oauth/auth?{}", request(&made, &[("access_type", "offline")]));
        let mut browsers = Vec::new();
        for _ in 0..6 {
            browsers.push(Browser::of(&server, "ann").await);
        }
        let mut raced = 0;
        for _ in 0..15 {
            browsers[0].authorize(asked.strip_prefix("/oauth/auth?").unwrap()).await;
            let asking = join_all(browsers.iter_mut().map(|browser| browser.get(&asked)));
            let path = format!("{CONSENTS}/me/applications/id:{}", made.id);
            let (answers, withdrawn) = join(asking, server.client.delete(&path).bearer(&ann).send()).await;
            withdrawn.expect(200);
            for answer in answers {
                if answer.status == 200 {
                    continue;
                }
                raced += 1;
                let code = parameters(answer.expect(303).header("location"))["code"].clone();
                let refused = redeem(&server, &made, &code, &[]).await;
                assert_eq!((refused.status.as_u16(), error(&refused).as_str()), (400, "invalid_grant"));
            }
        }
        let left = server.client.get(&format!("{CONSENTS}/me")).bearer(&ann).send().await.expect(200).json();
        assert_eq!(left, json!([]), "{raced} codes were made beside a withdrawal");
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_finds_the_tokens_of_a_code_that_is_being_redeemed() {
    let server = Server::start(Engine::Postgres).await;
    let ann = server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    let text = code(&mut browser, &made, &[]).await;
    let lock = server.database.as_ref().unwrap().lock("delegation").await;
    let path = format!("{CONSENTS}/me/applications/id:{}", made.id);
    let withdrawing = async {
        // The code is used up by now, and the token cannot be stored.
        lock.so_many_wait(1).await;
        let withdrawing = server.client.delete(&path).bearer(&ann).send();
        let letting_go = async {
            lock.so_many_wait(2).await;
            drop(lock);
        };
        join(withdrawing, letting_go).await.0
    };
    let (redeemed, withdrawn) = join(redeem(&server, &made, &text, &[]), withdrawing).await;
    withdrawn.expect(200);
    let issued = redeemed.expect(200).json();
    assert!(!accepted(&server, &issued["access_token"]).await);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_of_the_old_password_outlives_its_change() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        server.person("ann", &[]).await;
        let (mut old, mut new) = (PASSWORD.to_owned(), String::new());
        set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
        for round in 0..4 {
            new = format!("{PASSWORD} {round}");
            let mut owner = Browser::new(&server);
            sign_in(&mut owner, "/login", "ann", &old).await.expect(303);
            let form = forms(owner.get("/account").await.expect(200).text())[0].clone();
            let form = form.with("present", &old).with("password", &new).with("again", &new);
            let mut thieves: Vec<_> = (0..8).map(|_| Browser::new(&server)).collect();
            let signing_in = join_all(thieves.iter_mut().map(|thief| sign_in(thief, "/login", "ann", &old)));
            let (changed, _) = join(owner.submit(&form), signing_in).await;
            changed.expect(303);
            for thief in &mut thieves {
                assert_eq!(thief.get("/account").await.status, 303, "signed in by a password that is over");
            }
            owner.get("/account").await.expect(200);
            old.clone_from(&new);
        }
        sign_in(&mut Browser::new(&server), "/login", "ann", &new).await.expect(303);
        server.running.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_agreed_to_is_what_the_page_showed() {
    let server = Server::start(Engine::Sqlite).await;
    let ann = server.person("ann", &[]).await;
    let made = tracker(&server, json!({})).await;
    let mut browser = Browser::of(&server, "ann").await;
    browser.authorize(&request(&made, &[("scope", "global:Profile.View")])).await;
    let both = request(&made, &[("scope", "global:Profile.View global:Project.Issues.View")]);
    let page = browser.get(&format!("/oauth/auth?{both}")).await.expect(200);
    assert!(!page.text().contains("View member profiles"), "agreed to before: {}", page.text());
    let form = forms(page.text())[0].clone().with("decision", "allow");
    server.client.delete(&format!("{CONSENTS}/me/applications/id:{}", made.id)).bearer(&ann).send().await.expect(200);
    let again = browser.submit(&form).await.expect(200);
    let rest = forms(again.text())[0].clone();
    let shown = rest.fields.iter().find(|(name, _)| name == "shown").unwrap();
    assert_eq!(shown.1, "global:Profile.View", "what the first page did not show is asked for now");
    let wider = rest.clone().with("decision", "allow").with("shown", "**");
    assert_eq!(browser.submit(&wider).await.status, 403);
    let allowed = browser.submit(&rest.with("decision", "allow")).await.expect(303);
    assert!(parameters(allowed.header("location")).contains_key("code"));
    let listed = server.client.get(&format!("{CONSENTS}/me")).bearer(&ann).send().await.expect(200).json();
    assert_eq!(listed[0]["approvedScopes"].as_array().unwrap().len(), 2, "{listed}");
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_too_old_is_shown_again() {
    let server = Server::start(Engine::Sqlite).await;
    server.person("ann", &[]).await;
    set_password(&mut Browser::of(&server, "ann").await, PASSWORD).await;
    let made = tracker(&server, json!({})).await;
    // Two tabs with the sign-in page: the second goes on, because somebody is signed in by then.
    let mut browser = Browser::new(&server);
    let way = browser.get(&format!("/oauth/auth?{}", request(&made, &[]))).await.expect(303);
    let path = way.header("location").to_owned();
    let second = forms(browser.get(&path).await.expect(200).text())[0].clone();
    sign_in(&mut browser, &path, "ann", PASSWORD).await.expect(303);
    let on = browser.submit(&second.clone().with("username", "ann").with("password", "x")).await.expect(303);
    assert!(on.header("location").starts_with("/oauth/auth?"));
    // Without a session the page comes again, and can be used.
    let mut late = Browser::new(&server);
    let again = late.submit(&second.with("username", "ann").with("password", PASSWORD)).await.expect(403);
    assert!(again.text().contains("The page was too old. Please sign in again."));
    let form = forms(again.text())[0].clone().with("username", "ann").with("password", PASSWORD);
    assert_eq!(late.submit(&form).await.expect(303).header("location"), on.header("location"));
    // A consent whose session is over leads to the sign-in and back to the question.
    let consent = forms(browser.get(on.header("location")).await.expect(200).text())[0].clone();
    let consent = consent.with("decision", "allow");
    let mut gone = Browser::new(&server);
    let way = gone.submit(&consent).await.expect(303);
    assert_eq!(way.header("location"), path);
    let asked = late.submit(&consent).await.expect(403);
    assert!(asked.text().contains("nothing was allowed. Please answer again."));
    let allowed = late.submit(&forms(asked.text())[0].clone().with("decision", "allow")).await.expect(303);
    assert!(parameters(allowed.header("location")).contains_key("code"));
    server.running.stop().await;
}
