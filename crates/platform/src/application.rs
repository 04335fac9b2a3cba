//! Applications: OAuth clients with an endpoint of their own.

use crate::access::Owner;
use crate::connection::{Connection, FeaturedIntegration};
use crate::id::{ApplicationId, AttachmentId};
use crate::invalid::{Invalid, text_length};
use crate::secret::Secret;
use crate::time::Timestamp;

/// Longest name, in characters.
pub const MAX_NAME: usize = 200;
/// Longest description or other free text, in characters.
pub const MAX_TEXT: usize = 4_000;
/// Longest URL, in bytes.
pub const MAX_URL: usize = 2_000;
/// A client secret or token chosen by a caller has at least this many characters (security, decision 1).
pub const MIN_SECRET: usize = 32;

/// An application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Application {
    /// The id.
    pub id: ApplicationId,
    /// What it signs in with; unique.
    pub client_id: String,
    /// What people read; need not be unique.
    pub name: String,
    /// Purpose.
    pub description: Option<String>,
    /// Committer address; set only at creation (reference page).
    pub email: Option<String>,
    /// The uploaded picture.
    pub picture: Option<AttachmentId>,
    /// Icon that is used while no picture is uploaded. Never fetched by the server.
    pub default_external_picture: Option<String>,
    /// Who made it.
    pub owner: Owner,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings changed last.
    pub updated_at: Timestamp,
    /// Since when it is archived; `None` while active.
    pub archived_at: Option<Timestamp>,
    /// OAuth flows.
    pub flows: Flows,
    /// Where payloads go, unless a webhook says otherwise.
    pub endpoint: Option<Endpoint>,
    /// How payloads prove where they come from.
    pub authentication: AuthenticationMethod,
    /// Whether payloads carry a verification token, which is a stored secret (legacy; independent of the method).
    pub verification_token: VerificationToken,
    /// Keystore whose client certificate is shown to the endpoint, by name.
    pub ssl_keystore: Option<String>,
    /// The known product that the application connects.
    pub featured_integration: Option<FeaturedIntegration>,
    /// What ties it to a server elsewhere; `None` for one that lives in this organization alone.
    pub connection: Option<Connection>,
    /// Domain of the issue tracker that the application connects.
    pub external_issue_tracker_domain: Option<String>,
    /// What the application last reported as its problem. Changed by its own store function alone.
    pub error_message: Option<String>,
    /// When the application last reported itself healthy. Changed by its own store function alone.
    pub healthy_at: Option<Timestamp>,
    /// Tokens issued before this moment are void.
    pub tokens_not_before: Timestamp,
    /// Counts changes of what deliveries depend on: endpoint, authentication, secrets.
    pub revision: i64,
}

/// OAuth flows of an application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flows {
    /// Client credentials flow.
    pub client_credentials: bool,
    /// Authorization code flow.
    pub code: bool,
    /// Redirect URIs of the code flow, separated by newline.
    pub code_redirect_uris: Option<String>,
    /// Whether the code flow demands PKCE.
    pub pkce_required: bool,
    /// Whether clients may come without secret (with PKCE).
    pub public_clients_allowed: bool,
    /// Implicit flow (legacy).
    pub implicit: bool,
    /// Redirect URIs of the implicit flow, separated by newline.
    pub implicit_redirect_uris: Option<String>,
}

impl Application {
    /// A new application with the defaults of the reference page: client credentials alone, no endpoint, the
    /// public-key signature.
    pub fn new(
        id: ApplicationId,
        client_id: impl Into<String>,
        name: impl Into<String>,
        owner: Owner,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            client_id: client_id.into(),
            name: name.into(),
            description: None,
            email: None,
            picture: None,
            default_external_picture: None,
            owner,
            created_at: now,
            updated_at: now,
            archived_at: None,
            flows: Flows::default(),
            endpoint: None,
            authentication: AuthenticationMethod::PublicKey,
            verification_token: VerificationToken::Unused,
            ssl_keystore: None,
            featured_integration: None,
            connection: None,
            external_issue_tracker_domain: None,
            error_message: None,
            healthy_at: None,
            tokens_not_before: Timestamp::from_millis(0),
            revision: 1,
        }
    }
}

