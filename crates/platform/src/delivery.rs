//! Where a delivery, or a dispatch, stands.
//!
//! ```text
//!   waiting ◄──► sending ──► delivered
//!      │            └──────► given_up ──┐
//!      └──► cancelled                   └──► waiting again, by a replay; so do the other two ends
//! ```

/// Where a delivery or a dispatch stands. How they come from one state into another: `crates/delivery/src/lib.rs`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryState {
    /// It is sent when its time comes.
    Waiting,
    /// It is on its way.
    Sending,
    /// The endpoint took it.
    Delivered,
    /// It failed for the last time.
    GivenUp,
    /// It was not sent, because of a change: rights, the webhook, the application.
    Cancelled,
}

impl DeliveryState {
    /// Every state.
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
}
