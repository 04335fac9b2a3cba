//! The first start and half-configured states.

use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::Context;
use spaceport_platform::right::Right;
use spaceport_platform::time::SystemClock;
use spaceport_server::administrator_link::NewLink;
use spaceport_server::random::SecureRandom;
use spaceport_server::run::run;
use spaceport_store::StoreError;
use tempfile::TempDir;

use crate::browser::{Browser, between, forms};
use crate::harness::{BOTH, Engine, Server, settings, surroundings};

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_everything_and_is_no_first_start() {
    let folder = TempDir::new().unwrap();
    let first = run(&settings(&folder, None), surroundings()).await.unwrap();
    assert!(first.first.is_some());
    first.stop().await;
    let second = run(&settings(&folder, None), surroundings()).await.unwrap();
    assert!(second.first.is_none());
    second.stop().await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |file: &str| std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("data"), mode("data/master.key"), mode("data/spaceport.db")), (0o700, 0o600, 0o600));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_configured_states_are_refused_with_a_sentence() {
    let folder = TempDir::new().unwrap();
    run(&settings(&folder, None), surroundings()).await.unwrap().stop().await;
    let file = |name: &str| folder.path().join("data").join(name);
    let refused = async || run(&settings(&folder, None), surroundings()).await.err().unwrap();

    std::fs::rename(file("master.key"), file("away")).unwrap();
    assert!(refused().await.contains("master.key"));
    std::fs::write(file("master.key"), "garbage").unwrap();
    assert!(refused().await.contains("damaged"));
    std::fs::rename(file("away"), file("master.key")).unwrap();
    std::fs::rename(file("spaceport.db"), file("away.db")).unwrap();
    assert!(refused().await.contains("no database"));
    std::fs::rename(file("away.db"), file("spaceport.db")).unwrap();
    run(&settings(&folder, None), surroundings()).await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_link_works_once_and_only_by_its_button() {
    let server = Server::start(Engine::Sqlite).await;
    let link = server.running.administrator_link().unwrap();
    let path = link.strip_prefix(&server.running.public_url).unwrap().to_owned();
    let mut browser = Browser::new(&server);
    for _ in 0..2 {
        browser.get(&path).await.expect(200);
    }
    let form = forms(browser.get(&path).await.expect(200).text())[0].clone();
    assert_eq!(browser.submit(&form.clone().without("token")).await.status, 403);
    let used = browser.submit(&form).await.expect(200);
    let token = between(used.text(), "<pre tabindex=\"0\">", "</pre>").unwrap().to_owned();
    server.client.get("/api/http/applications/paged").bearer(&token).send().await.expect(200);
    let trail = "/api/host/v1/audit-trail?operation=page.administrator.use";
    let trail = server.client.get(trail).bearer(&token).send().await.expect(200).json();
    assert_eq!(trail["data"].as_array().unwrap().len(), 1, "the audit trail tells of the token that was made");
    assert!(browser.get("/account").await.expect(200).text().contains("Set a password"), "the link signs in too");
    let mut again = Browser::new(&server);
    let form = forms(again.get(&path).await.expect(200).text())[0].clone();
    let refused = again.submit(&form).await.expect(410);
    assert!(refused.text().contains("spaceport admin-link"), "it says how to get another");
    let hostile = server.client.get("/administrator?code=%22%3E%3Cscript%3E").send().await.expect(200);
    assert!(!hostile.text().contains("<script>"));
    assert!(server.folder.path().exists());
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_administrator_any_more_a_link_makes_one() {
    for engine in BOTH {
        let server = Server::start(engine).await;
        let store = server.running.store();
        let taken = store.write(|tx| {
            let grant = Grant { right: Right::SUPERADMIN, context: Context::Global };
            for id in tx.holders(&Right::SUPERADMIN)? {
                tx.revoke_grant(&Principal::User(id), &grant)?;
            }
            Ok::<_, StoreError>(())
        });
        taken.await.unwrap();
        let random = SecureRandom::default();
        for expected in 2..4 {
            let link = NewLink::generate(&random);
            link.store(store, &SystemClock, &random).await.unwrap();
            let mut browser = Browser::new(&server);
            let form = forms(browser.get(&link.url("")).await.expect(200).text())[0].clone();
            let used = browser.submit(&form).await.expect(200);
            let token = between(used.text(), "<pre tabindex=\"0\">", "</pre>").unwrap().to_owned();
            server.client.get("/api/http/applications/paged").bearer(&token).send().await.expect(200);
            let trail = "/api/host/v1/audit-trail?operation=server.administrator_link";
            let trail = server.client.get(trail).bearer(&token).send().await.expect(200).json();
            // The first made the administrator too, the second found him.
            assert_eq!(trail["data"].as_array().unwrap().len(), expected, "{trail}");
        }
        server.running.stop().await;
    }
}
