//! What the server process costs: CPU time and memory, read from `/proc`.

use std::process::Child;

/// CPU time and memory of a process.
pub(crate) struct Cost {
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_memory_mib: f64,
}

/// Linux counts CPU time in hundredths of a second for user space.
const TICKS: f64 = 100.0;

/// Reads what a process has cost so far; zero where there is no `/proc`.
pub(crate) fn cost(process: &Child) -> Cost {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", process.id())).unwrap_or_default();
    let stat = read("stat");
    // The name in parentheses may hold blanks: count fields behind it.
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    let ticks = fields.get(11).unwrap_or(&0.0) + fields.get(12).unwrap_or(&0.0);
    let status = read("status");
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    Cost { cpu_seconds: ticks / TICKS, peak_memory_mib: (peak.unwrap_or(0.0) / 1024.0).round() }
}
