//! Access to what somebody agreed to: he himself, and whoever looks after consents.

use spaceport_platform::access::{Caller, Decision, Target, decide};
use spaceport_platform::context::Place;
use spaceport_platform::id::ProfileId;
use spaceport_platform::identifier::ProfileIdentifier;
use spaceport_platform::right::Right;
use spaceport_store::StoreError;

use crate::http::access::{Access, require_caller};
use crate::http::error::ApiError;
use crate::http::request::Request;

const RIGHT: Right = Right::EDIT_APPLICATION_CONSENTS;

/// The person in the path whose consents are meant.
pub struct OnConsents {
    /// Who agreed.
    pub owner: ProfileId,
}

impl Access for OnConsents {
    fn rule() -> String {
        "oneself, by a token that lets Profile.ApplicationConsents.Edit through; others with that right globally"
            .to_owned()
    }

    fn rights() -> Vec<&'static str> {
        vec!["Profile.ApplicationConsents.Edit"]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let identifier = ProfileIdentifier::parse(request.variable("owner")?).map_err(|fault| fault.within("owner"))?;
        let caller = &request.caller;
        require_caller(caller)?;
        let refusal = ApiError::from_decision(decide(caller, &RIGHT, Target::Place(&Place::GLOBAL)), RIGHT.code());
        let (asked, principal) = (identifier.clone(), caller.principal.clone());
        let found = request.services.store.read(move |tx| tx.find_profile(&asked, &principal)).await;
        let found = found.map_err(|error: StoreError| ApiError::from(error))?;
        match (found, refusal) {
            (Some(profile), _) if caller.user() == Some(&profile.id) => {
                match ApiError::from_decision(Decision::Denied, RIGHT.code()) {
                    Some(refusal) if !lets_through(caller) => Err(refusal),
                    _ => Ok(Self { owner: profile.id }),
                }
            }
            // Whoever may not look after consents learns nothing about who there is.
            (_, Some(refusal)) => Err(refusal),
            (Some(profile), None) => Ok(Self { owner: profile.id }),
            (None, None) => Err(ApiError::not_found(format!("Profile {identifier} not found"))),
        }
    }
}

/// Everybody holds the right on himself; his token, and the application he acts through, bound it as any other.
fn lets_through(caller: &Caller) -> bool {
    caller.scope.allows(&RIGHT, &Place::GLOBAL)
        && caller.through.as_ref().is_none_or(|through| {
            through.consent.allows(&RIGHT, &Place::GLOBAL) && through.grants.holds(&RIGHT, &Place::GLOBAL)
        })
}
