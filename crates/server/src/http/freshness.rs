//! Whether what this node remembers still holds: the last revision it has seen, and when.

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use spaceport_platform::time::Timestamp;

/// The revision of something remembered, as far as this node knows.
#[derive(Default)]
pub struct Freshness {
    state: RwLock<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Counts local changes, so that a look that began before one does not undo it.
    generation: u64,
    seen: Option<(i64, Timestamp)>,
}

/// A look at the database that is under way.
#[derive(Clone, Copy)]
pub struct Look {
    generation: u64,
}

impl Freshness {
    /// The revision, when it was seen at most `trust` ago.
    pub fn current(&self, now: Timestamp, trust: Duration) -> Option<i64> {
        let (revision, at) = self.read().seen?;
        // A clock that was set back makes a look of the future: that one is not trusted either.
        (at <= now && now.since(at) <= trust).then_some(revision)
    }

    /// To be called before a look at the database.
    pub fn look(&self) -> Look {
        Look { generation: self.read().generation }
    }

    /// Takes in what a look found, unless something changed here after it began.
    pub fn learn(&self, look: Look, revision: i64, now: Timestamp) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let newer = state.seen.is_none_or(|(seen, _)| revision >= seen);
        if state.generation == look.generation && newer {
            state.seen = Some((revision, now));
        }
    }

    /// Says that something changed on this node: nothing is trusted before the next look.
    pub fn forget(&self) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.generation = state.generation.wrapping_add(1);
        state.seen = None;
    }

    fn read(&self) -> State {
        *self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUST: Duration = Duration::from_secs(1);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_revision_is_trusted_for_a_while() {
        let freshness = Freshness::default();
        assert_eq!(freshness.current(at(0), TRUST), None);
        freshness.learn(freshness.look(), 7, at(0));
        assert_eq!(freshness.current(at(1_000), TRUST), Some(7));
        assert_eq!(freshness.current(at(1_001), TRUST), None);
        assert_eq!(freshness.current(at(-1), TRUST), None, "the clock was set back");
    }

    #[test]
    fn a_look_that_began_before_a_change_here_teaches_nothing() {
        let freshness = Freshness::default();
        let look = freshness.look();
        freshness.forget();
        freshness.learn(look, 7, at(0));
        assert_eq!(freshness.current(at(0), TRUST), None);
    }

    #[test]
    fn an_older_look_that_ends_later_does_not_bring_the_old_revision_back() {
        let freshness = Freshness::default();
        let (slow, quick) = (freshness.look(), freshness.look());
        freshness.learn(quick, 8, at(0));
        freshness.learn(slow, 7, at(1));
        assert_eq!(freshness.current(at(1), TRUST), Some(8));
    }
}
