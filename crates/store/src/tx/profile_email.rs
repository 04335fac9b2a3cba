//! Addresses of people. Of those who have not left only one can claim an address.

use std::collections::HashMap;

use spaceport_platform::profile::{Profile, folded};

use crate::error::StoreError;
use crate::tx::Tx;
use crate::value::Value;

impl Tx<'_> {
    /// Stores the addresses of profiles that have none yet.
    pub(crate) fn insert_emails(&mut self, profiles: &[Profile]) -> Result<(), StoreError> {
        let mut sets: Vec<Vec<Value>> = Vec::new();
        for profile in profiles {
            for (position, address) in (0_i64..).zip(&profile.emails) {
                let folded = folded(address);
                let claimed = profile.archived_at.is_none().then(|| folded.clone());
                sets.push(vec![
                    (&profile.id).into(),
                    position.into(),
                    address.as_str().into(),
                    folded.into(),
                    claimed.into(),
                ]);
            }
        }
        let into = "INSERT INTO profile_email (profile_id, position, address, address_folded, claimed)";
        self.insert_all(into, "", &sets).map(|_| ())
    }

    /// Puts stored addresses into profiles.
    pub(crate) fn add_emails(&mut self, profiles: &mut [Profile]) -> Result<(), StoreError> {
        let ids: Vec<Value> = profiles.iter().map(|profile| Value::from(&profile.id)).collect();
        let rows = self.rows_in("SELECT profile_id, position, address FROM profile_email", "profile_id", &ids)?;
        let mut addresses: HashMap<String, Vec<(i64, String)>> = HashMap::new();
        for mut row in rows {
            addresses.entry(row.text()?).or_default().push((row.int()?, row.text()?));
        }
        for profile in profiles {
            let mut found = addresses.remove(profile.id.as_str()).unwrap_or_default();
            found.sort_unstable();
            profile.emails = found.into_iter().map(|(_, address)| address).collect();
        }
        Ok(())
    }
}
