//! Certificates of authorities that endpoints are verified with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use spaceport_platform::trusted_certificate::TrustedCertificate;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::Row;

const COLUMNS: &str = "id, alias, certificate, archived, created_at";

impl Tx<'_> {
    /// Stores a new one; `false`, and nothing is stored, when the alias is taken.
    pub fn insert_trusted_certificate(&mut self, new: &TrustedCertificate) -> Result<bool, StoreError> {
        let sql =
            format!("INSERT INTO trusted_certificate ({COLUMNS}) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING");
        let values = [
            new.id.as_str().into(),
            new.alias.as_str().into(),
            STANDARD.encode(&new.der).into(),
            new.archived.into(),
            new.created_at.into(),
        ];
        Ok(self.connection.execute(&sql, &values)? > 0)
    }

    /// Stores a changed one; `false`, and nothing changes, when another one has the alias.
    pub fn update_trusted_certificate(&mut self, changed: &TrustedCertificate) -> Result<bool, StoreError> {
        let sql = "UPDATE trusted_certificate SET alias = $1, certificate = $2, archived = $3 WHERE id = $4 \
                   AND NOT EXISTS (SELECT 1 FROM trusted_certificate o WHERE o.alias = $1 AND o.id <> $4)";
        let values = [
            changed.alias.as_str().into(),
            STANDARD.encode(&changed.der).into(),
            changed.archived.into(),
            changed.id.as_str().into(),
        ];
        Ok(self.connection.execute(sql, &values)? > 0)
    }

    /// All of them, by alias.
    pub fn trusted_certificates(&mut self) -> Result<Vec<TrustedCertificate>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM trusted_certificate ORDER BY alias, id");
        self.connection.query(&sql, &[])?.into_iter().map(read).collect()
    }

    /// One of them.
    pub fn trusted_certificate(&mut self, id: &str) -> Result<Option<TrustedCertificate>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM trusted_certificate WHERE id = $1");
        self.connection.query(&sql, &[id.into()])?.pop().map(read).transpose()
    }

    /// Deletes one; answers whether there was one.
    pub fn delete_trusted_certificate(&mut self, id: &str) -> Result<bool, StoreError> {
        Ok(self.connection.execute("DELETE FROM trusted_certificate WHERE id = $1", &[id.into()])? > 0)
    }
}

fn read(mut row: Row) -> Result<TrustedCertificate, StoreError> {
    let (id, alias, certificate) = (row.text()?, row.text()?, row.text()?);
    let der = STANDARD.decode(certificate).map_err(|_| StoreError::corrupt("a certificate that is no base64"))?;
    Ok(TrustedCertificate { id, alias, der, archived: row.flag()?, created_at: row.time()? })
}
