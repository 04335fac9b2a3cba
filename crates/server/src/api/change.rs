//! A change of an application's settings, and the checks it shares with creation.

use spaceport_delivery::guard::Guard;
use spaceport_platform::application::{Application, ChosenAuthentication, Endpoint, check_chosen_secret};
use spaceport_platform::invalid::Invalid;
use spaceport_platform::secret::Secret;
use spaceport_wire::application::{EndpointAuthCreate, EndpointAuthType, UpdateApplication};
use spaceport_wire::scalar::Patch;

/// What happens to the authentication method.
pub enum Authentication {
    /// It stays.
    Kept,
    /// This one becomes the active one.
    Chosen(ChosenAuthentication),
}

/// A change, its secrets taken out and checked.
pub struct Change {
    /// A new client secret chosen by the caller.
    pub client_secret: Option<Secret>,
    /// What happens to the authentication method.
    pub authentication: Authentication,
    body: UpdateApplication,
}

impl Change {
    /// Reads a body.
    ///
    /// # Errors
    /// Names the argument that cannot be.
    pub fn read(mut body: UpdateApplication) -> Result<Self, Invalid> {
        if let Patch::Value(name) = &body.ssl_keystore_auth {
            return Err(Invalid::new("sslKeystoreAuth", format!("names `{name}`, but there is no such keystore")));
        }
        if let Patch::Value(id) = &body.picture_attachment_id {
            return Err(Invalid::new("pictureAttachmentId", format!("names `{id}`, but there is no such attachment")));
        }
        let client_secret = match std::mem::take(&mut body.client_secret) {
            Patch::Absent => None,
            Patch::Null => return Err(Invalid::new("clientSecret", "must not be null; regenerate it instead")),
            Patch::Value(text) => {
                let secret = Secret::new(text);
                check_chosen_secret("clientSecret", &secret)?;
                Some(secret)
            }
        };
        let authentication = authentication_of(&mut body)?;
        Ok(Self { client_secret, authentication, body })
    }

    /// Applies the change: absent keeps, null clears.
    ///
    /// # Errors
    /// Names the argument that cannot be null.
    pub fn apply(&self, application: &mut Application) -> Result<(), Invalid> {
        let body = &self.body;
        match &body.name {
            Patch::Absent => {}
            Patch::Null => return Err(Invalid::new("name", "must not be null")),
            Patch::Value(name) => name.trim().clone_into(&mut application.name),
        }
        set_text(&mut application.description, &body.description);
        set_text(&mut application.default_external_picture, &body.default_external_picture);
        let flows = &mut application.flows;
        set_flag(&mut flows.client_credentials, &body.client_credentials_flow_enabled, true);
        set_flag(&mut flows.code, &body.code_flow_enabled, false);
        set_flag(&mut flows.pkce_required, &body.pkce_required, false);
        set_flag(&mut flows.public_clients_allowed, &body.public_clients_allowed, false);
        set_flag(&mut flows.implicit, &body.implicit_flow_enabled, false);
        set_text(&mut flows.code_redirect_uris, &body.code_flow_redirect_uris);
        set_text(&mut flows.implicit_redirect_uris, &body.implicit_flow_redirect_uris);
        self.apply_endpoint(application)?;
        if let Authentication::Chosen(chosen) = &self.authentication {
            application.authentication = chosen.method();
        }
        Ok(())
    }

    fn apply_endpoint(&self, application: &mut Application) -> Result<(), Invalid> {
        match &self.body.endpoint_uri {
            Patch::Absent => {}
            Patch::Null => application.endpoint = None,
            Patch::Value(url) => {
                let ssl_verification = application.endpoint.as_ref().is_none_or(|endpoint| endpoint.ssl_verification);
                application.endpoint = Some(Endpoint { url: url.clone(), ssl_verification });
            }
        }
        match (&self.body.endpoint_ssl_verification, &mut application.endpoint) {
            (Patch::Absent, _) => {}
            (Patch::Null, Some(endpoint)) => endpoint.ssl_verification = true,
            (Patch::Value(verify), Some(endpoint)) => endpoint.ssl_verification = *verify,
            (Patch::Null | Patch::Value(true), None) => {}
            (Patch::Value(false), None) => {
                return Err(Invalid::new("endpointSslVerification", "needs an endpointUri"));
            }
        }
        Ok(())
    }
}

