//! What OAuth can do here, for programs that ask (RFC 8414, RFC 9728).

use serde_json::json;

use crate::http::access::{Anyone, Cx};
use crate::http::error::ApiError;
use crate::http::reply::Document;

/// `/.well-known/oauth-authorization-server`: lists only what is switched on (security D1).
///
/// # Errors
/// None.
pub async fn authorization_server(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    let (url, oauth) = (&cx.services.public_url, &cx.services.oauth);
    let mut responses = vec!["code"];
    let mut grants = vec!["client_credentials", "authorization_code", "refresh_token"];
    if oauth.implicit_flow {
        responses.push("token");
        grants.push("implicit");
    }
    if oauth.password_grant {
        grants.push("password");
    }
    let with_secret = ["client_secret_basic", "client_secret_post"];
    Ok(Document::json(&json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/oauth/auth"),
        "token_endpoint": format!("{url}/oauth/token"),
        "jwks_uri": format!("{url}/oauth/jwks.json"),
        "revocation_endpoint": format!("{url}/oauth/revoke"),
        "introspection_endpoint": format!("{url}/oauth/introspect"),
        "response_types_supported": responses,
        "response_modes_supported": if oauth.implicit_flow { vec!["query", "fragment"] } else { vec!["query"] },
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": with_secret,
        // `plain` works where PKCE is not demanded, but nobody should choose it.
        "code_challenge_methods_supported": if oauth.plain_pkce { vec!["S256", "plain"] } else { vec!["S256"] },
        "authorization_response_iss_parameter_supported": true,
    })))
}

/// `/.well-known/oauth-protected-resource`: the API and who issues tokens for it (security D2).
///
/// # Errors
/// None.
pub async fn protected_resource(cx: Cx<Anyone>) -> Result<Document, ApiError> {
    let url = &cx.services.public_url;
    Ok(Document::json(&json!({
        "resource": url,
        "authorization_servers": [url],
        "jwks_uri": format!("{url}/oauth/jwks.json"),
        "bearer_methods_supported": ["header"],
        "resource_name": "Spaceport",
    })))
}