impl Default for Flows {
    /// Client credentials only (reference page, create application).
    fn default() -> Self {
        Self {
            client_credentials: true,
            code: false,
            code_redirect_uris: None,
            pkce_required: false,
            public_clients_allowed: false,
            implicit: false,
            implicit_redirect_uris: None,
        }
    }
}

/// Whether payloads carry a verification token.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum VerificationToken {
    /// They do not.
    #[default]
    Unused,
    /// They do.
    Sent,
}

/// A URL that payloads are sent to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Absolute `http` or `https` URL.
    pub url: String,
    /// Whether the server's certificate is checked.
    pub ssl_verification: bool,
}

/// How payloads prove where they come from: exactly one method is active (wire-protocol 4.2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AuthenticationMethod {
    /// RSA signature that anybody can verify with the application's public keys.
    PublicKey,
    /// HMAC with the signing key.
    SigningKey,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic {
        /// The user name; the password is a stored secret.
        username: String,
    },
}

impl AuthenticationMethod {
    /// The stored name of the method.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PublicKey => "public_key",
            Self::SigningKey => "signing_key",
            Self::Bearer => "bearer",
            Self::Basic { .. } => "basic",
        }
    }

    /// The user name of Basic authentication.
    pub fn username(&self) -> Option<&str> {
        match self {
            Self::Basic { username } => Some(username),
            Self::PublicKey | Self::SigningKey | Self::Bearer => None,
        }
    }

    /// The inverse of [`Self::name`]; `username` matters for Basic alone.
    pub fn from_stored(name: &str, username: Option<String>) -> Option<Self> {
        match name {
            "public_key" => Some(Self::PublicKey),
            "signing_key" => Some(Self::SigningKey),
            "bearer" => Some(Self::Bearer),
            "basic" => Some(Self::Basic { username: username.unwrap_or_default() }),
            _ => None,
        }
    }
}

/// A choice of method together with the secret it needs, as a caller sends it.
#[derive(Clone, Debug)]
pub enum ChosenAuthentication {
    /// RSA signature.
    PublicKey,
    /// HMAC with the signing key, which the server makes.
    SigningKey,
    /// Bearer token chosen by the caller.
    Bearer(Secret),
    /// User name and password chosen by the caller.
    Basic(String, Secret),
}

impl ChosenAuthentication {
    /// The method without the secret.
    pub fn method(&self) -> AuthenticationMethod {
        match self {
            Self::PublicKey => AuthenticationMethod::PublicKey,
            Self::SigningKey => AuthenticationMethod::SigningKey,
            Self::Bearer(_) => AuthenticationMethod::Bearer,
            Self::Basic(username, _) => AuthenticationMethod::Basic { username: username.clone() },
        }
    }

    /// The secret to store, if the caller chose one, and its kind.
    pub fn secret(&self) -> Option<(SecretKind, &Secret)> {
        match self {
            Self::PublicKey | Self::SigningKey => None,
            Self::Bearer(token) => Some((SecretKind::BearerToken, token)),
            Self::Basic(_, password) => Some((SecretKind::BasicPassword, password)),
        }
    }

    /// Checks that what goes into the `Authorization` header fits there.
    ///
    /// # Errors
    /// Names the part that is empty, too long or holds characters a header cannot carry.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::PublicKey | Self::SigningKey => Ok(()),
            Self::Bearer(token) => header_text("token", token.reveal()),
            Self::Basic(username, password) => {
                if username.contains(':') {
                    return Err(Invalid::new("username", "must not hold a colon (RFC 7617)"));
                }
                header_text("username", username)?;
                header_text("password", password.reveal())
            }
        }
    }
}

