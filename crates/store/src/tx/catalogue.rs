//! Rights and classes of filters of the host's own, which the catalogue holds beside the built-in ones.

use spaceport_platform::catalogue::RightEntry;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::revision::Remembered;
use crate::value::Row;

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

impl Tx<'_> {
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
