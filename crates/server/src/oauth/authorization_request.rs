//! An authorization request, read and checked (wire-protocol 1.2, security A1 to A9).

use std::borrow::Cow;

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use spaceport_platform::application::Application;
use spaceport_platform::consent::Presence;
use spaceport_platform::delegation::{Challenge, ChallengeMethod, is_challenge};
use spaceport_platform::redirect::{Place, is_registered, with_parameters};
use spaceport_platform::scope::Scope;
use spaceport_store::StoreError;

use crate::http::error::ApiError;
use crate::oauth::answer::known_scope;
use crate::oauth::form::printable;
use crate::pages::error::Trouble;
use crate::services::Services;

/// Longest request that is looked at, in bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// What stays as it is in the parameters of a redirect.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an application asks of a user.
#[derive(Clone)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub application: Application,
    /// Where the answer goes.
    pub answer: AnswerPlace,
    /// Which answer.
    pub response: ResponseType,
    /// What is asked.
    pub scope: Scope,
    /// What the code will be bound to.
    pub challenge: Option<Challenge>,
    /// Whether the application wants to act while the user is away.
    pub presence: Presence,
    /// What the user is to see.
    pub prompt: Prompt,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResponseType {
    /// A code.
    Code,
    /// An access token (implicit flow, legacy).
    Token,
}

/// What the user is to see (`request_credentials`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prompt {
    /// What is needed.
    AsNeeded,
    /// The sign-in page in any case.
    SignIn,
    /// Nothing.
    Nothing,
}

/// Where an answer goes: a registered redirect URI, with the `state` to give back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerPlace {
    /// The redirect URI, as it was sent.
    pub uri: String,
    place: Place,
    state: Option<Vec<u8>>,
    issuer: String,
}

/// Why a request is not answered with a code.
pub enum Fault {
    /// The user is told, and nobody else: there is no trustworthy place to answer at (security A2).
    Page(Trouble),
    /// The application is told.
    Answer(String),
    /// We failed.
    Ours(ApiError),
}

impl AnswerPlace {
    /// The URL of a successful answer.
    pub fn success(&self, parameters: &[(&str, &str)]) -> String {
        self.url(parameters)
    }

    /// The URL of a refusal (RFC 6749 4.1.2.1).
    pub fn refusal(&self, code: &str, description: &str) -> String {
        self.url(&[("error", code), ("error_description", &printable(description))])
    }

    fn url(&self, parameters: &[(&str, &str)]) -> String {
        let mut parts: Vec<String> = parameters.iter().map(|(name, value)| pair(name, value.as_bytes())).collect();
        if let Some(state) = &self.state {
            parts.push(pair("state", state));
        }
        // Tells a client of several servers which one answered (RFC 9207, security A11).
        parts.push(pair("iss", self.issuer.as_bytes()));
        with_parameters(&self.uri, self.place, &parts.join("&"))
    }
}

fn pair(name: &str, value: &[u8]) -> String {
    format!("{name}={}", percent_encode(value, UNRESERVED))
}

/// The parameters of a query, with values as bytes, because `state` is given back byte for byte.
struct Parameters(Vec<(String, Vec<u8>)>);

impl Parameters {
    fn parse(query: &str) -> Self {
        let decode = |text: &str| -> Vec<u8> {
            let spaced: Cow<'_, str> = text.replace('+', " ").into();
            percent_decode(spaced.as_bytes()).collect()
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (String::from_utf8_lossy(&decode(name)).into_owned(), decode(value))
        });
        Self(pairs.collect())
    }

    /// An empty parameter counts as absent (RFC 6749 3.1).
    fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice()).filter(|it| !it.is_empty())
    }

    fn text(&self, name: &str) -> Result<Option<&str>, ()> {
        let text = |bytes| std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')).ok_or(());
        self.bytes(name).map(text).transpose()
    }

    fn is_repeated(&self, name: &str) -> bool {
        self.0.iter().filter(|(known, _)| known == name).count() > 1
    }

    fn repeated(&self) -> Option<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| self.is_repeated(name))
    }
}

impl AuthorizationRequest {
    /// Reads the query of an authorization request.
    ///
    /// # Errors
    /// Says who is told what is wrong with it.
    pub async fn read(query: &str, services: &Services) -> Result<Self, Fault> {
        if query.len() > MAX_LENGTH {
            return Err(page("The link that brought you here is too long."));
        }
        let parameters = Parameters::parse(query);
        let (application, uri) = parties(&parameters, services).await?;
        let is_token = parameters.bytes("response_type") == Some(b"token");
        let answer = AnswerPlace {
            uri,
            place: if is_token { Place::Fragment } else { Place::Query },
            state: parameters.bytes("state").map(<[u8]>::to_vec),
            issuer: services.public_url.clone(),
        };
        match Self::check(application, answer.clone(), &parameters, services) {
            Ok(request) => Ok(request),
            Err(refusal) => Err(Fault::Answer(answer.refusal(refusal.code, &refusal.description))),
        }
    }

    /// Whether nobody but the application can get the answer. Without a secret an application is known by its https address
    /// alone: any program on the device may listen at a loopback port or take a private scheme, so a consent of before
    /// counts for nothing there (RFC 6749 10.2, RFC 8252 8.6, security A18).
    pub fn is_surely_from_its_application(&self) -> bool {
        !self.application.flows.public_clients_allowed || self.answer.uri.starts_with("https://")
    }

