//! Who hears of which events: an index over all subscriptions, so that an event is compared only with those that
//! could match.
//!
//! Subscriptions lie by subject and event type. Those without filters are one list. A filter lies under each value of
//! one of its fields that are compared exactly, so that an event finds it by looking its own values up; only filters
//! without such a field are tried one after the other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::context::{Context, Place};
use crate::field_right::FieldRight;
use crate::filter::{Comparison, Filter, FilterField, Location};
use crate::filter_match::Test;
use crate::id::{ApplicationId, WebhookId};
use crate::right::Right;
use crate::subscription::Subscription;

/// A webhook that hears of an event, and whose it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Listener {
    /// The webhook.
    pub webhook: WebhookId,
    /// Its application.
    pub application: ApplicationId,
    /// Rights that it needs besides those of the event type, because its filter looked at fields that demand them:
    /// whether an event passes must tell nobody what he may not see.
    pub rights: Option<Arc<[Right]>>,
}

/// A subscription that counts: enabled, of a webhook that is enabled and not archived.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Who hears of its events.
    pub listener: Listener,
    /// What it listens to.
    pub subscription: Subscription,
}

/// Keys that lead to values of a document, each value with the slot it belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Paths {
    /// Slots that the value here belongs to.
    pub slots: Vec<usize>,
    /// Below these keys.
    pub below: BTreeMap<String, Paths>,
}

impl Paths {
    fn add(&mut self, keys: &[String], slot: usize) {
        match keys.split_first() {
            Some((key, rest)) => self.below.entry(key.clone()).or_default().add(rest, slot),
            None => {
                self.slots.push(slot);
                // Of an object its id counts.
                self.below.entry("id".to_owned()).or_default().slots.push(slot);
            }
        }
    }

    /// Whether nothing is looked for.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty() && self.below.is_empty()
    }
}

/// What an event holds where filters look, by slot.
pub type Facts = Vec<Vec<String>>;

/// The index.
#[derive(Debug, Default)]
pub struct Listeners {
    kinds: HashMap<String, HashMap<String, Kind>>,
    slots: usize,
    places: Vec<(Location, usize)>,
}

/// Who hears of events of one subject and type.
#[derive(Debug, Default)]
struct Kind {
    /// Without filters.
    all: Arc<[Listener]>,
    unfiltered: Vec<Listener>,
    /// Filters by the slots in which one of their values must be found, and by that value.
    keyed: Vec<Keyed>,
    /// Filters that have no such field.
    tried: Vec<Entry>,
    payload: Paths,
    attributes: Paths,
}

#[derive(Debug)]
struct Keyed {
    slots: Arc<[usize]>,
    kind: Comparison,
    entries: HashMap<String, Vec<Entry>>,
}

#[derive(Clone, Debug)]
struct Entry {
    listener: Listener,
    tests: Arc<[Test]>,
}

impl Listeners {
    /// Puts the index together. A filter whose class the catalogue does not know any more matches nothing.
    pub fn new(listening: &[Listening], catalogue: &Catalogue) -> Self {
        let mut made = Self::default();
        let mut slots: HashMap<Location, usize> = HashMap::new();
        for one in listening {
            let filters: Vec<_> =
                one.subscription.filters.iter().map(|filter| compiled(filter, catalogue, &mut slots)).collect();
            for event_type in &one.subscription.event_types {
                let types = made.kinds.entry(one.subscription.subject.clone()).or_default();
                let kind = types.entry(event_type.clone()).or_default();
                // A filter that asks for nothing lets everything pass.
                if filters.is_empty() || filters.iter().flatten().any(|tests| tests.is_empty()) {
                    kind.add_unfiltered(&one.listener);
                    continue;
                }
                let fields = catalogue.field_rights().of(event_type);
                for (filter, tests) in one.subscription.filters.iter().zip(&filters) {
                    let Some(tests) = tests else { continue };
                    let listener = Listener { rights: demanded(filter, catalogue, fields), ..one.listener.clone() };
                    kind.add(Entry { listener, tests: Arc::clone(tests) });
                }
            }
        }
        made.slots = slots.len();
        let by_slot: HashMap<usize, &Location> = slots.iter().map(|(location, slot)| (*slot, location)).collect();
        for kind in made.kinds.values_mut().flat_map(HashMap::values_mut) {
            kind.finish(&by_slot);
        }
        made.places = slots
            .into_iter()
            .filter(|(location, _)| !matches!(location, Location::Payload(_) | Location::Attribute(_)))
            .collect();
        made
    }

    /// Where to look in the payload and in the attributes of such an event; `None` when no filter looks at any.
    pub fn wanted(&self, subject: &str, event_type: &str) -> Option<(&Paths, &Paths)> {
        let kind = self.kind(subject, event_type)?;
        (!kind.keyed.is_empty() || !kind.tried.is_empty()).then_some((&kind.payload, &kind.attributes))
    }

    /// How many slots facts have.
    pub fn slots(&self) -> usize {
        self.slots
    }

    fn kind(&self, subject: &str, event_type: &str) -> Option<&Kind> {
        self.kinds.get(subject)?.get(event_type)
    }

