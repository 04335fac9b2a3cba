//! Revisions: numbers that tell every node when what it remembers has become old.
//!
//! A number is counted up in the transaction of the change, so whoever sees the change sees the new number, and
//! on one snapshot the two always fit together.

use crate::error::StoreError;
use crate::tx::Tx;

/// What is remembered outside the database.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Remembered {
    /// Callers and what they may do: tokens, grants, roles, consents, archived applications and people.
    Rights,
    /// The host's part of the catalogue.
    Catalogue,
    /// Who hears of which events: webhooks and their subscriptions.
    Subscriptions,
}

impl Remembered {
    fn name(self) -> &'static str {
        match self {
            Self::Rights => "rights",
            Self::Catalogue => "catalogue",
            Self::Subscriptions => "subscriptions",
        }
    }
}

impl Tx<'_> {
    /// The number of the last change.
    pub fn revision(&mut self, of: Remembered) -> Result<i64, StoreError> {
        let found = self.connection.query("SELECT number FROM revision WHERE name = $1", &[of.name().into()])?.pop();
        let mut row = found.ok_or_else(|| StoreError::corrupt(format!("no revision of {}", of.name())))?;
        row.int()
    }

    /// Says that something changed which decisions about rights depend on. Every function that changes a grant, a
    /// role, a consent, an application, a person, or ends a token calls it; once per transaction counts.
    ///
    /// On PostgreSQL such transactions wait for each other from here on, so that numbers rise in the order of
    /// commits.
    pub fn rights_changed(&mut self) -> Result<(), StoreError> {
        self.changed(Remembered::Rights)
    }

    pub(crate) fn changed(&mut self, what: Remembered) -> Result<(), StoreError> {
        if !self.counted.contains(&what) {
            let sql = "UPDATE revision SET number = number + 1 WHERE name = $1";
            self.connection.execute(sql, &[what.name().into()])?;
            self.counted.push(what);
        }
        Ok(())
    }
}
