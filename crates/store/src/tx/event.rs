//! Events: stored together with the deliveries they cause, once per event id.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use spaceport_platform::event::{NewEvent, PublishStatus, Published, entitled};
use spaceport_platform::grants::Grants;
use spaceport_platform::id::{ApplicationId, DeliveryId, WebhookId};
use spaceport_platform::listeners::Listener;
use spaceport_platform::right::Right;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::entitlement::{DEMAND, Demand};
use crate::tx::{Tx, placeholders};
use crate::value::Value;

/// What became of events, and whose deliveries are due now.
pub type Stored = (Vec<Published>, Vec<ApplicationId>);

/// Who hears of events, told from the subscriptions of one revision.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The revision.
    pub revision: i64,
    /// For each event, the webhooks that subscribed to it, each once for each set of further rights.
    pub listeners: Vec<Arc<[Listener]>>,
}

impl Heard {
    /// Rights that decide about these events.
    pub(crate) fn rights<'a>(&'a self, events: &'a [NewEvent]) -> BTreeSet<&'a str> {
        let besides =
            self.listeners.iter().flat_map(|all| all.iter()).filter_map(|one| one.rights.as_deref()).flatten();
        events.iter().flat_map(|event| &event.rights).chain(besides).map(Right::code).collect()
    }
}

/// Whether a listener may hear of an event: its application holds what the type demands and what its filter demands.
pub(crate) fn may_hear(listener: &Listener, event: &NewEvent, grants: &Grants) -> bool {
    let holds = |rights: &[Right]| entitled(&listener.application, rights, &event.place, event.about.as_ref(), grants);
    holds(&event.rights) && holds(listener.rights.as_deref().unwrap_or_default())
}

/// Columns of an event, before those of its demand.
const EVENT: &str = "id, subject, event_type, occurred_at, received_at, payload, attributes, deliveries";
const INSERT_DELIVERY: &str = "INSERT INTO delivery (id, event_id, webhook_id, application_id, state, attempts, due_at, created_at) \
                               VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5)";

impl Tx<'_> {
    /// Stores events and one delivery for each webhook that hears of it and whose application is alive and entitled to.
    /// An event whose id is known is left alone. Answers what became of each, and whose deliveries are due now; `None`,
    /// and nothing is stored, when subscriptions have changed since `heard` was told.
    pub fn publish(
        &mut self,
        events: &[NewEvent],
        heard: &Heard,
        now: Timestamp,
        new_id: &dyn Fn() -> DeliveryId,
    ) -> Result<Option<Stored>, StoreError> {
        let applications: HashSet<&ApplicationId> =
            heard.listeners.iter().flat_map(|all| all.iter()).map(|listener| &listener.application).collect();
        let applications: Vec<&ApplicationId> = applications.into_iter().collect();
        let Some(held) = self.held(heard, &applications, events)? else { return Ok(None) };
        let entitled = |event: &NewEvent, listener: &Listener| {
            held.get(&listener.application).is_some_and(|grants| may_hear(listener, event, grants))
        };
        let mut matches: Vec<Vec<&Listener>> = Vec::with_capacity(events.len());
        let mut rows = Vec::with_capacity(events.len());
        for (event, listeners) in events.iter().zip(&heard.listeners) {
            let mut found: Vec<&Listener> = listeners.iter().filter(|listener| entitled(event, listener)).collect();
            if found.iter().any(|listener| listener.rights.is_some()) {
                // By whichever filter: it gets one delivery.
                let mut once: HashSet<&WebhookId> = HashSet::new();
                found.retain(|listener| once.insert(&listener.webhook));
            }
            rows.push(event_row(event, now, i64::try_from(found.len()).unwrap_or(i64::MAX)));
            matches.push(found);
        }
        let sql = format!(
            "INSERT INTO event ({EVENT}, {DEMAND}) VALUES ({}) ON CONFLICT (id) DO NOTHING",
            placeholders(1, 12)
        );
        let stored = self.connection.execute_many(&sql, &rows)?;
        let mut published = Vec::with_capacity(events.len());
        // In the order of the events, which ordered webhooks keep: ids of one moment are in no order by themselves.
        let mut ids: Vec<DeliveryId> = matches.iter().flatten().map(|_| new_id()).collect();
        ids.sort();
        let mut ids = ids.into_iter();
        let mut deliveries: Vec<Vec<Value>> = Vec::new();
        let mut woken: HashSet<&ApplicationId> = HashSet::new();
        for ((event, found), stored) in events.iter().zip(&matches).zip(stored) {
            if stored == 0 {
                published.push(self.duplicate(event)?);
                continue;
            }
            for (listener, id) in found.iter().zip(ids.by_ref()) {
                deliveries.push(vec![
                    (&id).into(),
                    (&event.id).into(),
                    (&listener.webhook).into(),
                    (&listener.application).into(),
                    now.into(),
                ]);
                woken.insert(&listener.application);
            }
            let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
            published.push(Published { id: event.id.clone(), status: PublishStatus::Accepted, deliveries: count });
        }
        self.connection.execute_many(INSERT_DELIVERY, &deliveries)?;
        Ok(Some((published, woken.into_iter().cloned().collect())))
    }

    /// Stores an event for one webhook, which need not have subscribed to it, with its delivery.
    pub fn publish_to(
        &mut self,
        event: &NewEvent,
        (application, webhook): (&ApplicationId, &WebhookId),
        delivery: &DeliveryId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = format!("INSERT INTO event ({EVENT}, {DEMAND}) VALUES ({})", placeholders(1, 12));
        self.connection.execute(&sql, &event_row(event, now, 1))?;
        let row = [delivery.into(), (&event.id).into(), webhook.into(), application.into(), now.into()];
        self.connection.execute(INSERT_DELIVERY, &row).map(|_| ())
    }

    fn duplicate(&mut self, event: &NewEvent) -> Result<Published, StoreError> {
        let found = self.connection.query("SELECT deliveries FROM event WHERE id = $1", &[(&event.id).into()])?.pop();
        let count = found.map_or(Ok(0), |mut row| row.int())?;
        Ok(Published {
            id: event.id.clone(),
            status: PublishStatus::Duplicate,
            deliveries: u32::try_from(count).unwrap_or_default(),
        })
    }
}

fn event_row(event: &NewEvent, now: Timestamp, deliveries: i64) -> Vec<Value> {
    let mut row = vec![
        (&event.id).into(),
        event.subject.as_str().into(),
        event.event_type.as_str().into(),
        event.occurred_at.into(),
        now.into(),
        event.payload.as_str().into(),
        event.attributes.as_deref().into(),
        deliveries.into(),
    ];
    row.extend(Demand::values(event));
    row
}
