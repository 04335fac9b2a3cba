//! Permanent tokens as the API shows them.

use spaceport_platform::application::Application;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::identifier::{PermissionContextIdentifier, ProjectIdentifier};
use spaceport_platform::scope::{Scope, ScopeElement};
use spaceport_store::{StoreError, StoredToken, Tx};
use spaceport_wire::application::{
    AccessRecord, ChannelReference, PackageRepositoryReference, PermissionContextApi, ProjectReference,
};
use spaceport_wire::right::{PermissionIdentifier, RightDescriptor};
use spaceport_wire::scalar::DateTime;
use spaceport_wire::token::{PermanentToken, XScopeApi, XScopeGrantApi};

use crate::api::application_out::out;

/// Tokens of an application.
///
/// # Errors
/// When the database fails.
pub fn out_all(
    tx: &mut Tx<'_>,
    application: &Application,
    catalogue: &Catalogue,
    tokens: Vec<StoredToken>,
) -> Result<Vec<PermanentToken>, StoreError> {
    let application = Box::new(out::<StoreError>(tx, application)?);
    let shown = |token: StoredToken| PermanentToken {
        id: token.id.to_string(),
        name: token.name,
        application: application.clone(),
        api_scope: scope_out(&token.scope, catalogue),
        scope: token.scope,
        created: DateTime(token.created_at),
        expires: token.expires_at.map(DateTime),
        last_access: token.last_access.map(|record| AccessRecord {
            time: DateTime(record.at),
            address: record.address,
            user_agent: record.user_agent,
        }),
    };
    Ok(tokens.into_iter().map(shown).collect())
}

/// A scope, taken apart. One that cannot be read lets nothing through.
fn scope_out(scope: &str, catalogue: &Catalogue) -> XScopeApi {
    match Scope::parse(scope) {
        Ok(Scope::Everything) => XScopeApi::All,
        Ok(Scope::Elements(elements)) if !elements.is_empty() => {
            XScopeApi::Scope { grants: elements.iter().map(|element| grant_out(element, catalogue)).collect() }
        }
        Ok(Scope::Elements(_)) | Err(_) => XScopeApi::None,
    }
}

fn grant_out(element: &ScopeElement, catalogue: &Catalogue) -> XScopeGrantApi {
    XScopeGrantApi { context: context_out(&element.context), right: right_out(element.right.code(), catalogue) }
}

/// The context, by the name the scope gives it: whether it exists is not told here.
fn context_out(context: &PermissionContextIdentifier) -> PermissionContextApi {
    match context {
        PermissionContextIdentifier::Global => PermissionContextApi::GlobalPermissionContext,
        PermissionContextIdentifier::Project(ProjectIdentifier::Id(id)) => {
            PermissionContextApi::ProjectPermissionContext { project: ProjectReference { id: id.clone() } }
        }
        PermissionContextIdentifier::Project(ProjectIdentifier::Key(key)) => {
            PermissionContextApi::PrivateProjectPermissionContext { project_id: format!("key:{key}") }
        }
        PermissionContextIdentifier::Channel(id) => {
            PermissionContextApi::ChannelPermissionContext { channel: ChannelReference { id: id.clone() } }
        }
        PermissionContextIdentifier::PackageRepository(id) => {
            let repository = PackageRepositoryReference { id: id.clone() };
            PermissionContextApi::PackageRepositoryPermissionContext { repository }
        }
    }
}

/// A right, described. Its heading is the first word of its code; what changes a thing needs the right to view it
/// (semantics, end of 2).
fn right_out(code: &str, catalogue: &Catalogue) -> RightDescriptor {
    let entry = catalogue.right(code);
    RightDescriptor {
        right_code: PermissionIdentifier(code.to_owned()),
        name: entry.map_or_else(|| code.to_owned(), |entry| entry.title.clone()),
        group: entry.map_or_else(String::new, |entry| entry.group.clone()),
        description: entry.map_or_else(String::new, |entry| entry.description.clone()),
        target_name: entry.map_or_else(String::new, |entry| entry.target.clone()),
        dependencies: entry.map(|entry| entry.dependencies.clone()).unwrap_or_default(),
    }
}
