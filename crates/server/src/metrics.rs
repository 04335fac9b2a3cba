//! Counts of what the server does, for `/metrics`. Labels are names of operations and statuses, never
//! ids or URLs, so that their number is bounded.

use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use spaceport_delivery::engine::Progress;

/// Media type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Shared counters.
#[derive(Clone, Default)]
pub struct Metrics {
    requests: Family<Answered, Counter>,
}

/// Labels of an answered request.
#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Answered {
    operation: &'static str,
    status: u16,
}

impl Metrics {
    /// Counts an answered request.
    pub fn count_request(&self, operation: &'static str, status: StatusCode) {
        self.requests.get_or_create(&Answered { operation, status: status.as_u16() }).inc();
    }

    /// The text format that Prometheus and its kin read (OpenMetrics 1.0).
    ///
    /// # Errors
    /// None that a string as its target could cause.
    pub fn render(&self, progress: &Progress) -> Result<String, std::fmt::Error> {
        // The engine keeps its own counts, so they are registered as they are now.
        let mut registry = Registry::with_prefix("spaceport");
        registry.register("requests", "Answered requests", self.requests.clone());
        let in_flight = i64::try_from(progress.in_flight).unwrap_or(i64::MAX);
        let unrecorded = i64::try_from(progress.unrecorded).unwrap_or(i64::MAX);
        registry.register("deliveries_in_flight", "Attempts that wait for an endpoint", ConstGauge::new(in_flight));
        registry.register(
            "attempts_unrecorded",
            "Attempts that ended and wait for their commit",
            ConstGauge::new(unrecorded),
        );
        let mut counter = |name, help, value| registry.register(name, help, ConstCounter::new(value));
        counter("deliveries_delivered", "Deliveries that were accepted", progress.delivered);
        counter("attempts_failed", "Attempts that failed", progress.failed_attempts);
        counter("deliveries_given_up", "Deliveries that were given up", progress.given_up);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}
