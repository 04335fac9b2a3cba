//! Permission contexts as the API shows them: private ones by id alone to whoever does not see them.

use spaceport_platform::access::Caller;
use spaceport_platform::context::Context;
use spaceport_platform::identifier::ProjectIdentifier;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::application::PermissionContextApi;

use crate::api::channel::channel_out;
use crate::api::project::{package_repository_out, project_out};
use crate::http::in_context::sees;

/// Contexts, in the order given; what looks the same to the caller is shown once.
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
        let context = context_out(tx, caller, context)?;
        if !shown.contains(&context) {
            shown.push(context);
        }
    }
    Ok(shown)
}

/// A context, as this caller sees it. What the directory does not know looks like what he may not see: a package
/// repository like a project of its id, because clients know no other name for it and its own project is not to be told.
///
/// # Errors
/// When the database fails.
pub fn context_out(tx: &mut Tx<'_>, caller: &Caller, context: &Context) -> Result<PermissionContextApi, StoreError> {
    let place = tx.place_of(context.clone())?;
    let seen = if sees(tx, caller, &place)? { whole(tx, context)? } else { None };
    Ok(seen.unwrap_or_else(|| hidden(context.clone())))
}

fn whole(tx: &mut Tx<'_>, context: &Context) -> Result<Option<PermissionContextApi>, StoreError> {
    let project = |tx: &mut Tx<'_>, id: &str| tx.find_project(&ProjectIdentifier::Id(id.to_owned()));
    Ok(match context {
        Context::Global => Some(PermissionContextApi::GlobalPermissionContext),
        Context::Project(id) => project(tx, id)?
            .map(|found| PermissionContextApi::ProjectPermissionContext { project: Box::new(project_out(&found)) }),
        Context::Channel(id) => tx
            .channel(id)?
            .map(|found| PermissionContextApi::ChannelPermissionContext { channel: Box::new(channel_out(&found)) }),
        Context::PackageRepository(id) => match tx.package_repository(id)? {
            None => None,
            Some(repository) => project(tx, &repository.project)?.map(|found| {
                let repository = Box::new(package_repository_out(&repository, &found));
                PermissionContextApi::PackageRepositoryPermissionContext { repository }
            }),
        },
    })
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
