//! Contexts as the API shows them.

use spaceport_platform::access::Caller;
use spaceport_platform::context::Context;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::{
    ChannelReference, PackageRepositoryReference, PermissionContextApi, ProjectReference,
};

use crate::http::in_context::sees;

/// Contexts, in the order given. A project or channel that the caller may not see shows its id alone; a package
/// repository in a project he may not see shows as that project.
///
/// # Errors
/// When the database fails.
pub fn contexts_out(
    tx: &mut Tx<'_>,
    caller: &Caller,
    contexts: &[Context],
) -> Result<Vec<PermissionContextApi>, StoreError> {
    let mut shown = Vec::with_capacity(contexts.len());
    for context in contexts {
        let place = tx.place_of(context.clone())?;
        let context = match sees(tx, caller, &place)? {
            true => seen(context.clone()),
            false => hidden(place.outer().unwrap_or(context).clone()),
        };
        if !shown.contains(&context) {
            shown.push(context);
        }
    }
    Ok(shown)
}

fn seen(context: Context) -> PermissionContextApi {
    match context {
        Context::Global => PermissionContextApi::GlobalPermissionContext,
        Context::Project(id) => PermissionContextApi::ProjectPermissionContext { project: ProjectReference { id } },
        Context::Channel(id) => PermissionContextApi::ChannelPermissionContext { channel: ChannelReference { id } },
        Context::PackageRepository(id) => {
            PermissionContextApi::PackageRepositoryPermissionContext { repository: PackageRepositoryReference { id } }
        }
    }
}

fn hidden(context: Context) -> PermissionContextApi {
    match context {
        Context::Global => PermissionContextApi::GlobalPermissionContext,
        Context::Channel(channel_id) => PermissionContextApi::PrivateChannelPermissionContext { channel_id },
        Context::Project(project_id) | Context::PackageRepository(project_id) => {
            PermissionContextApi::PrivateProjectPermissionContext { project_id }
        }
    }
}
