//! What an endpoint that is well notices of four that are broken: one that never answers, one that drips its answer, one
//! that answers 500 and one that answers 512 MiB.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::load::issue;
use crate::process::cost;
use crate::publish::{Flow, drain, publish};
use crate::receiver::{Arrivals, BROKEN, Receiver};
use crate::report::{median, percentile};
use crate::setup;
use crate::{Faults, Signature};

/// Publishing connections; enough for the rate never to wait for an answer.
const CONNECTIONS: usize = 32;

/// The figures of all runs.
#[derive(Serialize)]
pub(crate) struct Figures {
    events: usize,
    rate: u32,
    /// Five endpoints, all well.
    healthy: Side,
    /// One is well, four are broken.
    broken: Side,
    /// Medians of p99, broken to healthy.
    ratio_p99: f64,
}

/// What the endpoint that is always well saw, run by run: from publish to receipt.
#[derive(Default, Serialize)]
struct Side {
    latency_ms_p50: Vec<f64>,
    latency_ms_p95: Vec<f64>,
    latency_ms_p99: Vec<f64>,
    latency_ms_most: Vec<f64>,
    server_cpu_seconds: Vec<f64>,
    peak_memory_mib: Vec<f64>,
    lost: usize,
    duplicates: usize,
}

pub(crate) async fn run(wanted: &Faults) -> anyhow::Result<Figures> {
    let (mut healthy, mut broken) = (Side::default(), Side::default());
    for _ in 0..wanted.runs {
        healthy.measure(wanted, &["a", "b", "c", "d"]).await?;
        broken.measure(wanted, &BROKEN).await?;
    }
    let ratio = median(&broken.latency_ms_p99) / median(&healthy.latency_ms_p99);
    let ratio_p99 = (ratio * 1_000.0).round() / 1_000.0;
    Ok(Figures { events: wanted.events, rate: wanted.rate, healthy, broken, ratio_p99 })
}

impl Side {
    async fn measure(&mut self, wanted: &Faults, others: &[&str; 4]) -> anyhow::Result<()> {
        let warm_up = wanted.events / 10;
        let all = wanted.events + warm_up;
        let begun = Instant::now();
        let arrivals = Arc::new(Arrivals::new(all, begun));
        let receiver = Receiver::start(Arc::clone(&arrivals)).await?;
        // The others are hosts of their own, which count apart.
        let apart = Arc::new(Arrivals::new(all, begun));
        let mut beside = Vec::new();
        let mut endpoints = vec![format!("http://{}/well", receiver.address)];
        for path in others {
            let receiver = Receiver::start(Arc::clone(&apart)).await?;
            endpoints.push(format!("http://{}/{path}", receiver.address));
            beside.push(receiver);
        }
        std::fs::create_dir_all(&wanted.folder)?;
        let folder = tempfile::tempdir_in(&wanted.folder)?;
        let server = setup::start(&wanted.server, &folder.path().join("data"), "").await?;
        setup::register(&server, &endpoints, Signature::Hmac).await?;

        let flow = Flow { connections: CONNECTIONS, rate: Some(wanted.rate), begun, body: issue };
        publish(&flow, &server, 0..warm_up).await?;
        drain(&arrivals, warm_up).await;
        let before = cost(&server.process);
        let sent = publish(&flow, &server, warm_up..all).await?;
        drain(&arrivals, all).await;
        let after = cost(&server.process);

        let mut latencies: Vec<u64> =
            sent.iter().filter_map(|(event, at)| Some(arrivals.first(*event)?.saturating_sub(*at))).collect();
        latencies.sort_unstable();
        self.latency_ms_p50.push(percentile(&latencies, 0.5));
        self.latency_ms_p95.push(percentile(&latencies, 0.95));
        self.latency_ms_p99.push(percentile(&latencies, 0.99));
        self.latency_ms_most.push(percentile(&latencies, 1.0));
        self.server_cpu_seconds.push(((after.cpu_seconds - before.cpu_seconds) * 100.0).round() / 100.0);
        self.peak_memory_mib.push(after.peak_memory_mib);
        for event in warm_up..all {
            self.lost += usize::from(arrivals.count(event) == 0);
            self.duplicates += arrivals.count(event).saturating_sub(1) as usize;
        }
        Ok(())
    }
}
