//! Parameters of applications, and of applications for one person.

use spaceport_platform::parameter::{Parameter, ParameterOwner};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::Value;

impl Tx<'_> {
    /// All parameters of an owner, ordered by key.
    pub fn parameters(&mut self, owner: &ParameterOwner) -> Result<Vec<Parameter>, StoreError> {
        let sql = "SELECT name, value FROM parameter WHERE application_id = $1 AND profile_id = $2 ORDER BY name";
        let rows = self.connection.query(sql, &columns(owner))?;
        rows.into_iter().map(|mut row| Ok(Parameter { key: row.text()?, value: row.text()? })).collect()
    }

    /// The value under a key.
    pub fn parameter(&mut self, owner: &ParameterOwner, key: &str) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM parameter WHERE application_id = $1 AND profile_id = $2 AND name = $3";
        let [application, profile] = columns(owner);
        let found = self.connection.query(sql, &[application, profile, key.into()])?.pop();
        found.map(|mut row| row.text()).transpose()
    }

    /// How many parameters an owner has.
    pub fn parameter_count(&mut self, owner: &ParameterOwner) -> Result<i64, StoreError> {
        let sql = "SELECT COUNT(*) FROM parameter WHERE application_id = $1 AND profile_id = $2";
        let found = self.connection.query(sql, &columns(owner))?.pop();
        found.map_or(Ok(0), |mut row| row.int())
    }

    /// Sets a parameter, in place of the one with the same key.
    pub fn set_parameter(
        &mut self,
        owner: &ParameterOwner,
        parameter: &Parameter,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO parameter (application_id, profile_id, name, value, updated_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (application_id, profile_id, name) \
                   DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
        let [application, profile] = columns(owner);
        let values = [application, profile, parameter.key.as_str().into(), parameter.value.as_str().into(), now.into()];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// Removes a parameter; says whether there was one.
    pub fn remove_parameter(&mut self, owner: &ParameterOwner, key: &str) -> Result<bool, StoreError> {
        let sql = "DELETE FROM parameter WHERE application_id = $1 AND profile_id = $2 AND name = $3";
        let [application, profile] = columns(owner);
        Ok(self.connection.execute(sql, &[application, profile, key.into()])? > 0)
    }
}

/// The empty text stands for nobody, so that the key of the table covers both kinds.
fn columns(owner: &ParameterOwner) -> [Value; 2] {
    [(&owner.application).into(), owner.profile.as_ref().map_or("", |profile| profile.as_str()).into()]
}