fn header_text(field: &str, text: &str) -> Result<(), Invalid> {
    text_length(field, text, 1, 1_000)?;
    if text.chars().any(char::is_control) {
        return Err(Invalid::new(field, "must not hold control characters"));
    }
    Ok(())
}

/// The secrets an application or a webhook can have.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SecretKind {
    /// What the application signs in with.
    ClientSecret,
    /// Key of the HMAC signature.
    SigningKey,
    /// Token sent as `Authorization: Bearer`.
    BearerToken,
    /// Password sent as `Authorization: Basic`.
    BasicPassword,
    /// Token inside the body of payloads (legacy).
    VerificationToken,
    /// RSA private key of the public-key signature, PKCS #8 in base64.
    PrivateKey,
}

impl SecretKind {
    /// The stored name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSecret => "client_secret",
            Self::SigningKey => "signing_key",
            Self::BearerToken => "bearer_token",
            Self::BasicPassword => "basic_password",
            Self::VerificationToken => "verification_token",
            Self::PrivateKey => "private_key",
        }
    }
}

/// Checks the texts and URLs of an application before it is stored.
///
/// # Errors
/// Names the first field that breaks a rule.
pub fn check(application: &Application) -> Result<(), Invalid> {
    text_length("name", application.name.trim(), 1, MAX_NAME)?;
    if application.name.chars().any(char::is_control) {
        return Err(Invalid::new("name", "must not hold control characters"));
    }
    text_length("clientId", &application.client_id, 1, MAX_NAME)?;
    if !application.client_id.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c)) {
        return Err(Invalid::new("clientId", "must hold only letters, digits and `-._~`"));
    }
    if let Some(description) = &application.description {
        text_length("description", description, 0, MAX_TEXT)?;
    }
    if let Some(email) = &application.email {
        text_length("email", email, 3, 320)?;
        if !email.contains('@') {
            return Err(Invalid::new("email", "must be an e-mail address"));
        }
    }
    if let Some(picture) = &application.default_external_picture {
        web_url("defaultExternalPicture", picture)?;
    }
    if let Some(endpoint) = &application.endpoint {
        web_url("endpointUri", &endpoint.url)?;
    }
    if application.flows.public_clients_allowed && !application.flows.pkce_required {
        // Reference page: public clients require PKCE; without it anybody could use a code that leaked.
        return Err(Invalid::new("pkceRequired", "must be true where publicClientsAllowed is"));
    }
    check_redirect_uris("codeFlowRedirectURIs", application.flows.code_redirect_uris.as_deref())?;
    check_redirect_uris("implicitFlowRedirectURIs", application.flows.implicit_redirect_uris.as_deref())
}

