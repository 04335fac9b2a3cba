//! Rotation of the master key: the newest key of the ring seals, everything is sealed anew, unused keys are retired.
//!
//! Each step leaves a state in which everything opens, and doing a step again changes nothing: a rotation that was
//! cut off is finished by beginning it again. Whoever has the database for himself does it: with SQLite a running
//! server notices a new key in the file by itself; with PostgreSQL the command does it beside the running nodes.

use std::time::Duration;

use futures_util::FutureExt as _;
use spaceport_platform::audit::{AuditChange, AuditEntry, AuditTarget};
use spaceport_platform::id::Id;
use spaceport_platform::random::Random;
use spaceport_platform::time::Clock;
use spaceport_store::{MasterKey, ResealCursor, Store, StoreError, Tx};

use crate::ring::RingFile;
use crate::services::Services;
use crate::tasks::Periodic;

/// Values that one transaction looks at: a few milliseconds of the writer.
const STEP: u32 = 100;

/// Looks for changes of the ring file.
pub const WATCH: Periodic = Periodic { name: "master keys", period: Duration::from_secs(5), run: |s| watch(s).boxed() };

/// What a rotation did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotated {
    /// Id of the key that seals now.
    pub key: String,
    /// How many values were sealed anew, where that is known.
    pub resealed: Option<u64>,
    /// Ids of the keys that were taken out of the ring.
    pub retired: Vec<String>,
}

/// Goes through all steps that are left until the newest key of the ring is the only one in use.
///
/// # Errors
/// A sentence that says what to do. What was done stays done.
pub async fn finish(store: &Store, ring: &RingFile, clock: &dyn Clock, random: &dyn Random) -> Result<Rotated, String> {
    let failed = |error: StoreError| format!("The rotation was not finished: {error}. Begin it again to go on.");
    let keys = ring.read()?;
    let ids: Vec<String> = keys.iter().map(MasterKey::id).collect();
    let key = ids.first().cloned().unwrap_or_default();
    let sealing = store.read(|tx| tx.sealing_key()).await.map_err(failed)?;
    if !ids.contains(&sealing) {
        return Err(format!(
            "{} lacks the key {sealing}, which the database is sealed with. Copy the master.key of the node where the last \
             rotation was made.",
            ring.path().display()
        ));
    }
    store.sealer().replace(&keys);
    if sealing != key {
        let (next, now) = (key.clone(), clock.now());
        let change = AuditChange::between("masterKey", Some(&sealing), Some(&key));
        let target = AuditTarget::other("masterKey", key.as_str());
        let entry = AuditEntry::of_server(Id::generate(now, random), now, "server.rotate_master_key", target, change);
        let begin = move |tx: &mut Tx<'_>| {
            tx.seal_from_now_with(&next)?;
            tx.insert_audit_entry(&entry)
        };
        store.write(begin).await.map_err(failed)?;
    }
    let (mut cursor, mut resealed) = (Some(ResealCursor::default()), 0);
    while let Some(from) = cursor {
        let (changed, next) = store.write(move |tx| tx.reseal(&from, STEP)).await.map_err(failed)?;
        resealed += changed;
        cursor = next;
    }
    let needed = store.read(|tx| tx.sealed_by()).await.map_err(failed)?;
    let unused = |id: &String| *id != key && needed.iter().all(|(needed, _)| needed != id);
    let retired: Vec<String> = ids.iter().filter(|id| unused(id)).cloned().collect();
    if !retired.is_empty() {
        ring.retire(&retired)?;
        store.sealer().replace(&ring.read()?);
    }
    Ok(Rotated { key, resealed: Some(resealed), retired })
}

async fn watch(services: Services) -> Result<(), String> {
    let (store, ring) = (&services.store, &services.ring);
    let keys = ring.read()?;
    let ids: Vec<String> = keys.iter().map(MasterKey::id).collect();
    if ids != store.sealer().key_ids() {
        let sealing = store.read(|tx| tx.sealing_key()).await.map_err(|error: StoreError| error.to_string())?;
        if !ids.contains(&sealing) {
            return Err(format!(
                "{} lacks the key {sealing}, which the database is sealed with; the keys read before stay in use",
                ring.path().display()
            ));
        }
        store.sealer().replace(&keys);
        tracing::info!(keys = ids.len(), "read the changed master.key");
    }
    // Several nodes must have a new key before it is used, so there an operator says when.
    if services.settings.is_sqlite() && ids.len() > 1 {
        let rotated = finish(store, ring, services.clock.as_ref(), services.random.as_ref()).await?;
        tracing::info!(
            key = rotated.key,
            resealed = rotated.resealed,
            retired = rotated.retired.len(),
            "rotated the master key"
        );
    }
    Ok(())
}
