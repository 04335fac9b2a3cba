//! Hosts that do not answer: after many failures in a row most attempts fail at once, without a call.
//!
//! So an endpoint that is down holds no slots and no threads of the resolver for the length of a time-out each. Nobody is
//! given up without a call: the last attempt of a delivery is always made, and so is one probe each time the pause ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use spaceport_platform::time::Timestamp;

use crate::outcome::{ErrorKind, Outcome};

/// Failures in a row without any answer after which a host counts as down.
const THRESHOLD: u32 = 20;
/// The first pause; it doubles with each probe that fails.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Most hosts that are remembered.
const MOST: usize = 10_000;

/// Who did not answer lately.
#[derive(Default)]
pub(super) struct Hosts {
    /// How many are remembered, so that the usual case needs no lock.
    count: AtomicUsize,
    failing: Mutex<HashMap<String, Failing>>,
}

struct Failing {
    in_a_row: u32,
    pause: Duration,
    /// Until then nobody calls.
    until: Timestamp,
}

impl Hosts {
    /// Whether the host of this URL may be called `now`; else how the attempt fails. Whoever is let through when a pause
    /// has ended is the probe.
    pub(super) fn admit(&self, url: &str, now: Timestamp) -> Result<(), Outcome> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return Ok(());
        }
        let mut failing = self.lock();
        let Some(host) = failing.get_mut(host_of(url)) else { return Ok(()) };
        if host.in_a_row < THRESHOLD {
            return Ok(());
        }
        if host.until <= now {
            host.until = now.plus(host.pause);
            return Ok(());
        }
        let (name, in_a_row) = (host_of(url), host.in_a_row);
        drop(failing);
        let message =
            format!("not called: {name} has not answered the last {in_a_row} attempts; it is asked again soon");
        Err(Outcome::failed(ErrorKind::HostDown, message))
    }

    /// Takes in what came of a call.
    pub(super) fn heard(&self, url: &str, outcome: &Outcome, now: Timestamp) {
        let silent =
            matches!(outcome, Outcome::Failed { kind: ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Dns, .. });
        if !silent && self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let (mut failing, name) = (self.lock(), host_of(url));
        if !silent {
            failing.remove(name);
        } else if let Some(host) = failing.get_mut(name) {
            host.in_a_row = host.in_a_row.saturating_add(1);
            if host.in_a_row == THRESHOLD {
                tracing::warn!(host = name, "does not answer; most attempts fail without a call until it does");
                host.until = now.plus(host.pause);
            } else if host.in_a_row > THRESHOLD {
                host.pause = (host.pause * 2).min(LONGEST_PAUSE);
                host.until = now.plus(host.pause);
            }
        } else if failing.len() < MOST {
            failing.insert(name.to_owned(), Failing { in_a_row: 1, pause: FIRST_PAUSE, until: now });
        }
        self.count.store(failing.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Scheme, host and port: what a connection is opened to.
fn host_of(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let length = url.get(start..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| start + at);
    url.get(..length).unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Answer, BodyEnd};

    const URL: &str = "https://down.example:8443/hook?x";

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(0).plus(Duration::from_secs(seconds))
    }

    fn silence() -> Outcome {
        Outcome::failed(ErrorKind::Timeout, "")
    }

    fn down() -> Hosts {
        let hosts = Hosts::default();
        (0..THRESHOLD).for_each(|_| hosts.heard(URL, &silence(), at(0)));
        hosts
    }

    #[test]
    fn hosts_are_told_apart_by_scheme_name_and_port() {
        assert_eq!(host_of(URL), "https://down.example:8443");
        assert_eq!(host_of("http://a"), "http://a");
        assert_eq!(host_of(""), "");
        assert!(down().admit("https://down.example/hook", at(0)).is_ok());
        assert!(down().admit("https://down.example:8443/other", at(0)).is_err());
    }

    #[test]
    fn one_probe_is_let_through_after_each_pause_and_pauses_grow() {
        let hosts = down();
        assert!(hosts.admit(URL, at(0)).is_err());
        assert!(hosts.admit(URL, at(1)).is_ok());
        assert!(hosts.admit(URL, at(1)).is_err(), "one is enough");
        hosts.heard(URL, &silence(), at(1));
        assert!(hosts.admit(URL, at(2)).is_err());
        assert!(hosts.admit(URL, at(3)).is_ok());
        for _ in 0..20 {
            hosts.heard(URL, &silence(), at(3));
        }
        assert!(hosts.admit(URL, at(32)).is_err());
        assert!(hosts.admit(URL, at(33)).is_ok());
    }

    #[test]
    fn any_answer_ends_it() {
        let hosts = down();
        let answer = Answer { status: 500, headers: vec![], body: bytes::Bytes::new(), end: BodyEnd::Complete };
        hosts.heard(URL, &Outcome::Answered(answer), at(0));
        assert!(hosts.admit(URL, at(0)).is_ok());
        assert_eq!(hosts.count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn few_failures_and_faults_that_are_not_silence_close_nothing() {
        let hosts = Hosts::default();
        (1..THRESHOLD).for_each(|_| hosts.heard(URL, &silence(), at(0)));
        assert!(hosts.admit(URL, at(0)).is_ok());
        (0..100).for_each(|_| hosts.heard(URL, &Outcome::failed(ErrorKind::RefusedAddress, ""), at(0)));
        assert!(hosts.admit(URL, at(0)).is_ok());
    }
}
