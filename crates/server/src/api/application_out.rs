//! Applications as the API shows them.

use std::collections::HashMap;

use spaceport_platform::access::{Caller, Owner, Principal};
use spaceport_platform::application::{Application, AuthenticationMethod, Endpoint, VerificationToken};
use spaceport_platform::connection::{
    Connection, ConnectionStatus, FeaturedIntegration, Uninstallation, UninstallationStatus,
};
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::right::Right;
use spaceport_platform::unfurl::TargetKind;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::ui_extension::AppUiExtensionApi;
use spaceport_wire::application::{
    AppConnectionStatus, AppReference, AppSettings, AppUiExtContextData, AppUninstallationStatus, ApplicationMetadata,
    ApplicationType, Endpoint as EndpointOut, EndpointAuth, EndpointAuthRead, EsApp, FeaturedIntegrationType,
    SslKeystore, UiEnabledState,
};
use spaceport_wire::profile::MemberProfile;
use spaceport_wire::scalar::DateTime;

use crate::api::context_out::context_out;
use crate::api::principal_out::principals_out;
use crate::api::profile_out::profile_out;
use crate::api::unfurl_target::{domain_out, pattern_out};
use crate::http::access::allowed_on;
use crate::http::directory_access::emails_shown;
use crate::http::fields::NamedFields;
use crate::http::in_context::knows;
use crate::ui_extension;

/// Whether UI extensions and targets of link previews are read: few callers name these fields, and nobody else is shown them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExtensionFields {
    /// They are read.
    Read,
    /// They are left out.
    LeftOut,
}

impl ExtensionFields {
    /// What an answer with these fields needs.
    pub fn needed(fields: &NamedFields) -> Self {
        match ["contexts", "domains", "patterns"].iter().any(|field| fields.may_name(field)) {
            true => Self::Read,
            false => Self::LeftOut,
        }
    }
}

/// One application with all its fields, as this caller sees it.
///
/// # Errors
/// When the database fails.
pub fn out<E: From<StoreError>>(tx: &mut Tx<'_>, caller: &Caller, application: &Application) -> Result<EsApp, E> {
    out_with(tx, caller, application, ExtensionFields::Read)
}

/// One application, as this caller sees it.
///
/// # Errors
/// When the database fails.
pub fn out_with<E: From<StoreError>>(
    tx: &mut Tx<'_>,
    caller: &Caller,
    application: &Application,
    fields: ExtensionFields,
) -> Result<EsApp, E> {
    let mut found = out_all(tx, caller, std::slice::from_ref(application), fields)?;
    found.pop().ok_or_else(|| StoreError::corrupt("an application vanished").into())
}

/// Applications, with what belongs to them, as this caller sees it: of an application that made one, and of people,
/// not more than he would see if he asked for them.
///
/// # Errors
/// When the database fails.
pub fn out_all(
    tx: &mut Tx<'_>,
    caller: &Caller,
    applications: &[Application],
    fields: ExtensionFields,
) -> Result<Vec<EsApp>, StoreError> {
    let makers = visible_makers(tx, caller, applications)?;
    let all: Vec<&Application> = applications.iter().chain(&makers).collect();
    let mut shown = plain(tx, caller, &all)?;
    if fields == ExtensionFields::Read {
        add_contexts(tx, caller, &all, &mut shown)?;
        add_unfurl_targets(tx, caller, &mut shown)?;
    }
    let makers: HashMap<String, EsApp> =
        shown.split_off(applications.len()).into_iter().map(|maker| (maker.id.clone(), maker)).collect();
    for (shown, application) in shown.iter_mut().zip(applications) {
        // One level up is as far as answers go; whoever wants more asks for the maker.
        if let Owner::Application(id) = &application.owner
            && let Some(maker) = makers.get(id.as_str())
        {
            shown.owner_app = Some(AppReference::Whole(Box::new(maker.clone())));
        }
    }
    Ok(shown)
}

/// Applications inside of answers about something else, with their names: without what would have to be looked up for
/// them, and to callers who may not view them by id alone.
///
/// # Errors
/// When the database fails.
pub fn references(
    tx: &mut Tx<'_>,
    caller: &Caller,
    applications: &[Application],
) -> Result<Vec<(ApplicationId, String, AppReference)>, StoreError> {
    let all: Vec<&Application> = applications.iter().collect();
    let shown = plain(tx, caller, &all)?;
    let reference = |(shown, application): (EsApp, &Application)| {
        let reference = match allowed_on(caller, application, &Right::VIEW_APPLICATIONS) {
            true => AppReference::without(&shown, &["contexts", "domains", "patterns"]),
            false => Ok(AppReference::hidden(application.id.as_str())),
        };
        let reference = reference.map_err(|fault| StoreError::corrupt(format!("an application: {fault}")))?;
        Ok((application.id.clone(), application.name.clone(), reference))
    };
    shown.into_iter().zip(applications).map(reference).collect()
}

