//! Applications as the API shows them.

use std::collections::HashMap;

use spaceport_platform::access::{Owner, Principal};
use spaceport_platform::application::{Application, AuthenticationMethod, Endpoint, VerificationToken};
use spaceport_platform::connection::{
    Connection, ConnectionStatus, FeaturedIntegration, Uninstallation, UninstallationStatus,
};
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::unfurl::TargetKind;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::{
    AppConnectionStatus, AppSettings, AppUninstallationStatus, ApplicationMetadata, ApplicationType,
    Endpoint as EndpointOut, EndpointAuth, EndpointAuthRead, EsApp, FeaturedIntegrationType, SslKeystore,
};
use spaceport_wire::profile::MemberProfile;
use spaceport_wire::scalar::DateTime;

use crate::api::principal_out::person_out;
use crate::api::profile_out::{EmailsShown, profile_out};
use crate::api::unfurl_target::{domain_out, pattern_out};
use crate::http::fields::NamedFields;

/// Whether targets of link previews are read: few callers name these fields, and nobody else is shown them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Targets {
    /// They are read.
    Read,
    /// They are left out.
    LeftOut,
}

impl Targets {
    /// What an answer with these fields needs.
    pub fn needed(fields: &NamedFields) -> Self {
        match fields.may_name("domains") || fields.may_name("patterns") {
            true => Self::Read,
            false => Self::LeftOut,
        }
    }
}

/// One application, its owner and the targets of its link previews loaded.
///
/// # Errors
/// When the database fails.
pub fn out<E: From<StoreError>>(tx: &mut Tx<'_>, application: &Application) -> Result<EsApp, E> {
    out_with(tx, application, Targets::Read)
}

/// One application, its owner loaded.
///
/// # Errors
/// When the database fails.
pub fn out_with<E: From<StoreError>>(tx: &mut Tx<'_>, application: &Application, targets: Targets) -> Result<EsApp, E> {
    let mut found = out_all(tx, std::slice::from_ref(application), targets)?;
    found.pop().ok_or_else(|| StoreError::corrupt("an application vanished").into())
}

/// Applications, their owners loaded once.
///
/// # Errors
/// When the database fails.
pub fn out_all(tx: &mut Tx<'_>, applications: &[Application], targets: Targets) -> Result<Vec<EsApp>, StoreError> {
    let mut makers = HashMap::new();
    for application in applications {
        if let Owner::Application(id) = &application.owner
            && !makers.contains_key(id)
            && let Some(maker) = tx.application(id)?
        {
            makers.insert(id.clone(), maker);
        }
    }
    let mut people: Vec<ProfileId> = Vec::new();
    for application in applications.iter().chain(makers.values()) {
        if let Owner::User(id) = &application.owner
            && !people.contains(id)
        {
            people.push(id.clone());
        }
    }
    let people = tx.profiles(&people)?;
    let person = |owner: &Owner| match owner {
        Owner::User(id) => {
            people.iter().find(|profile| profile.id == *id).map(|profile| profile_out(profile, EmailsShown::No))
        }
        Owner::Application(_) => None,
    };
    let shown = |application: &Application| {
        let maker = match &application.owner {
            // One level up is as far as answers go; whoever wants more asks for the maker.
            Owner::Application(id) => {
                makers.get(id).map(|maker| Box::new(application_out(maker, person(&maker.owner), None)))
            }
            Owner::User(_) => None,
        };
        application_out(application, person(&application.owner), maker)
    };
    let mut shown: Vec<EsApp> = applications.iter().map(shown).collect();
    if targets == Targets::LeftOut {
        return Ok(shown);
    }
    let ids: Vec<ApplicationId> = applications.iter().map(|application| application.id.clone()).collect();
    let targets = tx.unfurl_targets_of(&ids)?;
    if targets.is_empty() {
        return Ok(shown);
    }
    let mut deciders: Vec<ProfileId> = Vec::new();
    for (_, _, target) in &targets {
        if let Principal::User(id) = &target.author
            && !deciders.contains(id)
        {
            deciders.push(id.clone());
        }
    }
    let deciders = tx.profiles(&deciders)?;
    for (id, kind, target) in targets {
        let Some(application) = shown.iter_mut().find(|application| application.id == id.as_str()) else { continue };
        // Who asked is the application itself, which is not shown inside itself once more.
        let author = match &target.author {
            Principal::User(id) => deciders.iter().find(|profile| profile.id == *id).map(person_out),
            Principal::Application(_) | Principal::Nobody => None,
        };
        match kind {
            TargetKind::Domain => application.domains.push(domain_out(target, author)),
            TargetKind::Pattern => application.patterns.push(pattern_out(target, author)),
        }
    }
    Ok(shown)
}

