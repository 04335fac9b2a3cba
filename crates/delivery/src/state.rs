//! The states a delivery can be in; the diagram is in the crate's documentation.

use crate::policy::Next;

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum State {
    /// To be sent, now or at its due time.
    Waiting,
    /// Leased to an engine; claimable again once the lease has run out.
    Sending,
    /// Answered as the application promised. Final.
    Delivered,
    /// All tries failed, or the application asked not to be called again. Final.
    GivenUp,
    /// Withdrawn before it was delivered. Final.
    Cancelled,
}

impl State {
    /// Every state, in the order of the diagram.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Sending, Self::Delivered, Self::GivenUp, Self::Cancelled];

    /// The text under which the state is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the stored text; `None` when no state has that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the diagram has an arrow from here to `next`.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Waiting => matches!(next, Self::Sending | Self::Cancelled),
            // Sending to sending: the lease ran out and somebody claims it again.
            Self::Sending => matches!(next, Self::Waiting | Self::Sending | Self::Delivered | Self::GivenUp),
            Self::Delivered | Self::GivenUp | Self::Cancelled => false,
        }
    }
}

impl From<Next> for State {
    fn from(next: Next) -> Self {
        match next {
            Next::Delivered => Self::Delivered,
            Next::RetryAt(_) => Self::Waiting,
            Next::GiveUp => Self::GivenUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_is_read_back_from_its_text() {
        for state in State::ALL {
            assert_eq!(State::parse(state.as_str()), Some(state));
        }
        assert_eq!(State::parse("sent"), None);
    }

    #[test]
    fn final_states_have_no_way_out() {
        for state in [State::Delivered, State::GivenUp, State::Cancelled] {
            assert!(State::ALL.into_iter().all(|next| !state.may_become(next)));
        }
    }

    #[test]
    fn whatever_policy_decides_is_reachable_from_sending() {
        for next in [Next::Delivered, Next::GiveUp] {
            assert!(State::Sending.may_become(next.into()));
        }
        assert!(!State::Waiting.may_become(State::Delivered));
    }
}
