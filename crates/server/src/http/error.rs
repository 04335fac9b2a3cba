//! How a refusal is worded and numbered: the only place that turns errors into HTTP.
//!
//! The body is `{"error","error_description"}` with the codes of wire-protocol 2.9; the token endpoint
//! uses the same shape with the codes of RFC 6749 5.2.

use std::time::Duration;

use http::StatusCode;
use spaceport_platform::access::Decision;
use spaceport_platform::invalid::Invalid;
use spaceport_store::StoreError;

/// A refusal, as the caller sees it.
#[derive(Debug)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Machine-readable code.
    pub code: &'static str,
    /// What the caller can do about it.
    pub description: String,
    /// `WWW-Authenticate`, where the status demands one.
    pub challenge: Option<&'static str>,
    /// `Retry-After`, in whole seconds, where it is known when the same call would be answered.
    pub retry_after: Option<u64>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, description: impl Into<String>) -> Self {
        Self { status, code, description: description.into(), challenge: None, retry_after: None }
    }

    /// An argument is missing or wrong.
    pub fn validation(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "validation-error", description)
    }

    /// The request is wrong in another way than by an argument.
    pub fn request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request-error", description)
    }

    /// The path exists, but not for this method.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "request-error", "This operation does not exist for this HTTP method")
    }

    /// Something with this unique value exists already.
    pub fn duplicated(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "duplicated-entity", description)
    }

    /// No such thing, or no such route.
    pub fn not_found(description: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", description)
    }

    /// Nobody signed in, or the token is not (or no longer) good.
    pub fn unauthenticated(description: impl Into<String>) -> Self {
        let mut error = Self::new(StatusCode::UNAUTHORIZED, "authentication-required", description);
        error.challenge = Some("Bearer");
        error
    }

    /// A token was sent and is not good. The SDKs retry without end on the text about expiry, so that
    /// text is only said when it is true (wire-protocol 2.9).
    pub fn invalid_token(description: impl Into<String>) -> Self {
        let mut error = Self::unauthenticated(description);
        error.challenge = Some("Bearer error=\"invalid_token\"");
        error
    }

    /// Known, but not entitled.
    pub fn denied(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "permission-denied", description)
    }

    /// There were too many requests; the next one is answered after so long.
    pub fn rate_limited(description: impl Into<String>, after: Duration) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", description);
        // Rounded up: whoever waits so long is not refused again.
        error.retry_after = Some(u64::try_from(after.as_millis().div_ceil(1_000)).unwrap_or(u64::MAX).max(1));
        error
    }

    /// The body is larger than the operation accepts.
    pub fn too_large(limit: usize) -> Self {
        let description = format!("The request body must have at most {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload-too-large", description)
    }

    /// The body did not arrive in time.
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "request-error", "The request body did not arrive in time")
    }

    /// The server cannot answer now.
    pub fn unavailable(description: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "internal-server-error", description)
    }

    /// A fault of ours: the cause goes to the log, the caller learns only that it happened.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "operation failed");
        let description = "The server failed; the request id in the answer's headers finds the cause in its log";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal-server-error", description)
    }

    /// A refusal of the token endpoint (RFC 6749 5.2).
    pub fn oauth(code: &'static str, description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, description)
    }

    /// Client authentication failed (RFC 6749 5.2): one text for every cause, so that nothing is told
    /// about which part was wrong.
    pub fn invalid_client() -> Self {
        let mut error =
            Self::new(StatusCode::UNAUTHORIZED, "invalid_client", "The client is unknown or its credentials are wrong");
        error.challenge = Some("Basic realm=\"spaceport\"");
        error
    }

    /// The refusal behind a decision; `None` when the decision was to go ahead.
    pub fn from_decision(decision: Decision, right: &str) -> Option<Self> {
        match decision {
            Decision::Allowed => None,
            Decision::Unauthenticated => {
                Some(Self::unauthenticated("Sign in: send an access token as `Authorization: Bearer …`"))
            }
            Decision::Denied => Some(Self::denied(format!("The right {right} is needed here"))),
        }
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> Self {
        Self::validation(invalid.to_string())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Refused(_) | StoreError::Corrupt(_)) {
            // Trying again cannot help: an input was not checked, or the database is damaged.
            return Self::internal(error);
        }
        tracing::error!(%error, "the database failed");
        Self::unavailable("The database did not answer; nothing was changed, try again")
    }
}

impl axum::response::IntoResponse for ApiError {
    fn into_response(self) -> axum::response::Response {
        let body = serde_json::json!({ "error": self.code, "error_description": self.description }).to_string();
        let mut response = axum::response::Response::new(axum::body::Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
        if let Some(challenge) = self.challenge {
            headers.insert(http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from(seconds));
        }
        response
    }
}