fn application_out(application: &Application, owner: Option<MemberProfile>, owner_app: Option<Box<EsApp>>) -> EsApp {
    let flows = &application.flows;
    let method = &application.authentication;
    EsApp {
        id: application.id.to_string(),
        owner,
        owner_app,
        client_id: application.client_id.clone(),
        name: application.name.clone(),
        email: application.email.clone(),
        picture: application.picture.as_ref().map(ToString::to_string),
        default_external_picture: application.default_external_picture.clone(),
        created_at: Some(DateTime(application.created_at)),
        kind: Some("Application".to_owned()),
        presentable_name: None,
        application_type: Some(type_out(application)),
        client_credentials_flow_enabled: Some(flows.client_credentials),
        code_flow_enabled: Some(flows.code),
        code_flow_redirect_uris: flows.code_redirect_uris.clone(),
        pkce_required: Some(flows.pkce_required),
        implicit_flow_enabled: Some(flows.implicit),
        implicit_flow_redirect_uris: flows.implicit_redirect_uris.clone(),
        endpoint_uri: application.endpoint.as_ref().map(|endpoint| endpoint.url.clone()),
        has_verification_token: Some(application.verification_token == VerificationToken::Sent),
        has_signing_key: Some(*method == AuthenticationMethod::SigningKey),
        has_public_key_signature: Some(*method == AuthenticationMethod::PublicKey),
        endpoint_ssl_verification: Some(application.endpoint.as_ref().is_none_or(|endpoint| endpoint.ssl_verification)),
        basic_auth_username: method.username().map(str::to_owned),
        has_bearer_token: Some(*method == AuthenticationMethod::Bearer),
        ssl_keystore_auth: application.ssl_keystore.clone(),
        archived: application.archived_at.is_some(),
        contexts: Vec::new(),
        description: application.description.clone(),
        domains: Vec::new(),
        error_message: application.error_message.clone(),
        metadata: metadata_out(application),
        patterns: Vec::new(),
        settings: AppSettings {
            client_credentials_flow_enabled: Some(flows.client_credentials),
            code_flow_enabled: Some(flows.code),
            code_flow_redirect_uris: flows.code_redirect_uris.clone(),
            pkce_required: Some(flows.pkce_required),
            public_clients_allowed: Some(flows.public_clients_allowed),
            implicit_flow_enabled: Some(flows.implicit),
            implicit_flow_redirect_uris: flows.implicit_redirect_uris.clone(),
            endpoint: Some(endpoint_out(application.endpoint.as_ref())),
            endpoint_auth: Some(EndpointAuth {
                verification_token: application.verification_token == VerificationToken::Sent,
                ..authentication_out(method, application.ssl_keystore.as_deref())
            }),
            external_issue_tracker_domain: application.external_issue_tracker_domain.clone(),
        },
    }
}

fn type_out(application: &Application) -> ApplicationType {
    let marketplace = application.connection.as_ref().is_some_and(|connection| connection.marketplace_id.is_some());
    match (application.featured_integration, marketplace) {
        (Some(_), _) => ApplicationType::FeaturedIntegration,
        (None, true) => ApplicationType::MarketplaceApp,
        (None, false) => ApplicationType::Application,
    }
}

