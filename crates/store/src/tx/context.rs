//! Permission contexts: from identifiers to what is stored.

use spaceport_platform::context::{Context, Place};
use spaceport_platform::identifier::PermissionContextIdentifier;

use crate::error::StoreError;
use crate::tx::Tx;

impl Tx<'_> {
    /// The context an identifier names; `None` when the directory has no such project, channel or repository.
    /// Archived ones are found, so that what holds in them can still be looked at and withdrawn.
    pub fn find_context(&mut self, identifier: &PermissionContextIdentifier) -> Result<Option<Context>, StoreError> {
        Ok(match identifier {
            PermissionContextIdentifier::Global => Some(Context::Global),
            PermissionContextIdentifier::Project(project) => {
                self.find_project(project)?.map(|project| Context::Project(project.id))
            }
            PermissionContextIdentifier::Channel(id) => self.channel(id)?.map(|channel| Context::Channel(channel.id)),
            PermissionContextIdentifier::PackageRepository(id) => {
                self.package_repository(id)?.map(|repository| Context::PackageRepository(repository.id))
            }
        })
    }

    /// The place of a context: a package repository lies in its project.
    pub fn place_of(&mut self, context: Context) -> Result<Place, StoreError> {
        let project = match &context {
            Context::PackageRepository(id) => self.package_repository(id)?.map(|repository| repository.project),
            Context::Global | Context::Project(_) | Context::Channel(_) => None,
        };
        Ok(match project {
            Some(project) => Place::within(context, Context::Project(project)),
            None => context.into(),
        })
    }

    /// The place an identifier names; `None` when the directory has no such project, channel or repository.
    pub fn place(&mut self, identifier: &PermissionContextIdentifier) -> Result<Option<Place>, StoreError> {
        let context = self.find_context(identifier)?;
        context.map(|context| self.place_of(context)).transpose()
    }

    /// Whether the directory has what a context stands for.
    pub fn has_context(&mut self, context: &Context) -> Result<bool, StoreError> {
        Ok(self.find_context(&context.clone().into())?.is_some())
    }
}