fn visible_makers(
    tx: &mut Tx<'_>,
    caller: &Caller,
    applications: &[Application],
) -> Result<Vec<Application>, StoreError> {
    let mut makers: Vec<Application> = Vec::new();
    for application in applications {
        if let Owner::Application(id) = &application.owner
            && !makers.iter().any(|maker| maker.id == *id)
        {
            let maker = tx.application(id)?;
            makers.extend(maker.filter(|maker| allowed_on(caller, maker, &Right::VIEW_APPLICATIONS)));
        }
    }
    Ok(makers)
}

/// Applications with the people who own them, in the order given.
fn plain(tx: &mut Tx<'_>, caller: &Caller, applications: &[&Application]) -> Result<Vec<EsApp>, StoreError> {
    let mut people: Vec<ProfileId> = Vec::new();
    for application in applications {
        if let Owner::User(id) = &application.owner
            && !people.contains(id)
        {
            people.push(id.clone());
        }
    }
    let people = tx.profiles(&people)?;
    let shown = |application: &&Application| {
        let (owner, owner_app) = match &application.owner {
            Owner::User(id) => (people.iter().find(|profile| profile.id == *id), None),
            Owner::Application(id) => (None, Some(AppReference::hidden(id.as_str()))),
        };
        let owner = owner.map(|profile| profile_out(profile, emails_shown(caller, Some(&profile.id))));
        application_out(application, owner, owner_app)
    };
    Ok(applications.iter().map(shown).collect())
}

/// Where applications have UI extensions, as far as the caller knows of the places. Nobody can switch them off here:
/// that is up to the product that shows them.
fn add_contexts(
    tx: &mut Tx<'_>,
    caller: &Caller,
    applications: &[&Application],
    shown: &mut [EsApp],
) -> Result<(), StoreError> {
    let ids: Vec<ApplicationId> = applications.iter().map(|application| application.id.clone()).collect();
    for (id, context, text) in tx.ui_extensions_of(&ids)? {
        // Those of an archived application are hidden until it is restored.
        let of = |application: &&&Application| application.id == id && application.archived_at.is_none();
        let Some(application) = applications.iter().find(of) else { continue };
        let (extensions, place) = (ui_extension::read(&text)?, tx.place_of(context.clone())?);
        if extensions.is_empty() || !knows(tx, caller, application, &place)? {
            continue;
        }
        let added = AppUiExtContextData {
            context: context_out(tx, caller, &context)?,
            extensions: Some(extensions.into_iter().map(AppUiExtensionApi::from).collect()),
            app_ui_enabled_state: UiEnabledState { enabled_by_default: true, enabled_for_me: None },
        };
        // Whoever made one of these may be among them, too.
        shown.iter_mut().filter(|shown| shown.id == id.as_str()).for_each(|shown| shown.contexts.push(added.clone()));
    }
    Ok(())
}

/// Whose links applications preview, with who brought that about.
fn add_unfurl_targets(tx: &mut Tx<'_>, caller: &Caller, shown: &mut [EsApp]) -> Result<(), StoreError> {
    let ids: Vec<ApplicationId> = shown.iter().map(|shown| ApplicationId::new(shown.id.as_str())).collect();
    let targets = tx.unfurl_targets_of(&ids)?;
    let authors: Vec<Principal> = targets.iter().map(|(_, _, target)| target.author.clone()).collect();
    let authors = principals_out(tx, caller, &authors)?;
    for ((id, kind, target), author) in targets.into_iter().zip(authors) {
        for application in shown.iter_mut().filter(|application| application.id == id.as_str()) {
            let (target, author) = (target.clone(), author.clone());
            match kind {
                TargetKind::Domain => application.domains.push(domain_out(target, author)),
                TargetKind::Pattern => application.patterns.push(pattern_out(target, author)),
            }
        }
    }
    Ok(())
}

fn application_out(application: &Application, owner: Option<MemberProfile>, owner_app: Option<AppReference>) -> EsApp {
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
