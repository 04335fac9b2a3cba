//! Uploads that were requested, and the attachments they became, with their bytes.

use spaceport_platform::access::Principal;
use spaceport_platform::attachment::{Attachment, Media};
use spaceport_platform::id::{ApplicationId, AttachmentId, ProfileId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::profile::principal_columns;
use crate::value::{Row, Value};

const COLUMNS: &str = "id, owner_kind, owner_id, file_name, media_type, size, digest, created_at";

impl Tx<'_> {
    /// Stores that a file may be uploaded, under the hash of the text that its path holds.
    pub fn insert_upload(
        &mut self,
        hash: &str,
        owner: &Principal,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let [kind, id] = columns(owner)?;
        let sql = "INSERT INTO upload (hash, owner_kind, owner_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)";
        self.connection.execute(sql, &[hash.into(), kind, id, now.into(), expires_at.into()]).map(|_| ())
    }

    /// How many uploads wait for their file.
    pub fn open_uploads(&mut self, owner: &Principal, now: Timestamp) -> Result<i64, StoreError> {
        let [kind, id] = columns(owner)?;
        let sql = "SELECT COUNT(*) FROM upload WHERE owner_kind = $1 AND owner_id = $2 AND expires_at > $3";
        self.connection.query(sql, &[kind, id, now.into()])?.pop().map_or(Ok(0), |mut row| row.int())
    }

    /// Who requested the upload, while it waits for its file.
    pub fn upload_owner(&mut self, hash: &str, now: Timestamp) -> Result<Option<Principal>, StoreError> {
        let sql = "SELECT owner_kind, owner_id FROM upload WHERE hash = $1 AND expires_at > $2";
        let found = self.connection.query(sql, &[hash.into(), now.into()])?.pop();
        found.map(|mut row| principal(&mut row)).transpose()
    }

    /// Uses an upload up; of many callers at once exactly one gets an answer.
    pub fn use_upload(&mut self, hash: &str, now: Timestamp) -> Result<Option<Principal>, StoreError> {
        let sql = "DELETE FROM upload WHERE hash = $1 AND expires_at > $2 RETURNING owner_kind, owner_id";
        let found = self.connection.query(sql, &[hash.into(), now.into()])?.pop();
        found.map(|mut row| principal(&mut row)).transpose()
    }

    /// Stores a file that nothing uses yet.
    pub fn insert_attachment(&mut self, attachment: &Attachment, content: &[u8]) -> Result<(), StoreError> {
        let [kind, id] = columns(&attachment.owner)?;
        let sql = format!(
            "INSERT INTO attachment ({COLUMNS}, unused_since, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)"
        );
        let values = [
            (&attachment.id).into(),
            kind,
            id,
            attachment.file_name.as_str().into(),
            attachment.media.name().into(),
            attachment.size.into(),
            attachment.digest.as_str().into(),
            attachment.created_at.into(),
            content.into(),
        ];
        self.connection.execute(&sql, &values).map(|_| ())
    }

    /// The attachment with this id.
    pub fn attachment(&mut self, id: &AttachmentId) -> Result<Option<Attachment>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM attachment WHERE id = $1");
        self.connection.query(&sql, &[id.into()])?.pop().map(read).transpose()
    }

    /// The bytes of an attachment.
    pub fn attachment_content(&mut self, id: &AttachmentId) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.connection.query("SELECT content FROM attachment WHERE id = $1", &[id.into()])?.pop();
        found.map(|mut row| row.bytes()).transpose()
    }

    /// Bytes of the attachments of an owner that nothing uses.
    pub fn unused_attachment_bytes(&mut self, owner: &Principal) -> Result<i64, StoreError> {
        let [kind, id] = columns(owner)?;
        let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM attachment \
                   WHERE owner_kind = $1 AND owner_id = $2 AND unused_since IS NOT NULL";
        self.connection.query(sql, &[kind, id])?.pop().map_or(Ok(0), |mut row| row.int())
    }

    /// Keeps an attachment because something uses it from now on; says whether there is one.
    pub fn keep_attachment(&mut self, id: &AttachmentId) -> Result<bool, StoreError> {
        let sql = "UPDATE attachment SET unused_since = NULL WHERE id = $1";
        Ok(self.connection.execute(sql, &[id.into()])? > 0)
    }

    /// Lets an attachment go because something no longer uses it. If something else still does, it stays.
    pub fn release_attachment(&mut self, id: &AttachmentId, now: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE attachment SET unused_since = $1 WHERE id = $2";
        self.connection.execute(sql, &[now.into(), id.into()]).map(|_| ())
    }

    /// Deletes up to `limit` attachments that nothing has used since `horizon`; answers how many.
    pub fn delete_unused_attachments(&mut self, horizon: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM attachment WHERE id IN (SELECT id FROM attachment WHERE unused_since < $1 \
                   AND NOT EXISTS (SELECT 1 FROM application WHERE picture_id = attachment.id) \
                   ORDER BY unused_since LIMIT $2) AND unused_since < $1";
        self.connection.execute(sql, &[horizon.into(), limit.into()])
    }

    /// Deletes up to `limit` uploads that never got their file; answers how many.
    pub fn delete_expired_uploads(&mut self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let sql = "DELETE FROM upload WHERE hash IN (SELECT hash FROM upload WHERE expires_at <= $1 LIMIT $2)";
        self.connection.execute(sql, &[now.into(), limit.into()])
    }
}

fn columns(owner: &Principal) -> Result<[Value; 2], StoreError> {
    let (kind, id) = principal_columns(owner).ok_or_else(|| StoreError::corrupt("an upload of nobody"))?;
    Ok([kind.into(), id.into()])
}

fn principal(row: &mut Row) -> Result<Principal, StoreError> {
    match (row.text()?.as_str(), row.text()?) {
        ("application", id) => Ok(Principal::Application(ApplicationId::new(id))),
        ("profile", id) => Ok(Principal::User(ProfileId::new(id))),
        (kind, _) => Err(StoreError::corrupt(format!("an upload of a {kind}"))),
    }
}

fn read(mut row: Row) -> Result<Attachment, StoreError> {
    let id = AttachmentId::new(row.text()?);
    let owner = principal(&mut row)?;
    let (file_name, media) = (row.text()?, row.text()?);
    Ok(Attachment {
        id,
        owner,
        file_name,
        media: Media::from_stored(&media).ok_or_else(|| StoreError::corrupt(format!("the media type {media}")))?,
        size: row.int()?,
        digest: row.text()?,
        created_at: row.time()?,
    })
}
