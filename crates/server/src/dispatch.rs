//! Payloads that are no events, on their way to applications: put into the transaction that causes them, sent by an
//! engine of their own, and what comes of them applied where the attempt is recorded. Those that a person waits for are
//! sent at once, in [`ask`].
//!
//! ```text
//!   operation ──put──► row ──claim──► outbox ──► engine (sign, send, judge) ──record──► outcome: the application changes
//! ```

pub mod ask;
pub mod outbox;
mod outcome;
pub mod server_url;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use spaceport_delivery::engine::{Engine, Handle, Settings};
use spaceport_delivery::http::HttpSender;
use spaceport_delivery::policy::Schedule;
use spaceport_delivery::request::Signing;
use spaceport_platform::access::Principal;
use spaceport_platform::dispatch::PayloadClass;
use spaceport_platform::id::{ApplicationId, Id};
use spaceport_store::{NewDispatch, StoreError, Tx};
use spaceport_wire::application_payload::{ApplicationPayload, InitPayload, Recipient};

use crate::http::news::News;
use crate::services::Services;

/// Attempts under way, of all applications together.
const IN_FLIGHT: usize = 64;
/// Attempts under way of one application.
const IN_FLIGHT_PER_APPLICATION: usize = 8;

/// What sends payloads that are no events.
pub struct Dispatches {
    /// Makes the calls.
    pub sender: Arc<HttpSender>,
    signing: Signing,
    engine: OnceLock<Handle>,
    trusted: Mutex<Vec<Vec<u8>>>,
}

impl Dispatches {
    /// Sends nothing until it is started.
    pub fn new(sender: Arc<HttpSender>) -> Self {
        Self { sender, signing: Signing::default(), engine: OnceLock::new(), trusted: Mutex::default() }
    }

    /// Starts to send what waits.
    pub fn start(services: &Services) {
        let configured = services.settings.retry_schedule.clone();
        let settings = Settings {
            in_flight: IN_FLIGHT,
            in_flight_per_application: IN_FLIGHT_PER_APPLICATION,
            schedule: configured.map_or_else(Schedule::default, Schedule::from_delays),
            ..Settings::default()
        };
        let outbox = Arc::new(outbox::DispatchOutbox::new(services));
        let (clock, random) = (Arc::clone(&services.clock), Arc::clone(&services.random));
        let engine = Engine::start(outbox, services.dispatches.sender.clone(), clock, random, settings);
        // Started once, by whoever runs the server.
        let _ = services.dispatches.engine.set(engine);
    }

    /// From now on endpoints are verified with these certificates (DER) too, and with none that were named before. Costs
    /// nothing when they are the same; otherwise the machine's certificates are read from disk.
    ///
    /// # Errors
    /// Which is none; then nothing changes.
    pub fn trust(&self, certificates: Vec<Vec<u8>>) -> Result<(), String> {
        let mut trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
        if *trusted != certificates {
            self.sender.trust(&certificates).map_err(|error| error.to_string())?;
            *trusted = certificates;
        }
        Ok(())
    }

    /// Says that these applications may have something to be sent now. Other nodes notice within a second.
    pub fn wake(&self, applications: impl IntoIterator<Item = ApplicationId>) {
        if let Some(engine) = self.engine.get() {
            engine.wake(applications);
        }
    }

    /// Stops like the engine of deliveries.
    pub async fn stop(&self, deadline: Duration) {
        if let Some(engine) = self.engine.get() {
            engine.stop(deadline).await;
        }
    }
}

/// Stores a payload to be sent after the commit.
///
/// # Errors
/// When the database fails.
pub fn put(
    news: &News,
    tx: &mut Tx<'_>,
    application: &ApplicationId,
    payload: &ApplicationPayload,
) -> Result<(), StoreError> {
    let server_url = match payload {
        ApplicationPayload::InitPayload(payload) => Some(payload.server_url.clone()),
        ApplicationPayload::ChangeServerUrlPayload(payload) => Some(payload.new_server_url.clone()),
        _ => None,
    };
    let new = NewDispatch {
        id: Id::generate(news.now, news.random()),
        application: application.clone(),
        class: payload.class(),
        server_url,
        payload: payload.to_stored(),
    };
    tx.insert_dispatch(&new, news.now)?;
    news.dispatched(application.clone());
    Ok(())
}

/// Puts the first payload of an application. Its secret is filled in when it is sent.
///
/// # Errors
/// When the database fails.
pub fn put_init(
    news: &News,
    tx: &mut Tx<'_>,
    application: &ApplicationId,
    state: Option<String>,
) -> Result<(), StoreError> {
    let payload = ApplicationPayload::InitPayload(InitPayload {
        client_secret: String::new(),
        server_url: news.server_url().to_owned(),
        state,
        user_id: user_id(news),
        recipient: Recipient::default(),
    });
    put(news, tx, application, &payload)
}

/// Puts the first payload once more, with the state that the one before carried.
///
/// # Errors
/// When the database fails.
pub fn put_init_again(news: &News, tx: &mut Tx<'_>, application: &ApplicationId) -> Result<(), StoreError> {
    let before = tx.newest_dispatch(application, PayloadClass::Init)?;
    let state = before.and_then(|before| match ApplicationPayload::from_stored(&before.payload) {
        Ok(ApplicationPayload::InitPayload(payload)) => payload.state,
        _ => None,
    });
    put_init(news, tx, application, state)
}

/// The person who caused a payload, if a person did.
pub fn user_id(news: &News) -> Option<String> {
    match &news.caller.principal {
        Principal::User(id) => Some(id.to_string()),
        Principal::Application(_) | Principal::Nobody => None,
    }
}
