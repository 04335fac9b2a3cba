//! The first start and half-configured states.

use spaceport_server::run::run;
use tempfile::TempDir;

use crate::harness::{Engine, Server, settings, surroundings};

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
    let code = path.split("code=").nth(1).unwrap().to_owned();
    for _ in 0..2 {
        let page = server.client.get(&path).send().await.expect(200);
        assert!(page.text().contains("<button>"));
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    }
    let used = server.client.post("/administrator").form(&[("code", &code)]).send().await.expect(200);
    let token = used.text().split("<pre>").nth(1).unwrap().split("</pre>").next().unwrap().to_owned();
    server.client.get("/api/http/applications/paged").bearer(&token).send().await.expect(200);
    server.client.post("/administrator").form(&[("code", &code)]).send().await.expect(410);
    let trail = "/api/host/v1/audit-trail?operation=page.administrator.use";
    let trail = server.client.get(trail).bearer(&token).send().await.expect(200).json();
    assert_eq!(trail["data"].as_array().unwrap().len(), 1, "the audit trail tells of the token that was made");
    assert_eq!(trail["data"][0]["target"]["kind"], "permanentToken");
    let hostile = server.client.get("/administrator?code=%22%3E%3Cscript%3E").send().await.expect(200);
    assert!(!hostile.text().contains("<script>"));
    assert!(server.folder.path().exists());
    server.running.stop().await;
}
