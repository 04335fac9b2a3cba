//! From a finished attempt to the row that remembers it.

use spaceport_delivery::outbox::Finished;
use spaceport_delivery::outcome::{BodyEnd, Outcome};
use spaceport_delivery::policy::Next;
use spaceport_store::{RecordedAttempt, RecordedNext};

/// What the store keeps of an attempt.
pub fn recorded(finished: &Finished) -> RecordedAttempt {
    let mut attempt = RecordedAttempt {
        delivery: finished.id.clone(),
        number: finished.attempt,
        started_at: finished.started_at,
        duration_ms: i64::try_from(finished.duration.as_millis()).unwrap_or(i64::MAX),
        url: finished.url.clone(),
        request_headers: serde_json::json!(finished.request_headers).to_string(),
        request_body: finished.logged.as_ref().map(|body| readable(&String::from_utf8_lossy(body))),
        status: None,
        error_kind: None,
        message: None,
        response_headers: None,
        response_body: None,
        complete: true,
        next: match finished.next {
            Next::Delivered => RecordedNext::Delivered,
            Next::RetryAt(at) => RecordedNext::RetryAt(at),
            Next::GiveUp => RecordedNext::GiveUp,
        },
    };
    match &finished.outcome {
        Outcome::Answered(answer) => {
            attempt.status = Some(answer.status);
            attempt.response_headers = Some(serde_json::json!(answer.headers).to_string());
            attempt.response_body = Some(readable(&String::from_utf8_lossy(&answer.body)));
            attempt.complete = answer.end == BodyEnd::Complete;
        }
        Outcome::Failed { kind, message } => {
            attempt.error_kind = Some(kind.as_str().to_owned());
            attempt.message = Some(readable(message));
        }
    }
    attempt
}

/// What is kept of an endpoint's words is for people to read; U+0000 cannot be stored.
fn readable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
