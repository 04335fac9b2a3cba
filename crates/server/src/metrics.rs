//! Counts of what the server does, for `/metrics`. Labels are names of operations and states, never
//! ids or URLs, so that their number is bounded.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use spaceport_delivery::engine::Progress;

/// Shared counters.
#[derive(Clone, Default)]
pub struct Metrics {
    requests: Arc<Mutex<BTreeMap<(&'static str, u16), u64>>>,
}

impl Metrics {
    /// Counts an answered request.
    pub fn count_request(&self, operation: &'static str, status: StatusCode) {
        // A poisoned lock only means that a count may be off by one.
        let mut requests = self.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *requests.entry((operation, status.as_u16())).or_default() += 1;
    }

    /// The text format of Prometheus.
    pub fn render(&self, progress: &Progress) -> String {
        let mut text = String::from(
            "# HELP spaceport_requests_total Answered requests.\n# TYPE spaceport_requests_total counter\n",
        );
        let requests = self.requests.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for ((operation, status), count) in requests.iter() {
            let _ = writeln!(text, "spaceport_requests_total{{operation=\"{operation}\",status=\"{status}\"}} {count}");
        }
        let mut metric = |name: &str, kind: &str, help: &str, value: u64| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        };
        let in_flight = u64::try_from(progress.in_flight).unwrap_or(u64::MAX);
        metric("spaceport_deliveries_in_flight", "gauge", "Attempts that wait for an endpoint.", in_flight);
        metric("spaceport_deliveries_delivered_total", "counter", "Deliveries that were accepted.", progress.delivered);
        metric("spaceport_attempts_failed_total", "counter", "Attempts that failed.", progress.failed_attempts);
        metric("spaceport_deliveries_given_up_total", "counter", "Deliveries that were given up.", progress.given_up);
        text
    }
}
