//! Points in time with millisecond precision, and the clock that tells them.

use std::fmt;
use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads an ISO 8601 instant (`2024-03-05T09:07:00Z`, fraction and offset optional).
    pub fn parse_iso(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_millisecond()))
    }

    /// The form of wire-protocol 2.4: exactly three fraction digits and `Z`.
    pub fn to_iso(self) -> String {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => instant.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            // Outside the years -9999..=9999 there is no ISO form; the number still says it.
            Err(_) => self.0.to_string(),
        }
    }

    /// This much later; stays at the end of time instead of overflowing.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This much earlier; stays at the beginning of time instead of overflowing.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_iso())
    }
}

/// Tells the time. The server reads the machine's clock, tests stop it.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Default, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the ban points to")]
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_has_exactly_three_fraction_digits() {
        assert_eq!(Timestamp::from_millis(1_709_629_620_000).to_iso(), "2024-03-05T09:07:00.000Z");
        assert_eq!(Timestamp::from_millis(1_709_629_620_007).to_iso(), "2024-03-05T09:07:00.007Z");
    }

    #[test]
    fn iso_is_read_with_and_without_fraction() {
        let expected = Some(Timestamp::from_millis(1_709_629_620_000));
        assert_eq!(Timestamp::parse_iso("2024-03-05T09:07:00Z"), expected);
        assert_eq!(Timestamp::parse_iso("2024-03-05T10:07:00.000+01:00"), expected);
        assert_eq!(Timestamp::parse_iso("yesterday"), None);
    }
}
