//! Access rules about the caller himself: the calling application, and the person it acts for.

use spaceport_platform::access::Principal;
use spaceport_platform::id::{ApplicationId, ProfileId};

use crate::http::access::{Access, require_caller};
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
