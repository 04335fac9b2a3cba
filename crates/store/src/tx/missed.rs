//! Events that a webhook missed: they are kept, and there is no delivery of them for it.
//!
//! A delivery that is made later gets an id of the moment in which its event came, as all deliveries have. So it stands
//! where it belongs in the log and in the order of the webhook, and is found by its event.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use spaceport_platform::event::NewEvent;
use spaceport_platform::id::{DeliveryId, EventId, id_prefix};
use spaceport_platform::listeners::Listener;
use spaceport_platform::time::Timestamp;

use crate::error::StoreError;
use crate::tx::Tx;
use crate::tx::entitlement::{DEMAND, Demand};
use crate::tx::event::{Heard, may_hear};
use crate::value::{Row, Value};

/// The setting that holds the moment before which deliveries have been deleted, in milliseconds.
const DELETED: &str = "deliveries_deleted_before";

/// The place of an event in the order of their coming.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct EventPlace {
    /// When it came.
    pub received_at: Timestamp,
    /// Its id; events of one call have no order among themselves but this.
    pub id: EventId,
}

/// Where to look for events that a webhook missed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissedQuery {
    /// The webhook, and whose it is.
    pub listener: Listener,
    /// Subjects and types of events.
    pub kinds: HashSet<(String, String)>,
    /// Events that came at or after this moment.
    pub since: Timestamp,
    /// Events that came before this moment.
    pub until: Timestamp,
    /// Events behind this one.
    pub after: Option<EventPlace>,
    /// Look at no more than so many events of any kind.
    pub look_at: usize,
    /// Answer no more than so many.
    pub limit: usize,
}

/// Events that a webhook missed, as far as its filters and its application's rights let it hear of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missed {
    /// The events, in the order of their coming.
    pub events: Vec<NewEvent>,
    /// When each of them came.
    pub received_at: Vec<Timestamp>,
    /// How many events of any kind were looked at.
    pub looked_at: usize,
    /// The last of those; `None` when there was none.
    pub last: Option<EventPlace>,
    /// Whether none is behind it.
    pub at_end: bool,
}

