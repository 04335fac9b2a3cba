//! Applications.

use spaceport_platform::access::{Owner, Principal};
use spaceport_platform::application::{Application, AuthenticationMethod, Endpoint, Flows};
use spaceport_platform::id::{ApplicationId, ProfileId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::{Tx, containing, placeholders};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, client_id, name, description, email, default_external_picture, owner_profile_id, owner_application_id, \
     created_at, updated_at, archived_at, client_credentials, code_flow, code_redirect_uris, pkce_required, \
     public_clients_allowed, implicit_flow, implicit_redirect_uris, endpoint_url, endpoint_ssl_verification, authentication, \
     basic_username, tokens_not_before, revision";

/// Which applications a list holds.
#[derive(Clone, Default, Debug)]
pub struct ApplicationFilter {
    /// Part of the name, in any case.
    pub name: Option<String>,
    /// Owned by any of these people; everybody when empty.
    pub owners: Vec<ProfileId>,
    /// Archived ones too.
    pub with_archived: bool,
    /// Those made by other applications too.
    pub with_managed: bool,
}

/// In which order a list comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ApplicationOrder {
    /// By name.
    NameAscending,
    /// By name, backwards.
    NameDescending,
    /// The one changed last comes first.
    LastEdited,
}

impl Tx<'_> {
    /// Stores a new application.
    pub fn insert_application(&mut self, application: &Application) -> Result<(), StoreError> {
        let sql = format!("INSERT INTO application ({COLUMNS}, name_folded) VALUES ({})", placeholders(1, 25));
        self.connection.execute(&sql, &values(application)).map(|_| ())
    }

    /// Stores changed settings and counts a revision.
    pub fn update_application(&mut self, application: &Application) -> Result<(), StoreError> {
        let mut values = values(application);
        values.remove(0);
        let columns = COLUMNS.split(", ").skip(1).chain(["name_folded"]);
        let sets: Vec<String> = columns
            .enumerate()
            .map(|(index, column)| match column.trim() {
                "revision" => format!("revision = CAST(${} AS BIGINT) + 1", index + 1),
                other => format!("{other} = ${}", index + 1),
            })
            .collect();
        values.push((&application.id).into());
        let sql = format!("UPDATE application SET {} WHERE id = ${}", sets.join(", "), values.len());
        self.connection.execute(&sql, &values).map(|_| ())
    }

    /// The application with this id, archived or not. In a writing transaction it cannot change under the
    /// caller before the commit, so that [`Self::update_application`] loses nobody's change.
    pub fn application(&mut self, id: &ApplicationId) -> Result<Option<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM application WHERE id = $1 {}", self.connection.held_for_update());
        self.connection.query(&sql, &[id.into()])?.pop().map(read).transpose()
    }

    /// The application with this client id, archived or not.
    pub fn application_by_client_id(&mut self, client_id: &str) -> Result<Option<Application>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM application WHERE client_id = $1");
        self.connection.query(&sql, &[client_id.into()])?.pop().map(read).transpose()
    }

    /// A page of applications, and how many there are in all.
    pub fn applications(
        &mut self,
        filter: &ApplicationFilter,
        order: ApplicationOrder,
        offset: i64,
        limit: i64,
    ) -> Result<(Vec<Application>, i64), StoreError> {
        let mut values: Vec<Value> = Vec::new();
        let mut conditions = vec!["1 = 1".to_owned()];
        if let Some(name) = &filter.name {
            values.push(containing(name));
            conditions.push(format!("name_folded LIKE ${} ESCAPE '!'", values.len()));
        }
        if !filter.owners.is_empty() {
            conditions.push(format!("owner_profile_id IN ({})", placeholders(values.len() + 1, filter.owners.len())));
            values.extend(filter.owners.iter().map(Value::from));
        }
        if !filter.with_archived {
            conditions.push("archived_at IS NULL".to_owned());
        }
        if !filter.with_managed {
            conditions.push("owner_application_id IS NULL".to_owned());
        }
        let condition = conditions.join(" AND ");
        let count = format!("SELECT COUNT(*) FROM application WHERE {condition}");
        let total = self.connection.query(&count, &values)?.pop().map_or(Ok(0), |mut row| row.int())?;
        let order = match order {
            ApplicationOrder::NameAscending => "name_folded, id",
            ApplicationOrder::NameDescending => "name_folded DESC, id",
            ApplicationOrder::LastEdited => "updated_at DESC, id",
        };
        let (take, skip) = (values.len() + 1, values.len() + 2);
        let sql = format!(
            "SELECT {COLUMNS} FROM application WHERE {condition} ORDER BY {order} LIMIT ${take} OFFSET ${skip}"
        );
        values.extend([limit.into(), offset.into()]);
        let found = self.connection.query(&sql, &values)?.into_iter().map(read).collect::<Result<_, _>>()?;
        Ok((found, total))
    }

    /// Archives: tokens end, deliveries that wait are cancelled.
    pub fn archive_application(&mut self, id: &ApplicationId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE application SET archived_at = $1, updated_at = $1, tokens_not_before = $1, revision = revision + 1 WHERE id = $2";
        self.connection.execute(sql, &[now.into(), id.into()])?;
        let sql = "UPDATE delivery SET state = 'cancelled', finished_at = $1 WHERE application_id = $2 AND finished_at IS NULL";
        self.connection.execute(sql, &[now.into(), id.into()])?;
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
        application.name.to_lowercase().into(),
    ]
}

fn read(mut row: Row) -> Result<Application, StoreError> {
    let mut application = Application {
        id: ApplicationId::new(row.text()?),
        client_id: row.text()?,
        name: row.text()?,
        description: row.optional_text()?,
        email: row.optional_text()?,
        default_external_picture: row.optional_text()?,
        owner: match (row.optional_text()?, row.optional_text()?) {
            (Some(profile), None) => Owner::User(ProfileId::new(profile)),
            (None, Some(application)) => Owner::Application(ApplicationId::new(application)),
            _ => return Err(StoreError::corrupt("an application without one owner")),
        },
        created_at: row.time()?,
        updated_at: row.time()?,
        archived_at: row.optional_time()?,
        flows: Flows {
            client_credentials: row.flag()?,
            code: row.flag()?,
            code_redirect_uris: row.optional_text()?,
            pkce_required: row.flag()?,
            public_clients_allowed: row.flag()?,
            implicit: row.flag()?,
            implicit_redirect_uris: row.optional_text()?,
        },
        endpoint: None,
        authentication: AuthenticationMethod::PublicKey,
        tokens_not_before: Timestamp::from_millis(0),
        revision: 0,
    };
    let (url, ssl_verification) = (row.optional_text()?, row.flag()?);
    application.endpoint = url.map(|url| Endpoint { url, ssl_verification });
    let (method, username) = (row.text()?, row.optional_text()?);
    application.authentication = AuthenticationMethod::from_stored(&method, username)
        .ok_or_else(|| StoreError::corrupt(format!("the authentication method {method}")))?;
    application.tokens_not_before = row.time()?;
    application.revision = row.int()?;
    Ok(application)
}
