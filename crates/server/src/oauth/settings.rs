//! What OAuth runs on besides the keys: what the operator allows, and what is under way.

use std::time::Duration;

use crate::oauth::refresh_grant::Bursts;

/// Settings and state of OAuth.
#[derive(Clone)]
pub struct OAuth {
    /// Whether the password grant is offered.
    pub password_grant: bool,
    /// Whether the implicit flow is offered to applications that switched it on.
    pub implicit_flow: bool,
    /// Whether PKCE by `plain` is enough where PKCE is required.
    pub plain_pkce: bool,
    /// How long a refresh token lives without being used.
    pub refresh_idle: Duration,
    /// Refresh tokens in use.
    pub bursts: Bursts,
}
