//! What of a connected application is open to an administrator, operation by operation: its settings and secrets are its
//! own. An operation that is in no list here is expected to be refused to him, so that none is open by oversight.

use spaceport_platform::connection::Connection;
use spaceport_platform::id::ApplicationId;
use spaceport_server::operations::described;
use spaceport_store::StoreError;

use super::scene::Scene;
use super::{Run, rows};
use crate::harness::{BOTH, Made, Server};

/// Nobody but the token calls it, connected or not.
const OF_THE_TOKEN: &str = "api.permanent_token.delete_current";

/// Operations on an application that are open to administrators when it is connected.
const OPEN: &[&str] = &[
    // To look at it, without secrets and without what was sent and answered.
    "api.application.get",
    "api.application.last_client_credentials_access.get",
    "api.application.public_keys.get",
    "api.attempt.list",
    "api.authorized_context.list",
    "api.authorized_right.list",
    "api.gpg_key.list",
    "api.permanent_token.list",
    "api.required_right.list",
    "api.ssh_key.list",
    "api.subscription.list",
    "api.ui_extension.list",
    "api.unfurl_domain.list",
    "api.unfurl_pattern.list",
    "api.webhook.list",
    "host.application.approvals.get",
    "host.application.client_secret.previous.get",
    "host.application.health.get",
    "host.application.payloads.list",
    "host.application.public_keys.list",
    "host.application.refresh_tokens.get",
    "host.application.signing_key.previous.get",
    "host.attempt.list",
    "host.delivery.list",
    "host.application.standard_webhooks.public_key",
    "host.webhook.preview",
    "host.webhook.sending.get",
    // Whether it lives, and what ends what may have leaked.
    "api.application.client_secret.regenerate",
    "api.application.delete",
    "api.application.force_remove",
    "api.application.restore",
    "api.permanent_token.delete",
    "host.application.client_secret.previous.end",
    "host.application.public_keys.rotate",
    // What it may do.
    "api.authorized_right.delete",
    "api.authorized_right.request",
    "api.authorized_right.update",
    "api.subscription.request_missing_rights",
    "api.unfurl_domain.authorize",
    "api.unfurl_pattern.authorize",
    "host.application.approvals.answer",
    // What it is told.
    "host.application.check",
    "host.application.connect",
    "host.application.payloads.send",
    "host.delivery.replay",
    "host.delivery.replay_many",
    "host.webhook.ping",
];

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_secrets_of_a_connected_application_are_its_own() {
    for engine in BOTH {
        let scene = Scene::start(engine).await;
        let (mut wrong, mut known) = (Vec::new(), Vec::new());
        for case in rows() {
            let operation = described().into_iter().find(|operation| operation.name == case.operation).unwrap();
            let path = operation.path;
            let on_application = ["/http", "/v1"].map(|root| format!("{root}/applications/{{application}}"));
            if !on_application.iter().any(|on| path.contains(on)) || operation.name == OF_THE_TOKEN {
                continue;
            }
            let made = scene.made(&case).await;
            let run = Run { scene: &scene, case: &case, operation: &operation, made: &made };
            let variables = (case.prepare)(&scene.server, &made).await;
            connect(&scene.server, &made).await;
            let answer = run.call(Some(&scene.server.admin), &run.itself(), &variables, None).await;
            let refused = answer.status == 403 && answer.text().contains("of a connected application");
            let open = OPEN.contains(&operation.name);
            known.push(operation.name);
            if open == refused || (open && answer.status == 403) {
                wrong.push(format!("{}: {} {}", operation.name, answer.status, answer.text()));
            }
            if !open && case.by != super::Entitled::Administrator {
                let own = run.call(Some(&made.token), &run.itself(), &variables, None).await;
                assert_eq!(own.status.as_u16(), case.status, "{} by itself: {}", operation.name, own.text());
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        let gone: Vec<_> = OPEN.iter().filter(|name| !known.contains(name)).collect();
        assert!(gone.is_empty(), "no such operations: {gone:?}");
        scene.server.running.stop().await;
    }
}

/// Makes an application one that is connected, as if it had been installed from a link.
async fn connect(server: &Server, made: &Made) {
    let id = ApplicationId::new(made.id.as_str());
    let done = server.running.store().write(move |tx| {
        let mut application = tx.application(&id)?.ok_or_else(|| StoreError::corrupt("it vanished"))?;
        application.connection = Some(Connection::default());
        tx.update_application(&application)
    });
    done.await.map_err(|error: StoreError| error.to_string()).unwrap();
}