    /// Who hears of such an event, each webhook once; more than once only with different further rights, of which it
    /// needs one set. `facts` are asked for only when filters look at them; what
    /// follows from the place is added to them.
    pub fn hear(
        &self,
        subject: &str,
        event_type: &str,
        place: &Place,
        facts: impl FnOnce(&Paths, &Paths, usize) -> Facts,
    ) -> Arc<[Listener]> {
        let Some(kind) = self.kind(subject, event_type) else { return Arc::default() };
        let Some((payload, attributes)) = self.wanted(subject, event_type) else { return Arc::clone(&kind.all) };
        let mut facts = facts(payload, attributes, self.slots);
        facts.resize(self.slots, Vec::new());
        for (location, slot) in &self.places {
            if let (Some(id), Some(values)) = (of_place(location, place), facts.get_mut(*slot)) {
                values.push(id.to_owned());
            }
        }
        let mut seen: HashSet<&WebhookId> = kind.all.iter().map(|listener| &listener.webhook).collect();
        let mut heard: Vec<Listener> = Vec::new();
        let offer = |entry: &Entry, heard: &mut Vec<Listener>| {
            entry.tests.iter().all(|test| test.passes(&facts)).then(|| heard.push(entry.listener.clone()))
        };
        for keyed in &kind.keyed {
            for value in keyed.slots.iter().filter_map(|slot| facts.get(*slot)).flatten() {
                let found = match keyed.kind {
                    Comparison::Name => keyed.entries.get(&value.to_lowercase()),
                    _ => keyed.entries.get(value),
                };
                for entry in found.into_iter().flatten() {
                    if !seen.contains(&entry.listener.webhook)
                        && offer(entry, &mut heard).is_some()
                        && entry.listener.rights.is_none()
                    {
                        seen.insert(&entry.listener.webhook);
                    }
                }
            }
        }
        for entry in &kind.tried {
            if !seen.contains(&entry.listener.webhook)
                && offer(entry, &mut heard).is_some()
                && entry.listener.rights.is_none()
            {
                seen.insert(&entry.listener.webhook);
            }
        }
        if heard.iter().any(|listener| listener.rights.is_some()) {
            let mut known: HashSet<Listener> = HashSet::new();
            heard.retain(|listener| {
                let needless = listener.rights.is_some() && seen.contains(&listener.webhook);
                !needless && known.insert(listener.clone())
            });
        }
        if heard.is_empty() {
            return Arc::clone(&kind.all);
        }
        kind.all.iter().cloned().chain(heard).collect()
    }
}

impl Kind {
    fn add_unfiltered(&mut self, listener: &Listener) {
        if !self.unfiltered.contains(listener) {
            self.unfiltered.push(listener.clone());
        }
    }

    fn add(&mut self, entry: Entry) {
        let tests = Arc::clone(&entry.tests);
        let exact =
            tests.iter().filter(|test| test.exact().is_some()).min_by_key(|test| test.exact().map_or(0, HashSet::len));
        let Some((test, values)) = exact.and_then(|test| Some((test, test.exact()?))) else {
            self.tried.push(entry);
            return;
        };
        let known = self.keyed.iter().position(|keyed| keyed.slots == test.slots && keyed.kind == test.kind);
        let keyed = match known {
            Some(known) => self.keyed.get_mut(known),
            None => {
                let (slots, kind) = (Arc::clone(&test.slots), test.kind);
                self.keyed.push(Keyed { slots, kind, entries: HashMap::new() });
                self.keyed.last_mut()
            }
        };
        let Some(keyed) = keyed else { return };
        for value in values {
            keyed.entries.entry(value.clone()).or_default().push(entry.clone());
        }
    }

    fn finish(&mut self, by_slot: &HashMap<usize, &Location>) {
        self.all = std::mem::take(&mut self.unfiltered).into();
        let keyed = self.keyed.iter().flat_map(|keyed| keyed.entries.values().flatten());
        let slots: HashSet<usize> = keyed
            .chain(&self.tried)
            .flat_map(|entry| entry.tests.iter())
            .flat_map(|test| test.slots.iter().copied())
            .collect();
        for slot in slots {
            match by_slot.get(&slot) {
                Some(Location::Payload(keys)) => self.payload.add(keys, slot),
                Some(Location::Attribute(name)) => self.attributes.add(std::slice::from_ref(name), slot),
                _ => {}
            }
        }
    }
}

fn of_place<'a>(location: &Location, place: &'a Place) -> Option<&'a str> {
    place.covering().find_map(|context| match (location, context) {
        (Location::Project, Context::Project(id))
        | (Location::Channel, Context::Channel(id))
        | (Location::PackageRepository, Context::PackageRepository(id)) => Some(id.as_str()),
        _ => None,
    })
}

/// The rights that those of these fields demand at which a filter looks.
fn demanded(filter: &Filter, catalogue: &Catalogue, fields: &[FieldRight]) -> Option<Arc<[Right]>> {
    if fields.is_empty() {
        return None;
    }
    let class = catalogue.filter_class(&filter.class)?;
    let asked = class.fields.iter().filter(|field| filter.fields.contains_key(&field.name));
    let mut rights: Vec<Right> = Vec::new();
    for location in asked.flat_map(FilterField::locations) {
        let Location::Payload(keys) = location else { continue };
        for field in fields.iter().filter(|field| field.touches(&keys)) {
            if !rights.contains(&field.right) {
                rights.push(field.right.clone());
            }
        }
    }
    (!rights.is_empty()).then(|| rights.into())
}

/// The tests of a filter; `None` when one of them cannot be made, so that nothing passes.
fn compiled(filter: &Filter, catalogue: &Catalogue, slots: &mut HashMap<Location, usize>) -> Option<Arc<[Test]>> {
    let class = catalogue.filter_class(&filter.class)?;
    let mut tests = Vec::with_capacity(filter.fields.len());
    for (name, values) in &filter.fields {
        let field = class.fields.iter().find(|field| field.name == *name)?;
        let mut looked_at = Vec::new();
        for location in field.locations() {
            let next = slots.len();
            looked_at.push(*slots.entry(location).or_insert(next));
        }
        tests.push(Test::new(field.kind, values, looked_at)?);
    }
    // What is quick to tell comes first.
    tests.sort_by_key(|test| test.exact().is_none());
    Some(tests.into())
}

#[cfg(test)]
#[path = "listeners_tests.rs"]
mod tests;
