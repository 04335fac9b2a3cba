//! What follows from an attempt: delivered, again at a time, or given up. Pure.

use std::time::Duration;

use spaceport_platform::delivery::DeliveryState;
use spaceport_platform::random::Random;
use spaceport_platform::time::Timestamp;

use crate::outbox::{PayloadKind, Retries};
use crate::outcome::{Answer, Outcome};

/// Webhooks: three resends (wire-protocol 5.4).
const WEBHOOK_DELAYS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(10), Duration::from_secs(60)];
/// Lifecycle payloads: five tries, the pauses growing ninefold from 5 seconds to an hour (wire-protocol 5.4).
const LIFECYCLE_DELAYS: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(45), Duration::from_secs(400), Duration::from_secs(3600)];
/// Retries of one moment are spread over a tenth of their delay, so that they do not come as a herd.
const JITTER: f64 = 0.1;
/// The longest `Retry-After` that is respected: an application cannot park its deliveries for days.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// How long to wait after each failure, for each kind of payload.
#[derive(Clone, PartialEq, Debug)]
pub struct Schedule {
    webhook: Vec<Duration>,
    lifecycle: Vec<Duration>,
    /// The largest part of a delay that is added to it, 0 to 1.
    jitter: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { webhook: WEBHOOK_DELAYS.to_vec(), lifecycle: LIFECYCLE_DELAYS.to_vec(), jitter: JITTER }
    }
}

impl Schedule {
    /// The operator's own delays, for every kind and exactly, without jitter: one retry for each.
    pub fn from_delays(delays: Vec<Duration>) -> Self {
        Self { webhook: delays.clone(), lifecycle: delays, jitter: 0.0 }
    }

    /// The delays after the first, second, … failure.
    pub fn delays(&self, kind: PayloadKind) -> &[Duration] {
        match kind {
            PayloadKind::Webhook => &self.webhook,
            PayloadKind::Lifecycle => &self.lifecycle,
        }
    }

    /// How many attempts a delivery gets: the first and the retries.
    pub fn attempts(&self, kind: PayloadKind) -> u32 {
        u32::try_from(self.delays(kind).len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The pause after failed attempt number `attempt`, jitter included; `None` after the last.
    fn delay_after(&self, kind: PayloadKind, attempt: u32, random: &dyn Random) -> Option<Duration> {
        let delay = nth(self.delays(kind), attempt)?;
        if self.jitter > 0.0 { Some(delay + delay.mul_f64(self.jitter * random.fraction())) } else { Some(delay) }
    }
}

/// The pause after failed attempt number `attempt`, from 1.
fn nth(delays: &[Duration], attempt: u32) -> Option<Duration> {
    delays.get(usize::try_from(attempt.checked_sub(1)?).ok()?).copied()
}

/// What follows for a delivery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Done.
    Delivered,
    /// To be sent again, not before this moment.
    RetryAt(Timestamp),
    /// Failed for good.
    GiveUp,
}

impl From<Next> for DeliveryState {
    fn from(next: Next) -> Self {
        match next {
            Next::Delivered => Self::Delivered,
            Next::RetryAt(_) => Self::Waiting,
            Next::GiveUp => Self::GivenUp,
        }
    }
}

/// An attempt that has ended, as far as the decision depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Tried<'a> {
    /// What was sent.
    pub kind: PayloadKind,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: &'a Outcome,
    /// Statuses that count as success beside 2xx.
    pub accepted_codes: &'a [u16],
    /// Whether a failure is tried again.
    pub retries: Retries,
    /// The target's own pauses, taken exactly; `None` follows the schedule.
    pub delays: Option<&'a [Duration]>,
}

/// Decides what follows from an attempt that ended `now`.
///
/// Everything that is not a success is tried again: no connection, time-outs, redirects (they are never
/// followed), 4xx, 5xx (wire-protocol 8, row 23). Only 410 Gone is final at once: the endpoint says that it
/// wants no more.
pub fn next(schedule: &Schedule, tried: &Tried<'_>, now: Timestamp, random: &dyn Random) -> Next {
    let answer = match tried.outcome {
        Outcome::Answered(answer) => Some(answer),
        Outcome::Failed { .. } => None,
    };
    let status = answer.map(|answer| answer.status);
    if status.is_some_and(|status| is_success(status, tried.accepted_codes)) {
        return Next::Delivered;
    }
    let gone = status == Some(410);
    if gone || tried.retries == Retries::Disabled {
        return Next::GiveUp;
    }
    let delay = match tried.delays {
        Some(own) => nth(own, tried.attempt),
        None => schedule.delay_after(tried.kind, tried.attempt, random),
    };
    let Some(delay) = delay else { return Next::GiveUp };
    let asked = match tried.kind {
        PayloadKind::Webhook => answer.and_then(|answer| retry_after(answer, now)).unwrap_or_default(),
        PayloadKind::Lifecycle => Duration::ZERO,
    };
    Next::RetryAt(now.plus(delay.max(asked.min(LONGEST_RETRY_AFTER))))
}

/// Whether a status means that the application took the payload.
pub fn is_success(status: u16, accepted_codes: &[u16]) -> bool {
    (200..300).contains(&status) || accepted_codes.contains(&status)
}

/// The pause that an answer asks for (RFC 9110, section 10.2.3): seconds, or a date.
fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a very long time, not nonsense.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    http_date(text).map(|moment| moment.since(now))
}

/// Reads the one date format that senders may generate: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time, zone) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    if zone != "GMT" || words.next().is_some() {
        return None;
    }
    Timestamp::parse_iso(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
