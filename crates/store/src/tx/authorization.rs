//! Rights of applications: how far each has come in each context, and which ones an application needs anywhere.

use spaceport_platform::authorization::{AuthorizedRight, Family, MAX_MAKERS, RightStatus};
use spaceport_platform::context::Context;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::grant::{principal_columns, principal_of};
use crate::value::{Row, Value};

impl Tx<'_> {
    /// Rights of an application in a context that were asked for, granted or refused, by code.
    pub fn authorized_rights(
        &mut self,
        application: &ApplicationId,
        context: &Context,
    ) -> Result<Vec<AuthorizedRight>, StoreError> {
        let sql = "SELECT right_code, status, author_kind, author_id, modified_at FROM authorized_right \
                   WHERE application_id = $1 AND context = $2 AND status <> 'NONE'";
        let rows = self.connection.query(sql, &[application.into(), context.to_string().into()])?;
        let mut rights = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        rights.sort_by(|a, b| a.right.cmp(&b.right));
        Ok(rights)
    }

    /// Stores how far rights of an application in a context have come. Who reads them first in the same
    /// transaction holds the application ([`Tx::application`]), so that nobody's change is lost.
    pub fn set_authorized_rights(
        &mut self,
        application: &ApplicationId,
        context: &Context,
        rights: &[AuthorizedRight],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO authorized_right (application_id, context, right_code, status, author_kind, author_id, modified_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (application_id, context, right_code) DO UPDATE SET \
                   status = excluded.status, author_kind = excluded.author_kind, author_id = excluded.author_id, \
                   modified_at = excluded.modified_at";
        let sets: Vec<Vec<Value>> = rights
            .iter()
            .map(|right| {
                let author = principal_columns(&right.author);
                vec![
                    application.into(),
                    context.to_string().into(),
                    right.right.code().into(),
                    right.status.name().into(),
                    author.map(|(kind, _)| kind).into(),
                    author.map(|(_, id)| id).into(),
                    right.modified_at.into(),
                ]
            })
            .collect();
        self.connection.execute_many(sql, &sets)?;
        self.rights_changed()
    }

    /// Rights that an application asked for and nobody has answered, by context and code.
    pub fn requested_rights(&mut self, application: &ApplicationId) -> Result<Vec<(Context, Right)>, StoreError> {
        let sql = "SELECT context, right_code FROM authorized_right WHERE application_id = $1 AND status = 'REQUESTED'";
        let rows = self.connection.query(sql, &[application.into()])?;
        let read = |mut row: Row| Ok((context(&row.text()?)?, Right::from_code(&row.text()?)));
        let mut rights = rows.into_iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
        rights.sort();
        Ok(rights)
    }

    /// Contexts in which an application holds at least one right, in the order of their stored forms.
    pub fn authorized_contexts(&mut self, application: &ApplicationId) -> Result<Vec<Context>, StoreError> {
        let sql = "SELECT DISTINCT context FROM authorized_right WHERE application_id = $1 AND status = 'GRANTED'";
        let rows = self.connection.query(sql, &[application.into()])?;
        let mut contexts = rows.into_iter().map(|mut row| context(&row.text()?)).collect::<Result<Vec<_>, _>>()?;
        contexts.sort();
        Ok(contexts)
    }

    /// Applications that hold at least one right in a context, archived ones left out, by id.
    pub fn authorized_applications(&mut self, context: &Context) -> Result<Vec<ApplicationId>, StoreError> {
        let sql = "SELECT DISTINCT r.application_id FROM authorized_right r JOIN application a ON a.id = r.application_id \
                   WHERE r.context = $1 AND r.status = 'GRANTED' AND a.archived_at IS NULL";
        let rows = self.connection.query(sql, &[context.to_string().into()])?;
        let mut ids =
            rows.into_iter().map(|mut row| row.text().map(ApplicationId::new)).collect::<Result<Vec<_>, _>>()?;
        ids.sort();
        Ok(ids)
    }

    /// Rights an application needs wherever it is authorized, by code.
    pub fn required_rights(&mut self, application: &ApplicationId) -> Result<Vec<Right>, StoreError> {
        let sql = "SELECT right_code FROM required_right WHERE application_id = $1";
        let rows = self.connection.query(sql, &[application.into()])?;
        let mut rights = rows
            .into_iter()
            .map(|mut row| row.text().map(|code| Right::from_code(&code)))
            .collect::<Result<Vec<_>, _>>()?;
        rights.sort();
        Ok(rights)
    }

    /// Adds and removes required rights; what is there already, or is not, is left alone.
    pub fn change_required_rights(
        &mut self,
        application: &ApplicationId,
        add: &[Right],
        remove: &[Right],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = "DELETE FROM required_right WHERE application_id = $1 AND right_code = $2";
        let sets: Vec<Vec<Value>> = remove.iter().map(|right| vec![application.into(), right.code().into()]).collect();
        self.connection.execute_many(sql, &sets)?;
        let sql = "INSERT INTO required_right (application_id, right_code, added_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let sets: Vec<Vec<Value>> =
            add.iter().map(|right| vec![application.into(), right.code().into(), now.into()]).collect();
        self.connection.execute_many(sql, &sets).map(|_| ())
    }

    /// The row of makers an application comes from. A row longer than any real one ends where it is cut.
    pub fn family(&mut self, application: &ApplicationId) -> Result<Family, StoreError> {
        let mut root = application.clone();
        for _ in 0..MAX_MAKERS {
            let sql = "SELECT owner_application_id FROM application WHERE id = $1";
            let found = self.connection.query(sql, &[(&root).into()])?.pop();
            match found.map_or(Ok(None), |mut row| row.optional_text())? {
                Some(maker) => root = ApplicationId::new(maker),
                None => break,
            }
        }
        Ok(Family { application: application.clone(), root })
    }
}

pub(super) fn context(stored: &str) -> Result<Context, StoreError> {
    Context::from_stored(stored).ok_or_else(|| StoreError::corrupt(format!("the context {stored}")))
}

fn read(mut row: Row) -> Result<AuthorizedRight, StoreError> {
    let (right, status) = (row.text()?, row.text()?);
    let author = principal_of(&mut row)?;
    Ok(AuthorizedRight {
        right: Right::from_code(&right),
        status: RightStatus::from_name(&status)
            .ok_or_else(|| StoreError::corrupt(format!("the status {status} of a right")))?,
        author,
        modified_at: row.time()?,
    })
}
