//! One attempt from claim to outcome, in a task of its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use http::Method;
use spaceport_platform::id::{ApplicationId, WebhookId};
use spaceport_platform::time::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::Shared;
use crate::http::Request;
use crate::outbox::{Claimed, Finished, PayloadKind};
use crate::outcome::{ErrorKind, Outcome};
use crate::policy::{self, Next, Tried};
use crate::request;

/// An attempt that has ended, and what the recorder needs beside it.
pub(super) struct Ended {
    pub(super) finished: Finished,
    pub(super) application: ApplicationId,
    pub(super) kind: PayloadKind,
    /// The webhook, when it is an ordered one.
    pub(super) ordered: Option<WebhookId>,
}

/// Sends, judges, and hands the outcome on; answers what follows. Between the two there is no await, so a task that is
/// aborted has either handed on its outcome or can be given back.
pub(super) async fn run(shared: Arc<Shared>, claimed: Claimed, outcomes: UnboundedSender<Ended>) -> Next {
    let (started_at, began) = (shared.clock.now(), Instant::now());
    let mut request_headers = Vec::new();
    let outcome = match shared.hosts.admit(&claimed.target.url, started_at) {
        Err(down) if follows(&shared, &claimed, &down) != Next::GiveUp => down,
        Ok(()) | Err(_) => {
            let call = AssertUnwindSafe(call(&shared, &claimed, started_at, &mut request_headers)).catch_unwind();
            let outcome = call.await.unwrap_or_else(|_| {
                tracing::error!(delivery = %claimed.id, "an attempt panicked; it counts as a failure");
                let fault = "the server failed while sending; this is not the endpoint's fault";
                Outcome::failed(ErrorKind::Internal, fault)
            });
            shared.hosts.heard(&claimed.target.url, &outcome, shared.clock.now());
            outcome
        }
    };
    let next = follows(&shared, &claimed, &outcome);
    let Claimed { id, application, target, kind, attempt, logged, .. } = claimed;
    let url = target.url.clone();
    let duration = began.elapsed();
    let finished = Finished { id, attempt, started_at, duration, outcome, next, request_headers, url, logged };
    shared.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
    // The recorder is gone only when the engine is being torn down; then the lease brings the delivery back.
    let ordered = target.pace.as_ref().filter(|pace| pace.ordered).map(|pace| pace.of.clone());
    let _ = outcomes.send(Ended { finished, application, kind, ordered });
    next
}

fn follows(shared: &Shared, claimed: &Claimed, outcome: &Outcome) -> Next {
    let target = &claimed.target;
    let tried = Tried {
        kind: claimed.kind,
        attempt: claimed.attempt.saturating_sub(claimed.tried_before),
        outcome,
        accepted_codes: &target.accepted_codes,
        retries: target.retries,
        delays: target.delays.as_deref(),
    };
    policy::next(&shared.settings.schedule, &tried, shared.clock.now(), shared.random.as_ref())
}

async fn call(shared: &Shared, claimed: &Claimed, now: Timestamp, sent: &mut Vec<(String, String)>) -> Outcome {
    let target = claimed.target.as_ref();
    let headers = match request::headers(target, &claimed.id, &claimed.body, now, &shared.signing).await {
        Ok(headers) => headers,
        Err(error) => {
            tracing::error!(delivery = %claimed.id, application = %claimed.application, %error, "cannot sign");
            return Outcome::failed(ErrorKind::Internal, format!("the request could not be signed: {error}"));
        }
    };
    *sent = request::masked(&headers);
    let request = Request {
        method: Method::POST,
        url: target.url.clone(),
        ssl_verification: target.ssl_verification,
        identity: target.identity.clone(),
        headers,
        body: claimed.body.clone(),
        limits: shared.settings.limits(claimed.kind),
    };
    shared.sender.send(request).await
}
