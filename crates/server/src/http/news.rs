//! What happens on the server itself, told to applications: published in the transaction of the change, woken
//! after its commit.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use spaceport_platform::access::Caller;
use spaceport_platform::context::Place;
use spaceport_platform::event::{About, NewEvent};
use spaceport_platform::id::{ApplicationId, Id};
use spaceport_platform::random::Random;
use spaceport_platform::time::Timestamp;
use spaceport_store::{StoreError, Tx};
use spaceport_wire::canonical::canonical_object;

use crate::services::Services;

/// The news of one request. Cheap to clone into a transaction.
#[derive(Clone)]
pub struct News {
    /// Who makes them.
    pub caller: Arc<Caller>,
    /// When.
    pub now: Timestamp,
    services: Services,
    woken: Arc<Mutex<Vec<ApplicationId>>>,
    dispatched: Arc<Mutex<Vec<ApplicationId>>>,
}

impl News {
    pub(crate) fn new(caller: Arc<Caller>, now: Timestamp, services: Services) -> Self {
        Self { caller, now, services, woken: Arc::default(), dispatched: Arc::default() }
    }

    /// Stores an event with its deliveries, together with the change that it tells of.
    ///
    /// # Errors
    /// When the database fails, or the catalogue lacks the event type, which is a fault of ours.
    pub fn publish(
        &self,
        tx: &mut Tx<'_>,
        (subject, event_type): (&str, &str),
        place: Place,
        about: Option<About>,
        payload: &Value,
    ) -> Result<(), StoreError> {
        let fault = |fault: &dyn std::fmt::Display| StoreError::corrupt(format!("the event {event_type}: {fault}"));
        let catalogue = self.services.catalogue.current();
        let kind = catalogue.event_type(subject, event_type).map_err(|unknown| fault(&unknown))?;
        let random = Arc::clone(&self.services.random);
        let event = NewEvent {
            id: Id::generate(self.now, random.as_ref()),
            subject: subject.to_owned(),
            event_type: event_type.to_owned(),
            place,
            about,
            rights: kind.rights.clone(),
            occurred_at: self.now,
            payload: canonical_object(&payload.to_string()).map_err(|invalid| fault(&invalid))?,
            attributes: None,
        };
        let new_id = || Id::generate(self.now, random.as_ref());
        let (events, subscriptions) = ([event], &self.services.subscriptions);
        let heard = subscriptions.hear(&catalogue, &events);
        let (_, woken) = subscriptions.publish(tx, &catalogue, (&events, heard.as_ref()), self.now, &new_id)?;
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).extend(woken);
        Ok(())
    }

    /// Remembers that a payload for this application waits to be sent.
    pub(crate) fn dispatched(&self, application: ApplicationId) {
        self.dispatched.lock().unwrap_or_else(PoisonError::into_inner).push(application);
    }

    /// Makes ids.
    pub(crate) fn random(&self) -> &dyn Random {
        self.services.random.as_ref()
    }

    /// Where applications reach the server.
    pub(crate) fn server_url(&self) -> &str {
        &self.services.public_url
    }

    /// Tells the sender whose deliveries are due, after the commit.
    pub(crate) fn wake(&self) {
        let woken = std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner));
        if !woken.is_empty() {
            self.services.engine.wake(woken);
        }
        let dispatched = std::mem::take(&mut *self.dispatched.lock().unwrap_or_else(PoisonError::into_inner));
        if !dispatched.is_empty() {
            self.services.dispatches.wake(dispatched);
        }
    }
}
