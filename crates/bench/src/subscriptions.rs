//! What an event costs by the number of subscriptions that could hear of it, while the number of those that do is the same.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use crate::process::cost;
use crate::publish::{Flow, drain, publish};
use crate::receiver::{Arrivals, Receiver};
use crate::report::median;
use crate::setup::{self, Registry};
use crate::{Signature, Subscriptions};

/// So many applications share the webhooks, however many those are.
const APPLICATIONS: usize = 20;

/// The figures of all runs.
#[derive(Serialize)]
pub(crate) struct Figures {
    matching: usize,
    events: usize,
    few: Side,
    many: Side,
    /// Medians, many to few.
    ratio: Ratio,
}

/// What was measured with one number of subscriptions, run by run.
#[derive(Serialize)]
struct Side {
    subscriptions: usize,
    /// From the first publish to the last receipt, for each event.
    ms_per_event: Vec<f64>,
    server_cpu_ms_per_event: Vec<f64>,
    peak_memory_mib: f64,
    lost: usize,
    duplicates: usize,
}

#[derive(Serialize)]
struct Ratio {
    ms_per_event: f64,
    server_cpu_ms_per_event: f64,
}

pub(crate) async fn run(wanted: &Subscriptions) -> anyhow::Result<Figures> {
    let mut few = Side::of(wanted.few);
    let mut many = Side::of(wanted.many);
    for _ in 0..wanted.runs {
        few.measure(wanted).await?;
        many.measure(wanted).await?;
    }
    let ratio = |of: fn(&Side) -> &[f64]| (median(of(&many)) / median(of(&few)) * 1_000.0).round() / 1_000.0;
    let ratio = Ratio {
        ms_per_event: ratio(|side| &side.ms_per_event),
        server_cpu_ms_per_event: ratio(|side| &side.server_cpu_ms_per_event),
    };
    Ok(Figures { matching: wanted.matching, events: wanted.events, few, many, ratio })
}

impl Side {
    fn of(subscriptions: usize) -> Self {
        Self {
            subscriptions,
            ms_per_event: Vec::new(),
            server_cpu_ms_per_event: Vec::new(),
            peak_memory_mib: 0.0,
            lost: 0,
            duplicates: 0,
        }
    }

    async fn measure(&mut self, wanted: &Subscriptions) -> anyhow::Result<()> {
        let warm_up = wanted.events / 10;
        let all = wanted.events + warm_up;
        let begun = Instant::now();
        let arrivals = Arc::new(Arrivals::new(all, begun));
        let receiver = Receiver::start(Arc::clone(&arrivals)).await?;
        std::fs::create_dir_all(&wanted.folder)?;
        let folder = tempfile::tempdir_in(&wanted.folder)?;
        let server = setup::start(&wanted.server, &folder.path().join("data"), "").await?;
        let mut registry = Registry::open(&server).await?;
        let mut applications = Vec::new();
        for index in 0..APPLICATIONS {
            let endpoint = format!("http://{}/{index}", receiver.address);
            applications.push(registry.application(&endpoint, Signature::Hmac, "Project.CodeReview.View").await?);
        }
        let authors = (self.subscriptions / wanted.matching).max(1);
        for (index, application) in (0..self.subscriptions).zip(applications.iter().cycle()) {
            let filter = json!({ "className": "CodeReviewSubscriptionFilterIn", "authors": [author(index % authors)] });
            let subscription =
                json!({ "subjectCode": "CodeReview", "filters": [filter], "eventTypeCodes": ["CodeReview.Created"] });
            registry.webhook(application, &subscription).await?;
        }
        let hear = self.subscriptions.div_ceil(authors);

        let flow = Flow { connections: wanted.connections, rate: None, begun, body: review };
        publish(&flow, &server, 0..warm_up).await?;
        drain(&arrivals, warm_up * hear).await;
        let (before, started) = (cost(&server.process), Instant::now());
        publish(&flow, &server, warm_up..all).await?;
        drain(&arrivals, all * hear).await;
        let seconds = started.elapsed().as_secs_f64();
        let after = cost(&server.process);

        #[expect(clippy::cast_precision_loss, reason = "counts of a run fit")]
        let each = |seconds: f64| (seconds * 1_000_000.0 / wanted.events as f64).round() / 1_000.0;
        self.ms_per_event.push(each(seconds));
        self.server_cpu_ms_per_event.push(each(after.cpu_seconds - before.cpu_seconds));
        self.peak_memory_mib = self.peak_memory_mib.max(after.peak_memory_mib);
        let expected = u32::try_from(hear)?;
        for event in warm_up..all {
            self.lost += expected.saturating_sub(arrivals.count(event)) as usize;
            self.duplicates += arrivals.count(event).saturating_sub(expected) as usize;
        }
        Ok(())
    }
}

fn author(index: usize) -> String {
    format!("person-{index}")
}

/// An event about a review whose author is the first.
fn review(event: usize) -> Bytes {
    let event = json!({ "subject": "CodeReview", "type": "CodeReview.Created", "payload": {
        "className": "CodeReviewWebhookEvent", "run": event.to_string(),
        "review": { "id": format!("r{event}"), "title": "Mend the door", "createdBy": { "id": author(0) } },
    } });
    Bytes::from(json!({ "events": [event] }).to_string())
}
