//! Access for operations that name a permission context: the caller needs the right there.

use std::marker::PhantomData;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::{Caller, Target, decide};
use spaceport_platform::application::Application;
use spaceport_platform::authorization::decides;
use spaceport_platform::context::{Context, Place};
use spaceport_platform::directory::project::Openness;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::identifier::PermissionContextIdentifier;
use spaceport_platform::right::Right;
use spaceport_store::{Store, StoreError, Tx};
use spaceport_wire::identifier::PermissionContextIdentifier as Named;

use crate::http::access::{Access, Cx, Demand, require_caller};
use crate::http::error::ApiError;
use crate::http::request::Request;

/// Callers who hold `R` in the context that the argument `contextIdentifier` names, in the query or in the body.
pub struct InContext<R> {
    /// The context.
    pub place: Place,
    right: PhantomData<R>,
}

impl<R: Demand> Access for InContext<R> {
    fn rule() -> String {
        format!("{} in the context", R::CODE)
    }

    fn rights() -> Vec<&'static str> {
        vec![R::CODE]
    }

    const READS_BODY: bool = true;

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        require_caller(&request.caller)?;
        let place = find(&request.services.store, &request.caller, named(request)?).await?;
        match ApiError::from_decision(decide(&request.caller, &R::RIGHT, Target::Place(&place)), R::CODE) {
            Some(refusal) => Err(refusal),
            None => Ok(Self { place, right: PhantomData }),
        }
    }
}

/// The argument `contextIdentifier`, in any of its spellings.
///
/// # Errors
/// `validation-error` when it is missing or names no context.
pub fn named(request: &Request) -> Result<PermissionContextIdentifier, ApiError> {
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    struct Argument {
        context_identifier: Option<Named>,
    }
    let in_query: Argument = spaceport_wire::query::parse_query(&request.query)?;
    if let Some(named) = in_query.context_identifier {
        return Ok(named.0);
    }
    let in_body = match request.body.is_empty() {
        true => None,
        false => spaceport_wire::body::parse_body::<Argument>(&request.body)?.context_identifier,
    };
    in_body.map(|named| named.0).ok_or_else(|| ApiError::validation("contextIdentifier is missing"))
}

/// The context an operation names beside an application, for callers who may know of it ([`knows`]).
///
/// # Errors
/// `not-found` when it does not exist, or the caller may not know of it.
pub async fn known_place<A>(
    cx: &Cx<A>,
    application: &ApplicationId,
    identifier: PermissionContextIdentifier,
) -> Result<Place, ApiError> {
    let (named, caller, id) = (identifier.clone(), Arc::clone(&cx.caller), application.clone());
    let found = cx.read(move |tx| match (tx.place(&named)?, tx.application(&id)?) {
        (Some(place), Some(application)) if knows(tx, &caller, &application, &place)? => Ok(Some(place)),
        _ => Ok(None),
    });
    let found = found.await.map_err(|error: StoreError| ApiError::from(error))?;
    found.ok_or_else(|| context_hidden(&identifier))
}

/// The context in which rights are to be asked for, whether the caller sees it or not: asking must not tell. `None` when
/// there is none.
///
/// # Errors
/// `not-found` when there is none, for callers who see every place.
pub async fn asked_place<A>(cx: &Cx<A>, identifier: PermissionContextIdentifier) -> Result<Option<Place>, ApiError> {
    let named = identifier.clone();
    let found = cx.read(move |tx| tx.place(&named)).await.map_err(|error: StoreError| ApiError::from(error))?;
    match found {
        None if decides(&cx.caller, &Place::GLOBAL) => Err(context_hidden(&identifier)),
        found => Ok(found),
    }
}

async fn find(store: &Store, caller: &Arc<Caller>, identifier: PermissionContextIdentifier) -> Result<Place, ApiError> {
    let (named, caller) = (identifier.clone(), Arc::clone(caller));
    let found = store.read(move |tx| match tx.place(&named)? {
        Some(place) if sees(tx, &caller, &place)? => Ok(Some(place)),
        _ => Ok(None),
    });
    let found = found.await.map_err(|error: StoreError| ApiError::from(error))?;
    found.ok_or_else(|| context_hidden(&identifier))
}

/// The answer for a context that does not exist, and for one that the caller may not see.
pub fn context_hidden(identifier: &PermissionContextIdentifier) -> ApiError {
    ApiError::not_found(format!("Context {identifier} not found"))
}

/// Whether the caller may see that a place exists: it is public, he may view it, or he decides about rights in it.
///
/// # Errors
/// When the database fails.
pub fn sees(tx: &mut Tx<'_>, caller: &Caller, place: &Place) -> Result<bool, StoreError> {
    let (openness, right) = match place.outer().unwrap_or(place.context()) {
        Context::Global => return Ok(true),
        Context::Project(id) => {
            let project = tx.projects(std::slice::from_ref(id))?.pop();
            (project.map(|project| project.openness), Right::VIEW_PROJECT)
        }
        Context::Channel(id) => (tx.channel(id)?.map(|channel| channel.openness), Right::VIEW_CHANNEL),
        Context::PackageRepository(_) => (None, Right::VIEW_PROJECT),
    };
    Ok(openness == Some(Openness::Public) || caller.holds(&right, place) || decides(caller, place))
}

/// Whether the caller may know, from what concerns an application, that a place exists: he sees it; or he is the
/// application or made it, and it holds a right there.
///
/// # Errors
/// When the database fails.
pub fn knows(tx: &mut Tx<'_>, caller: &Caller, application: &Application, place: &Place) -> Result<bool, StoreError> {
    if sees(tx, caller, place)? {
        return Ok(true);
    }
    let its_own = caller.controls(&application.id, &application.owner);
    Ok(its_own && tx.authorized_contexts(&application.id)?.contains(place.context()))
}
