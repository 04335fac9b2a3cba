//! What applications add to the pages of a context.

use spaceport_platform::context::Context;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::authorization::context as context_of;
use crate::value::{Row, Value};

impl Tx<'_> {
    /// What an application adds in each context in which it ever said so, as it was stored, by context.
    pub fn ui_extensions(&mut self, application: &ApplicationId) -> Result<Vec<(Context, String)>, StoreError> {
        let sql = "SELECT context, extensions FROM ui_extension WHERE application_id = $1";
        let rows = self.connection.query(sql, &[application.into()])?;
        let read = |mut row: Row| Ok((context_of(&row.text()?)?, row.text()?));
        let mut found = rows.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        found.sort();
        Ok(found)
    }

    /// The same for many applications at once, by application and context.
    pub fn ui_extensions_of(
        &mut self,
        applications: &[ApplicationId],
    ) -> Result<Vec<(ApplicationId, Context, String)>, StoreError> {
        let ids: Vec<Value> = applications.iter().map(Value::from).collect();
        let select = "SELECT application_id, context, extensions FROM ui_extension";
        let rows = self.rows_in(select, "application_id", &ids)?;
        let read = |mut row: Row| Ok((ApplicationId::new(row.text()?), context_of(&row.text()?)?, row.text()?));
        let mut found = rows.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        found.sort();
        Ok(found)
    }

    /// What an application adds in one context, as it was stored; `None` when it never said so.
    pub fn ui_extensions_in(
        &mut self,
        application: &ApplicationId,
        context: &Context,
    ) -> Result<Option<String>, StoreError> {
        let sql = "SELECT extensions FROM ui_extension WHERE application_id = $1 AND context = $2";
        let found = self.connection.query(sql, &[application.into(), context.to_string().into()])?.pop();
        found.map(|mut row| row.text()).transpose()
    }

    /// Replaces what an application adds in a context. Who read it first in the same transaction holds the application
    /// ([`Tx::application`]), so that nobody's change is lost.
    pub fn set_ui_extensions(
        &mut self,
        application: &ApplicationId,
        context: &Context,
        extensions: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO ui_extension (application_id, context, extensions, updated_at) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (application_id, context) DO UPDATE SET extensions = excluded.extensions, \
                   updated_at = excluded.updated_at";
        let values = [application.into(), context.to_string().into(), extensions.into(), now.into()];
        self.connection.execute(sql, &values).map(|_| ())
    }
}
