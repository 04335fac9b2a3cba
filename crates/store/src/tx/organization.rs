//! The organization.

use spaceport_platform::directory::organization::Organization;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The organization; `None` before the first start has made it.
    pub fn organization(&mut self) -> Result<Option<Organization>, StoreError> {
        let sql = format!(
            "SELECT id, name, slogan, logo, created_at FROM organization {}",
            self.connection.held_for_update()
        );
        let Some(mut row) = self.connection.query(&sql, &[])?.pop() else { return Ok(None) };
        Ok(Some(Organization {
            id: row.text()?,
            name: row.text()?,
            slogan: row.optional_text()?,
            logo: row.optional_text()?,
            created_at: row.time()?,
        }))
    }

    /// Stores the organization. There is one, so of two that are made at once the first stays.
    pub fn save_organization(&mut self, organization: &Organization) -> Result<(), StoreError> {
        let sql = "INSERT INTO organization (one, id, name, slogan, logo, created_at) VALUES (1, $1, $2, $3, $4, $5) \
                   ON CONFLICT (one) DO UPDATE SET name = excluded.name, slogan = excluded.slogan, logo = excluded.logo";
        let values = [
            organization.id.as_str().into(),
            organization.name.as_str().into(),
            organization.slogan.as_deref().into(),
            organization.logo.as_deref().into(),
            organization.created_at.into(),
        ];
        self.connection.execute(sql, &values).map(|_| ())
    }
}
