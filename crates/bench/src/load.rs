//! Publishes events as fast as `c` connections can, or at a steady rate, and counts what arrives.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;

use crate::Load;
use crate::process::cost;
use crate::publish::{Flow, drain, publish};
use crate::receiver::{Arrivals, Receiver};
use crate::report::{percentile, rate};
use crate::setup;

/// Bytes of filling that bring a payload to about 512 bytes.
const FILLING: usize = 330;

/// The figures of a run.
#[derive(Serialize)]
pub(crate) struct Figures {
    events: usize,
    connections: usize,
    endpoints: usize,
    signature: String,
    accepted_per_second: f64,
    deliveries_per_second: f64,
    latency_ms_p50: f64,
    latency_ms_p95: f64,
    latency_ms_p99: f64,
    cpu_seconds_per_1000_deliveries: f64,
    peak_memory_mib: f64,
    lost: usize,
    duplicates: usize,
}

pub(crate) async fn run(load: &Load) -> anyhow::Result<Figures> {
    let warm_up = load.events / 10;
    let all = load.events + warm_up;
    let begun = Instant::now();
    let arrivals = Arc::new(Arrivals::new(all, begun));
    let receiver = Receiver::start(Arc::clone(&arrivals)).await?;
    std::fs::create_dir_all(&load.folder)?;
    let folder = tempfile::tempdir_in(&load.folder)?;
    let endpoints: Vec<String> =
        (0..load.endpoints).map(|index| format!("http://{}/{index}", receiver.address)).collect();
    let server = setup::start(&load.server, &folder.path().join("data"), "").await?;
    setup::register(&server, &endpoints, load.signature).await?;

    let flow = Flow { connections: load.connections, rate: load.rate, begun, body: issue };
    publish(&flow, &server, 0..warm_up).await?;
    drain(&arrivals, warm_up * load.endpoints).await;
    let before = cost(&server.process);
    let started = Instant::now();
    let sent = publish(&flow, &server, warm_up..all).await?;
    let accepted = started.elapsed().as_secs_f64();
    drain(&arrivals, all * load.endpoints).await;
    let last = (warm_up..all).filter_map(|event| arrivals.first(event)).max().unwrap_or_default();
    let delivered = Duration::from_micros(last).saturating_sub(started.duration_since(begun)).as_secs_f64();
    let after = cost(&server.process);

    let mut latencies: Vec<u64> =
        sent.iter().filter_map(|(event, at)| Some(arrivals.first(*event)?.saturating_sub(*at))).collect();
    latencies.sort_unstable();
    let expected = u32::try_from(load.endpoints)?;
    let counts = || (warm_up..all).map(|event| arrivals.count(event));
    let deliveries = load.events * load.endpoints;
    #[expect(clippy::cast_precision_loss, reason = "counts of a run fit")]
    let thousands = deliveries as f64 / 1_000.0;
    Ok(Figures {
        events: load.events,
        connections: load.connections,
        endpoints: load.endpoints,
        signature: format!("{:?}", load.signature).to_lowercase(),
        accepted_per_second: rate(load.events, accepted),
        deliveries_per_second: rate(deliveries, delivered),
        latency_ms_p50: percentile(&latencies, 0.5),
        latency_ms_p95: percentile(&latencies, 0.95),
        latency_ms_p99: percentile(&latencies, 0.99),
        cpu_seconds_per_1000_deliveries: ((after.cpu_seconds - before.cpu_seconds) / thousands * 10_000.0).round()
            / 10_000.0,
        peak_memory_mib: after.peak_memory_mib,
        lost: counts().map(|count| expected.saturating_sub(count) as usize).sum(),
        duplicates: counts().map(|count| count.saturating_sub(expected) as usize).sum(),
    })
}

/// An event about an issue, of about 512 bytes.
pub(crate) fn issue(event: usize) -> Bytes {
    let filling = "x".repeat(FILLING);
    Bytes::from(format!(
        "{{\"events\":[{{\"subject\":\"Issue\",\"type\":\"Issue.Created\",\"payload\":{{\"className\":\"IssueWebhookEvent\",\
         \"run\":\"{event}\",\"issue\":{{\"id\":\"i{event}\"}},\"filling\":\"{filling}\"}}}}]}}"
    ))
}
