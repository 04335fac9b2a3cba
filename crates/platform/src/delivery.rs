//! Where a delivery, or a dispatch, stands. The diagram is in `crates/delivery/src/lib.rs`.

/// Where a delivery or a dispatch stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeliveryState {
    /// To be sent, now or at its due time.
    Waiting,
    /// Leased to an engine; claimable again once the lease has run out.
    Sending,
    /// Answered as the application promised. Final.
    Delivered,
    /// All tries failed, or the application asked not to be called again. Final.
    GivenUp,
    /// Withdrawn before it was delivered, because of a change: rights, the webhook, the application. Final.
    Cancelled,
}

impl DeliveryState {
    /// Every state, in the order of the diagram.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Sending, Self::Delivered, Self::GivenUp, Self::Cancelled];

    /// The name in the API and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
            Self::Cancelled => "cancelled",
        }
    }

    /// The inverse of [`Self::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the diagram has an arrow from here to `next`. A replay, which makes what has ended wait again, is none of
    /// the sender's.
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Waiting => matches!(next, Self::Sending | Self::Cancelled),
            // Sending to sending: the lease ran out and somebody claims it again.
            Self::Sending => matches!(next, Self::Waiting | Self::Sending | Self::Delivered | Self::GivenUp),
            Self::Delivered | Self::GivenUp | Self::Cancelled => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_name(state.name()), Some(state));
        }
        assert_eq!(DeliveryState::from_name("lost"), None);
    }

    #[test]
    fn final_states_have_no_way_out() {
        for state in [DeliveryState::Delivered, DeliveryState::GivenUp, DeliveryState::Cancelled] {
            assert!(DeliveryState::ALL.into_iter().all(|next| !state.may_become(next)));
        }
    }
}
