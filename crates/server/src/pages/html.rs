//! HTML answers: every page with the same strict headers.

use askama::Template;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};
use spaceport_wire::describe::Operation;
use spaceport_wire::fields::Selection;

use crate::http::error::ApiError;
use crate::http::reply::Reply;

/// A page or a redirect.
pub struct Html {
    status: StatusCode,
    body: String,
    location: Option<String>,
    cookies: Vec<String>,
    form_targets: Vec<String>,
    look_again: Option<u32>,
}

impl Html {
    /// A page.
    ///
    /// # Errors
    /// When the template fails, which is a fault of ours.
    pub fn page(page: &impl Template) -> Result<Self, ApiError> {
        let body = page.render().map_err(ApiError::internal)?;
        Ok(Self {
            status: StatusCode::OK,
            body,
            location: None,
            cookies: Vec::new(),
            form_targets: Vec::new(),
            look_again: None,
        })
    }

    /// A redirect that turns a POST into a GET (security A12: 303, never 307).
    pub fn see_other(location: impl Into<String>) -> Self {
        Self {
            status: StatusCode::SEE_OTHER,
            body: String::new(),
            location: Some(location.into()),
            cookies: Vec::new(),
            form_targets: Vec::new(),
            look_again: None,
        }
    }

    /// The same with another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// The same with a cookie.
    #[must_use]
    pub fn cookie(mut self, cookie: Option<String>) -> Self {
        self.cookies.extend(cookie);
        self
    }

    /// The same, on which a form may end at `uri` after redirects: browsers apply `form-action` to those as well, and to where
    /// that leads. So a web address opens every other: its owner may send people on, from an API to its pages for example.
    #[must_use]
    pub fn ending_at(mut self, uri: Option<&str>) -> Self {
        self.form_targets.extend(uri.and_then(source_of));
        self
    }

    /// The same, which browsers ask for again after so many seconds, if any: pages have no script to do it with.
    #[must_use]
    pub fn looking_again(mut self, after: Option<u32>) -> Self {
        self.look_again = after;
        self
    }

    fn policy(&self) -> String {
        let targets = self.form_targets.iter().fold(String::new(), |text, target| text + " " + target);
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{targets}; frame-ancestors 'none'; \
             base-uri 'none'"
        )
    }

    /// The response.
    ///
    /// # Errors
    /// When a header cannot be written, which is a fault of ours.
    pub fn into_response(self) -> Result<Response, ApiError> {
        let policy = self.policy();
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_SECURITY_POLICY, policy.as_str()),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-store"),
        ] {
            headers.insert(name, HeaderValue::from_str(value).map_err(ApiError::internal)?);
        }
        for cookie in self.cookies {
            headers.append(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(ApiError::internal)?);
        }
        if let Some(seconds) = self.look_again {
            headers.insert(header::REFRESH, HeaderValue::from(seconds));
        }
        if let Some(location) = self.location {
            headers.insert(header::LOCATION, HeaderValue::from_str(&location).map_err(ApiError::internal)?);
        }
        Ok(response)
    }
}

/// The source expression for a redirect URI: all of the web, or its scheme for the private schemes of native programs.
fn source_of(uri: &str) -> Option<String> {
    let url = url::Url::parse(uri).ok()?;
    match url.scheme() {
        "http" | "https" => Some("https: http:".to_owned()),
        scheme => Some(format!("{scheme}:")),
    }
}

impl Reply for Html {
    const HAS_FIELDS: bool = false;

    fn describe(_: &mut Operation) {}

    fn into_response(self, _: Option<&Selection>) -> Result<Response, ApiError> {
        Self::into_response(self)
    }
}
