//! Applications as the API shows them and takes them.

mod access;
mod context;
mod endpoint;
mod reference;
mod request;
pub mod ui_extension;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::access::AccessRecord;
pub use self::context::{
    AppUiExtContextData, ApplicationUnfurlDomain, ApplicationUnfurlPattern, ApplicationUnfurlPatternRequest,
    AuthorizeUnfurlDomains, AuthorizeUnfurlPatterns, PermissionContextApi, RightStatus, UiEnabledState,
    UpdateUnfurlDomains, UpdateUnfurlPatterns,
};
pub use self::endpoint::{
    Endpoint, EndpointAuth, EndpointAuthCreate, EndpointAuthCreation, EndpointAuthRead, EndpointAuthType,
    EndpointCreation, SslKeystore,
};
pub use self::reference::AppReference;
pub use self::request::{AppsOrdering, CreateApplication, FeaturedIntegrationType, UpdateApplication};
use crate::profile::MemberProfile;
use crate::scalar::DateTime;

/// An application.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ES_App", extend("x-record" = true))]
pub struct EsApp {
    /// Id of the application.
    pub id: String,
    /// The person who owns it; null when an application does.
    pub owner: Option<MemberProfile>,
    /// The application that owns it; null when a person does.
    #[schemars(with = "Option<Box<Self>>")]
    pub owner_app: Option<AppReference>,
    /// OAuth client id.
    pub client_id: String,
    /// Name people read; need not be unique.
    pub name: String,
    /// Address used as committer; given at creation alone.
    pub email: Option<String>,
    /// Attachment id of the uploaded picture.
    pub picture: Option<String>,
    /// URL of a picture used when none was uploaded.
    pub default_external_picture: Option<String>,
    /// When it was made.
    pub created_at: Option<DateTime>,
    /// Kind of application, as free text.
    pub kind: Option<String>,
    /// Name shown in place of `name`.
    pub presentable_name: Option<String>,
    /// Where the application comes from.
    pub application_type: Option<ApplicationType>,
    /// Old place of `settings.clientCredentialsFlowEnabled`.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub client_credentials_flow_enabled: Option<bool>,
    /// Old place of `settings.codeFlowEnabled`.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub code_flow_enabled: Option<bool>,
    /// Old place of `settings.codeFlowRedirectURIs`.
    #[serde(rename = "codeFlowRedirectURIs")]
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub code_flow_redirect_uris: Option<String>,
    /// Old place of `settings.pkceRequired`.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub pkce_required: Option<bool>,
    /// Old place of `settings.implicitFlowEnabled`.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub implicit_flow_enabled: Option<bool>,
    /// Old place of `settings.implicitFlowRedirectURIs`.
    #[serde(rename = "implicitFlowRedirectURIs")]
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub implicit_flow_redirect_uris: Option<String>,
    /// Old place of `settings.endpoint.url`.
    #[serde(rename = "endpointURI")]
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub endpoint_uri: Option<String>,
    /// Old place of `settings.endpointAuth.verificationToken`.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub has_verification_token: Option<bool>,
    /// Whether `settings.endpointAuth.appLevelAuth` is a signing key.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub has_signing_key: Option<bool>,
    /// Whether `settings.endpointAuth.appLevelAuth` is a public key signature.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub has_public_key_signature: Option<bool>,
    /// Old place of `settings.endpoint.sslVerification`.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub endpoint_ssl_verification: Option<bool>,
    /// User name when `settings.endpointAuth.appLevelAuth` is basic.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub basic_auth_username: Option<String>,
    /// Whether `settings.endpointAuth.appLevelAuth` is a bearer token.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub has_bearer_token: Option<bool>,
    /// Old place of `settings.endpointAuth.sslKeystore`.
    #[schemars(extend("x-deprecated" = "2021-08-20"))]
    pub ssl_keystore_auth: Option<String>,
    /// Whether it was deleted; archived applications keep their id.
    pub archived: bool,
    /// Contexts in which the application has UI extensions.
    #[schemars(extend("x-extension" = true))]
    pub contexts: Vec<AppUiExtContextData>,
    /// What the application is for.
    pub description: Option<String>,
    /// Domains whose links the application previews.
    #[schemars(extend("x-extension" = true))]
    pub domains: Vec<ApplicationUnfurlDomain>,
    /// What the application last reported as its problem.
    pub error_message: Option<String>,
    /// How the application is connected; null for one that lives in this organization alone.
    pub metadata: Option<ApplicationMetadata>,
    /// Text patterns the application turns into links.
    #[schemars(extend("x-extension" = true))]
    pub patterns: Vec<ApplicationUnfurlPattern>,
    /// OAuth flows and endpoint.
    pub settings: AppSettings,
}

