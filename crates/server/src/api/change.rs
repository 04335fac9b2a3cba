//! A change of an application's settings, and the checks it shares with creation.

use spaceport_delivery::guard::Guard;
use spaceport_platform::application::{
    Application, AuthenticationMethod, ChosenAuthentication, Endpoint, SecretKind, VerificationToken,
    check_chosen_secret,
};
use spaceport_platform::id::AttachmentId;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::secret::Secret;
use spaceport_store::StoreError;
use spaceport_wire::application::{EndpointAuthCreate, EndpointAuthType, UpdateApplication};
use spaceport_wire::scalar::Patch;

use crate::http::access::Cx;
use crate::http::error::ApiError;

/// A change, its secrets taken out and checked.
pub struct Change {
    /// A new client secret chosen by the caller.
    pub client_secret: Option<Secret>,
    /// The authentication method that becomes the active one; `None` keeps the present one.
    pub authentication: Option<ChosenAuthentication>,
    body: UpdateApplication,
}

impl Change {
    /// Reads a body.
    ///
    /// # Errors
    /// Names the argument that cannot be.
    pub fn read(mut body: UpdateApplication) -> Result<Self, Invalid> {
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

    /// Completes a body that names one half of what basic authentication needs.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete<A>(
        cx: &Cx<A>,
        application: &Application,
        body: &mut UpdateApplication,
    ) -> Result<(), ApiError> {
        let mut username = std::mem::take(&mut body.basic_auth_username).into_value();
        let mut password = std::mem::take(&mut body.basic_auth_password).into_value();
        let named = match &body.app_level_auth {
            Patch::Value(named) => Some(*named),
            Patch::Absent | Patch::Null => None,
        };
        let parts = BasicParts { owner: application.id.as_str(), present: Some(&application.authentication), named };
        parts.complete(cx, &mut username, &mut password).await?;
        body.basic_auth_username = username.map_or(Patch::Absent, Patch::Value);
        body.basic_auth_password = password.map_or(Patch::Absent, Patch::Value);
        Ok(())
    }

    /// Applies the change: absent keeps, null clears what can be empty.
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
        set_filled(&mut application.default_external_picture, &body.default_external_picture);
        set_text(&mut application.ssl_keystore, &body.ssl_keystore_auth);
        match &body.picture_attachment_id {
            Patch::Absent => {}
            Patch::Null => application.picture = None,
            Patch::Value(id) => application.picture = Some(AttachmentId::new(id.as_str())),
        }
        let flows = &mut application.flows;
        set_flag(&mut flows.client_credentials, &body.client_credentials_flow_enabled, "clientCredentialsFlowEnabled")?;
        set_flag(&mut flows.code, &body.code_flow_enabled, "codeFlowEnabled")?;
        set_flag(&mut flows.pkce_required, &body.pkce_required, "pkceRequired")?;
        set_flag(&mut flows.public_clients_allowed, &body.public_clients_allowed, "publicClientsAllowed")?;
        set_flag(&mut flows.implicit, &body.implicit_flow_enabled, "implicitFlowEnabled")?;
        set_filled(&mut flows.code_redirect_uris, &body.code_flow_redirect_uris);
        set_filled(&mut flows.implicit_redirect_uris, &body.implicit_flow_redirect_uris);
        if body.public_clients_allowed == Patch::Value(true) && body.pkce_required.is_absent() {
            // Public clients require PKCE, so whoever wants them and says nothing about it gets both.
            flows.pkce_required = true;
        }
        self.apply_endpoint(application)?;
        self.apply_authentication(application)
    }

    fn apply_endpoint(&self, application: &mut Application) -> Result<(), Invalid> {
        match &self.body.endpoint_uri {
            Patch::Absent => {}
            Patch::Value(url) if !url.trim().is_empty() => {
                let ssl_verification = application.endpoint.as_ref().is_none_or(|endpoint| endpoint.ssl_verification);
                application.endpoint = Some(Endpoint { url: url.clone(), ssl_verification });
            }
            Patch::Null | Patch::Value(_) => application.endpoint = None,
        }
        match (&self.body.endpoint_ssl_verification, &mut application.endpoint) {
            (Patch::Absent, _) | (Patch::Value(true), None) => Ok(()),
            (Patch::Null, _) => Err(not_null("endpointSslVerification")),
            (Patch::Value(false), None) => Err(Invalid::new("endpointSslVerification", "needs an endpointUri")),
            (Patch::Value(verify), Some(endpoint)) => {
                endpoint.ssl_verification = *verify;
                Ok(())
            }
        }
    }

    fn apply_authentication(&self, application: &mut Application) -> Result<(), Invalid> {
        let body = &self.body;
        let mut verified = application.verification_token == VerificationToken::Sent;
        set_flag(&mut verified, &body.has_verification_token, "hasVerificationToken")?;
        application.verification_token = if verified { VerificationToken::Sent } else { VerificationToken::Unused };
        if let Some(chosen) = &self.authentication {
            application.authentication = chosen.method();
            return Ok(());
        }
        // One method is always active (wire-protocol 4.2), so the old switches can turn one off only for another.
        match (&application.authentication, &body.has_signing_key, &body.has_public_key_signature) {
            (_, Patch::Null, _) => Err(not_null("hasSigningKey")),
            (_, _, Patch::Null) => Err(not_null("hasPublicKeySignature")),
            (AuthenticationMethod::SigningKey, Patch::Value(false), _) => {
                application.authentication = AuthenticationMethod::PublicKey;
                Ok(())
            }
            (AuthenticationMethod::PublicKey, _, Patch::Value(false)) => Err(Invalid::new(
                "hasPublicKeySignature",
                "must not be false while no other method is chosen; name one in appLevelAuth",
            )),
            _ => Ok(()),
        }
    }
}

