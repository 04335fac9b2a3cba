//! One attempt from claim to outcome, in a task of its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt as _;
use http::Method;
use spaceport_platform::id::ApplicationId;
use spaceport_platform::time::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::Shared;
use crate::http::Request;
use crate::outbox::{Claimed, Finished, PayloadKind};
use crate::outcome::{ErrorKind, Outcome};
use crate::policy::{self, Tried};
use crate::request;

/// An attempt that has ended, and what the recorder needs beside it.
pub(super) struct Ended {
    pub(super) finished: Finished,
    pub(super) application: ApplicationId,
    pub(super) kind: PayloadKind,
}

/// Sends, judges, and hands the outcome on. Between the two there is no await, so a task that is
/// aborted has either handed on its outcome or can be given back.
pub(super) async fn run(shared: Arc<Shared>, claimed: Claimed, outcomes: UnboundedSender<Ended>) {
    let (started_at, began) = (shared.clock.now(), Instant::now());
    let mut request_headers = Vec::new();
    let call = AssertUnwindSafe(call(&shared, &claimed, started_at, &mut request_headers)).catch_unwind();
    let outcome = call.await.unwrap_or_else(|_| {
        tracing::error!(delivery = %claimed.id, "an attempt panicked; it counts as a failure");
        Outcome::failed(ErrorKind::Internal, "the server failed while sending; this is not the endpoint's fault")
    });
    let Claimed { id, application, target, kind, attempt, .. } = claimed;
    let tried =
        Tried { kind, attempt, outcome: &outcome, accepted_codes: &target.accepted_codes, retries: target.retries };
    let next = policy::next(&shared.settings.schedule, &tried, shared.clock.now(), shared.random.as_ref());
    let url = target.url.clone();
    let finished = Finished { id, attempt, started_at, duration: began.elapsed(), outcome, next, request_headers, url };
    shared.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
    // The recorder is gone only when the engine is being torn down; then the lease brings the delivery back.
    let _ = outcomes.send(Ended { finished, application, kind });
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
