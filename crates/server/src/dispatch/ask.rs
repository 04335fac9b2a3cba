//! Payloads that somebody waits for: one call to the application's endpoint, now, and what came of it.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use spaceport_delivery::http::{Limits, Request, Sender};
use spaceport_delivery::outbox::Retries;
use spaceport_delivery::outcome::{BodyEnd, ErrorKind, Outcome};
use spaceport_delivery::request::{headers, masked};
use spaceport_platform::application::Application;
use spaceport_platform::id::Id;
use spaceport_platform::time::Timestamp;
use spaceport_store::{RecordedAttempt, RecordedNext, StoreError};
use spaceport_wire::application_payload::{ActionResult, ApplicationPayload, Commands};
use tokio::time::Instant;

use crate::attempt::call;
use crate::http::error::ApiError;
use crate::outbox::MASK;
use crate::services::Services;
use crate::target;

/// As much of an answer is read: menus of commands can be long.
const LONGEST_ANSWER: usize = 256 * 1024;

/// What came of a question.
#[derive(Debug)]
pub struct Asked {
    /// When it was sent.
    pub at: Timestamp,
    /// How long the answer took.
    pub duration: Duration,
    /// The answer, or why there is none.
    pub outcome: Outcome,
}

/// Sends a payload to an application and waits for the answer, as long as the payload's class allows.
///
/// # Errors
/// `validation-error` when the payload cannot be sent as it is; that there is no answer is no error.
pub async fn ask(
    services: &Services,
    application: &Application,
    payload: ApplicationPayload,
) -> Result<Asked, ApiError> {
    let (now, class, owned) = (services.clock.now(), payload.class(), application.clone());
    let loaded = services.store.read(move |tx| {
        let target = target::of_application(tx, &owned, Retries::Disabled, now)?;
        Ok::<_, StoreError>((target, target::recipient(tx, &owned)?))
    });
    let (target, recipient) = loaded.await.map_err(ApiError::from)?;
    let logged = payload.clone().masked_body_for(recipient.clone(), MASK)?;
    let body = Bytes::from(payload.body_for(recipient)?);
    let id = Id::generate(now, services.random.as_ref());
    let began = Instant::now();
    let mut sent = Vec::new();
    let outcome = match headers(&target, &id, &body, now, &services.dispatches.signing).await {
        Ok(headers) => {
            sent = masked(&headers);
            let limits =
                Limits { body_kept: LONGEST_ANSWER, body_read: LONGEST_ANSWER, ..Limits::within(class.time_limit()) };
            let request = Request {
                method: Method::POST,
                url: target.url.clone(),
                ssl_verification: target.ssl_verification,
                identity: target.identity.clone(),
                headers,
                body,
                limits,
            };
            services.dispatches.sender.send(request).await
        }
        Err(error) => Outcome::failed(ErrorKind::Internal, format!("the request could not be signed: {error}")),
    };
    let asked = Asked { at: now, duration: began.elapsed(), outcome };
    let attempt = RecordedAttempt {
        delivery: id,
        number: 1,
        started_at: now,
        call: call(&target.url, &sent, Some(logged), (asked.duration, &asked.outcome)),
        next: if asked.accepted() { RecordedNext::Delivered } else { RecordedNext::GiveUp },
    };
    let to = application.id.clone();
    let kept = services.store.write(move |tx| tx.insert_dispatch_attempt((&to, class), &attempt)).await;
    if let Err(error) = kept {
        // Whoever waits has an answer, and the application did what it was asked for.
        let error: StoreError = error;
        tracing::error!(%error, "what came of a payload is missing in the log");
    }
    Ok(asked)
}

impl Asked {
    /// Whether the application took it.
    pub fn accepted(&self) -> bool {
        self.outcome.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// The body of an answer with a status of success.
    ///
    /// # Errors
    /// For the person who waits: what went wrong.
    fn body(&self) -> Result<&[u8], String> {
        match &self.outcome {
            Outcome::Failed { message, .. } => Err(format!("The application could not be reached: {message}")),
            Outcome::Answered(answer) if !self.accepted() => {
                Err(format!("The application answered with the status {}", answer.status))
            }
            Outcome::Answered(answer) if answer.end != BodyEnd::Complete => {
                Err("The application's answer broke off or is too long".to_owned())
            }
            Outcome::Answered(answer) => Ok(&answer.body),
        }
    }

    /// The answer to an action of a person; whatever went wrong is a failure with a text for him.
    pub fn action_result(&self) -> ActionResult {
        let read = self.body().and_then(|body| {
            ActionResult::read(body).map_err(|fault| {
                tracing::info!(%fault, "an application's answer to an action cannot be read");
                "Invalid response from application".to_owned()
            })
        });
        read.unwrap_or_else(|message| ActionResult::Failure { message })
    }

    /// The answer to the question for commands.
    ///
    /// # Errors
    /// For the person who waits: what went wrong.
    pub fn commands(&self) -> Result<Commands, String> {
        let body = self.body()?;
        serde_json::from_slice(body).map_err(|_| "Invalid response from application".to_owned())
    }
}
