//! Who looks at a page, and whether a form that comes back is one that we gave to this browser.

use std::net::IpAddr;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use spaceport_platform::id::random_text;
use spaceport_platform::invalid::storable;
use spaceport_platform::secret::Secret;
use spaceport_wire::describe::Operation;

use crate::http::error::ApiError;
use crate::http::input::Input;
use crate::http::request::Request;
use crate::pages::html::Html;
use crate::people::session::{self, Session};
use crate::services::Services;

/// Most fields of a form of ours: the one with answers has one for each right that is asked for.
const MAX_FIELDS: usize = 1024;

/// A browser that asks for a page or sends a form.
pub struct Visitor {
    /// Who is signed in.
    pub session: Option<Arc<Session>>,
    /// Raw query text, without `?`.
    pub query: String,
    /// Where the connection comes from.
    pub peer: Option<IpAddr>,
    /// The cookie of a sign-in at the identity provider that is under way.
    pub provider: Option<Secret>,
    fields: Vec<(String, String)>,
    key: Secret,
    set_visit: Option<String>,
    origin: Origin,
}

/// A form that came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// It counts.
    Fresh,
    /// It was given to somebody else, for something else or to a session that is over: it counts for nothing.
    Stale,
}

/// What the browser says about where a form was.
enum Origin {
    Ours,
    Foreign,
}

impl Input for Visitor {
    fn describe(_: &mut Operation) {}

    fn read(request: &Request) -> Result<Self, ApiError> {
        let services = &request.services;
        let fields: Vec<(String, String)> = form_urlencoded::parse(&request.body)
            .take(MAX_FIELDS)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        for (name, value) in &fields {
            storable(name, value)?;
        }
        let visit = services.cookies().visit;
        let known = session::cookie(&request.headers, visit);
        // A visitor who has not signed in gets a cookie of his own, which the sign-in form is bound to.
        let (key, set_visit) = match (&request.session, known) {
            (Some(session), _) => (session.key().clone(), None),
            (None, Some(known)) => (known, None),
            (None, None) => {
                let fresh = random_text(32, services.random.as_ref());
                let cookie = session::set_cookie(visit, &fresh, services);
                (Secret::new(fresh), Some(cookie))
            }
        };
        Ok(Self {
            session: request.session.clone(),
            query: request.query.clone(),
            peer: request.peer,
            provider: session::cookie(&request.headers, services.cookies().provider),
            fields,
            key,
            set_visit,
            origin: origin(&request.headers, services),
        })
    }
}

impl Visitor {
    /// The token that a form for `purpose`, about exactly `subject`, has to bring back. It is worth nothing in another
    /// browser, session, or for another subject (security A17).
    pub fn form_token(&self, purpose: &str, subject: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.reveal().as_bytes());
        URL_SAFE_NO_PAD.encode(hmac::sign(&key, format!("{purpose}\n{subject}").as_bytes()))
    }

    /// Makes sure that the form was given to this browser by us, for this purpose and subject.
    ///
    /// # Errors
    /// `403` otherwise.
    pub fn check_form(&self, purpose: &str, subject: &str) -> Result<(), ApiError> {
        match self.form(purpose, subject)? {
            Form::Fresh => Ok(()),
            Form::Stale => {
                Err(ApiError::denied("This page is too old, or it was not opened here. Go back and open it again."))
            }
        }
    }

    /// The same for pages that are shown again when they have become too old.
    ///
    /// # Errors
    /// `403` when another site sent the form.
    pub fn form(&self, purpose: &str, subject: &str) -> Result<Form, ApiError> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.reveal().as_bytes());
        let token = URL_SAFE_NO_PAD.decode(self.field("token")).unwrap_or_default();
        let right = hmac::verify(&key, format!("{purpose}\n{subject}").as_bytes(), &token).is_ok();
        match self.origin {
            Origin::Foreign => Err(ApiError::denied("This form was sent from another site. Open the page here.")),
            Origin::Ours if right => Ok(Form::Fresh),
            Origin::Ours => Ok(Form::Stale),
        }
    }

    /// A field of the form; empty when it is absent.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
    }

    /// All values of a field, such as those of ticked boxes.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query.
    pub fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The cookie to set with the answer, if this browser has none yet.
    pub fn visit_cookie(&self) -> Option<String> {
        self.set_visit.clone()
    }

    /// Who is signed in, or the way to the sign-in page and back to `path`.
    ///
    /// # Errors
    /// The redirect, when nobody is.
    pub fn signed_in(&self, path: &str) -> Result<Arc<Session>, Html> {
        self.session.clone().ok_or_else(|| Html::see_other(sign_in_url(path)))
    }
}

/// The sign-in page that leads back to `path`.
pub fn sign_in_url(path: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return", path).finish();
    format!("/login?{query}")
}

/// A path of ours to go to, or the account page: never a place elsewhere.
pub fn local_path(asked: &str) -> &str {
    let plain = asked.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    // Browsers take it for a slash, but in a query, where they leave it as it is.
    let path = asked.split('?').next().unwrap_or_default();
    if plain && !path.contains('\\') && asked.starts_with('/') && !asked.starts_with("//") { asked } else { "/account" }
}

/// Browsers say with a form where it was. `Origin: null` is what they say on our pages, because those send no referrer; then
/// `Sec-Fetch-Site` tells, and where that is missing too, the form token alone has to do.
fn origin(headers: &HeaderMap, services: &Services) -> Origin {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    let foreign = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) if !matches!(site, "same-origin" | "none") => true,
        (_, Some(origin)) => origin != "null" && origin != services.public_url,
        _ => false,
    };
    if foreign { Origin::Foreign } else { Origin::Ours }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_never_led_elsewhere() {
        for path in ["/account", "/oauth/auth?a=b&c=%2f", "/", "/oauth/auth?state=a\\b"] {
            assert_eq!(local_path(path), path);
        }
        for path in [
            "",
            "//evil",
            "/\\evil",
            "/\\evil?a",
            "https:evil",
            "https://evil",
            "javascript:x",
            "evil",
            "/a b",
            "/a\r\nx: y",
            "/ü",
        ] {
            assert_eq!(local_path(path), "/account", "{path:?}");
        }
    }
}
