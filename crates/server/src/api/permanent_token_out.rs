//! Permanent tokens as the API shows them.

use spaceport_platform::access::Caller;
use spaceport_platform::application::Application;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::identifier::{PermissionContextIdentifier, ProjectIdentifier};
use spaceport_platform::scope::Scope;
use spaceport_store::{StoreError, StoredToken, Tx};
use spaceport_wire::application::{AccessRecord, PermissionContextApi};
use spaceport_wire::right::{PermissionIdentifier, RightDescriptor};
use spaceport_wire::scalar::DateTime;
use spaceport_wire::token::{PermanentToken, XScopeApi, XScopeGrantApi};

use crate::api::application_out::out;
use crate::api::context_out::context_out;

/// Tokens of an application, as this caller sees the places in their scopes.
///
/// # Errors
/// When the database fails.
pub fn out_all(
    tx: &mut Tx<'_>,
    caller: &Caller,
    application: &Application,
    catalogue: &Catalogue,
    tokens: Vec<StoredToken>,
) -> Result<Vec<PermanentToken>, StoreError> {
    let application = Box::new(out::<StoreError>(tx, caller, application)?);
    let mut shown = Vec::with_capacity(tokens.len());
    for token in tokens {
        shown.push(PermanentToken {
            id: token.id.to_string(),
            name: token.name,
            application: application.clone(),
            api_scope: scope_out(tx, caller, &token.scope, catalogue)?,
            scope: token.scope,
            created: DateTime(token.created_at),
            expires: token.expires_at.map(DateTime),
            last_access: token.last_access.map(|record| AccessRecord {
                time: DateTime(record.at),
                address: record.address,
                user_agent: record.user_agent,
            }),
        });
    }
    Ok(shown)
}

/// A scope, taken apart. One that cannot be read lets nothing through.
///
/// # Errors
/// When the database fails.
pub fn scope_out(
    tx: &mut Tx<'_>,
    caller: &Caller,
    scope: &str,
    catalogue: &Catalogue,
) -> Result<XScopeApi, StoreError> {
    let elements = match Scope::parse(scope) {
        Ok(Scope::Everything) => return Ok(XScopeApi::All),
        Ok(Scope::Elements(elements)) if !elements.is_empty() => elements,
        Ok(Scope::Elements(_)) | Err(_) => return Ok(XScopeApi::None),
    };
    let mut grants = Vec::with_capacity(elements.len());
    for element in &elements {
        let context = match tx.find_context(&element.context)? {
            Some(context) => context_out(tx, caller, &context)?,
            None => unknown(&element.context),
        };
        grants.push(XScopeGrantApi { context, right: right_out(element.right.code(), catalogue) });
    }
    Ok(XScopeApi::Scope { grants })
}

/// A place that does not exist looks like one that the caller may not see.
fn unknown(context: &PermissionContextIdentifier) -> PermissionContextApi {
    match context {
        PermissionContextIdentifier::Global => PermissionContextApi::GlobalPermissionContext,
        PermissionContextIdentifier::Project(ProjectIdentifier::Id(id))
        | PermissionContextIdentifier::PackageRepository(id) => {
            PermissionContextApi::PrivateProjectPermissionContext { project_id: id.clone() }
        }
        PermissionContextIdentifier::Project(ProjectIdentifier::Key(key)) => {
            PermissionContextApi::PrivateProjectPermissionContext { project_id: format!("key:{key}") }
        }
        PermissionContextIdentifier::Channel(id) => {
            PermissionContextApi::PrivateChannelPermissionContext { channel_id: id.clone() }
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
