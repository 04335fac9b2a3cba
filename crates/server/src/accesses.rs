//! When and from where things were used last: kept in memory and stored now and then, so that a use costs no write.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use spaceport_platform::access_record::AccessRecord;
use spaceport_store::StoreError;

use crate::services::Services;

/// The last uses that are not stored yet, one for each key.
#[derive(Debug)]
pub struct Accesses<K>(Mutex<HashMap<K, AccessRecord>>);

impl<K> Default for Accesses<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq + Ord + Clone> Accesses<K> {
    /// Remembers a use, unless a later one is known.
    pub fn note(&self, key: &K, record: AccessRecord) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match waiting.get_mut(key) {
            Some(known) if known.at > record.at => {}
            Some(known) => *known = record,
            None => {
                waiting.insert(key.clone(), record);
            }
        }
    }

    /// The later one of `stored` and what waits to be stored.
    pub fn latest(&self, key: &K, stored: Option<AccessRecord>) -> Option<AccessRecord> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        match (waiting, stored) {
            (Some(waiting), Some(stored)) => Some(if waiting.at >= stored.at { waiting } else { stored }),
            (waiting, stored) => waiting.or(stored),
        }
    }

    /// What waits, in the order of the keys, so that two nodes that store at once do not wait for each other in a
    /// circle. It stays known until [`Self::stored`], so that nobody reads an older use meanwhile.
    pub fn waiting(&self) -> Vec<(K, AccessRecord)> {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<_> = waiting.iter().map(|(key, record)| (key.clone(), record.clone())).collect();
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }

    /// Forgets what was stored, unless a later use came meanwhile.
    pub fn stored(&self, records: &[(K, AccessRecord)]) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, record) in records {
            if waiting.get(key) == Some(record) {
                waiting.remove(key);
            }
        }
    }
}

/// Stores the sign-ins that wait. Runs every few seconds and once more at the end of the server.
pub fn store_sign_ins(services: Services) -> BoxFuture<'static, Result<(), String>> {
    async move {
        let records = services.sign_ins.waiting();
        if records.is_empty() {
            return Ok(());
        }
        let stored = records.clone();
        let write = services.store.write(move |tx| tx.record_client_credentials_accesses(&records)).await;
        write.map_err(|error: StoreError| error.to_string())?;
        services.sign_ins.stored(&stored);
        Ok(())
    }
    .boxed()
}

/// Stores the uses of tokens that wait. Runs every few seconds and once more at the end of the server.
pub fn store_token_uses(services: Services) -> BoxFuture<'static, Result<(), String>> {
    async move {
        let records = services.token_uses.waiting();
        if records.is_empty() {
            return Ok(());
        }
        let stored = records.clone();
        let write = services.store.write(move |tx| tx.record_token_accesses(&records)).await;
        write.map_err(|error: StoreError| error.to_string())?;
        services.token_uses.stored(&stored);
        Ok(())
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use spaceport_platform::time::Timestamp;

    fn at(millis: i64) -> AccessRecord {
        AccessRecord::new(Timestamp::from_millis(millis), "::1", None)
    }

    #[test]
    fn the_latest_use_counts_wherever_it_is() {
        let accesses = Accesses::default();
        assert_eq!(accesses.latest(&"a", None), None);
        assert_eq!(accesses.latest(&"a", Some(at(1))), Some(at(1)));
        accesses.note(&"a", at(5));
        accesses.note(&"a", at(3));
        assert_eq!(accesses.latest(&"a", None), Some(at(5)));
        assert_eq!(accesses.latest(&"a", Some(at(4))), Some(at(5)));
        assert_eq!(accesses.latest(&"a", Some(at(6))), Some(at(6)));
        accesses.note(&"b", at(2));
        let waiting = accesses.waiting();
        assert_eq!(waiting, [("a", at(5)), ("b", at(2))]);
        accesses.note(&"b", at(7));
        accesses.stored(&waiting);
        assert_eq!(accesses.waiting(), [("b", at(7))], "what came while the others were stored still waits");
    }
}
