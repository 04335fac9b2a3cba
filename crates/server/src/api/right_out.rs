//! Rights of applications as the API shows them.

use spaceport_platform::access::Caller;
use spaceport_platform::authorization::{AuthorizedRight, RightStatus};
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::right::Right;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::RightStatus as StatusOut;
use spaceport_wire::right::{PermissionIdentifier, RightOfApplication};
use spaceport_wire::scalar::DateTime;

use crate::api::principal_out::principals_out;

/// Tells whether the caller may grant a right here.
pub struct Editor<'a>(pub &'a dyn Fn(&Right) -> bool);

/// Rights with their authors, in the order given.
///
/// # Errors
/// When the database fails.
pub fn rights_out(
    tx: &mut Tx<'_>,
    caller: &Caller,
    catalogue: &Catalogue,
    rights: &[AuthorizedRight],
    editor: &Editor<'_>,
) -> Result<Vec<RightOfApplication>, StoreError> {
    let authors: Vec<_> = rights.iter().map(|right| right.author.clone()).collect();
    let authors = principals_out(tx, caller, &authors)?;
    let shown = rights.iter().zip(authors).map(|(right, author)| RightOfApplication {
        editable: (editor.0)(&right.right),
        status: status_out(right.status),
        modification_author: author,
        modification_timestamp: Some(DateTime(right.modified_at)),
        ..right_out(catalogue, &right.right)
    });
    Ok(shown.collect())
}

/// A right that nobody has asked for.
pub fn right_out(catalogue: &Catalogue, right: &Right) -> RightOfApplication {
    let entry = catalogue.right(right.code());
    let text = |pick: fn(&spaceport_platform::catalogue::RightEntry) -> &str| {
        entry.map_or_else(|| right.code().to_owned(), |entry| pick(entry).to_owned())
    };
    RightOfApplication {
        right_code: PermissionIdentifier(right.code().to_owned()),
        name: text(|entry| &entry.title),
        group: text(|entry| &entry.group),
        description: text(|entry| &entry.description),
        target_name: text(|entry| &entry.target),
        editable: false,
        status: StatusOut::None,
        modification_author: None,
        modification_timestamp: None,
        dependencies: entry.map(|entry| entry.dependencies.clone()).unwrap_or_default(),
        optional_feature: None,
    }
}

/// A status on the wire.
pub fn status_out(status: RightStatus) -> StatusOut {
    match status {
        RightStatus::None => StatusOut::None,
        RightStatus::Requested => StatusOut::Requested,
        RightStatus::Granted => StatusOut::Granted,
        RightStatus::Rejected => StatusOut::Rejected,
    }
}

/// A status from the wire.
pub fn status_in(status: StatusOut) -> RightStatus {
    match status {
        StatusOut::None => RightStatus::None,
        StatusOut::Requested => RightStatus::Requested,
        StatusOut::Granted => RightStatus::Granted,
        StatusOut::Rejected => RightStatus::Rejected,
    }
}
