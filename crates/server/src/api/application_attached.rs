//! What applications refer to by name: keystores and pictures.

use spaceport_platform::id::AttachmentId;
use spaceport_platform::invalid::Invalid;
use spaceport_store::Tx;

use crate::http::error::ApiError;

/// Refuses a keystore that does not exist.
///
/// # Errors
/// Names the argument and the keystore.
pub fn require_keystore(_: &mut Tx<'_>, name: &str) -> Result<(), ApiError> {
    Err(Invalid::new("sslKeystoreAuth", format!("names `{name}`, but there is no such keystore")).into())
}

/// Refuses a picture that was not uploaded, or that is no picture.
///
/// # Errors
/// Names the argument and the attachment.
pub fn require_picture(_: &mut Tx<'_>, id: &AttachmentId) -> Result<(), ApiError> {
    Err(Invalid::new("pictureAttachmentId", format!("names `{id}`, but there is no such attachment")).into())
}
