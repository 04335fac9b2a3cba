//! Who hears of which events, as this node knows it: an index in memory, put together anew when a subscription, a
//! webhook or the catalogue changed.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use spaceport_platform::catalogue::Catalogue;
use spaceport_platform::event::NewEvent;
use spaceport_platform::id::DeliveryId;
use spaceport_platform::listeners::{Listener, Listeners, Listening};
use spaceport_platform::time::Timestamp;
use spaceport_store::{Heard, Missed, Remembered, StoreError, Stored, Tx};
use spaceport_wire::facts::facts;

use crate::services::Services;

/// How often a node looks whether subscriptions changed. An event never misses one, however old the index is: the
/// transaction that stores it sees the change, too. Looking makes that transaction shorter.
pub const NOTICE: Duration = Duration::from_millis(400);

/// The index of this node.
#[derive(Default)]
pub struct Subscriptions {
    current: RwLock<Option<Arc<Known>>>,
}

struct Known {
    revision: i64,
    catalogue: Arc<Catalogue>,
    listening: Vec<Listening>,
    index: Listeners,
}

impl Subscriptions {
    fn current(&self) -> Option<Arc<Known>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, known: Known) -> Arc<Known> {
        let known = Arc::new(known);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_none_or(|current| current.revision <= known.revision) {
            *current = Some(Arc::clone(&known));
        }
        known
    }

    /// The index for this catalogue as of the last look, if there was one.
    fn known(&self, catalogue: &Arc<Catalogue>) -> Option<Arc<Known>> {
        let known = self.current()?;
        if Arc::ptr_eq(&known.catalogue, catalogue) {
            return Some(known);
        }
        Some(self.learn(Known::new(known.revision, known.listening.clone(), catalogue)))
    }

    fn renewed(&self, tx: &mut Tx<'_>, catalogue: &Arc<Catalogue>) -> Result<Arc<Known>, StoreError> {
        let revision = tx.revision(Remembered::Subscriptions)?;
        Ok(self.learn(Known::new(revision, tx.listening()?, catalogue)))
    }

    /// Who hears of events, as of the last look; `None` when there was none. To be asked before the transaction that
    /// stores them: comparing takes long for many or large events, and writers wait for one another.
    pub fn hear(&self, catalogue: &Arc<Catalogue>, events: &[NewEvent]) -> Option<Heard> {
        self.known(catalogue).map(|known| known.hear(events))
    }

    /// Stores events with a delivery for each webhook that hears of them; `heard` says which, and is told anew when it
    /// is missing or subscriptions have changed. Answers what became of each, and whose deliveries are due now.
    ///
    /// # Errors
    /// When the database fails.
    pub fn publish(
        &self,
        tx: &mut Tx<'_>,
        catalogue: &Arc<Catalogue>,
        (events, heard): (&[NewEvent], Option<&Heard>),
        now: Timestamp,
        new_id: &dyn Fn() -> DeliveryId,
    ) -> Result<Stored, StoreError> {
        self.heard_by(tx, catalogue, (events, heard), |tx, heard| tx.publish(events, heard, now, new_id))
    }

    /// Makes deliveries of events that a webhook missed and hears of now; answers their ids. `heard` is as for
    /// [`Self::publish`].
    ///
    /// # Errors
    /// When the database fails.
    pub fn deliver_missed(
        &self,
        tx: &mut Tx<'_>,
        catalogue: &Arc<Catalogue>,
        listener: &Listener,
        (missed, heard): (&Missed, Option<&Heard>),
        now: Timestamp,
        new_id: &dyn Fn(Timestamp) -> DeliveryId,
    ) -> Result<Vec<DeliveryId>, StoreError> {
        let events = missed.events.as_slice();
        self.heard_by(tx, catalogue, (events, heard), |tx, heard| {
            tx.deliver_missed(listener, missed, heard, now, new_id)
        })
    }

    /// Does something with who hears of events; told anew when it is missing, or `act` says that it is old.
    fn heard_by<T>(
        &self,
        tx: &mut Tx<'_>,
        catalogue: &Arc<Catalogue>,
        (events, heard): (&[NewEvent], Option<&Heard>),
        mut act: impl FnMut(&mut Tx<'_>, &Heard) -> Result<Option<T>, StoreError>,
    ) -> Result<T, StoreError> {
        let mut renewed: Heard;
        let mut heard = heard;
        // On one snapshot what is told anew holds; where statements have snapshots of their own, a further change may
        // come between.
        for _ in 0..10 {
            if let Some(heard) = heard
                && let Some(done) = act(tx, heard)?
            {
                return Ok(done);
            }
            renewed = self.renewed(tx, catalogue)?.hear(events);
            heard = Some(&renewed);
        }
        Err(StoreError::corrupt("subscriptions change faster than events can be compared with them"))
    }
}

impl Known {
    fn new(revision: i64, listening: Vec<Listening>, catalogue: &Arc<Catalogue>) -> Self {
        let index = Listeners::new(&listening, catalogue);
        Self { revision, catalogue: Arc::clone(catalogue), listening, index }
    }

    fn hear(&self, events: &[NewEvent]) -> Heard {
        let listeners: Vec<Arc<[Listener]>> = events
            .iter()
            .map(|event| {
                self.index.hear(&event.subject, &event.event_type, &event.place, |payload, attributes, slots| {
                    facts((&event.payload, payload), (event.attributes.as_deref(), attributes), slots)
                })
            })
            .collect();
        Heard { revision: self.revision, listeners }
    }
}

/// One run of the periodic task.
pub fn notice(services: Services) -> BoxFuture<'static, Result<(), String>> {
    Box::pin(async move { look(&services).await.map_err(|error| error.to_string()) })
}

/// Takes in what changed, here or on another node, since the last look.
async fn look(services: &Services) -> Result<(), StoreError> {
    let known = services.subscriptions.current().map(|known| known.revision);
    let found = services.store.read(move |tx| {
        let revision = tx.revision(Remembered::Subscriptions)?;
        let changed = (Some(revision) != known).then(|| tx.listening()).transpose()?;
        Ok::<_, StoreError>(changed.map(|listening| (revision, listening)))
    });
    if let Some((revision, listening)) = found.await? {
        services.subscriptions.learn(Known::new(revision, listening, &services.catalogue.current()));
    }
    Ok(())
}