fn not_null(field: &str) -> Invalid {
    Invalid::new(field, "must be true or false, not null; leave it out to keep it")
}

pub(crate) fn set_text(field: &mut Option<String>, patch: &Patch<String>) {
    match patch {
        Patch::Absent => {}
        Patch::Null => *field = None,
        Patch::Value(text) => *field = Some(text.clone()),
    }
}

/// Like [`set_text`], but blank text clears: forms send it for a field that nobody filled in.
fn set_filled(field: &mut Option<String>, patch: &Patch<String>) {
    set_text(field, patch);
    if field.as_ref().is_some_and(|text| text.trim().is_empty()) {
        *field = None;
    }
}

pub(crate) fn set_flag(field: &mut bool, patch: &Patch<bool>, name: &str) -> Result<(), Invalid> {
    match patch {
        Patch::Absent => Ok(()),
        Patch::Null => Err(not_null(name)),
        Patch::Value(value) => {
            *field = *value;
            Ok(())
        }
    }
}

/// `appLevelAuth` names the method; the flat fields hold what it needs. Without `appLevelAuth` the deprecated flat
/// fields alone choose. Null in any of them counts as absent: there is no method to go back to.
fn authentication_of(body: &mut UpdateApplication) -> Result<Option<ChosenAuthentication>, Invalid> {
    let parts = AuthenticationParts {
        named: std::mem::take(&mut body.app_level_auth).into_value(),
        username: std::mem::take(&mut body.basic_auth_username).into_value(),
        password: std::mem::take(&mut body.basic_auth_password).into_value(),
        token: std::mem::take(&mut body.bearer_auth_token).into_value(),
    };
    let method = match parts.method()? {
        Some(method) => method,
        None if body.has_public_key_signature == Patch::Value(true) => EndpointAuthCreate::PublicKeySignature,
        None if body.has_signing_key == Patch::Value(true) => EndpointAuthCreate::SigningKey,
        None => return Ok(None),
    };
    flat_authentication(&method).map(Some)
}

/// The same as [`authentication`], for updates: faults name the flat fields.
///
/// # Errors
/// Names the part that cannot go into a header.
pub fn flat_authentication(method: &EndpointAuthCreate) -> Result<ChosenAuthentication, Invalid> {
    authentication(method).map_err(|fault| {
        let field = match fault.field.as_str() {
            "token" => "bearerAuthToken",
            "username" => "basicAuthUsername",
            "password" => "basicAuthPassword",
            other => other,
        };
        Invalid::new(field, fault.expected)
    })
}

/// What basic authentication needs, of which an update may name one half: the other one stays as it is.
pub struct BasicParts<'a> {
    /// Whose secrets: of an application or of a webhook.
    pub owner: &'a str,
    /// The present method.
    pub present: Option<&'a AuthenticationMethod>,
    /// The method that is asked for.
    pub named: Option<EndpointAuthType>,
}

impl BasicParts<'_> {
    /// Fills in the half that is not named. Nothing happens where the present method is another one, or another one is asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn complete<A>(
        &self,
        cx: &Cx<A>,
        username: &mut Option<String>,
        password: &mut Option<String>,
    ) -> Result<(), ApiError> {
        let Some(known) = self.present.and_then(AuthenticationMethod::username) else { return Ok(()) };
        if self.named.is_some_and(|named| named != EndpointAuthType::Basic) {
            return Ok(());
        }
        match (&username, &password) {
            (None, Some(_)) => *username = Some(known.to_owned()),
            (Some(_), None) => {
                let owner = self.owner.to_owned();
                let kept = cx.read(move |tx| tx.secret(&owner, SecretKind::BasicPassword)).await;
                let kept = kept.map_err(|error: StoreError| ApiError::from(error))?;
                *password = kept.map(|secret| secret.reveal().to_owned());
            }
            _ => {}
        }
        Ok(())
    }
}

/// A method and what it needs, as updates spell them: flat.
pub struct AuthenticationParts {
    /// The method.
    pub named: Option<EndpointAuthType>,
    /// User name for basic authentication.
    pub username: Option<String>,
    /// Password for basic authentication.
    pub password: Option<String>,
    /// Token for bearer authentication.
    pub token: Option<String>,
}

impl AuthenticationParts {
    /// The method that these parts choose, if they choose one.
    ///
    /// # Errors
    /// Names the part that the method needs and that is missing.
    pub fn method(self) -> Result<Option<EndpointAuthCreate>, Invalid> {
        let basic = |username: Option<String>, password: Option<String>| match (username, password) {
            (Some(username), Some(password)) => Ok(EndpointAuthCreate::Basic { username, password }),
            (None, _) => Err(Invalid::new("basicAuthUsername", "must be given for Basic authentication")),
            (_, None) => Err(Invalid::new("basicAuthPassword", "must be given for Basic authentication")),
        };
        Ok(Some(match self.named {
            Some(EndpointAuthType::PublicKeySignature) => EndpointAuthCreate::PublicKeySignature,
            Some(EndpointAuthType::SigningKey) => EndpointAuthCreate::SigningKey,
            Some(EndpointAuthType::Bearer) => match self.token {
                Some(token) => EndpointAuthCreate::Bearer { token },
                None => return Err(Invalid::new("bearerAuthToken", "must be given for Bearer authentication")),
            },
            Some(EndpointAuthType::Basic) => basic(self.username, self.password)?,
            None if self.username.is_some() || self.password.is_some() => basic(self.username, self.password)?,
            None => match self.token {
                Some(token) => EndpointAuthCreate::Bearer { token },
                None => return Ok(None),
            },
        }))
    }
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
