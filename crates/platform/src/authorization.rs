//! Authorizations: rights of an application in a context, from asked for to granted, refused or taken back.

use crate::access::Decision;
use crate::access::{Caller, Principal, Target, decide};
use crate::context::{Context, Place};
use crate::id::ApplicationId;
use crate::invalid::Invalid;
use crate::right::Right;
use crate::time::Timestamp;

/// Most rights that one call may ask for or change.
pub const MAX_RIGHTS: usize = 500;
/// Longest comment, in characters.
pub const MAX_COMMENT: usize = 1_000;
/// Most makers that are followed from an application to the person behind it.
pub const MAX_MAKERS: usize = 32;

/// How far a right of an application in a context has come.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RightStatus {
    /// Not asked for, or taken back.
    None,
    /// Asked for; nobody has answered.
    Requested,
    /// It holds.
    Granted,
    /// It was asked for, and the answer was no.
    Rejected,
}

/// What somebody wants to happen to a right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// To ask for it.
    Request,
    /// To give it.
    Grant,
    /// To say no.
    Reject,
    /// To take it back, whether it was given or only asked for.
    Withdraw,
}

/// In which capacity somebody changes an authorization.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Capacity {
    /// As one who decides about rights in the context.
    Decider,
    /// As one who manages the application: may ask, and give up, but decides nothing.
    Manager,
}

/// A right of an application in a context.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthorizedRight {
    /// Which right.
    pub right: Right,
    /// How far it has come.
    pub status: RightStatus,
    /// Who brought it there; nobody when the server itself did.
    pub author: Principal,
    /// When.
    pub modified_at: Timestamp,
}

impl RightStatus {
    /// The stored name, which is also the one on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Requested => "REQUESTED",
            Self::Granted => "GRANTED",
            Self::Rejected => "REJECTED",
        }
    }

    /// Reads the stored name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::None, Self::Requested, Self::Granted, Self::Rejected].into_iter().find(|status| status.name() == name)
    }

    /// The wish to bring a right to this status.
    pub fn wish(self) -> Wish {
        match self {
            Self::None => Wish::Withdraw,
            Self::Requested => Wish::Request,
            Self::Granted => Wish::Grant,
            Self::Rejected => Wish::Reject,
        }
    }

    /// The status after `wish`. Asking again never takes away what was granted, and is allowed after a no.
    ///
    /// # Errors
    /// Refuses to answer what nobody asked, to let managers of an application decide, and to let them wipe out
    /// that the answer was no.
    pub fn after(self, wish: Wish, capacity: Capacity) -> Result<Self, Invalid> {
        match (self, wish, capacity) {
            (_, Wish::Grant | Wish::Reject, Capacity::Manager) => {
                Err(refused("must be decided by somebody else than the application"))
            }
            (Self::None, Wish::Reject, Capacity::Decider) => {
                Err(refused("was not requested, so it cannot be rejected"))
            }
            (Self::Rejected, Wish::Withdraw, Capacity::Manager) => {
                Err(refused("was rejected; it can be requested again, but not withdrawn"))
            }
            (Self::Granted, Wish::Request, _) | (_, Wish::Grant, _) => Ok(Self::Granted),
            (_, Wish::Request, _) => Ok(Self::Requested),
            (_, Wish::Reject, _) => Ok(Self::Rejected),
            (_, Wish::Withdraw, _) => Ok(Self::None),
        }
    }
}

fn refused(why: &str) -> Invalid {
    Invalid::new("", why)
}

/// The right that lets its holder decide about rights in a context.
pub fn deciding_right(context: &Context) -> Right {
    match context {
        Context::Global => Right::SUPERADMIN,
        // A package repository lies in a project, whose administrators decide about it.
        Context::Project(_) | Context::PackageRepository(_) => Right::ADMINISTER_PROJECT,
        Context::Channel(_) => Right::ADMINISTER_CHANNEL,
    }
}

