//! What an application asks for and nobody has answered yet, and the answers of one who decides: all, some or none.

use spaceport_platform::access::{Caller, Decision};
use spaceport_platform::application::Application;
use spaceport_platform::audit::{AuditChange, AuditTarget};
use spaceport_platform::authorization::{Capacity, Wish, capacity, may_grant};
use spaceport_platform::context::Place;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::lifecycle;
use spaceport_platform::right::Right;
use spaceport_platform::unfurl::{TargetKind, UnfurlTarget};
use spaceport_store::{StoreError, Tx};

use crate::api::application_state::loaded;
use crate::authorization::{Change, apply};
use crate::http::error::ApiError;
use crate::http::in_context::sees;
use crate::http::news::News;
use crate::http::trail::Trail;
use crate::unfurl;

/// A right that an application asked for.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Where.
    pub place: Place,
    /// Which right.
    pub right: Right,
    /// What the one who looks may answer.
    pub power: Power,
}

/// What somebody may answer to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Power {
    /// Yes and no.
    Approve,
    /// Only no: nobody gives what he does not hold himself.
    Reject,
    /// Nothing.
    None,
}

/// What is answered to a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

/// Everything that an application asks for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Rights.
    pub rights: Vec<Waiting>,
    /// Domains whose links it wants to preview.
    pub domains: Vec<UnfurlTarget>,
    /// Patterns of ids that it wants to preview.
    pub patterns: Vec<UnfurlTarget>,
    /// Whether the one who looks may answer about previews.
    pub decides_unfurls: bool,
}

impl Asked {
    /// As far as the caller sees it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(tx: &mut Tx<'_>, caller: &Caller, application: &ApplicationId) -> Result<Self, StoreError> {
        Ok(Self {
            rights: waiting(tx, caller, application)?,
            domains: unfurl::waiting(tx, application, TargetKind::Domain)?,
            patterns: unfurl::waiting(tx, application, TargetKind::Pattern)?,
            decides_unfurls: unfurl::decides(tx, caller, application)?,
        })
    }
}

/// Requests of an application that wait, as far as the caller sees the places, by place and right.
///
/// # Errors
/// When the database fails.
fn waiting(tx: &mut Tx<'_>, caller: &Caller, application: &ApplicationId) -> Result<Vec<Waiting>, StoreError> {
    let family = tx.family(application)?;
    let acting = caller.acting_application().cloned().map(|id| tx.family(&id)).transpose()?;
    let mut found = Vec::new();
    for (context, right) in tx.requested_rights(application)? {
        let place = tx.place_of(context)?;
        if !sees(tx, caller, &place)? {
            continue;
        }
        // Whether he may edit the application is of no interest: that decides nothing.
        let decides = capacity(caller, &place, acting.as_ref(), &family, Decision::Denied) == Some(Capacity::Decider);
        let power = match (may_grant(caller, &right, &place, acting.as_ref(), &family), decides) {
            (true, _) => Power::Approve,
            (false, true) => Power::Reject,
            (false, false) => Power::None,
        };
        found.push(Waiting { place, right, power });
    }
    Ok(found)
}

/// Everything that somebody answers in one step.
#[derive(Default)]
pub struct Answers {
    /// About rights.
    pub rights: Vec<(Waiting, Answer)>,
    /// About previews of links.
    pub targets: Vec<TargetAnswer>,
    /// What he says to it.
    pub comment: Option<String>,
}

/// One answer about targets of link previews.
pub struct TargetAnswer {
    /// Of which kind.
    pub kind: TargetKind,
    /// Which, by name.
    pub names: Vec<String>,
    /// The answer.
    pub answer: Answer,
    /// The argument that names them.
    pub field: &'static str,
}

impl Answers {
    /// How many requests are answered.
    pub fn count(&self) -> usize {
        self.rights.len() + self.targets.iter().map(|answer| answer.names.len()).sum::<usize>()
    }
}

/// Gives answers to what is `asked`, in one step: first about rights, then about previews, and an entry of the audit
/// trail that counts them.
///
/// # Errors
/// `permission-denied` for an answer that the caller may not give; `validation-error` for a target that does not wait.
/// Then none is given.
pub fn respond(
    tx: &mut Tx<'_>,
    trail: &Trail,
    news: &News,
    (application, asked): (&ApplicationId, &Asked),
    answers: &Answers,
) -> Result<(), ApiError> {
    if !asked.decides_unfurls && answers.targets.iter().any(|answer| !answer.names.is_empty()) {
        let text = "Link previews can be answered only by somebody who holds Unfurl.App.Authorize globally";
        return Err(ApiError::denied(text));
    }
    answer_rights(tx, trail, news, application, answers)?;
    for TargetAnswer { kind, names, answer, field } in &answers.targets {
        unfurl::answer(tx, trail, news, application, (*kind, field), names, *answer == Answer::Approve)?;
    }
    let answered = AuditChange::between("approvals", None, Some(&answers.count().to_string()));
    Ok(trail.record(tx, AuditTarget::application(application), answered)?)
}

/// Answers requests for rights, with one entry of the audit trail for each place.
fn answer_rights(
    tx: &mut Tx<'_>,
    trail: &Trail,
    news: &News,
    application: &ApplicationId,
    answers: &Answers,
) -> Result<(), ApiError> {
    let application: Application = loaded(tx, application)?;
    lifecycle::require_active(&application)?;
    let mut places: Vec<(Place, Vec<(Right, Wish)>)> = Vec::new();
    for (waiting, answer) in &answers.rights {
        let wish = match (answer, waiting.power) {
            (Answer::Approve, Power::Approve) => Wish::Grant,
            (Answer::Reject, Power::Approve | Power::Reject) => Wish::Reject,
            (Answer::Approve, Power::Reject) => {
                return Err(ApiError::denied(format!(
                    "The right {} can be granted only by somebody who holds it there",
                    waiting.right
                )));
            }
            (_, Power::None) => {
                return Err(ApiError::denied(format!(
                    "The request for {} can be answered only by somebody who decides about rights there",
                    waiting.right
                )));
            }
        };
        match places.iter_mut().find(|(place, _)| place.context() == waiting.place.context()) {
            Some((_, wishes)) => wishes.push((waiting.right.clone(), wish)),
            None => places.push((waiting.place.clone(), vec![(waiting.right.clone(), wish)])),
        }
    }
    for (place, wishes) in places {
        let change = Change {
            application: application.id.clone(),
            places: vec![place],
            wishes,
            capacity: Capacity::Decider,
            actor: None,
            comment: answers.comment.clone(),
        };
        apply(tx, trail, news, &change)?;
    }
    Ok(())
}
