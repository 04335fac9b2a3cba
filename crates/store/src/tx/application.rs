//! Applications: stored, found, archived. How they are listed is in [`super::application_list`].

use spaceport_platform::access::{Owner, Principal};
use spaceport_platform::application::{Application, AuthenticationMethod, Endpoint, Flows, VerificationToken};
use spaceport_platform::connection::{
    Connection, ConnectionStatus, FeaturedIntegration, Uninstallation, UninstallationStatus,
};
use spaceport_platform::id::{ApplicationId, AttachmentId, ProfileId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::{Tx, placeholders};
use crate::value::{Row, Value};

pub(crate) const COLUMNS: &str = "id, client_id, name, description, email, default_external_picture, owner_profile_id, \
     owner_application_id, created_at, updated_at, archived_at, client_credentials, code_flow, code_redirect_uris, \
     pkce_required, public_clients_allowed, implicit_flow, implicit_redirect_uris, endpoint_url, endpoint_ssl_verification, \
     authentication, basic_username, tokens_not_before, revision, picture_id, verification_token, ssl_keystore, \
     featured_integration, connected, marketplace_id, connection_status, last_sent_server_url, uninstallation_status, \
     uninstallation_started_at, external_issue_tracker_domain, error_message, healthy_at";

/// Columns that [`Tx::update_application`] leaves alone, because applications report them about themselves.
const REPORTED: [&str; 2] = ["error_message", "healthy_at"];

impl Tx<'_> {
    /// Stores a new application.
    pub fn insert_application(&mut self, application: &Application) -> Result<(), StoreError> {
        let columns: Vec<&str> = COLUMNS.split(", ").chain(["name_folded"]).collect();
        let sql =
            format!("INSERT INTO application ({COLUMNS}, name_folded) VALUES ({})", placeholders(1, columns.len()));
        self.connection.execute(&sql, &values(application)).map(|_| ())
    }

    /// Stores changed settings and counts a revision. What applications report about themselves (error message,
    /// health) stays as it is.
    pub fn update_application(&mut self, application: &Application) -> Result<(), StoreError> {
        self.rights_changed()?;
        self.keep_place(&application.id, application.updated_at)?;
        let (mut sets, mut bound) = (Vec::new(), Vec::new());
        let columns = COLUMNS.split(", ").chain(["name_folded"]).map(str::trim);
        for (column, value) in columns.zip(values(application)) {
            if column == "id" || REPORTED.contains(&column) {
                continue;
            }
            bound.push(value);
            sets.push(match column {
                "revision" => format!("revision = CAST(${} AS BIGINT) + 1", bound.len()),
                other => format!("{other} = ${}", bound.len()),
            });
        }
        bound.push((&application.id).into());
        let sql = format!("UPDATE application SET {} WHERE id = ${}", sets.join(", "), bound.len());
        self.connection.execute(&sql, &bound).map(|_| ())
    }

    /// The application with this id, archived or not. In a writing transaction it cannot change under the
    /// caller before the commit, so that [`Self::update_application`] loses nobody's change.
    pub fn application(&mut self, id: &ApplicationId) -> Result<Option<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM application WHERE id = $1 {}", self.connection.held_for_update());
        self.connection.query(&sql, &[id.into()])?.pop().map(read).transpose()
    }

    /// The name of an application, archived or not, without keeping others from changing it.
    pub fn application_name(&mut self, id: &ApplicationId) -> Result<Option<String>, StoreError> {
        let found = self.connection.query("SELECT name FROM application WHERE id = $1", &[id.into()])?.pop();
        found.map(|mut row| row.text()).transpose()
    }

    /// The application with this client id, archived or not.
    pub fn application_by_client_id(&mut self, client_id: &str) -> Result<Option<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM application WHERE client_id = $1");
        self.connection.query(&sql, &[client_id.into()])?.pop().map(read).transpose()
    }

    /// Stores what the application reports as its problem; `None` when there is none any more. No revision: nothing
    /// depends on it.
    pub fn set_error_message(&mut self, id: &ApplicationId, message: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE application SET error_message = $1 WHERE id = $2";
        self.connection.execute(sql, &[message.into(), id.into()]).map(|_| ())
    }

    /// Stores that the application reported itself healthy.
    pub fn set_healthy(&mut self, id: &ApplicationId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE application SET healthy_at = $1 WHERE id = $2";
        self.connection.execute(sql, &[now.into(), id.into()]).map(|_| ())
    }

    /// Archives: tokens end, deliveries that wait are cancelled.
    pub fn archive_application(&mut self, id: &ApplicationId, now: Timestamp) -> Result<(), StoreError> {
        self.rights_changed()?;
        self.keep_place(id, now)?;
        let sql = "UPDATE application SET archived_at = $1, updated_at = $1, tokens_not_before = $1, revision = revision + 1 WHERE id = $2";
        self.connection.execute(sql, &[now.into(), id.into()])?;
        let sql = "UPDATE delivery SET state = 'cancelled', finished_at = $1 WHERE application_id = $2 AND finished_at IS NULL";
        self.connection.execute(sql, &[now.into(), id.into()])?;
        self.end_delegations_to(id, now)?;
        self.revoke_tokens_of(&Principal::Application(id.clone()), now)
    }
}

