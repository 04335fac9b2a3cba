//! Rows: what applications were told, and how they do.

use futures_util::FutureExt;
use serde_json::json;
use spaceport_platform::application::Endpoint;
use spaceport_platform::connection::{Connection, ConnectionStatus};
use spaceport_platform::id::ApplicationId;
use spaceport_store::StoreError;

use super::{Case, case};
use crate::harness::{Made, Server};

pub(crate) fn rows() -> Vec<Case> {
    vec![
        case("host.application.payloads.list").answers(|page| assert_eq!(page["data"], json!([]))),
        case("host.application.health.get").answers(|health| assert_eq!(health["healthyAt"], json!(null))),
        case("host.application.check").with(|server, made| failed(server, made).boxed()).answers(|check| {
            assert_eq!((&check["answered"], &check["attempt"]["error"]), (&json!(false), &json!("connect")))
        }),
        case("host.application.approvals.get").answers(|approvals| assert_eq!(approvals["rights"], json!([]))),
        case("host.application.approvals.answer")
            .body(json!({ "approveAll": true }))
            .malformed(json!({ "approveAll": 7 }), "approveAll"),
        case("host.application.payloads.send")
            .with(|server, made| failed(server, made).boxed())
            .body(json!({ "className": "MenuActionPayload", "menuItemUniqueCode": "translate", "context": null, "userId": "u" }))
            .malformed(json!({ "className": "MenuActionPayload", "menuItemUniqueCode": 7, "context": null, "userId": "u" }), "7")
            .malformed(json!({ "className": "AnotherPayload" }), "AnotherPayload")
            .malformed(json!({ "className": "ApplicationUninstalledPayload", "serverUrl": "http://e" }), "className")
            .answers(|sent| assert_eq!(sent["result"]["className"], "AppUserActionExecutionResult.Failure")),
        case("host.application.public_keys.list").answers(|keys| assert_eq!(keys[0]["state"], "SIGNS")),
        case("host.application.public_keys.rotate")
            .body(json!({}))
            .malformed(json!({ "immediately": 7 }), "immediately")
            .answers(|keys| assert_eq!((&keys[0]["state"], &keys[1]["state"]), (&json!("SIGNS"), &json!("WAITS")))),
        case("host.application.connect").with(|server, made| failed(server, made).boxed()),
    ]
}

/// The application with a failed connection and an endpoint where nobody is.
async fn failed(server: &Server, made: &Made) -> Vec<(&'static str, String)> {
    let id = ApplicationId::new(made.id.as_str());
    let work = server.running.store().write(move |tx| {
        let mut application = tx.application(&id)?.unwrap();
        let url = "http://127.0.0.1:9/".to_owned();
        application.endpoint = Some(Endpoint { url, ssl_verification: true });
        let status = Some(ConnectionStatus::FailedToConnect);
        application.connection = Some(Connection { status, ..Connection::default() });
        tx.update_application(&application)
    });
    work.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
    Vec::new()
}
