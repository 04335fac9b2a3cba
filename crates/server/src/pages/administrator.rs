//! The one-time administrator link: a page with a button, and the token that the button yields.
//!
//! Opening the link changes nothing, so that a mail scanner cannot use it up; the secret is in the
//! fragment-free query because the page must work without script.

use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::Principal;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::id::Id;
use spaceport_platform::scope::Scope;
use spaceport_store::{NewToken, StoreError};
use spaceport_wire::describe::Operation;

use crate::http::access::{Anyone, Cx};
use crate::http::caller::token_hash;
use crate::http::error::ApiError;
use crate::http::input::{Input, Query};
use crate::http::reply::Document;
use crate::http::request::Request;
use crate::oauth::permanent;

/// The link's secret.
#[derive(Deserialize, JsonSchema)]
pub struct Link {
    /// As it stands in the link.
    code: Option<String>,
}

/// The page behind the link.
///
/// # Errors
/// None.
pub async fn page(_: Cx<Anyone>, Query(link): Query<Link>) -> Result<Document, ApiError> {
    let code = link.code.unwrap_or_default();
    let body = format!(
        "<h1>Become the administrator</h1>\n<p>This link works once. The button makes an access token with every right \
         and shows it to you; keep it like a password.</p>\n<form method=\"post\" action=\"/administrator\">\
         <input type=\"hidden\" name=\"code\" value=\"{}\"><button>Show the administrator token</button></form>",
        escape(&code)
    );
    Ok(html(StatusCode::OK, &body))
}

/// The form the button sends.
pub struct Redeemed {
    code: String,
}

impl Input for Redeemed {
    fn describe(_: &mut Operation) {}

    fn read(request: &Request) -> Result<Self, ApiError> {
        let code = form_urlencoded::parse(&request.body).find(|(name, _)| name == "code");
        Ok(Self { code: code.map(|(_, value)| value.into_owned()).unwrap_or_default() })
    }
}

/// Uses the link up and shows a fresh administrator token.
///
/// # Errors
/// When the database fails.
pub async fn redeem(cx: Cx<Anyone>, form: Redeemed) -> Result<Document, ApiError> {
    let now = cx.now();
    let hash = token_hash(&form.code);
    let token = permanent::make(cx.services.random.as_ref());
    let stored = NewToken {
        hash: token_hash(&token),
        id: Id::generate(now, cx.services.random.as_ref()),
        name: "administrator link".to_owned(),
        scope: Scope::Everything.to_string(),
        created_at: now,
        expires_at: None,
    };
    let trail = cx.trail();
    let used = cx
        .write(move |tx| {
            let Some(profile) = tx.use_link(&hash, now)? else { return Ok(false) };
            let owner = AuditChange::between("owner", None, Some(profile.as_str()));
            tx.insert_token(&stored, &Principal::User(profile))?;
            trail.record(tx, AuditTarget::other("permanentToken", stored.id.as_str()), owner)?;
            Ok::<_, StoreError>(true)
        })
        .await
        .map_err(ApiError::from)?;
    if !used {
        let body = "<h1>This link does not work</h1>\n<p>It was used already, it is too old, or it was copied in part. \
                    An administrator token from the first start still works.</p>";
        return Ok(html(StatusCode::GONE, body));
    }
    let url = escape(&cx.services.public_url);
    let body = format!(
        "<h1>You are the administrator</h1>\n<p>Your access token, shown only now:</p>\n<pre>{token}</pre>\n\
         <p>Try it:</p>\n<pre>curl -H 'Authorization: Bearer {token}' {url}/api/http/applications/paged</pre>"
    );
    Ok(html(StatusCode::OK, &body))
}

fn html(status: StatusCode, body: &str) -> Document {
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Spaceport</title>\n</head>\n\
         <body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    );
    Document {
        status,
        content_type: "text/html; charset=utf-8",
        headers: vec![
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        body: page,
    }
}

/// Text for HTML content and quoted attributes.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, c| {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
        escaped
    })
}
