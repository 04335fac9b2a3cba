//! How figures are printed: one JSON object a run.

use serde::Serialize;

/// Prints a run.
#[expect(clippy::print_stdout, reason = "figures are the output of this program")]
pub(crate) fn print<T: Serialize>(figures: &T) {
    println!("{}", serde_json::to_string_pretty(figures).unwrap_or_else(|error| error.to_string()));
}

/// The value below which `share` (0..1) of the sorted values lie, in milliseconds.
pub(crate) fn percentile(sorted_micros: &[u64], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index"
    )]
    let index = ((sorted_micros.len() as f64) * share) as usize;
    let micros = sorted_micros.get(index.min(sorted_micros.len().saturating_sub(1))).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a run fit")]
    let millis = micros as f64 / 1_000.0;
    millis
}

/// The value in the middle, or the higher of two.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

/// `count` per second.
pub(crate) fn rate(count: usize, seconds: f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of a run fit")]
    let count = count as f64;
    (count / seconds * 10.0).round() / 10.0
}
