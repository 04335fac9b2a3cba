//! Access rules about the caller himself: the calling application, and the person it acts for.

use std::marker::PhantomData;

use spaceport_platform::access::Principal;
use spaceport_platform::id::{ApplicationId, ProfileId, TokenId};
use spaceport_store::StoreError;

use crate::http::access::{Access, Demand, OnApplication, ViewApplications, allowed_on, named, require_caller};
use crate::http::error::ApiError;
use crate::http::request::Request;

/// Applications, with any token of their own. No right is needed (reference page, parameters).
pub struct CallingApplication {
    /// Who calls.
    pub application: ApplicationId,
}

impl Access for CallingApplication {
    fn rule() -> String {
        "an application, for itself".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        Vec::new()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        require_caller(&request.caller)?;
        match &request.caller.principal {
            Principal::Application(id) => Ok(Self { application: id.clone() }),
            Principal::User(_) | Principal::Nobody => Err(ApiError::denied(
                "This operation is for applications: call it with a token of the application itself",
            )),
        }
    }
}

/// Applications that hold `R` on themselves: with any token of their own that leaves them that right.
pub struct OwnApplication<R> {
    /// Who calls.
    pub application: ApplicationId,
    right: PhantomData<R>,
}

impl<R: Demand> Access for OwnApplication<R> {
    fn rule() -> String {
        format!("{} on itself, an application", R::CODE)
    }

    fn rights() -> Vec<&'static str> {
        vec![R::CODE]
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let CallingApplication { application } = CallingApplication::admit(request).await?;
        let id = application.clone();
        let found = request.services.store.read(move |tx| tx.application(&id)).await;
        let found = found.map_err(|error: StoreError| ApiError::from(error))?;
        match found {
            Some(found) if allowed_on(&request.caller, &found, &R::RIGHT) => {
                Ok(Self { application, right: PhantomData })
            }
            _ => Err(ApiError::denied(format!("The right {} is needed here", R::CODE))),
        }
    }
}

/// The permanent token that the call is made with, of the application in the path. No right is needed (reference
/// page): whoever has a token can end it.
pub struct CurrentToken {
    /// The application it speaks for.
    pub application: ApplicationId,
    /// The token.
    pub token: TokenId,
}

impl Access for CurrentToken {
    fn rule() -> String {
        "an application, with the permanent token itself".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        Vec::new()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        let (_, named) = named(request).await?;
        let (caller, own) = (&request.caller, request.caller.application());
        match (&caller.token, own) {
            (Some(token), Some(own)) if named.as_ref().is_some_and(|application| application.id == *own) => {
                Ok(Self { application: own.clone(), token: token.clone() })
            }
            _ => {
                // Whoever may see the application learns what is wrong; others learn nothing.
                let seen = OnApplication::<ViewApplications>::admit(request).await?.application;
                let wrong = "The call must be made with the permanent token that is to be deleted";
                Err(if own == Some(&seen.id) { ApiError::validation(wrong) } else { ApiError::denied(wrong) })
            }
        }
    }
}

/// People who call through an application, with a token that was issued to it. No right is needed (reference
/// page, profile parameters).
pub struct CallingPerson {
    /// Who calls.
    pub profile: ProfileId,
    /// The application the token was issued to.
    pub application: ApplicationId,
}

impl Access for CallingPerson {
    fn rule() -> String {
        "a person, through an application".to_owned()
    }

    fn rights() -> Vec<&'static str> {
        Vec::new()
    }

    async fn admit(request: &Request) -> Result<Self, ApiError> {
        require_caller(&request.caller)?;
        match (request.caller.user(), &request.caller.through) {
            (Some(profile), Some(through)) => {
                Ok(Self { profile: profile.clone(), application: through.application.clone() })
            }
            _ => Err(ApiError::denied(
                "This operation is for people who use an application: call it with a user's token that was issued to the application",
            )),
        }
    }
}
