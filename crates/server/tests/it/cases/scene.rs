//! Who calls in the rows, and where.

use std::time::Duration;

use serde_json::json;

use super::{Case, PERSON, directory};
use crate::harness::{Engine, Made, Server};

const HOUR: Duration = Duration::from_secs(3600);

/// A server with a directory, and its callers.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) other: Made,
    pub(super) viewer: String,
    pub(super) stranger: String,
}

impl Scene {
    pub(super) async fn start(engine: Engine) -> Self {
        // So that there is something to end.
        let server = Server::start_changed(engine, |settings| {
            settings.overlap.client_secret = HOUR;
            settings.overlap.signing_key = HOUR;
        })
        .await;
        crate::authorizations::directory(&server).await;
        directory::put(&server, "teams/crew", json!({ "name": "Crew" })).await;
        Self {
            other: server.application(json!({ "name": "another" })).await,
            viewer: server.person("viewer", &["Applications.View"]).await,
            stranger: server.person(PERSON, &[]).await,
            server,
        }
    }

    /// An application for one row.
    pub(super) async fn made(&self, case: &Case) -> Made {
        self.server.application(json!({ "name": format!("for {}", case.operation) })).await
    }
}
