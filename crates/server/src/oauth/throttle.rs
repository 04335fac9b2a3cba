//! Failed sign-ins of clients are answered late: each client and each address has so many a second (security T18).
//!
//! Only failures wait. The right secret is never looked at later because of wrong ones, so nobody can lock an
//! application out by guessing.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use spaceport_platform::time::Timestamp;

/// Failures that are answered at once, so that a typing error costs nothing.
const FREE: u32 = 10;
/// From one answer to the next, once those are used up: twenty a second.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest wait; so many answers wait at most that long, further ones no longer than that.
const LONGEST: Duration = Duration::from_secs(2);
/// Names and addresses remembered at once; the oldest are forgotten.
const CAPACITY: u64 = 100_000;

/// Who failed how often lately.
pub struct FailedSignIns {
    clients: Cache<String, Arrival>,
    addresses: Cache<IpAddr, Arrival>,
    changing: Mutex<()>,
}

/// When the last answer goes out, if one goes out every [`PAUSE`] (the generic cell rate algorithm).
type Arrival = Timestamp;

impl Default for FailedSignIns {
    fn default() -> Self {
        let idle = LONGEST + PAUSE * FREE + Duration::from_secs(60);
        Self {
            clients: Cache::builder().max_capacity(CAPACITY).time_to_idle(idle).build(),
            addresses: Cache::builder().max_capacity(CAPACITY).time_to_idle(idle).build(),
            changing: Mutex::new(()),
        }
    }
}

impl FailedSignIns {
    /// Counts a failure; answers how long its answer has to wait.
    ///
    /// `client_id` is what the request said, whether there is such a client or not.
    pub fn failed(&self, client_id: &str, address: Option<IpAddr>, now: Timestamp) -> Duration {
        // A client id that somebody made up must not cost more memory than a real one.
        let client_id: String = client_id.chars().take(200).collect();
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let by_client = wait(&self.clients, client_id, now);
        let by_address = address.map_or(Duration::ZERO, |address| wait(&self.addresses, network(address), now));
        by_client.max(by_address)
    }
}

/// What counts as one address: whoever has one of IPv6 has the 2^64 beside it.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address => address,
    }
}

fn wait<K: Hash + Eq + Send + Sync + 'static>(known: &Cache<K, Arrival>, key: K, now: Timestamp) -> Duration {
    let free = PAUSE * FREE;
    let last = known.get(&key).unwrap_or(now).max(now);
    // No further than the longest wait, or the last of many failures would punish the next week.
    let arrival = last.plus(PAUSE).min(now.plus(free + LONGEST));
    known.insert(key, arrival);
    arrival.minus(free).since(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn a_few_failures_are_free_and_many_wait_longer_and_longer() {
        let failures = FailedSignIns::default();
        let waits: Vec<Duration> = (0..13).map(|_| failures.failed("a", None, NOW)).collect();
        assert_eq!(waits[..10], [Duration::ZERO; 10]);
        assert_eq!(waits[10..], [PAUSE, PAUSE * 2, PAUSE * 3]);
        let most = (0..200).map(|_| failures.failed("a", None, NOW)).max();
        assert_eq!(most, Some(LONGEST));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let failures = FailedSignIns::default();
        for last in 0..20_u16 {
            failures.failed(&format!("client {last}"), Some(IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last])), NOW);
        }
        let wait = |text: &str| failures.failed(text, Some(text.parse().unwrap()), NOW);
        assert!(wait("2001:db8:0:1:ffff::") > Duration::ZERO);
        assert_eq!((wait("2001:db8:0:2::"), wait("::ffff:10.0.0.1")), (Duration::ZERO, Duration::ZERO));
    }

    #[test]
    fn time_forgives() {
        let failures = FailedSignIns::default();
        for _ in 0..200 {
            failures.failed("a", None, NOW);
        }
        let later = NOW.plus(LONGEST + PAUSE * FREE);
        assert_eq!(failures.failed("a", None, later), Duration::ZERO);
    }

    #[test]
    fn clients_and_addresses_are_counted_each_for_itself() {
        let failures = FailedSignIns::default();
        for number in 0..20 {
            failures.failed(&format!("client {number}"), address(1), NOW);
        }
        assert!(failures.failed("another", address(1), NOW) > Duration::ZERO, "many names from one address");
        assert_eq!(failures.failed("another", address(2), NOW), Duration::ZERO);
        for number in 0..20 {
            failures.failed("one", address(100 + number), NOW);
        }
        assert!(failures.failed("one", address(200), NOW) > Duration::ZERO, "many addresses at one name");
    }
}
