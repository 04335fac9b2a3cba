//! Profiles and what is granted to whom.

use spaceport_platform::access::{Grant, Principal};
use spaceport_platform::context::Context;
use spaceport_platform::id::ProfileId;
use spaceport_platform::profile::Profile;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::{Tx, placeholders};
use crate::value::{Row, Value};

const COLUMNS: &str = "id, username, first_name, last_name, created_at, archived_at";

impl Tx<'_> {
    /// Stores a new profile.
    pub fn insert_profile(&mut self, profile: &Profile) -> Result<(), StoreError> {
        let sql = "INSERT INTO profile (id, username, first_name, last_name, created_at, archived_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let values: [Value; 6] = [
            (&profile.id).into(),
            profile.username.as_str().into(),
            profile.first_name.as_str().into(),
            profile.last_name.as_str().into(),
            profile.created_at.into(),
            profile.archived_at.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// The profile with this id.
    pub fn profile(&mut self, id: &ProfileId) -> Result<Option<Profile>, StoreError> {
        Ok(self.profiles(std::slice::from_ref(id))?.pop())
    }

    /// The profiles with these ids, in no order; unknown ids are left out.
    pub fn profiles(&mut self, ids: &[ProfileId]) -> Result<Vec<Profile>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE id IN ({})", placeholders(1, ids.len()));
        let values: Vec<Value> = ids.iter().map(Value::from).collect();
        self.connection.query(&sql, &values)?.into_iter().map(read).collect()
    }

    /// The profile with this username.
    pub fn profile_by_username(&mut self, username: &str) -> Result<Option<Profile>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM profile WHERE username = $1");
        self.connection.query(&sql, &[username.into()])?.pop().map(read).transpose()
    }

    /// What is granted to a principal; nothing to nobody.
    pub fn grants(&mut self, principal: &Principal) -> Result<Vec<Grant>, StoreError> {
        let Some((kind, id)) = principal_columns(principal) else { return Ok(Vec::new()) };
        let sql = "SELECT right_code, context FROM granted_right WHERE principal_kind = $1 AND principal_id = $2";
        let rows = self.connection.query(sql, &[kind.into(), id.into()])?;
        rows.into_iter()
            .map(|mut row| {
                let (right, context) = (row.text()?, row.text()?);
                let context = Context::from_stored(&context)
                    .ok_or_else(|| StoreError::corrupt(format!("the context {context}")))?;
                Ok(Grant { right: Right::from_code(&right), context })
            })
            .collect()
    }

    /// Grants a right; granting it again changes nothing.
    pub fn grant(&mut self, principal: &Principal, grant: &Grant, now: Timestamp) -> Result<(), StoreError> {
        let Some((kind, id)) = principal_columns(principal) else { return Ok(()) };
        let sql = "INSERT INTO granted_right (principal_kind, principal_id, right_code, context, granted_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
        let values = [kind.into(), id.into(), grant.right.code().into(), grant.context.to_string().into(), now.into()];
        self.connection.execute(sql, &values).map(|_| ())
    }
}

/// How a principal is stored; `None` for nobody.
pub(crate) fn principal_columns(principal: &Principal) -> Option<(&'static str, &str)> {
    match principal {
        Principal::Nobody => None,
        Principal::Application(id) => Some(("application", id.as_str())),
        Principal::User(id) => Some(("profile", id.as_str())),
    }
}

fn read(mut row: Row) -> Result<Profile, StoreError> {
    Ok(Profile {
        id: ProfileId::new(row.text()?),
        username: row.text()?,
        first_name: row.text()?,
        last_name: row.text()?,
        created_at: row.time()?,
        archived_at: row.optional_time()?,
    })
}
