//! From a finished attempt to the row that remembers it.

use std::time::Duration;

use spaceport_delivery::outbox::Finished;
use spaceport_delivery::outcome::{BodyEnd, Outcome};
use spaceport_delivery::policy::Next;
use spaceport_store::{Call, RecordedAttempt, RecordedNext};

/// As much of an answer is kept, in bytes; what deliveries read is no more.
const BODY_KEPT: usize = 16 * 1024;

/// What the store keeps of an attempt.
pub fn recorded(finished: &Finished) -> RecordedAttempt {
    let body = finished.logged.as_ref().map(|body| String::from_utf8_lossy(body).into_owned());
    RecordedAttempt {
        delivery: finished.id.clone(),
        number: finished.attempt,
        started_at: finished.started_at,
        call: call(&finished.url, &finished.request_headers, body, (finished.duration, &finished.outcome)),
        next: match finished.next {
            Next::Delivered => RecordedNext::Delivered,
            Next::RetryAt(at) => RecordedNext::RetryAt(at),
            Next::GiveUp => RecordedNext::GiveUp,
        },
    }
}

/// What the store keeps of a call: headers and body as the log may show them, and what came of it after how long.
pub fn call(
    url: &str,
    request_headers: &[(String, String)],
    request_body: Option<String>,
    (duration, outcome): (Duration, &Outcome),
) -> Call {
    let mut call = Call {
        duration_ms: i64::try_from(duration.as_millis()).unwrap_or(i64::MAX),
        url: Some(url.to_owned()),
        request_headers: Some(serde_json::json!(request_headers).to_string()),
        request_body: request_body.as_deref().map(readable),
        complete: true,
        ..Call::default()
    };
    match outcome {
        Outcome::Answered(answer) => {
            call.status = Some(answer.status);
            call.response_headers = Some(serde_json::json!(answer.headers).to_string());
            let kept = answer.body.get(..BODY_KEPT).unwrap_or(&answer.body);
            call.response_body = Some(readable(&String::from_utf8_lossy(kept)));
            call.complete = answer.end == BodyEnd::Complete && kept.len() == answer.body.len();
        }
        Outcome::Failed { kind, message } => {
            call.error_kind = Some(kind.as_str().to_owned());
            call.message = Some(readable(message));
        }
    }
    call
}

/// What is kept of an endpoint's words is for people to read; U+0000 cannot be stored.
fn readable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
