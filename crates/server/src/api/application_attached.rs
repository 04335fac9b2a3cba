//! What applications refer to by name: keystores and pictures.

use spaceport_platform::id::AttachmentId;
use spaceport_platform::invalid::Invalid;
use spaceport_platform::time::Timestamp;
use spaceport_store::Tx;

use crate::http::error::ApiError;

/// Refuses a keystore that does not exist; one that does stays until the transaction ends.
///
/// # Errors
/// Names the argument and the keystore.
pub fn require_keystore(tx: &mut Tx<'_>, field: &str, name: &str) -> Result<(), ApiError> {
    if tx.hold_keystore(name)? {
        return Ok(());
    }
    Err(Invalid::new(field, format!("names `{name}`, but there is no such keystore")).into())
}

/// Keeps an uploaded picture for an application; only pictures are ever stored.
///
/// # Errors
/// Names the argument and the attachment when there is none.
pub fn require_picture(tx: &mut Tx<'_>, id: &AttachmentId) -> Result<(), ApiError> {
    if tx.keep_attachment(id)? {
        return Ok(());
    }
    Err(Invalid::new("pictureAttachmentId", format!("names `{id}`, but there is no such attachment")).into())
}

/// Keeps the picture an application changes to and lets the one before go.
///
/// # Errors
/// Names the argument and the attachment when there is none.
pub fn change_picture(
    tx: &mut Tx<'_>,
    before: Option<&AttachmentId>,
    after: Option<&AttachmentId>,
    now: Timestamp,
) -> Result<(), ApiError> {
    if before == after {
        return Ok(());
    }
    if let Some(id) = before {
        tx.release_attachment(id, now)?;
    }
    after.map_or(Ok(()), |id| require_picture(tx, id))
}