/// Whether `caller` decides about rights of others at `place`.
pub fn decides(caller: &Caller, place: &Place) -> bool {
    let may = |right: &Right, place: &Place| decide(caller, right, Target::Place(place)) == Decision::Allowed;
    may(&deciding_right(place.context()), place) || may(&Right::SUPERADMIN, &Place::GLOBAL)
}

/// An application among those that are of one making: who made it, who made that one, and so on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Family {
    /// The application.
    pub application: ApplicationId,
    /// The first application of the row of makers; the application itself when a person made it.
    pub root: ApplicationId,
}

/// In which capacity `caller` may change rights of the application `of` at `place`; in none when `None`. `edit` is
/// the decision whether he may edit that application. No application decides in its own cause.
pub fn capacity(
    caller: &Caller,
    place: &Place,
    acting: Option<&Family>,
    of: &Family,
    edit: Decision,
) -> Option<Capacity> {
    let in_its_own_cause = acting.is_some_and(|acting| acting.root == of.root);
    match (decides(caller, place) && !in_its_own_cause, edit) {
        (true, _) => Some(Capacity::Decider),
        (false, Decision::Allowed) => Some(Capacity::Manager),
        (false, _) => None,
    }
}

/// Whether `caller` may grant `right` at `place` to the application `to`. `acting` is the family of the
/// application that calls, when one does, on its own behalf or for a user.
///
/// Nobody grants what he does not hold there himself (security P3). No application grants to itself, nor to the
/// ones of its making, nor to the ones that made it; its user's tokens do not, either: else what an
/// administrator lends to an application for a moment could become its own for good.
pub fn may_grant(caller: &Caller, right: &Right, place: &Place, acting: Option<&Family>, to: &Family) -> bool {
    let in_its_own_cause = acting.is_some_and(|acting| acting.root == to.root);
    let holds = decide(caller, right, Target::Place(place)) == Decision::Allowed;
    !right.is_of_host() && !in_its_own_cause && holds && decides(caller, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [RightStatus; 4] =
        [RightStatus::None, RightStatus::Requested, RightStatus::Granted, RightStatus::Rejected];

    #[test]
    fn asking_is_idempotent_and_never_takes_away() {
        for status in ALL {
            for capacity in [Capacity::Decider, Capacity::Manager] {
                let once = status.after(Wish::Request, capacity).unwrap();
                assert_eq!(once.after(Wish::Request, capacity), Ok(once));
                let expected = if status == RightStatus::Granted { status } else { RightStatus::Requested };
                assert_eq!(once, expected, "{status:?}");
            }
        }
    }

    #[test]
    fn only_deciders_bring_a_right_to_granted_or_rejected() {
        for status in ALL {
            assert!(status.after(Wish::Grant, Capacity::Manager).is_err());
            assert!(status.after(Wish::Reject, Capacity::Manager).is_err());
            assert_eq!(status.after(Wish::Grant, Capacity::Decider), Ok(RightStatus::Granted));
            let expected = (status != RightStatus::None).then_some(RightStatus::Rejected);
            assert_eq!(status.after(Wish::Reject, Capacity::Decider).ok(), expected);
        }
    }

    #[test]
    fn everything_can_be_taken_back_but_a_no_only_by_deciders() {
        for status in ALL {
            assert_eq!(status.after(Wish::Withdraw, Capacity::Decider), Ok(RightStatus::None));
            let kept = status == RightStatus::Rejected;
            assert_eq!(status.after(Wish::Withdraw, Capacity::Manager).is_err(), kept);
        }
    }

    #[test]
    fn names_survive_a_round_trip_and_a_status_is_reached_by_its_wish() {
        for status in ALL {
            assert_eq!(RightStatus::from_name(status.name()), Some(status));
            assert_eq!(RightStatus::Requested.after(status.wish(), Capacity::Decider), Ok(status));
        }
        assert_eq!(RightStatus::from_name("granted"), None);
    }
}