    fn check(
        application: Application,
        answer: AnswerPlace,
        parameters: &Parameters,
        services: &Services,
    ) -> Result<Self, ApiError> {
        if let Some(name) = parameters.repeated() {
            return Err(invalid(format!("The parameter {name} occurs twice")));
        }
        let text = |name: &str| {
            parameters
                .text(name)
                .map_err(|()| invalid(format!("The parameter {name} must be UTF-8 text without U+0000")))
        };
        let response = response_type(text("response_type")?, &application, &answer, services)?;
        let challenge = match response {
            ResponseType::Code => {
                challenge(text("code_challenge")?, text("code_challenge_method")?, &application, services)?
            }
            ResponseType::Token => None,
        };
        let prompt = match text("request_credentials")? {
            // There are no guests who could be let in without signing in, so `skip` skips nothing.
            None | Some("default" | "skip") => Prompt::AsNeeded,
            Some("required") => Prompt::SignIn,
            Some("silent") => Prompt::Nothing,
            Some(_) => return Err(invalid("request_credentials must be default, required, skip or silent")),
        };
        let presence = match text("access_type")? {
            None | Some("online") => Presence::Online,
            // A token in a URL is short-lived by nature: the implicit flow brings no refresh token.
            Some("offline") if response == ResponseType::Token => Presence::Online,
            Some("offline") => Presence::Offline,
            Some(_) => return Err(invalid("access_type must be online or offline")),
        };
        let scope = known_scope(services, text("scope")?.unwrap_or_default())?;
        Ok(Self { application, answer, response, scope, challenge, presence, prompt })
    }
}

/// The application and the redirect URI; without both there is nobody to answer to.
async fn parties(parameters: &Parameters, services: &Services) -> Result<(Application, String), Fault> {
    let text = |name: &str| -> Result<String, Fault> {
        if parameters.is_repeated(name) {
            return Err(page("The application that sent you here made a mistake: it said twice who or where it is."));
        }
        let missing = || page("The application that sent you here made a mistake: it did not say who or where it is.");
        parameters.text(name).ok().flatten().map(str::to_owned).ok_or_else(missing)
    };
    let client_id = text("client_id")?;
    let found = services.store.read(move |tx| tx.application_by_client_id(&client_id)).await;
    let found = found.map_err(|error: StoreError| Fault::Ours(ApiError::from(error)))?;
    let unknown = || page("The application that sent you here is not known, or no longer in use.");
    let application = found.filter(|application| application.archived_at.is_none()).ok_or_else(unknown)?;
    let uri = text("redirect_uri")?;
    let flows = &application.flows;
    let lists = [flows.code_redirect_uris.as_deref(), flows.implicit_redirect_uris.as_deref()];
    if !lists.into_iter().flatten().any(|list| is_registered(list, &uri)) {
        return Err(page("The application wants the answer at an address that is not registered for it."));
    }
    Ok((application, uri))
}

fn response_type(
    asked: Option<&str>,
    application: &Application,
    answer: &AnswerPlace,
    services: &Services,
) -> Result<ResponseType, ApiError> {
    let off = |flow: &str| {
        ApiError::oauth("unauthorized_client", format!("The {flow} flow is switched off for this application"))
    };
    let registered = |list: &Option<String>| list.as_deref().is_some_and(|list| is_registered(list, &answer.uri));
    let (flow, on, uris, response) = match asked {
        None => return Err(invalid("The parameter response_type is missing")),
        Some("code") => {
            let flows = &application.flows;
            ("authorization code", flows.code, &flows.code_redirect_uris, ResponseType::Code)
        }
        Some("token") if services.oauth.implicit_flow => {
            let flows = &application.flows;
            ("implicit", flows.implicit, &flows.implicit_redirect_uris, ResponseType::Token)
        }
        Some(_) => {
            return Err(ApiError::oauth("unsupported_response_type", "The parameter response_type must be code"));
        }
    };
    if !on || !registered(uris) {
        return Err(off(flow));
    }
    Ok(response)
}

fn challenge(
    text: Option<&str>,
    method: Option<&str>,
    application: &Application,
    services: &Services,
) -> Result<Option<Challenge>, ApiError> {
    let demanded = application.flows.pkce_required || application.flows.public_clients_allowed;
    let Some(text) = text else {
        return match (demanded, method) {
            (true, _) => Err(invalid("This application must send a code_challenge (PKCE)")),
            (false, Some(_)) => Err(invalid("code_challenge_method needs a code_challenge")),
            (false, None) => Ok(None),
        };
    };
    // Without a method the challenge is the verifier itself (RFC 7636 4.3).
    let method = ChallengeMethod::from_name(method.unwrap_or("plain"))
        .ok_or_else(|| invalid("code_challenge_method must be S256 or plain"))?;
    if method == ChallengeMethod::Plain && demanded && !services.oauth.plain_pkce {
        return Err(invalid("code_challenge_method must be S256 for this application"));
    }
    if !is_challenge(text) {
        return Err(invalid("code_challenge must be 43 to 128 letters, digits or -._~"));
    }
    Ok(Some(Challenge { method, text: text.to_owned() }))
}

fn invalid(description: impl Into<String>) -> ApiError {
    ApiError::oauth("invalid_request", description)
}

fn page(text: &str) -> Fault {
    Fault::Page(Trouble::new(StatusCode::BAD_REQUEST, "This does not work", text))
}
