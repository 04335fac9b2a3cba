//! `POST /api/http/applications`: an application is registered.

use spaceport_platform::access::{Owner, Principal};
use spaceport_platform::application::{
    Application, ChosenAuthentication, Endpoint, Flows, MAX_TEXT, SecretKind, check, check_chosen_secret,
};
use spaceport_platform::application_changes::changes;
use spaceport_platform::audit::AuditTarget;
use spaceport_platform::id::{AttachmentId, Id, random_text};
use spaceport_platform::installation;
use spaceport_platform::invalid::{Invalid, text_length};
use spaceport_platform::secret::Secret;
use spaceport_wire::application::{CreateApplication, EndpointAuthCreate, EsApp};

use crate::api::application::SECRET_LENGTH;
use crate::api::application_attached::{require_keystore, require_picture};
use crate::api::application_out::{featured_in, out};
use crate::api::change;
use crate::dispatch;
use crate::events;
use crate::http::access::{CreateApplications, Cx, Holding};
use crate::http::error::ApiError;
use crate::http::input::Body;
use crate::http::reply::Json;
use crate::keys::{self, NewKey};

/// Registers an application. One that is to be connected is told right after the commit, while this call has long
/// been answered: its metadata says how far that has come.
///
/// # Errors
/// `validation-error` naming the argument; `duplicated-entity` for a client id that is taken.
pub async fn create(
    cx: Cx<Holding<CreateApplications>>,
    Body(body): Body<CreateApplication>,
) -> Result<Json<EsApp>, ApiError> {
    let created = register(&cx, &body).await?;
    Ok(Json(created))
}

/// Registers an application, and sends it its first payload if it is to be connected.
///
/// # Errors
/// Those of [`create`].
pub async fn register<A>(cx: &Cx<A>, body: &CreateApplication) -> Result<EsApp, ApiError> {
    let connected = body.connect_to_space == Some(true);
    if let Some(state) = &body.state {
        text_length("state", state, 0, MAX_TEXT)?;
    }
    let (now, random, trail, news) = (cx.now(), cx.services.random.as_ref(), cx.trail(), cx.news());
    let authentication = chosen(body)?;
    let client_secret = match &body.client_secret {
        Some(chosen) => {
            let secret = Secret::new(chosen.as_str());
            check_chosen_secret("clientSecret", &secret)?;
            secret
        }
        None => Secret::new(random_text(SECRET_LENGTH, random)),
    };
    let signing_key = Secret::new(random_text(SECRET_LENGTH, random));
    let client_id = body.client_id.clone().unwrap_or_else(|| keys::uuid(random));
    let mut application =
        Application::new(Id::generate(now, random), client_id, body.name.trim(), owner(&cx.caller.principal)?, now);
    describe(&mut application, body)?;
    application.authentication = authentication.method();
    if connected {
        installation::connect(&mut application)?;
    }
    check(&application)?;
    change::check_address(&cx.services.guard, "endpointUri", application.endpoint.as_ref())?;
    let key = NewKey::generate(&cx.services, now).await?;
    let state = body.state.clone();
    cx.write(move |tx| {
        if tx.application_by_client_id(&application.client_id)?.is_some() {
            return Err(ApiError::duplicated(format!("The client id {} is taken", application.client_id)));
        }
        if let Some(name) = &application.ssl_keystore {
            require_keystore(tx, "sslKeystoreAuth", name)?;
        }
        if let Some(id) = &application.picture {
            require_picture(tx, id)?;
        }
        tx.insert_application(&application)?;
        let owner = application.id.as_str();
        tx.set_secret(owner, SecretKind::ClientSecret, &client_secret)?;
        tx.set_secret(owner, SecretKind::SigningKey, &signing_key)?;
        if let Some((kind, secret)) = authentication.secret() {
            tx.set_secret(owner, kind, secret)?;
        }
        key.insert(tx, &application.id)?;
        trail.record(tx, AuditTarget::application(&application.id), changes(None, &application))?;
        events::application::created(&news, tx, &application)?;
        if connected {
            dispatch::put_init(&news, tx, &application.id, state.clone())?;
        }
        out::<ApiError>(tx, &news.caller, &application)
    })
    .await
}

/// The settings of the body, besides authentication and secrets.
fn describe(application: &mut Application, body: &CreateApplication) -> Result<(), Invalid> {
    application.description.clone_from(&body.description);
    application.email.clone_from(&body.email);
    application.default_external_picture = filled(body.default_external_picture.as_deref());
    application.picture = filled(body.picture_attachment_id.as_deref()).map(AttachmentId::new);
    application.ssl_keystore.clone_from(&body.ssl_keystore_auth);
    application.featured_integration = body.featured_integration_type.map(featured_in);
    let public_clients_allowed = body.public_clients_allowed.unwrap_or(false);
    application.flows = Flows {
        client_credentials: body.client_credentials_flow_enabled.unwrap_or(true),
        code: body.code_flow_enabled.unwrap_or(false),
        code_redirect_uris: filled(body.code_flow_redirect_uris.as_deref()),
        // Public clients require PKCE, so whoever wants them and says nothing about it gets both.
        pkce_required: body.pkce_required.unwrap_or(public_clients_allowed),
        public_clients_allowed,
        implicit: body.implicit_flow_enabled.unwrap_or(false),
        implicit_redirect_uris: filled(body.implicit_flow_redirect_uris.as_deref()),
    };
    let ssl_verification = body.endpoint_ssl_verification.unwrap_or(true);
    application.endpoint = filled(body.endpoint_uri.as_deref()).map(|url| Endpoint { url, ssl_verification });
    if application.endpoint.is_none() && !ssl_verification {
        return Err(Invalid::new("endpointSslVerification", "needs an endpointUri"));
    }
    Ok(())
}

/// Forms send an empty text for a field that nobody filled in.
fn filled(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// The authentication method, from `appLevelAuth` or its deprecated flat twins.
fn chosen(body: &CreateApplication) -> Result<ChosenAuthentication, Invalid> {
    if let Some(method) = &body.app_level_auth {
        return change::authentication(method).map_err(|fault| fault.within("appLevelAuth"));
    }
    let flat = match (&body.basic_auth_username, &body.basic_auth_password, &body.bearer_auth_token) {
        (Some(username), Some(password), _) => {
            Some(EndpointAuthCreate::Basic { username: username.clone(), password: password.clone() })
        }
        (Some(_), None, _) => {
            return Err(Invalid::new("basicAuthPassword", "must be given together with basicAuthUsername"));
        }
        (None, Some(_), _) => {
            return Err(Invalid::new("basicAuthUsername", "must be given together with basicAuthPassword"));
        }
        (None, None, Some(token)) => Some(EndpointAuthCreate::Bearer { token: token.clone() }),
        (None, None, None) if body.has_signing_key == Some(true) && body.has_public_key_signature != Some(true) => {
            Some(EndpointAuthCreate::SigningKey)
        }
        _ => None,
    };
    flat.as_ref().map_or(Ok(ChosenAuthentication::PublicKey), change::flat_authentication)
}

fn owner(principal: &Principal) -> Result<Owner, ApiError> {
    match principal {
        Principal::User(id) => Ok(Owner::User(id.clone())),
        Principal::Application(id) => Ok(Owner::Application(id.clone())),
        Principal::Nobody => Err(ApiError::internal("nobody was admitted to create an application")),
    }
}
