//! Custom headers of webhooks, their values sealed.

use spaceport_platform::custom_header::CustomHeader;
use spaceport_platform::id::WebhookId;
use spaceport_platform::secret::Secret;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// Stores headers in place of those that a webhook had.
    pub fn set_custom_headers(&mut self, webhook: &WebhookId, headers: &[CustomHeader]) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM custom_header WHERE webhook_id = $1", &[webhook.into()])?;
        let mut rows = Vec::with_capacity(headers.len());
        for (position, header) in (0_i64..).zip(headers) {
            let place = place(&[webhook.to_string(), header.name.clone()]);
            rows.push(vec![
                webhook.into(),
                header.name.as_str().into(),
                position.into(),
                self.seal(&place, header.value.reveal().as_bytes())?.into(),
                header.description.as_deref().into(),
            ]);
        }
        let sql =
            "INSERT INTO custom_header (webhook_id, name, position, sealed, description) VALUES ($1, $2, $3, $4, $5)";
        self.connection.execute_many(sql, &rows).map(|_| ())
    }

    /// Headers of a webhook, in the order they were given, their values in clear.
    pub fn custom_headers(&mut self, webhook: &WebhookId) -> Result<Vec<CustomHeader>, StoreError> {
        let sql = "SELECT name, sealed, description FROM custom_header WHERE webhook_id = $1 ORDER BY position";
        let mut headers = Vec::new();
        for mut row in self.connection.query(sql, &[webhook.into()])? {
            let (name, sealed, description) = (row.text()?, row.text()?, row.optional_text()?);
            let value = self.open(&place(&[webhook.to_string(), name.clone()]), &sealed)?;
            let value = String::from_utf8(value).map_err(|_| StoreError::corrupt("a header value that is no text"))?;
            headers.push(CustomHeader { name, value: Secret::new(value), description });
        }
        Ok(headers)
    }
}

/// Where a value is sealed for, from the primary key.
pub(crate) fn place(keys: &[String]) -> String {
    format!("custom_header|{}", keys.join("|"))
}
