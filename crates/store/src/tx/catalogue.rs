//! Rights, classes of filters and rights on fields of the host's own, which the catalogue holds beside the built-in ones.

use spaceport_platform::catalogue::RightEntry;
use spaceport_platform::field_right::FieldRight;
use spaceport_platform::id::WebhookId;
use spaceport_platform::right::Right;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::revision::Remembered;
use crate::value::{Row, Value};

/// A class of filters of the host's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnFilter {
    /// `className` of filters that applications send.
    pub code: String,
    /// Codes of the subjects whose subscriptions may have it.
    pub subjects: Vec<String>,
    /// Its description, as the host gave it.
    pub definition: String,
}

/// The fields of an event type's payload that demand a right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnFieldRights {
    /// Code of the event type.
    pub event_type: String,
    /// Paths and rights, in the host's order.
    pub fields: Vec<FieldRight>,
}

impl Tx<'_> {
    /// Stores rights on fields in place of those of the same event type; without any, none is left.
    pub fn save_field_rights(&mut self, rights: &OwnFieldRights) -> Result<(), StoreError> {
        self.changed(Remembered::Catalogue)?;
        let event_type = Value::from(rights.event_type.as_str());
        let sql = "DELETE FROM catalogue_field_right WHERE event_type = $1";
        self.connection.execute(sql, std::slice::from_ref(&event_type))?;
        let row = |(place, field): (i64, &FieldRight)| {
            vec![event_type.clone(), place.into(), field.path.as_str().into(), field.right.code().into()]
        };
        let rows: Vec<Vec<Value>> = (0..).zip(&rights.fields).map(row).collect();
        let sql = "INSERT INTO catalogue_field_right (event_type, place, path, right_code) VALUES ($1, $2, $3, $4)";
        self.connection.execute_many(sql, &rows).map(|_| ())
    }

    /// Rights on fields of payloads, by event type.
    pub fn own_field_rights(&mut self) -> Result<Vec<OwnFieldRights>, StoreError> {
        let sql = "SELECT event_type, path, right_code FROM catalogue_field_right ORDER BY event_type, place";
        let mut all: Vec<OwnFieldRights> = Vec::new();
        for mut row in self.connection.query(sql, &[])? {
            let (event_type, path, right) = (row.text()?, row.text()?, Right::from_code(&row.text()?));
            let field = FieldRight { path, right };
            match all.last_mut().filter(|last| last.event_type == event_type) {
                Some(last) => last.fields.push(field),
                None => all.push(OwnFieldRights { event_type, fields: vec![field] }),
            }
        }
        Ok(all)
    }

    /// Deletes a class of filters of the host's own.
    pub fn delete_filter(&mut self, code: &str) -> Result<(), StoreError> {
        self.changed(Remembered::Catalogue)?;
        self.connection.execute("DELETE FROM catalogue_filter WHERE class_name = $1", &[code.into()]).map(|_| ())
    }

    /// Stores a class of filters in place of the one with the same code.
    pub fn save_filter(&mut self, filter: &OwnFilter) -> Result<(), StoreError> {
        self.changed(Remembered::Catalogue)?;
        let sql = "INSERT INTO catalogue_filter (class_name, subjects, definition) VALUES ($1, $2, $3) \
                   ON CONFLICT (class_name) DO UPDATE SET subjects = excluded.subjects, definition = excluded.definition";
        let values = [filter.code.as_str().into(), filter.subjects.join(" ").into(), filter.definition.as_str().into()];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// The host's classes of filters, by code.
    pub fn own_filters(&mut self) -> Result<Vec<OwnFilter>, StoreError> {
        let sql = "SELECT class_name, subjects, definition FROM catalogue_filter ORDER BY class_name";
        let read = |mut row: Row| {
            let (code, subjects) = (row.text()?, row.text()?);
            let subjects = subjects.split_ascii_whitespace().map(str::to_owned).collect();
            Ok(OwnFilter { code, subjects, definition: row.text()? })
        };
        self.connection.query(sql, &[])?.into_iter().map(read).collect()
    }

    /// Up to `limit` webhooks that are not archived, of applications that are not, with a subscription that has a filter of
    /// this class.
    pub fn filter_use(&mut self, code: &str, limit: u32) -> Result<Vec<WebhookId>, StoreError> {
        let sql = "SELECT DISTINCT w.id FROM subscription_filter f JOIN subscription s ON s.id = f.subscription_id \
                   JOIN webhook w ON w.id = s.webhook_id JOIN application a ON a.id = w.application_id \
                   WHERE f.class = $1 AND w.archived_at IS NULL AND a.archived_at IS NULL ORDER BY w.id LIMIT $2";
        let rows = self.connection.query(sql, &[code.into(), limit.into()])?;
        rows.into_iter().map(|mut row| Ok(WebhookId::new(row.text()?))).collect()
    }

    /// Stores a right in place of the one with the same code.
    pub fn save_right(&mut self, entry: &RightEntry) -> Result<(), StoreError> {
        self.changed(Remembered::Catalogue)?;
        let sql = "INSERT INTO catalogue_right (code, title, description, target, heading, dependencies) \
                   VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (code) DO UPDATE SET title = excluded.title, \
                   description = excluded.description, target = excluded.target, heading = excluded.heading, \
                   dependencies = excluded.dependencies";
        let values = [
            entry.code.as_str().into(),
            entry.title.as_str().into(),
            entry.description.as_str().into(),
            entry.target.as_str().into(),
            entry.group.as_str().into(),
            entry.dependencies.join(" ").into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }

    /// The host's rights, by code.
    pub fn own_rights(&mut self) -> Result<Vec<RightEntry>, StoreError> {
        let sql = "SELECT code, title, description, target, heading, dependencies FROM catalogue_right";
        let rows = self.connection.query(sql, &[])?;
        let mut rights = rows
            .into_iter()
            .map(|mut row| {
                Ok(RightEntry {
                    code: row.text()?,
                    title: row.text()?,
                    description: row.text()?,
                    target: row.text()?,
                    group: row.text()?,
                    dependencies: row.text()?.split_ascii_whitespace().map(str::to_owned).collect(),
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        rights.sort_by(|a, b| a.code.cmp(&b.code));
        Ok(rights)
    }
}
