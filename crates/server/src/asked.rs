//! Who holds what, asked about others than the caller: the same decision, for callers who may know. Who and what questions named is remembered
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

use crate::api::profile_out::EmailsShown;
use crate::http::access::allowed_on;
use crate::http::caller::Callers;
use crate::http::directory_access::emails_shown;
use crate::http::error::ApiError;
use crate::http::in_context::sees;

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

/// The answer to one question of a caller. Where he may not know it, it is no, as it would be if there was nothing:
///
/// * hosts and administrators ask about everybody, everywhere;
/// * everybody asks about himself: the person, and the application that calls;
/// * about others he asks where he sees the place, if he may view the rights of others there, or the application; and an
///   application also if the person consented to it;
/// * by address he asks only about people whose addresses he may view.
///
/// # Errors
/// When the database fails.
pub async fn answer(
    callers: &Callers,
    store: &Store,
    clock: &dyn Clock,
    (caller, question): (&Arc<Caller>, Question),
) -> Result<bool, StoreError> {
    if caller.holds(&Right::CHECK_RIGHTS, &Place::GLOBAL) || question.is_about(caller) {
        let found = answers(callers, store, clock, vec![question]).await?;
        return Ok(found.first().copied().unwrap_or(false));
    }
    let (callers, caller) = (callers.clone(), Arc::clone(caller));
    let found = store.read(move |tx| match may_know(tx, &caller, &question)? {
        true => find(tx, &callers, std::slice::from_ref(&question)),
        false => Ok(vec![false]),
    });
    Ok(found.await?.first().copied().unwrap_or(false))
}

impl Question {
    /// Whether it is plainly about who calls, so that nothing has to be looked up to see that he may ask it.
    fn is_about(&self, caller: &Caller) -> bool {
        match &self.who {
            Who::Person(ProfileIdentifier::Id(id)) => {
                let everywhere = self.context == PermissionContextIdentifier::Global;
                caller.user() == Some(id) && (everywhere || caller.through.is_none())
            }
            Who::Application(ApplicationIdentifier::Id(id)) => caller.acting_application() == Some(id),
            Who::Person(_) | Who::Application(_) | Who::Nobody => false,
        }
    }
}

fn may_know(tx: &mut Tx<'_>, caller: &Caller, question: &Question) -> Result<bool, StoreError> {
    let by_address = matches!(question.who, Who::Person(ProfileIdentifier::Email(_)));
    if by_address && emails_shown(caller, None) == EmailsShown::No {
        return Ok(false);
    }
    let Some(principal) = principal(tx, &question.who)? else { return Ok(false) };
    let Some(place) = tx.place(&question.context)? else { return Ok(false) };
    let own = match &principal {
        Principal::User(id) => caller.user() == Some(id),
        Principal::Application(id) => caller.acting_application() == Some(id),
        Principal::Nobody => false,
    };
    if own && caller.through.is_none() {
        return Ok(true);
    }
    // Who acts through an application sees no more than that application may see.
    if !sees(tx, caller, &place)? {
        return Ok(false);
    }
    if own || caller.holds(&Right::VIEW_RIGHTS, &place) {
        return Ok(true);
    }
    match (&principal, caller.application()) {
        (Principal::User(id), Some(application)) => Ok(tx.consent(id, application)?.is_some()),
        (Principal::Application(id), _) => {
            let found = tx.application(id)?;
            Ok(found.is_some_and(|application| allowed_on(caller, &application, &Right::VIEW_APPLICATIONS)))
        }
        _ => Ok(false),
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
