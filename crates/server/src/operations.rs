//! Every operation there is: what is listed here is served, described and access-checked.

use std::sync::LazyLock;

use spaceport_wire::describe::{Operation, Surface};

use crate::api::{
    application, application_secret, application_state, attachment, authorization, authorization_index, catalogue,
    describe, parameter, permanent_token, permission, required_right, webhook,
};
use crate::health;
use crate::host::{audit_trail, directory, event, installation, right, secret_overlap, session};
use crate::http::router;
use crate::http::routes::{Route, Routes};
use crate::oauth;
use crate::pages::{self, assets};

/// All routes of all surfaces.
pub fn routes() -> Vec<Route> {
    let mut routes = api().into_routes();
    routes.extend(host().into_routes());
    routes.extend(authorization().into_routes());
    routes.extend(page().into_routes());
    routes.extend(other().into_routes());
    routes
}

/// The descriptions of all operations.
pub fn described() -> Vec<Operation> {
    static DESCRIBED: LazyLock<Vec<Operation>> = LazyLock::new(|| router::operations(&routes()));
    DESCRIBED.clone()
}

/// The operations of Space, resource by resource. The order is that of the self-description.
fn api() -> Routes {
    Routes::new(Surface::Space)
        .with(application::routes)
        .with(application_state::routes)
        .with(application_secret::routes)
        .with(permanent_token::routes)
        .with(parameter::routes)
        .with(attachment::routes)
        .with(webhook::routes)
        .with(crate::host::delivery_log::space_routes)
        .with(crate::api::gpg_key::routes)
        .with(crate::api::ssh_key::routes)
        .with(crate::api::trusted_certificate::routes)
        .with(crate::api::unfurl_target::routes)
        .with(crate::api::ui_extension::routes)
        .with(authorization_index::routes)
        .with(authorization::routes)
        .with(required_right::routes)
        .with(catalogue::routes)
        .with(permission::routes)
        .with(crate::api::directory::routes)
        .with(crate::api::consent::routes)
}

/// The operations of the product that embeds Spaceport.
fn host() -> Routes {
    Routes::new(Surface::Host)
        .with(event::routes)
        .with(secret_overlap::routes)
        .with(installation::routes)
        .with(crate::host::refresh_policy::routes)
        .with(crate::host::approval::routes)
        .with(crate::host::payload::routes)
        .with(crate::host::public_key::routes)
        .with(audit_trail::routes)
        .with(crate::host::ssl_keystore::routes)
        .with(crate::host::standard_webhooks::routes)
        .with(crate::host::delivery_log::routes)
        .with(crate::host::replay::routes)
        .with(crate::host::replay_missing::routes)
        .with(crate::host::webhook_sending::routes)
        .with(right::routes)
        .with(crate::host::filter::routes)
        .with(crate::host::field_right::routes)
        .with(directory::routes)
        .with(session::routes)
}

/// OAuth 2.0.
fn authorization() -> Routes {
    Routes::new(Surface::OAuth).with(oauth::routes)
}

/// Pages for people.
fn page() -> Routes {
    Routes::new(Surface::Page).with(oauth::pages).with(pages::routes)
}

fn other() -> Routes {
    Routes::new(Surface::Other)
        .with(attachment::file_routes)
        .get("/openapi.json", "describe.openapi", "Get the OpenAPI document", describe::openapi_document)
        .get("/api/http/http-api-model", "describe.model", "Get the HTTP API model", describe::http_api_model)
        .get("/about", "describe.about", "Read the version", describe::about)
        .get("/health/live", "health.live", "Whether the process runs", health::live)
        .get("/health/ready", "health.ready", "Whether deliveries move", health::ready)
        .get("/assets/{file}", "page.asset", "Get a file of the pages", assets::asset)
        .get("/metrics", "health.metrics", "Get counts", health::metrics)
}