impl Tx<'_> {
    /// Looks for kept events of these kinds of which there is no delivery for the webhook.
    pub fn missed_events(&mut self, query: &MissedQuery) -> Result<Missed, StoreError> {
        let after = query.after.as_ref().filter(|after| after.received_at >= query.since);
        let from = after.map_or(query.since, |after| after.received_at);
        let mut values: Vec<Value> = vec![from.into(), query.until.into()];
        let behind = match after {
            Some(after) => {
                values.push((&after.id).into());
                " AND (received_at > $1 OR id > $3)"
            }
            None => "",
        };
        // By time, not by kind: so much is read and no more, however rare the kinds are.
        let sql = format!(
            "SELECT received_at, id, subject, event_type FROM event WHERE received_at >= $1 AND received_at < $2{behind} \
             ORDER BY received_at, id LIMIT {}",
            query.look_at
        );
        let mut looked: Vec<(EventPlace, (String, String))> = Vec::new();
        for mut row in self.connection.query(&sql, &values)? {
            let place = EventPlace { received_at: row.time()?, id: EventId::new(row.text()?) };
            looked.push((place, (row.text()?, row.text()?)));
        }
        let mut at_end = looked.len() < query.look_at;
        let span = looked.first().zip(looked.last()).map(|(first, last)| (first.0.received_at, last.0.received_at));
        let delivered = match span {
            Some(span) => self.delivered(&query.listener, span)?,
            None => HashSet::new(),
        };
        let is_missed = |(place, kind): &&(EventPlace, (String, String))| {
            query.kinds.contains(kind) && !delivered.contains(place.id.as_str())
        };
        let wanted: Vec<EventPlace> =
            looked.iter().filter(is_missed).take(query.limit).map(|(place, _)| place.clone()).collect();
        if let Some(last) = wanted.last().filter(|_| wanted.len() >= query.limit) {
            // More may be missed behind the last one that is answered.
            let kept = looked.iter().take_while(|(place, _)| place <= last).count();
            at_end = at_end && kept == looked.len();
            looked.truncate(kept);
        }
        let (events, received_at) = self.events(&wanted)?;
        let (looked_at, last) = (looked.len(), looked.pop().map(|(place, _)| place));
        Ok(Missed { events, received_at, looked_at, last, at_end })
    }

    /// Makes a delivery of each of these events that the webhook hears of, whose rights its application holds today, and
    /// of which it has none yet; answers their ids. `None`, and nothing is done, when subscriptions have changed since
    /// `heard` was told. Two that do this for one webhook wait for each other.
    pub fn deliver_missed(
        &mut self,
        listener: &Listener,
        missed: &Missed,
        heard: &Heard,
        now: Timestamp,
        new_id: &dyn Fn(Timestamp) -> DeliveryId,
    ) -> Result<Option<Vec<DeliveryId>>, StoreError> {
        let sql = format!("SELECT id FROM webhook WHERE id = $1 {}", self.connection.held_for_update());
        self.connection.query(&sql, &[(&listener.webhook).into()])?;
        let Some(span) = missed.received_at.first().zip(missed.received_at.last()) else { return Ok(Some(Vec::new())) };
        let delivered = self.delivered(listener, (*span.0, *span.1))?;
        let application = &listener.application;
        let Some(held) = self.held(heard, &[application], &missed.events)? else { return Ok(None) };
        let Some(grants) = held.get(application) else { return Ok(Some(Vec::new())) };
        let all = missed.events.iter().zip(&missed.received_at).zip(&heard.listeners);
        let heard_of: Vec<(&NewEvent, Timestamp)> = all
            .filter(|((event, _), listeners)| {
                let mut own = listeners.iter().filter(|one| one.webhook == listener.webhook);
                own.any(|one| may_hear(one, event, grants)) && !delivered.contains(event.id.as_str())
            })
            .map(|((event, received_at), _)| (event, *received_at))
            .collect();
        let mut ids: Vec<DeliveryId> = heard_of.iter().map(|(_, received_at)| new_id(*received_at)).collect();
        // Events are in the order of their coming, and so must be their deliveries.
        ids.sort();
        let rows: Vec<Vec<Value>> = heard_of
            .iter()
            .zip(&ids)
            .map(|((event, received_at), id)| {
                let (webhook, event) = ((&listener.webhook).into(), (&event.id).into());
                vec![id.into(), event, webhook, application.into(), now.into(), (*received_at).into()]
            })
            .collect();
        let sql = "INSERT INTO delivery (id, event_id, webhook_id, application_id, state, attempts, due_at, created_at) \
                   VALUES ($1, $2, $3, $4, 'waiting', 0, $5, $6)";
        self.execute_all(sql, &rows)?;
        Ok(Some(ids))
    }

    /// Before this moment deliveries have been deleted, so nobody can tell any more of which events there were any.
    pub fn deliveries_deleted_before(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let sql = "SELECT value FROM setting WHERE name = $1";
        let Some(mut row) = self.connection.query(sql, &[DELETED.into()])?.pop() else { return Ok(None) };
        let millis = row.text()?.parse().map_err(|_| StoreError::corrupt("when deliveries were deleted"))?;
        Ok(Some(Timestamp::from_millis(millis)))
    }

    /// Remembers that deliveries made before `horizon` are being deleted.
    pub(crate) fn deliveries_are_deleted_before(&mut self, horizon: Timestamp) -> Result<(), StoreError> {
        if self.deliveries_deleted_before()?.is_some_and(|known| known >= horizon) {
            return Ok(());
        }
        let sql =
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.connection.execute(sql, &[DELETED.into(), horizon.millis().to_string().into()]).map(|_| ())
    }

    /// Events that came in this span, both ends included, of which the webhook has a delivery.
    fn delivered(
        &mut self,
        listener: &Listener,
        (first, last): (Timestamp, Timestamp),
    ) -> Result<HashSet<String>, StoreError> {
        let sql =
            "SELECT event_id FROM delivery WHERE application_id = $1 AND id >= $2 AND id < $3 AND webhook_id = $4";
        let values = [
            (&listener.application).into(),
            id_prefix(first).into(),
            id_prefix(last.plus(Duration::from_millis(1))).into(),
            (&listener.webhook).into(),
        ];
        self.connection.query(sql, &values)?.into_iter().map(|mut row| row.text()).collect()
    }

    /// Events as they were published, in this order, and when they came.
    fn events(&mut self, places: &[EventPlace]) -> Result<(Vec<NewEvent>, Vec<Timestamp>), StoreError> {
        let ids: Vec<Value> = places.iter().map(|place| (&place.id).into()).collect();
        let select = format!("SELECT id, subject, event_type, occurred_at, payload, attributes, {DEMAND} FROM event");
        let rows = self.rows_in(&select, "id", &ids)?;
        let mut found = rows
            .into_iter()
            .map(|row| read(row).map(|event| (event.id.clone(), event)))
            .collect::<Result<HashMap<_, _>, _>>()?;
        let kept = places.iter().filter_map(|place| Some((found.remove(&place.id)?, place.received_at)));
        Ok(kept.unzip())
    }
}

fn read(mut row: Row) -> Result<NewEvent, StoreError> {
    let (id, subject, event_type) = (EventId::new(row.text()?), row.text()?, row.text()?);
    let (occurred_at, payload, attributes) = (row.time()?, row.text()?, row.optional_text()?);
    let Demand { rights, place, about } = Demand::read(&mut row)?;
    Ok(NewEvent { id, subject, event_type, place, about, rights, occurred_at, payload, attributes })
}
