//! Events: stored together with the deliveries they cause, once per event id.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use spaceport_platform::context::Place;
use spaceport_platform::event::{About, NewEvent, PublishStatus, Published};
use spaceport_platform::id::{ApplicationId, DeliveryId};
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::entitlement::{DEMAND, Demand};
use crate::tx::{Tx, placeholders};
use crate::value::Value;

type Matches = Vec<(String, String)>;

/// What decides which webhooks hear of an event, so that many events of a kind are matched once.
type Kind<'a> = (&'a str, &'a str, &'a Place, Option<&'a About>);

fn kind(event: &NewEvent) -> Kind<'_> {
    (&event.subject, &event.event_type, &event.place, event.about.as_ref())
}

impl Tx<'_> {
    /// Stores events and one delivery for each webhook that has a matching subscription. An event whose
    /// id is known is left alone. Answers what became of each, and whose deliveries are due now.
    pub fn publish(
        &mut self,
        events: &[NewEvent],
        now: Timestamp,
        new_id: &dyn Fn() -> DeliveryId,
    ) -> Result<(Vec<Published>, Vec<ApplicationId>), StoreError> {
        let mut matches: HashMap<Kind<'_>, Matches> = HashMap::new();
        let mut rows = Vec::with_capacity(events.len());
        for event in events {
            let count = match matches.entry(kind(event)) {
                Entry::Occupied(known) => known.get().len(),
                Entry::Vacant(unknown) => unknown.insert(self.listeners(event)?).len(),
            };
            rows.push(event_row(event, now, i64::try_from(count).unwrap_or(i64::MAX)));
        }
        let sql = format!(
            "INSERT INTO event (id, subject, event_type, occurred_at, received_at, payload, attributes, deliveries, {DEMAND}) \
             VALUES ({}) ON CONFLICT (id) DO NOTHING",
            placeholders(1, 12)
        );
        let stored = self.connection.execute_many(&sql, &rows)?;
        let mut published = Vec::with_capacity(events.len());
        let mut deliveries: Vec<Vec<Value>> = Vec::new();
        let mut woken: Vec<&str> = Vec::new();
        for (event, stored) in events.iter().zip(stored) {
            if stored == 0 {
                published.push(self.duplicate(event)?);
                continue;
            }
            let found = matches.get(&kind(event)).map_or(&[][..], Vec::as_slice);
            for (webhook, application) in found {
                deliveries.push(vec![
                    (&new_id()).into(),
                    (&event.id).into(),
                    webhook.as_str().into(),
                    application.as_str().into(),
                    now.into(),
                ]);
                if !woken.contains(&application.as_str()) {
                    woken.push(application);
                }
            }
            let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
            published.push(Published { id: event.id.clone(), status: PublishStatus::Accepted, deliveries: count });
        }
        let sql = "INSERT INTO delivery (id, event_id, webhook_id, application_id, state, attempts, due_at, created_at) \
                   VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $5)";
        self.connection.execute_many(sql, &deliveries)?;
        Ok((published, woken.into_iter().map(ApplicationId::new).collect()))
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
