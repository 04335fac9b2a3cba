//! How many requests an application may make: so many a minute, on each node (security T21).
//!
//! A leaking bucket in whole numbers. It is kept in memory and asks nobody, so it costs one lock and one look into a map; without
//! the setting not even that.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use spaceport_platform::id::ApplicationId;
use spaceport_platform::time::Timestamp;

use crate::http::error::ApiError;

/// What a request costs. A millisecond brings as much as there may be requests in a minute.
const REQUEST: u64 = 60_000;
/// Buckets that are always kept.
const FEW: usize = 1_024;

/// The requests that applications have left.
pub struct RateLimit {
    per_minute: u64,
    buckets: Mutex<Buckets>,
}

struct Buckets {
    known: HashMap<ApplicationId, Bucket>,
    /// From so many on, full ones are thrown away.
    crowd: usize,
}

#[derive(Clone, Copy)]
struct Bucket {
    level: u64,
    at: Timestamp,
}

impl RateLimit {
    /// So many requests a minute for each application; what was not used of a minute may come all at once.
    pub fn new(per_minute: u32) -> Self {
        let buckets = Buckets { known: HashMap::new(), crowd: FEW };
        Self { per_minute: u64::from(per_minute), buckets: Mutex::new(buckets) }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// `rate-limited` when the application has none left; that request is not counted.
    pub fn count(&self, application: &ApplicationId, now: Timestamp) -> Result<(), ApiError> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let known = buckets.known.get(application);
        let level = known.map_or(self.full(), |bucket| self.level(*bucket, now));
        let (left, answer) = match level.checked_sub(REQUEST) {
            Some(left) => (left, Ok(())),
            None => (level, Err(self.refusal(level))),
        };
        let bucket = Bucket { level: left, at: now };
        match buckets.known.get_mut(application) {
            Some(known) => *known = bucket,
            None => self.add(&mut buckets, application, bucket),
        }
        answer
    }

    /// A minute's worth.
    fn full(&self) -> u64 {
        self.per_minute * REQUEST
    }

    fn level(&self, bucket: Bucket, now: Timestamp) -> u64 {
        let passed = u64::try_from(now.since(bucket.at).as_millis()).unwrap_or(u64::MAX);
        bucket.level.saturating_add(passed.saturating_mul(self.per_minute)).min(self.full())
    }

    fn refusal(&self, level: u64) -> ApiError {
        let millis = REQUEST.saturating_sub(level).div_ceil(self.per_minute.max(1));
        ApiError::rate_limited(
            format!("The application may make {} requests a minute here", self.per_minute),
            Duration::from_millis(millis),
        )
    }

    /// A full bucket is as good as none, so only applications that called within the last minute are remembered.
    fn add(&self, buckets: &mut Buckets, application: &ApplicationId, bucket: Bucket) {
        if buckets.known.len() >= buckets.crowd {
            buckets.known.retain(|_, known| self.level(*known, bucket.at) < self.full());
            buckets.crowd = (buckets.known.len() * 2).max(FEW);
        }
        buckets.known.insert(application.clone(), bucket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + millis)
    }

    fn named(name: &str) -> ApplicationId {
        ApplicationId::new(name)
    }

    /// How many of so many requests are let through.
    fn passed(limit: &RateLimit, name: &str, requests: usize, now: i64) -> usize {
        (0..requests).filter(|_| limit.count(&named(name), at(now)).is_ok()).count()
    }

    fn wait(limit: &RateLimit, name: &str, now: i64) -> Option<u64> {
        limit.count(&named(name), at(now)).unwrap_err().retry_after
    }

    #[test]
    fn a_minutes_worth_comes_at_once_and_the_next_ones_evenly() {
        let limit = RateLimit::new(120);
        assert_eq!(passed(&limit, "a", 500, 0), 120);
        assert_eq!(passed(&limit, "a", 500, 499), 0);
        assert_eq!(passed(&limit, "a", 500, 500), 1);
        assert_eq!(passed(&limit, "a", 500, 1_500), 2);
        assert_eq!(passed(&limit, "a", 500, 1_500 + 60_000), 120, "no more than a minute's worth is saved up");
        assert_eq!(passed(&limit, "b", 500, 1_500), 120, "others have their own");
    }

    #[test]
    fn a_refusal_says_when_to_come_back_in_whole_seconds() {
        let slow = RateLimit::new(6);
        assert_eq!(passed(&slow, "a", 10, 0), 6);
        assert_eq!(wait(&slow, "a", 0), Some(10));
        assert_eq!(wait(&slow, "a", 9_001), Some(1));
        assert_eq!(passed(&slow, "a", 10, 10_000), 1, "refused requests cost nothing");
        let fast = RateLimit::new(60_000_000);
        assert_eq!(passed(&fast, "a", 10, 0), 10);
        assert_eq!(passed(&RateLimit::new(u32::MAX), "a", 10, i64::MAX / 2), 10);
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_and_locks_nobody_out() {
        let limit = RateLimit::new(60);
        assert_eq!(passed(&limit, "a", 100, 3_600_000), 60);
        assert_eq!(passed(&limit, "a", 100, 0), 0);
        assert_eq!(passed(&limit, "a", 100, 1_000), 1);
    }

    #[test]
    fn only_those_who_called_lately_are_remembered() {
        let limit = RateLimit::new(60);
        for number in 0..100_000 {
            // A second's worth each, a millisecond apart: full again a second later.
            limit.count(&named(&number.to_string()), at(number)).unwrap();
        }
        let known = limit.buckets.lock().unwrap().known.len();
        assert!(known <= 2 * 1_024 + 1_000, "{known} are remembered");
    }
}
