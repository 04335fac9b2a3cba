//! Access for operations that name a permission context: the caller needs the right there.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::Deserialize;
use spaceport_platform::access::{Target, decide};
use spaceport_platform::context::Place;
use spaceport_platform::identifier::PermissionContextIdentifier;
use spaceport_store::StoreError;
use spaceport_wire::identifier::PermissionContextIdentifier as Named;

use crate::http::access::{Access, Demand, require_caller};
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

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        require_caller(&request.caller)?;
        let place = place(request, named(request)?).await?;
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

/// Finds the context. One that does not exist gets the answer of one that the caller may not see.
async fn place(request: &Request, identifier: PermissionContextIdentifier) -> Result<Place, ApiError> {
    let text = identifier.to_string();
    let found = request.services.store.read(move |tx| tx.place(&identifier)).await;
    let found = found.map_err(|error: StoreError| ApiError::from(error))?;
    found.ok_or_else(|| ApiError::not_found(format!("Context {text} not found")))
}