/// Null for an application that lives in this organization alone and connects no known product.
fn metadata_out(application: &Application) -> Option<ApplicationMetadata> {
    let none = Connection::default();
    let connection = application.connection.as_ref();
    let known = connection.unwrap_or(&none);
    let connection_status = known.status.map(connection_status_out);
    let uninstallation_status = known.uninstallation.map(uninstallation_out);
    let uninstallation_started_at = known.uninstallation.map(|uninstallation| DateTime(uninstallation.started_at));
    if let Some(product) = application.featured_integration {
        let r#type = featured_out(product);
        return Some(ApplicationMetadata::FeaturedIntegrationAppMetadata {
            r#type,
            connection_status,
            uninstallation_status,
            uninstallation_started_at,
        });
    }
    let last_sent_server_url = known.last_sent_server_url.clone();
    connection.map(|connection| match &connection.marketplace_id {
        Some(id) => ApplicationMetadata::MarketplaceAppMetadata {
            marketplace_app_id: id.clone(),
            last_sent_server_url: last_sent_server_url.unwrap_or_default(),
            connection_status: connection_status.unwrap_or(AppConnectionStatus::Connecting),
            uninstallation_status,
            uninstallation_started_at,
        },
        None => ApplicationMetadata::AdHocConnectedAppMetadata {
            last_sent_server_url,
            connection_status,
            uninstallation_status,
            uninstallation_started_at,
        },
    })
}

/// How far connecting has come.
pub fn connection_status_out(status: ConnectionStatus) -> AppConnectionStatus {
    match status {
        ConnectionStatus::Connecting => AppConnectionStatus::Connecting,
        ConnectionStatus::FailedToConnect => AppConnectionStatus::FailedToConnect,
        ConnectionStatus::Reconnecting => AppConnectionStatus::Reconnecting,
        ConnectionStatus::Connected => AppConnectionStatus::Connected,
    }
}

fn uninstallation_out(uninstallation: Uninstallation) -> AppUninstallationStatus {
    match uninstallation.status {
        UninstallationStatus::Sending => AppUninstallationStatus::SendingUninstallPayload,
        UninstallationStatus::Retrying => AppUninstallationStatus::RetryingSendingUninstallPayload,
        UninstallationStatus::Failed => AppUninstallationStatus::Failed,
        UninstallationStatus::Uninstalled => AppUninstallationStatus::Uninstalled,
    }
}

fn featured_out(product: FeaturedIntegration) -> FeaturedIntegrationType {
    match product {
        FeaturedIntegration::Unknown => FeaturedIntegrationType::Unknown,
        FeaturedIntegration::Jenkins => FeaturedIntegrationType::Jenkins,
        FeaturedIntegration::TeamCity => FeaturedIntegrationType::TeamCity,
        FeaturedIntegration::Jira => FeaturedIntegrationType::Jira,
        FeaturedIntegration::YouTrack => FeaturedIntegrationType::YouTrack,
        FeaturedIntegration::Slack => FeaturedIntegrationType::Slack,
    }
}

/// The product a caller names.
pub fn featured_in(product: FeaturedIntegrationType) -> FeaturedIntegration {
    match product {
        FeaturedIntegrationType::Unknown => FeaturedIntegration::Unknown,
        FeaturedIntegrationType::Jenkins => FeaturedIntegration::Jenkins,
        FeaturedIntegrationType::TeamCity => FeaturedIntegration::TeamCity,
        FeaturedIntegrationType::Jira => FeaturedIntegration::Jira,
        FeaturedIntegrationType::YouTrack => FeaturedIntegration::YouTrack,
        FeaturedIntegrationType::Slack => FeaturedIntegration::Slack,
    }
}

/// An endpoint; without one the URL is null and certificates would be checked.
pub fn endpoint_out(endpoint: Option<&Endpoint>) -> EndpointOut {
    EndpointOut {
        url: endpoint.map(|endpoint| endpoint.url.clone()),
        ssl_verification: endpoint.is_none_or(|endpoint| endpoint.ssl_verification),
    }
}

/// A method without its secret, and the name of the keystore with the client certificate.
pub fn authentication_out(method: &AuthenticationMethod, ssl_keystore: Option<&str>) -> EndpointAuth {
    EndpointAuth {
        app_level_auth: match method {
            AuthenticationMethod::PublicKey => EndpointAuthRead::PublicKeySignature,
            AuthenticationMethod::SigningKey => EndpointAuthRead::SigningKey,
            AuthenticationMethod::Bearer => EndpointAuthRead::Bearer,
            AuthenticationMethod::Basic { username } => EndpointAuthRead::Basic { username: username.clone() },
        },
        ssl_keystore: ssl_keystore.map(|name| SslKeystore { ssl_keystore: name.to_owned() }),
        verification_token: false,
    }
}