fn values(application: &Application) -> Vec<Value> {
    let (owner_profile, owner_application) = match &application.owner {
        Owner::User(id) => (Some(id), None),
        Owner::Application(id) => (None, Some(id)),
    };
    let username = match &application.authentication {
        AuthenticationMethod::Basic { username } => Some(username.as_str()),
        _ => None,
    };
    let text = |text: &Option<String>| Value::from(text.as_deref());
    let flows = &application.flows;
    let connection = application.connection.as_ref();
    let uninstallation = connection.and_then(|connection| connection.uninstallation);
    vec![
        (&application.id).into(),
        application.client_id.as_str().into(),
        application.name.as_str().into(),
        text(&application.description),
        text(&application.email),
        text(&application.default_external_picture),
        owner_profile.into(),
        owner_application.into(),
        application.created_at.into(),
        application.updated_at.into(),
        application.archived_at.into(),
        flows.client_credentials.into(),
        flows.code.into(),
        text(&flows.code_redirect_uris),
        flows.pkce_required.into(),
        flows.public_clients_allowed.into(),
        flows.implicit.into(),
        text(&flows.implicit_redirect_uris),
        application.endpoint.as_ref().map(|endpoint| endpoint.url.as_str()).into(),
        application.endpoint.as_ref().is_none_or(|endpoint| endpoint.ssl_verification).into(),
        application.authentication.name().into(),
        username.into(),
        application.tokens_not_before.into(),
        application.revision.into(),
        application.picture.as_ref().into(),
        (application.verification_token == VerificationToken::Sent).into(),
        text(&application.ssl_keystore),
        application.featured_integration.map(FeaturedIntegration::name).into(),
        connection.is_some().into(),
        connection.and_then(|connection| connection.marketplace_id.as_deref()).into(),
        connection.and_then(|connection| connection.status).map(ConnectionStatus::name).into(),
        connection.and_then(|connection| connection.last_sent_server_url.as_deref()).into(),
        uninstallation.map(|uninstallation| uninstallation.status.name()).into(),
        uninstallation.map(|uninstallation| uninstallation.started_at).into(),
        text(&application.external_issue_tracker_domain),
        text(&application.error_message),
        application.healthy_at.into(),
        application.name.to_lowercase().into(),
    ]
}

pub(crate) fn read(mut row: Row) -> Result<Application, StoreError> {
    let (id, client_id, name) = (ApplicationId::new(row.text()?), row.text()?, row.text()?);
    let (description, email, default_external_picture) =
        (row.optional_text()?, row.optional_text()?, row.optional_text()?);
    let owner = match (row.optional_text()?, row.optional_text()?) {
        (Some(profile), None) => Owner::User(ProfileId::new(profile)),
        (None, Some(application)) => Owner::Application(ApplicationId::new(application)),
        _ => return Err(StoreError::corrupt("an application without one owner")),
    };
    let mut application = Application::new(id, client_id, name, owner, row.time()?);
    application.description = description;
    application.email = email;
    application.default_external_picture = default_external_picture;
    application.updated_at = row.time()?;
    application.archived_at = row.optional_time()?;
    application.flows = Flows {
        client_credentials: row.flag()?,
        code: row.flag()?,
        code_redirect_uris: row.optional_text()?,
        pkce_required: row.flag()?,
        public_clients_allowed: row.flag()?,
        implicit: row.flag()?,
        implicit_redirect_uris: row.optional_text()?,
    };
    let (url, ssl_verification) = (row.optional_text()?, row.flag()?);
    application.endpoint = url.map(|url| Endpoint { url, ssl_verification });
    let (method, username) = (row.text()?, row.optional_text()?);
    application.authentication = AuthenticationMethod::from_stored(&method, username)
        .ok_or_else(|| StoreError::corrupt(format!("the authentication method {method}")))?;
    application.tokens_not_before = row.time()?;
    application.revision = row.int()?;
    application.picture = row.optional_text()?.map(AttachmentId::new);
    application.verification_token = if row.flag()? { VerificationToken::Sent } else { VerificationToken::Unused };
    application.ssl_keystore = row.optional_text()?;
    application.featured_integration = named(row.optional_text()?, FeaturedIntegration::from_stored)?;
    application.connection = connection(&mut row)?;
    application.external_issue_tracker_domain = row.optional_text()?;
    application.error_message = row.optional_text()?;
    application.healthy_at = row.optional_time()?;
    Ok(application)
}

fn connection(row: &mut Row) -> Result<Option<Connection>, StoreError> {
    let connected = row.flag()?;
    let connection = Connection {
        marketplace_id: row.optional_text()?,
        status: named(row.optional_text()?, ConnectionStatus::from_stored)?,
        last_sent_server_url: row.optional_text()?,
        uninstallation: match (named(row.optional_text()?, UninstallationStatus::from_stored)?, row.optional_time()?) {
            (Some(status), Some(started_at)) => Some(Uninstallation { status, started_at }),
            (None, _) => None,
            (Some(_), None) => return Err(StoreError::corrupt("an uninstallation that never began")),
        },
    };
    Ok(connected.then_some(connection))
}

/// A state by its stored name.
fn named<T>(name: Option<String>, from_stored: fn(&str) -> Option<T>) -> Result<Option<T>, StoreError> {
    let unknown = |name: &str| StoreError::corrupt(format!("a state called {name}"));
    name.map(|name| from_stored(&name).ok_or_else(|| unknown(&name))).transpose()
}
