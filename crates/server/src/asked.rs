//! Who holds what, asked about others than the caller: the same decision, on freshly found principals.

use spaceport_platform::access::{Caller, Credential, Decision, Principal, Target, decide};
use spaceport_platform::grants::Limit;
use spaceport_platform::identifier::{ApplicationIdentifier, PermissionContextIdentifier, ProfileIdentifier};
use spaceport_platform::right::Right;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::principal::PrincipalIn;

use crate::http::error::ApiError;
use crate::services::Services;

/// Whether somebody holds a right in a context.
#[derive(Clone, Debug)]
pub struct Question {
    who: Who,
    right: Right,
    context: PermissionContextIdentifier,
}

#[derive(Clone, Debug)]
enum Who {
    Person(ProfileIdentifier),
    Application(ApplicationIdentifier),
    /// A part of the server, which holds no rights of its own.
    Nobody,
}

impl Question {
    /// With `me` replaced by who that is.
    ///
    /// # Errors
    /// `validation-error` when `me` is asked for and the caller is no such principal.
    pub fn read(
        principal: &PrincipalIn,
        right: Right,
        context: PermissionContextIdentifier,
        caller: &Caller,
    ) -> Result<Self, ApiError> {
        let nobody = |kind: &str| ApiError::validation(format!("principal `{kind}:me` is not who calls"));
        let who = match principal {
            PrincipalIn::Profile(ProfileIdentifier::Me) => {
                let id = caller.user().ok_or_else(|| nobody("profile"))?;
                Who::Person(ProfileIdentifier::Id(id.clone()))
            }
            PrincipalIn::Application(ApplicationIdentifier::Me) => {
                let id = caller.acting_application().ok_or_else(|| nobody("application"))?;
                Who::Application(ApplicationIdentifier::Id(id.clone()))
            }
            PrincipalIn::Profile(profile) => Who::Person(profile.clone()),
            PrincipalIn::Application(application) => Who::Application(application.clone()),
            PrincipalIn::BuiltIn(_) => Who::Nobody,
        };
        Ok(Self { who, right, context })
    }
}

/// The answers, in the order of the questions. Who or what does not exist, or has left, holds nothing.
///
/// # Errors
/// When the database fails.
pub fn answer(tx: &mut Tx<'_>, services: &Services, questions: &[Question]) -> Result<Vec<bool>, StoreError> {
    let mut answers = Vec::with_capacity(questions.len());
    for question in questions {
        answers.push(match (principal(tx, &question.who)?, tx.place(&question.context)?) {
            (Some(principal), Some(place)) => {
                let grants = services.callers.grants(tx, &principal)?;
                let caller = Caller::new(principal, grants, Limit::Everything, Credential::AccessToken);
                decide(&caller, &question.right, Target::Place(&place)) == Decision::Allowed
            }
            _ => false,
        });
    }
    Ok(answers)
}

fn principal(tx: &mut Tx<'_>, who: &Who) -> Result<Option<Principal>, StoreError> {
    Ok(match who {
        Who::Person(identifier) => {
            let found = tx.find_profile(identifier, &Principal::Nobody)?.filter(|profile| profile.is_active());
            found.map(|profile| Principal::User(profile.id))
        }
        Who::Application(identifier) => {
            let found = match identifier {
                ApplicationIdentifier::Id(id) => tx.application(id)?,
                ApplicationIdentifier::ClientId(client_id) => tx.application_by_client_id(client_id)?,
                ApplicationIdentifier::Me => None,
            };
            let active = found.filter(|application| application.archived_at.is_none());
            active.map(|application| Principal::Application(application.id))
        }
        Who::Nobody => None,
    })
}