/// Checks an absolute `http` or `https` URL without user information.
///
/// # Errors
/// Names the field and what is wrong with the URL.
pub fn web_url(field: &str, text: &str) -> Result<(), Invalid> {
    if text.len() > MAX_URL {
        return Err(Invalid::new(field, format!("must have at most {MAX_URL} bytes")));
    }
    let url =
        url::Url::parse(text).map_err(|fault| Invalid::new(field, format!("must be an absolute URL: {fault}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Invalid::new(field, format!("must be an http or https URL, not `{}:`", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Invalid::new(field, "must not hold a user name or password"));
    }
    Ok(())
}

/// The redirect URIs of one newline-separated text, trimmed, blank lines left out.
pub fn redirect_uris(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Parameters that an answer to an application holds.
const ANSWERED: [&str; 10] = [
    "code",
    "state",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "access_token",
    "token_type",
    "expires_in",
    "scope",
];

/// Security A3: absolute, no fragment, no wildcard, https unless loopback or a private scheme, no parameter of the answer.
fn check_redirect_uris(field: &str, text: Option<&str>) -> Result<(), Invalid> {
    for uri in redirect_uris(text.unwrap_or_default()) {
        let wrong = |why: &str| Err(Invalid::new(field, format!("holds `{uri}`, which {why}")));
        let Ok(url) = url::Url::parse(uri) else { return wrong("is no absolute URI") };
        // Parsers are kind to these, each in its own way, and the text goes into a header as it is (RFC 3986, 2).
        if !uri.bytes().all(|byte| byte.is_ascii_graphic() && !br#"\"<>^`{|}"#.contains(&byte)) || bad_escape(uri) {
            return wrong("must be written in the characters of URIs, everything else as %XX");
        }
        let scheme = url.scheme().len();
        let web = matches!(url.scheme(), "http" | "https");
        if web
            && (!uri.get(scheme..).is_some_and(|rest| rest.starts_with("://"))
                || uri.get(scheme + 3..).is_some_and(|rest| rest.starts_with('/')))
        {
            return wrong("is no absolute URI: `://` and a host must follow the scheme");
        }
        if uri.len() > MAX_URL {
            return wrong("is too long");
        }
        if url.fragment().is_some() || uri.contains('*') {
            return wrong("must have neither fragment nor wildcard");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("must not hold a user name or password");
        }
        // A browser sees two of a name then, and which one counts is anybody's guess.
        if let Some((name, _)) = url.query_pairs().find(|(name, _)| ANSWERED.contains(&name.as_ref())) {
            return wrong(&format!("must not hold the parameter {name}, which the answer adds"));
        }
        let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return wrong("must use https, unless it is on this machine"),
            // RFC 8252 7.1: private-use schemes are reverse domain names, so they hold a dot.
            scheme if scheme.contains('.') => {}
            _ => return wrong("must use https"),
        }
    }
    Ok(())
}

/// Whether a percent sign stands for nothing.
fn bad_escape(uri: &str) -> bool {
    uri.split('%')
        .skip(1)
        .any(|rest| !rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

/// Checks a secret that a caller chose.
///
/// # Errors
/// Says which lengths and characters are accepted.
pub fn check_chosen_secret(field: &str, secret: &Secret) -> Result<(), Invalid> {
    text_length(field, secret.reveal(), MIN_SECRET, 500)?;
    if secret.reveal().chars().any(|c| c.is_control() || c == ' ') {
        return Err(Invalid::new(field, "must not hold blanks or control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_redirect_uris_are_refused() {
        for uri in [
            "/relative",
            "https://a.example/#x",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://user@a.example/",
            "https://*.example/",
            "http://a.example/cb",
            "mailto:a@b",
            "https://a.example/?code=1",
            "https://a.example/?x=1&state",
            "https://a.example/?%73tate=1",
            "https://a.example/?iss=https://b.example",
            "https:a.example",
            "https:/a.example",
            "https:///a.example",
            "https:\\a.example",
            "https://a\\b/",
            "https://a.example/a b",
            "https://a.example/%zz",
            "https://a.example/%4",
            "https://a.example/\u{7f}",
            "https://a.example/ü",
            "http:127.0.0.1/",
        ] {
            assert!(check_redirect_uris("codeFlowRedirectURIs", Some(uri)).is_err(), "{uri}");
        }
        let good = "https://a.example/cb\r\nhttp://127.0.0.1:8080/cb\n\n com.example.app:/cb";
        assert_eq!(check_redirect_uris("codeFlowRedirectURIs", Some(good)), Ok(()));
        assert_eq!(redirect_uris(good).count(), 3);
    }

    #[test]
    fn endpoints_are_absolute_web_urls() {
        assert_eq!(web_url("endpointUri", "https://a.example/space"), Ok(()));
        for text in ["", "a.example", "ftp://a.example", "https://u:p@a.example", "javascript:1"] {
            assert!(web_url("endpointUri", text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_chosen_secret_is_long() {
        assert!(check_chosen_secret("clientSecret", &Secret::new("short")).is_err());
        assert!(check_chosen_secret("clientSecret", &Secret::new("x".repeat(32))).is_ok());
    }
}