fn set_text(field: &mut Option<String>, patch: &Patch<String>) {
    match patch {
        Patch::Absent => {}
        Patch::Null => *field = None,
        Patch::Value(text) => *field = Some(text.clone()),
    }
}

fn set_flag(field: &mut bool, patch: &Patch<bool>, cleared: bool) {
    match patch {
        Patch::Absent => {}
        Patch::Null => *field = cleared,
        Patch::Value(value) => *field = *value,
    }
}

/// `appLevelAuth` names the method; the flat fields hold what it needs. Without `appLevelAuth` the
/// deprecated flat fields alone choose.
fn authentication_of(body: &mut UpdateApplication) -> Result<Authentication, Invalid> {
    let username = std::mem::take(&mut body.basic_auth_username).into_value();
    let password = std::mem::take(&mut body.basic_auth_password).into_value();
    let token = std::mem::take(&mut body.bearer_auth_token).into_value();
    let named = std::mem::take(&mut body.app_level_auth).into_value();
    let basic = |username: Option<String>, password: Option<String>| match (username, password) {
        (Some(username), Some(password)) => Ok(EndpointAuthCreate::Basic { username, password }),
        (None, _) => Err(Invalid::new("basicAuthUsername", "must be given for Basic authentication")),
        (_, None) => Err(Invalid::new("basicAuthPassword", "must be given for Basic authentication")),
    };
    let method = match named {
        Some(EndpointAuthType::PublicKeySignature) => EndpointAuthCreate::PublicKeySignature,
        Some(EndpointAuthType::SigningKey) => EndpointAuthCreate::SigningKey,
        Some(EndpointAuthType::Bearer) => match token {
            Some(token) => EndpointAuthCreate::Bearer { token },
            None => return Err(Invalid::new("bearerAuthToken", "must be given for Bearer authentication")),
        },
        Some(EndpointAuthType::Basic) => basic(username, password)?,
        None if username.is_some() || password.is_some() => basic(username, password)?,
        None => match token {
            Some(token) => EndpointAuthCreate::Bearer { token },
            None if matches!(body.has_public_key_signature, Patch::Value(true)) => {
                EndpointAuthCreate::PublicKeySignature
            }
            None if matches!(body.has_signing_key, Patch::Value(true)) => EndpointAuthCreate::SigningKey,
            None => return Ok(Authentication::Kept),
        },
    };
    Ok(Authentication::Chosen(authentication(&method)?))
}

/// A method with its secret, checked.
///
/// # Errors
/// Names the part that cannot go into a header.
pub fn authentication(method: &EndpointAuthCreate) -> Result<ChosenAuthentication, Invalid> {
    let chosen = match method {
        EndpointAuthCreate::PublicKeySignature => ChosenAuthentication::PublicKey,
        EndpointAuthCreate::SigningKey => ChosenAuthentication::SigningKey,
        EndpointAuthCreate::Bearer { token } => ChosenAuthentication::Bearer(Secret::new(token.clone())),
        EndpointAuthCreate::Basic { username, password } => {
            ChosenAuthentication::Basic(username.clone(), Secret::new(password.clone()))
        }
    };
    chosen.check()?;
    Ok(chosen)
}

/// Refuses endpoints whose host is a literal address that deliveries may not reach. Names are checked
/// when they are resolved, at each delivery.
///
/// # Errors
/// Names the field and the address.
pub fn check_address(guard: &Guard, field: &str, endpoint: Option<&Endpoint>) -> Result<(), Invalid> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    let checked = guard.check_url(&endpoint.url);
    checked.map(|_| ()).map_err(|refused| Invalid::new(field, format!("cannot be delivered to: {refused}")))
}