/// Where an application comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApplicationType {
    /// Made in this organization or installed from a link.
    Application,
    /// Part of the product.
    InternalApp,
    /// Installed from a marketplace.
    MarketplaceApp,
    /// Connects a product that is known by name.
    FeaturedIntegration,
}

/// OAuth flows and endpoint of an application.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ES_AppSettings")]
pub struct AppSettings {
    /// Whether the application may get tokens of its own.
    pub client_credentials_flow_enabled: Option<bool>,
    /// Whether the authorization code flow is on.
    pub code_flow_enabled: Option<bool>,
    /// Redirect URIs of the code flow, one a line.
    #[serde(rename = "codeFlowRedirectURIs")]
    pub code_flow_redirect_uris: Option<String>,
    /// Whether the code flow demands PKCE (RFC 7636).
    pub pkce_required: Option<bool>,
    /// Whether clients without a secret may use the code flow.
    pub public_clients_allowed: Option<bool>,
    /// Whether the implicit flow is on.
    pub implicit_flow_enabled: Option<bool>,
    /// Redirect URIs of the implicit flow, one a line.
    #[serde(rename = "implicitFlowRedirectURIs")]
    pub implicit_flow_redirect_uris: Option<String>,
    /// Where the application receives payloads.
    pub endpoint: Option<Endpoint>,
    /// How the application recognizes us.
    pub endpoint_auth: Option<EndpointAuth>,
    /// Domain of the issue tracker the application connects.
    pub external_issue_tracker_domain: Option<String>,
}

/// How an application that lives elsewhere is connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "className", rename_all_fields = "camelCase")]
pub enum ApplicationMetadata {
    /// Installed from a link.
    AdHocConnectedAppMetadata {
        /// Server URL last told to the application.
        last_sent_server_url: Option<String>,
        /// How far connecting has come.
        connection_status: Option<AppConnectionStatus>,
        /// How far uninstalling has come; null unless it has begun.
        uninstallation_status: Option<AppUninstallationStatus>,
        /// When uninstalling began.
        uninstallation_started_at: Option<DateTime>,
    },
    /// Installed from a marketplace.
    MarketplaceAppMetadata {
        /// Id in the marketplace.
        marketplace_app_id: String,
        /// Server URL last told to the application.
        last_sent_server_url: String,
        /// How far connecting has come.
        connection_status: AppConnectionStatus,
        /// How far uninstalling has come; null unless it has begun.
        uninstallation_status: Option<AppUninstallationStatus>,
        /// When uninstalling began.
        uninstallation_started_at: Option<DateTime>,
    },
    /// Connects a product that is known by name.
    FeaturedIntegrationAppMetadata {
        /// The product.
        r#type: FeaturedIntegrationType,
        /// How far connecting has come; null for one that lives in this organization alone.
        connection_status: Option<AppConnectionStatus>,
        /// How far uninstalling has come; null unless it has begun.
        uninstallation_status: Option<AppUninstallationStatus>,
        /// When uninstalling began.
        uninstallation_started_at: Option<DateTime>,
    },
}

/// How far connecting an application has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AppConnectionStatus {
    /// The first payload is on its way.
    Connecting,
    /// The application did not accept the first payload.
    FailedToConnect,
    /// A changed server URL is on its way.
    Reconnecting,
    /// The application has answered.
    Connected,
}

/// How far uninstalling an application has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AppUninstallationStatus {
    /// The last payload is on its way.
    SendingUninstallPayload,
    /// The last payload was refused and is tried again.
    RetryingSendingUninstallPayload,
    /// The application never accepted the last payload.
    Failed,
    /// The application has acknowledged.
    Uninstalled,
}
