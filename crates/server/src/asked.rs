//! Who holds what, asked about others than the caller: the same decision. Who and what questions named is remembered
//! like callers are, so that a question that was asked before costs no look into the database.

use std::sync::Arc;

use moka::sync::Cache;
use spaceport_platform::access::{Caller, Credential, Decision, Principal, Target, decide};
use spaceport_platform::context::Place;
use spaceport_platform::grants::{Grants, Limit};
use spaceport_platform::identifier::{ApplicationIdentifier, PermissionContextIdentifier, ProfileIdentifier};
use spaceport_platform::right::Right;
use spaceport_platform::time::Clock;
use spaceport_store::{Remembered, Store, StoreError, Tx};
use spaceport_wire::principal::PrincipalIn;

use crate::http::caller::Callers;
use crate::http::error::ApiError;

/// Whether somebody holds a right in a context.
#[derive(Clone, Debug)]
pub struct Question {
    who: Who,
    right: Right,
    context: PermissionContextIdentifier,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
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

/// Most principals, and most contexts, remembered at once.
const CAPACITY: u64 = 100_000;

/// Whom and what questions named, each with the revision of rights it was found at. What does not exist is not
/// remembered: its name may be as long as a call.
#[derive(Clone)]
pub struct Named {
    principals: Cache<Who, (i64, Principal)>,
    places: Cache<PermissionContextIdentifier, (i64, Arc<Place>)>,
}

impl Default for Named {
    fn default() -> Self {
        Self { principals: Cache::new(CAPACITY), places: Cache::new(CAPACITY) }
    }
}

impl Named {
    /// Forgets everything.
    pub fn forget(&self) {
        self.principals.invalidate_all();
        self.places.invalidate_all();
    }

    fn principal(&self, who: &Who, revision: i64) -> Option<Principal> {
        self.principals.get(who).filter(|(at, _)| *at == revision).map(|(_, principal)| principal)
    }

    fn place(&self, named: &PermissionContextIdentifier, revision: i64) -> Option<Arc<Place>> {
        self.places.get(named).filter(|(at, _)| *at == revision).map(|(_, place)| place)
    }
}

/// The answers, in the order of the questions. Who or what does not exist, or has left, holds nothing.
///
/// # Errors
/// When the database fails.
pub async fn answers(
    callers: &Callers,
    store: &Store,
    clock: &dyn Clock,
    questions: Vec<Question>,
) -> Result<Vec<bool>, StoreError> {
    let known = callers.fresh_revision(clock).and_then(|revision| {
        let known = questions.iter().map(|question| remembered(callers, question, revision));
        known.collect::<Option<Vec<bool>>>()
    });
    match known {
        Some(answers) => Ok(answers),
        None => {
            let callers = callers.clone();
            store.read(move |tx| find(tx, &callers, &questions)).await
        }
    }
}

/// The answer, when all that it needs is known at this revision.
fn remembered(callers: &Callers, question: &Question, revision: i64) -> Option<bool> {
    let place = callers.named().place(&question.context, revision)?;
    let principal = callers.named().principal(&question.who, revision)?;
    let grants = callers.known_grants(&principal, revision)?;
    Some(holds(principal, grants, &question.right, &place))
}

fn find(tx: &mut Tx<'_>, callers: &Callers, questions: &[Question]) -> Result<Vec<bool>, StoreError> {
    let (revision, named) = (tx.revision(Remembered::Rights)?, callers.named());
    let mut answers = Vec::with_capacity(questions.len());
    for Question { who, right, context } in questions {
        let place = match named.place(context, revision) {
            Some(place) => Some(place),
            None => tx.place(context)?.map(Arc::new),
        };
        let principal = match named.principal(who, revision) {
            Some(principal) => Some(principal),
            None => principal(tx, who)?,
        };
        let (Some(place), Some(principal)) = (place, principal) else {
            answers.push(false);
            continue;
        };
        named.places.insert(context.clone(), (revision, Arc::clone(&place)));
        named.principals.insert(who.clone(), (revision, principal.clone()));
        let grants = callers.grants_of(tx, &principal, revision)?;
        answers.push(holds(principal, grants, right, &place));
    }
    Ok(answers)
}

fn holds(principal: Principal, grants: Arc<Grants>, right: &Right, place: &Place) -> bool {
    let caller = Caller::new(principal, grants, Limit::Everything, Credential::AccessToken);
    decide(&caller, right, Target::Place(place)) == Decision::Allowed
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
