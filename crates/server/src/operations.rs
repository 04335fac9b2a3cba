//! Every operation there is: what is listed here is served, described and access-checked.

use std::sync::LazyLock;

use spaceport_wire::describe::{Operation, Surface};

use crate::api::{application, application_secret, catalogue, describe, webhook};
use crate::health;
use crate::host::event;
use crate::http::router;
use crate::http::routes::{Route, Routes};
use crate::oauth::{jwks, token};
use crate::pages::administrator;

/// All routes of all surfaces.
pub fn routes() -> Vec<Route> {
    let mut routes = api().into_routes();
    routes.extend(host().into_routes());
    routes.extend(oauth().into_routes());
    routes.extend(other().into_routes());
    routes
}

/// The descriptions of all operations.
pub fn described() -> Vec<Operation> {
    static DESCRIBED: LazyLock<Vec<Operation>> = LazyLock::new(|| router::operations(&routes()));
    DESCRIBED.clone()
}

fn api() -> Routes {
    const APPLICATION: &str = "/api/http/applications/{application}";
    Routes::new(Surface::Space)
        .post("/api/http/applications", "api.application.create", "Create application", application::create)
        .get("/api/http/applications/paged", "api.application.list", "Get all applications", application::list)
        .get(APPLICATION, "api.application.get", "Get application", application::get)
        .patch(APPLICATION, "api.application.update", "Update application", application::update)
        .delete(APPLICATION, "api.application.delete", "Delete application", application::delete)
        .get(
            "/api/http/applications/{application}/client-secret",
            "api.application.client_secret.get",
            "Get client secret",
            application_secret::client_secret,
        )
        .post(
            "/api/http/applications/{application}/client-secret/regenerate",
            "api.application.client_secret.regenerate",
            "Regenerate client secret",
            application_secret::regenerate_client_secret,
        )
        .get(
            "/api/http/applications/{application}/public-keys",
            "api.application.public_keys.get",
            "Get public keys",
            application_secret::public_keys,
        )
        .get(
            "/api/http/applications/{application}/signing-key",
            "api.application.signing_key.get",
            "Get signing key",
            application_secret::signing_key,
        )
        .post(
            "/api/http/applications/{application}/signing-key/regenerate",
            "api.application.signing_key.regenerate",
            "Regenerate signing key",
            application_secret::regenerate_signing_key,
        )
        .post("/api/http/applications/{application}/webhooks", "api.webhook.create", "Create webhook", webhook::create)
        .get("/api/http/applications/{application}/webhooks", "api.webhook.list", "Get all webhooks", webhook::list)
        .delete(
            "/api/http/applications/{application}/webhooks/{webhookId}",
            "api.webhook.delete",
            "Delete webhook",
            webhook::delete,
        )
        .get(
            "/api/http/applications/{application}/webhooks/{webhookId}/subscriptions",
            "api.subscription.list",
            "Get all subscriptions",
            webhook::subscriptions,
        )
        .get("/api/http/notifications", "api.catalogue.list", "Get event subjects", catalogue::notifications)
}

fn host() -> Routes {
    Routes::new(Surface::Host)
        .post("/api/host/v1/events", "host.event.publish", "Publish events", event::publish)
        .with_body_limit(event::BODY_LIMIT)
}

fn oauth() -> Routes {
    Routes::new(Surface::OAuth)
        .post("/oauth/token", "oauth.token", "Get an access token", token::token)
        .with_body_limit(token::BODY_LIMIT)
        .get("/oauth/jwks.json", "oauth.jwks", "Get the keys that sign access tokens", jwks::keys)
}

fn other() -> Routes {
    Routes::new(Surface::Other)
        .get("/openapi.json", "describe.openapi", "Get the OpenAPI document", describe::openapi_document)
        .get("/api/http/http-api-model", "describe.model", "Get the HTTP API model", describe::http_api_model)
        .get("/about", "describe.about", "Read the version", describe::about)
        .get("/health/live", "health.live", "Whether the process runs", health::live)
        .get("/health/ready", "health.ready", "Whether deliveries move", health::ready)
        .get("/metrics", "health.metrics", "Get counts", health::metrics)
        .get("/administrator", "page.administrator", "Open the one-time administrator link", administrator::page)
        .post("/administrator", "page.administrator.use", "Use the one-time administrator link", administrator::redeem)
}
