//! When and from where applications signed in last.

use spaceport_platform::access_record::AccessRecord;
use spaceport_platform::id::ApplicationId;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// Stores the last sign-ins by client credentials; one that is older than the stored one changes nothing.
    pub fn record_client_credentials_accesses(
        &mut self,
        records: &[(ApplicationId, AccessRecord)],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO client_credentials_access (application_id, at, address, user_agent) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (application_id) DO UPDATE SET at = excluded.at, address = excluded.address, \
                   user_agent = excluded.user_agent WHERE excluded.at > client_credentials_access.at";
        for (id, record) in records {
            let user_agent = record.user_agent.as_deref();
            self.connection
                .execute(sql, &[id.into(), record.at.into(), record.address.as_str().into(), user_agent.into()])?;
        }
        Ok(())
    }

    /// The last stored sign-in of an application by client credentials.
    pub fn client_credentials_access(&mut self, id: &ApplicationId) -> Result<Option<AccessRecord>, StoreError> {
        let sql = "SELECT at, address, user_agent FROM client_credentials_access WHERE application_id = $1";
        let Some(mut row) = self.connection.query(sql, &[id.into()])?.pop() else { return Ok(None) };
        Ok(Some(AccessRecord { at: row.time()?, address: row.text()?, user_agent: row.optional_text()? }))
    }
}
