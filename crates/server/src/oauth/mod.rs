//! OAuth 2.0: how applications get tokens, of their own and of users, and the keys that sign them.

pub mod allowed;
pub mod answer;
pub mod authorization_request;
pub mod authorize;
pub mod client;
pub mod code_grant;
pub mod delegated;
pub mod expiry;
pub mod form;
pub mod introspect;
pub mod jwks;
pub mod jwt;
pub mod metadata;
pub mod password_grant;
pub mod permanent;
pub mod pkce;
pub mod public_client;
pub mod refresh_grant;
pub mod revoke;
pub mod ring;
pub mod rotation;
pub mod settings;
pub mod signing;
pub mod standing;
pub mod throttle;
pub mod token;
pub mod withdrawal;

use crate::http::routes::Routes;

/// The operations of OAuth, the pages excepted.
pub fn routes(routes: Routes) -> Routes {
    routes
        .post("/oauth/token", "oauth.token", "Get an access token", token::token)
        .with_body_limit(token::BODY_LIMIT)
        .post("/oauth/revoke", "oauth.revoke", "Give a token back", revoke::revoke)
        .with_body_limit(token::BODY_LIMIT)
        .post("/oauth/introspect", "oauth.introspect", "Ask whether a token is good", introspect::introspect)
        .with_body_limit(token::BODY_LIMIT)
        .get("/oauth/jwks.json", "oauth.jwks", "Get the keys that sign access tokens", jwks::keys)
        .get(
            "/.well-known/oauth-authorization-server",
            "oauth.metadata",
            "Read what OAuth can do here",
            metadata::authorization_server,
        )
        .get(
            "/.well-known/oauth-protected-resource",
            "oauth.resource",
            "Read who issues tokens for the API",
            metadata::protected_resource,
        )
}

/// The pages of OAuth.
pub fn pages(routes: Routes) -> Routes {
    routes
        .get("/oauth/auth", "oauth.authorize", "Ask a user for authorization", authorize::ask)
        .without_head()
        .post("/oauth/auth", "oauth.authorize.decide", "Decide about an authorization", authorize::decide)
        .with_body_limit(token::BODY_LIMIT)
}
