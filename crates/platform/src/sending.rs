//! How the deliveries of a webhook are sent: resends, order, pace. Ours alone: the original API has none of it.

use std::time::Duration;

use crate::invalid::Invalid;

/// Most resends of one delivery.
pub const MAX_RETRIES: usize = 20;
/// The longest pause before a resend.
pub const MAX_DELAY: Duration = Duration::from_secs(31 * 24 * 3600);
/// The highest limit of attempts under way at the same time that can be set.
pub const MAX_IN_FLIGHT: u32 = 64;
/// The highest limit of attempts in a minute that can be set.
pub const MAX_PER_MINUTE: u32 = 600_000;

/// How the deliveries of a webhook are sent.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sending {
    /// Pauses before each resend, without jitter; `None` follows the server's schedule.
    pub retry_delays: Option<Vec<Duration>>,
    /// Whether each delivery waits until the one before it has ended.
    pub ordered: bool,
    /// Most attempts under way at the same time, on each node.
    pub most_in_flight: Option<u32>,
    /// Most attempts in a minute, evenly spread, on each node.
    pub most_per_minute: Option<u32>,
}

/// Checks the numbers before they are stored.
///
/// # Errors
/// Names the field, as the host API calls it.
pub fn check(sending: &Sending) -> Result<(), Invalid> {
    if let Some(delays) = &sending.retry_delays {
        if delays.len() > MAX_RETRIES {
            return Err(Invalid::new("retryDelaysMillis", format!("must hold at most {MAX_RETRIES} pauses")));
        }
        if delays.iter().any(|delay| *delay > MAX_DELAY) {
            return Err(Invalid::new("retryDelaysMillis", "must hold pauses of at most 31 days"));
        }
    }
    within("mostInFlight", sending.most_in_flight, MAX_IN_FLIGHT)?;
    within("mostPerMinute", sending.most_per_minute, MAX_PER_MINUTE)
}

fn within(field: &'static str, number: Option<u32>, most: u32) -> Result<(), Invalid> {
    match number {
        Some(number) if number == 0 || number > most => {
            Err(Invalid::new(field, format!("must be 1 to {most}, or null for no limit; is {number}")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_bounds_is_named() {
        let none = Sending::default();
        assert_eq!(check(&none), Ok(()));
        let fault = |sending: Sending| check(&sending).unwrap_err().to_string();
        let delays = |delays| Sending { retry_delays: Some(delays), ..Sending::default() };
        assert!(fault(delays(vec![Duration::ZERO; MAX_RETRIES + 1])).starts_with("retryDelaysMillis"));
        assert!(fault(delays(vec![MAX_DELAY + Duration::from_millis(1)])).contains("31 days"));
        assert!(fault(Sending { most_in_flight: Some(0), ..Sending::default() }).starts_with("mostInFlight"));
        assert!(fault(Sending { most_per_minute: Some(600_001), ..Sending::default() }).starts_with("mostPerMinute"));
    }
}
